import Addressing
import Glibc
import LinuxKit
import Logging
import Testing

@testable import LocalCluster

/// Machines with containerd alone, made by the real `fjord machine-init`, which lies beside the test program.
/// Needs root and Debian's containerd.
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root for namespaces and mounts"))
struct BareMachinesTests {
    private let layout: ClusterLayout

    init() throws {
        let lan = try #require(IPv4Prefix("10.220.0.0/24"))
        layout = ClusterLayout(
            name: "bare\(getpid() % 10_000)", directory: "/var/lib/fjord/bare\(getpid() % 10_000)",
            machines: ClusterLayout.machines(nodes: 1, lan: lan), lan: lan,
            podNetwork: try #require(IPv4Prefix("10.221.0.0/16")),
            portalNetwork: try #require(IPv4Prefix("10.222.0.0/16")), hasUplink: false)
    }

    private var cluster: LocalCluster { LocalCluster(layout, logger: Logger(label: "test"), report: { _ in }) }
    private var node: MachineIdentity { layout.nodes[0] }
    private var nodeNamespace: NetworkNamespace { .named(layout.namespace(node)) }

    private func writeFiles() throws {
        for machine in layout.machines {
            let files = MachineFiles(layout: layout, machine: machine)
            try files.write()
            var spec = files.spec()
            if machine.isNode {
                spec.services = [
                    .init(
                        "containerd", ["/usr/bin/containerd", "--config", "/etc/containerd/config.toml"],
                        log: files.log("containerd"))
                ]
            }
            try JSONFile.write(spec, "\(layout.directory(machine))/machine.json")
        }
    }

    private func up() async throws { try await cluster.up(readyWithin: nil) { try writeFiles() } }
    private func down() async throws { _ = try await ClusterRemoval(layout.name, report: { _ in }).run() }

    private func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record("did not happen: \(what)")
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// The state of containerd as its machine reports it.
    private func containerd() -> MachineState.Service? {
        (try? JSONFile.read(MachineState.self, "\(layout.directory(node))/state.json"))?.services.first
    }

    private func containerdOnHost() -> Int32? {
        guard let inside = containerd()?.pid else { return nil }
        return MachineProcesses.numbers(in: nodeNamespace).first { $0.inside == inside }?.outside
    }

    @Test func upPowerOffPowerOnAndDownLeaveNothing() async throws {
        try await down()
        let before = try HostSnapshot(cluster: layout.name)
        try await up()
        try await eventually("containerd runs") { containerdOnHost() != nil }
        #expect(MachineCgroups.exist(layout.cgroup(node)))
        #expect(try NetlinkSocket().interface(named: layout.hostLink)?.address == layout.hostAddress)

        // Up again keeps what runs.
        let first = MachineProcesses.first(in: nodeNamespace)
        try await up()
        #expect(MachineProcesses.first(in: nodeNamespace) == first)

        // A service that is killed is started again.
        let killed = try #require(containerdOnHost())
        kill(killed, SIGKILL)
        try await eventually("containerd is started again") {
            (containerd()?.restarts ?? 0) >= 1 && containerdOnHost() != nil
        }

        try await cluster.stop(node.name)
        #expect(!nodeNamespace.exists)
        #expect(!MachineCgroups.exist(layout.cgroup(node)))
        try await cluster.start(node.name)
        try await eventually("containerd runs after power-on") { containerdOnHost() != nil }

        try await down()
        let after = try HostSnapshot(cluster: layout.name)
        #expect(after == before)
    }

    @Test func downRemovesWhatIsLeftOfPiecesThatWereKilledOrDeleted() async throws {
        try await down()
        let before = try HostSnapshot(cluster: layout.name)
        try await up()
        try await eventually("containerd runs") { containerdOnHost() != nil }
        if let first = MachineProcesses.first(in: nodeNamespace) { kill(first, SIGKILL) }
        if let first = MachineProcesses.first(in: .named(layout.namespace(layout.master))) { kill(first, SIGKILL) }
        try NetlinkSocket().deleteLink(layout.hostLink)
        // Up repairs, down removes, and down of nothing is no error.
        try await up()
        #expect(MachineProcesses.first(in: nodeNamespace) != nil)
        try NetworkNamespace.named(layout.lanNamespace).delete()
        try await down()
        let after = try HostSnapshot(cluster: layout.name)
        #expect(after == before)
        try await down()
    }

    @Test func aRefusingRouteOfTheHostIsPutBack() async throws {
        try await down()
        let host = try NetlinkSocket()
        let refusal = Route(to: layout.podNetwork, action: .unreachable, metric: 0)
        try host.replaceRoute(refusal)
        defer { _ = try? host.deleteRoute(refusal) }
        try await up()
        #expect(try host.routes().first { $0.destination == layout.podNetwork }?.gateway == node.address)
        try await down()
        #expect(try host.routes().filter { $0.destination == layout.podNetwork }.map(\.action) == [.unreachable])
    }

    @Test func aClusterInTheWayOfTheHostsRoutesIsRefusedBeforeAnythingIsMade() async throws {
        try await down()
        let host = try NetlinkSocket()
        let narrower = Route(to: try #require(IPv4Prefix("10.221.7.0/24")), action: .unreachable)
        try host.replaceRoute(narrower)
        defer { _ = try? host.deleteRoute(narrower) }
        await #expect(throws: ClusterError.self) { try await up() }
        #expect(!FileContents.exists(layout.directory))
    }
}
