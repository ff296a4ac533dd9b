import ArgumentParser
import EmbeddedStore

/// `fjord store restore`
struct StoreRestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Make a store of a backup, or of what etcdctl snapshot save got from one.",
        discussion: "The backup is checked first. An existing store is not overwritten: move it away.")

    @Argument(help: "The backup.") var file: String

    @Option(help: "The database file to make.")
    var storePath = StoreCommand.defaultPath

    @Option(
        help: """
            Added to the revision, all history being given up: clients that have seen what came after the backup then \
            notice, and list anew. More than was written since; 0 keeps revision and history.
            """)
    var bumpRevision: Int64 = 0

    func run() async throws {
        guard bumpRevision >= 0 else {
            throw ValidationError("--bump-revision: expected a number from 0 on, found \(bumpRevision)")
        }
        let summary = try StoreBackup.restore(from: file, to: storePath, bump: bumpRevision)
        print("\(storePath): revision \(summary.revision), \(summary.keys) keys")
    }
}
