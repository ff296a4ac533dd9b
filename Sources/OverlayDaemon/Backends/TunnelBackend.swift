import Addressing
import DataPlane
import LinuxKit
import Logging
import SubnetLeases
import Synchronization

/// flannel's `udp`: bare packets as UDP payload, by eBPF where the kernel takes it, else by the user-space engine, which
/// also takes what eBPF leaves over.
final class TunnelBackend: OverlayBackend {
    /// IPv4 and UDP headers around each packet.
    static let encapsulationBytes = 28

    private struct State {
        var engine: TunnelEngine?
        /// What the engine was given last.
        var routes: [ForwardingRoute]?
        var local: LocalSubnets?
        var choice = KernelPathChoice()
    }

    private let configuration: DaemonConfiguration
    private let port: UInt16
    private let place: BackendPlace
    private let logger: Logger
    private let state = Mutex(State())

    init(_ configuration: DaemonConfiguration, port: UInt16, place: BackendPlace, logger: Logger) {
        self.configuration = configuration
        self.port = port
        self.place = place
        self.logger = logger
    }

    var deviceNames: [String] { [configuration.deviceName] }
    var counters: TunnelCounters? { state.withLock { $0.engine }?.counters() }
    var kernelPath: KernelPath? { state.withLock { $0.choice.path } }
    var path: (choice: PacketPath, reason: String) {
        state.withLock { ($0.choice.path == nil ? .tun : .ebpf, $0.choice.reason) }
    }

    /// Loads the eBPF path's programs, where they are wanted and the kernel takes them: the lease says what this node
    /// can decapsulate.
    ///
    /// - Throws: Without /dev/net/tun; with `--datapath ebpf`, when the kernel does not take the programs.
    func prepare() throws(DaemonError) -> BackendAttributes {
        try Preflight.checkTunnelDevice()
        let choice = try KernelPathChoice(
            configuration.datapath, device: configuration.deviceName, netlink: place.netlink, logger: logger)
        state.withLock { $0.choice = choice }
        return BackendAttributes(data: choice.path == nil ? nil : KernelPath.capability)
    }

    func converge(_ goal: BackendGoal) throws -> BackendOutcome {
        try state.withLock { (state) throws in
            var found: [String] = []
            if let fault = state.engine?.fault {
                state.engine?.stop()
                state.engine = nil
                found.append("the packet engine ended (\(fault)) and was started again")
            }
            if state.engine == nil {
                state.engine = try startEngine(state)
                state.routes = nil
            }
            let routes = (goal.peers ?? []).map {
                ForwardingRoute(prefix: $0.subnet, endpoint: $0.attributes.publicIP, port: port)
            }
            let local = LocalSubnets(subnet: goal.lease.subnet)
            if state.routes != routes || state.local != local {
                state.engine?.publish(ForwardingTable(routes: routes, local: local))
                state.routes = routes
                state.local = local
            }
            let mtu = try place.underlayMTU - Self.encapsulationBytes
            let device = try place.netlink.requiredLink(configuration.deviceName)
            found += try place.converge(device, address: goal.lease.subnet.address, mtu: mtu)
            try followKernelPath(state, device, goal)
            let route = Route(
                to: goal.config.network, interface: device.index, protocolTag: OverlayNetwork.routeProtocol)
            return BackendOutcome(found: found, mtu: mtu, routes: [route], devices: [device.index])
        }
    }

    func stop() {
        state.withLock { state in
            state.engine?.stop()
            state.engine = nil
        }
    }

    func withdraw() throws(SyscallError) {
        state.withLock { $0.choice.path = nil }
        _ = try KernelPath.remove(netlink: place.netlink)
        try place.netlink.deleteLink(configuration.deviceName)
    }

    private func startEngine(_ state: State) throws(DaemonError) -> TunnelEngine {
        do {
            var tunnel = TunnelConfiguration(
                deviceName: configuration.deviceName, underlayAddress: place.underlay.interface.address, port: port,
                queues: configuration.queues)
            tunnel.receivesJoined = state.choice.path == nil
            let engine = try TunnelEngine(tunnel)
            try engine.start()
            return engine
        } catch {
            throw OverlayNetwork.explain(
                error, port: port, address: "\(place.underlay.interface.address)", device: configuration.deviceName)
        }
    }

    /// Tells the eBPF path what there is to carry. It follows pods and routes by itself.
    private func followKernelPath(_ state: State, _ device: Link, _ goal: BackendGoal) throws(DaemonError) {
        try state.choice.path?.update(
            KernelPathState(
                network: goal.config.network, subnet: goal.lease.subnet,
                underlayAddress: place.underlay.interface.address, underlay: place.underlay.interface.link.index,
                device: device.index, encapsulation: .udp(port: port), overhead: Self.encapsulationBytes,
                peers: (goal.peers ?? []).map { KernelPathState.Peer($0) }))
    }
}
