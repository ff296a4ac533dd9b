import ArgumentParser
import LocalCluster

/// `fjord down`
struct DownCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Remove a cluster and everything that was made for it, whatever state it is in.")

    @Option(help: "The cluster's name.") var name = "fjord"

    func run() async throws {
        let removed = try await ClusterRemoval(name, report: ClusterReport.line).run()
        ClusterReport.line(removed ? "cluster \(name) is gone" : "there is no cluster \(name); nothing to remove")
    }
}
