import ArgumentParser
import LinuxKit
import LocalCluster

/// `fjord machine-init`
struct MachineInitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine-init", abstract: "Be the first process of a machine; started by `fjord up`.",
        shouldDisplay: false)

    @Option(help: ArgumentHelp("What the machine is to be.", valueName: "file")) var spec: String

    func run() async throws {
        let spec = spec
        try await DedicatedThread.run(name: "machine-init") { try MachineInit.run(specFile: spec) }
    }
}
