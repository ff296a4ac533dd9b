import ArgumentParser
import LocalCluster

/// `fjord node`
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Power machines of a cluster off and on.", subcommands: [Stop.self, Start.self])

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Power a machine off: everything in it is gone at once.")
        @Argument(help: "The machine, such as node-1.") var machine: String
        @Option(help: "The cluster's name.") var name = "fjord"

        func run() async throws {
            try await LocalCluster(
                existing: name, logger: bootstrapLogging(component: "node", verbosity: 0), report: ClusterReport.line
            ).stop(machine)
            ClusterReport.line("\(machine) is off")
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Power a machine on.")
        @Argument(help: "The machine, such as node-1.") var machine: String
        @Option(help: "The cluster's name.") var name = "fjord"

        func run() async throws {
            try await LocalCluster(
                existing: name, logger: bootstrapLogging(component: "node", verbosity: 0), report: ClusterReport.line
            ).start(machine)
            ClusterReport.line("\(machine) is on")
        }
    }
}
