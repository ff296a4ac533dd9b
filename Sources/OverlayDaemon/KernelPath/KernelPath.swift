import Addressing
import DataPlane
import LinuxKit
import Logging
import Synchronization

/// Keeps the eBPF path right: next hops, pods and attached programs follow what the kernel reports.
package final class KernelPath: Sendable {
    /// The kernel's state is looked at once for all changes within this time.
    private static let settlingTime: Duration = .milliseconds(15)
    private static let filterInterval: Duration = .seconds(10)

    private struct State {
        var wanted: KernelPathState?
        var settings: FastPathSettings?
        var trouble: String?
    }

    private let fastPath: FastPath
    private let netlink: NetlinkSocket
    private let discovery: PodDiscovery
    private let logger: Logger
    private let state = Mutex(State())

    /// Loads the programs into the kernel; nothing changes for packets yet.
    ///
    /// - Parameter device: The overlay device's name: each has maps of its own.
    init(device: String, netlink: NetlinkSocket, logger: Logger) throws(DaemonError) {
        do {
            self.netlink = netlink
            self.logger = logger
            fastPath = try FastPath(pins: try BPFFileSystem.directory(for: device))
            discovery = try PodDiscovery(netlink: netlink)
        } catch {
            throw DaemonError("\(error)")
        }
    }

    var events: [FastPathEvent: UInt64] { fastPath.events }
    var traffic: [IPv4Address: PeerTraffic] { fastPath.traffic }

    /// Takes the packets, follows a change, and puts back what somebody else has detached. Blocks for some milliseconds.
    func update(_ wanted: KernelPathState) throws(DaemonError) {
        try state.withLock { (state) throws(DaemonError) in
            state.wanted = wanted
            do throws(SyscallError) { try fastPath.repair() } catch { throw DaemonError("\(error)") }
            try apply(&state)
        }
    }

    /// Looks at routes and pods again.
    func refresh() throws(DaemonError) {
        try state.withLock { (state) throws(DaemonError) in try apply(&state) }
    }

    /// Follows the kernel until it is cancelled.
    package func run() async throws {
        let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let changes = try NetworkMonitor.changes(of: [.links, .addresses, .routes], everyNamespace: true)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes { signal.yield() } }
            group.addTask { [self] in
                for await _ in signals {
                    try await Task.sleep(for: Self.settlingTime)
                    await look { (path) throws(DaemonError) in try path.refresh() }
                }
            }
            group.addTask { [self] in
                while true {
                    try await Task.sleep(for: Self.filterInterval)
                    await look { (path) throws(DaemonError) in try path.refreshFilter() }
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Gives the packets back to the stack and the user-space path.
    static func remove(netlink: NetlinkSocket) throws(SyscallError) -> [String] {
        var removed: [String] = []
        let control = try TrafficControl(netlink)
        for link in try netlink.links() {
            let filters = try control.ingressFilters(of: link.index) + control.egressFilters(of: link.index)
            guard filters.contains(where: { $0.priority == FastPath.priority }) else { continue }
            try FastPath.remove(from: [link.index])
            removed.append("programs of \(link.name)")
        }
        if try BPFFileSystem.removeAll() { removed.append("pinned maps below \(BPFFileSystem.path)") }
        return removed
    }

    private func look(_ body: @escaping @Sendable (KernelPath) throws(DaemonError) -> Void) async {
        let trouble: String?
        do {
            try await DedicatedThread.run(name: "kernel-path") { [self] in try body(self) }
            trouble = nil
        } catch {
            trouble = "\(error)"
        }
        let isNew = state.withLock { state in
            defer { state.trouble = trouble }
            return state.trouble != trouble
        }
        if isNew, let trouble { logger.error("the eBPF path can't follow: \(trouble)") }
    }

    private func refreshFilter() throws(DaemonError) {
        do throws(SyscallError) { try fastPath.refreshFilter() } catch { throw DaemonError("\(error)") }
    }

    private func apply(_ state: inout State) throws(DaemonError) {
        guard let wanted = state.wanted else { return }
        do throws(SyscallError) {
            let routes = try routes(wanted)
            let settings = FastPathSettings(
                network: wanted.network, subnet: wanted.subnet, underlayAddress: wanted.underlayAddress,
                underlayInterfaces: Set(routes.map(\.interface)).union([wanted.underlay]).sorted(),
                device: wanted.device, encapsulation: wanted.encapsulation)
            if state.settings != settings {
                try fastPath.configure(settings)
                state.settings = settings
            }
            try fastPath.setRoutes(routes)
            try fastPath.setPods(try discovery.pods(in: wanted.subnet))
        } catch {
            throw DaemonError("\(error)")
        }
    }

    /// Asks the kernel for the way to each peer. A peer that there is no way to now is left out, so that its packets
    /// go through the stack, which says so to the sender.
    private func routes(_ wanted: KernelPathState) throws(SyscallError) -> [FastPathRoute] {
        var mtus: [Int32: Int] = [:]
        for link in try netlink.links() { mtus[link.index] = link.mtu }
        var port: UInt16 = 0
        if case .udp(let number) = wanted.encapsulation { port = number }
        var routes: [FastPathRoute] = []
        for peer in wanted.peers {
            let way: Route
            do throws(SyscallError) { way = try netlink.route(to: peer.address) } catch { continue }
            guard let interface = way.interface, way.action == .unicast, let linkMTU = mtus[interface] else { continue }
            routes.append(
                FastPathRoute(
                    prefix: peer.subnet, remote: peer.address, local: wanted.underlayAddress,
                    gateway: way.gateway ?? peer.address, interface: interface,
                    mtu: min(linkMTU, way.mtu ?? linkMTU) - wanted.overhead, port: port, vtepMAC: peer.vtepMAC,
                    isUserSpaceOnly: peer.isUserSpaceOnly))
        }
        return routes
    }
}
