import ArgumentParser
import LocalCluster

/// `fjord status`
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show a cluster's machines, services, nodes and subnets.",
        discussion: "Ends with 1 when something is not as it should be.")

    @Option(help: "The cluster's name.") var name = "fjord"

    func run() async throws {
        let cluster = try LocalCluster(
            existing: name, logger: bootstrapLogging(component: "status", verbosity: 0), report: ClusterReport.line)
        let status = await cluster.status()
        for machine in status.machines {
            var facts = [machine.isOn ? "on" : "OFF"]
            if let isReady = machine.isReady { facts.append(isReady ? "Ready" : "NotReady") }
            if let subnet = machine.subnet { facts.append("subnet \(subnet)") }
            ClusterReport.line(
                "\(machine.identity.name.padded(to: 10)) \("\(machine.identity.address)".padded(to: 15)) \(facts.joined(separator: ", "))"
            )
            for service in machine.services where machine.isOn {
                let state = service.pid.map { "pid \($0)" } ?? service.detail
                let restarts = service.restarts == 0 ? "" : ", restarted \(service.restarts) times"
                ClusterReport.line("  \(service.name.padded(to: 20)) \(state)\(restarts)")
            }
        }
        for problem in status.problems { ClusterReport.line("problem: \(problem)") }
        if !status.isHealthy { throw ExitCode.failure }
    }
}
