import ArgumentParser

/// `fjord store`
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Serve an embedded store over etcd's v3 API, back it up, restore it.",
        subcommands: [StoreServeCommand.self, StoreBackupCommand.self, StoreRestoreCommand.self],
        defaultSubcommand: StoreServeCommand.self)

    /// Where the store is unless somebody says otherwise.
    static let defaultPath = "/var/lib/fjord/store/store.db"
}
