import Addressing
package import DataPlane
package import LinuxKit
package import Logging
package import SubnetLeases
import Synchronization

/// The node's side of the overlay in the kernel: packet engine, device, address, route and rules. Brought to what it
/// should be by ``bringUp(_:lease:)``, and kept there by ``repair()``.
package final class OverlayNetwork: Sendable {
    /// Marks the routes that are ours (`rtm_protocol`); not among the numbers of <linux/rtnetlink.h> or iproute2.
    package static let routeProtocol: UInt8 = 82
    /// IPv4 and UDP headers around each packet.
    package static let encapsulationBytes = 28

    private struct State {
        var engine: TunnelEngine?
        var config: NetworkConfig?
        var lease: Lease?
        var isFileFailing = false
        var peers: [Lease] = []
        var rules: String?
        var repairs = 0
        /// The eBPF path, where it is in use.
        var kernelPath: KernelPath?
        /// Why packets take the path that they take.
        var pathReason = "starting"
    }

    private let configuration: DaemonConfiguration
    private let underlay: Underlay
    private let netlink: NetlinkSocket
    private let logger: Logger
    private let state = Mutex(State())

    package init(_ configuration: DaemonConfiguration, underlay: Underlay, netlink: NetlinkSocket, logger: Logger) {
        self.configuration = configuration
        self.underlay = underlay
        self.netlink = netlink
        self.logger = logger
    }

    /// How often something had to be put right that somebody else had changed.
    package var repairs: Int { state.withLock { $0.repairs } }

    package var counters: TunnelCounters? { state.withLock { $0.engine }?.counters() }

    /// The path that packets take, and why.
    package var path: (choice: DatapathChoice, reason: String) {
        state.withLock { ($0.kernelPath == nil ? .tun : .ebpf, $0.pathReason) }
    }

    /// Loads the eBPF path's programs, where they are wanted and the kernel takes them. To be called once, before the
    /// lease is published: it says what this node can decapsulate.
    ///
    /// - Throws: With `--datapath ebpf`, when the kernel does not take them.
    package func prepare() throws(DaemonError) -> KernelPath? {
        guard configuration.datapath != .tun else {
            state.withLock { $0.pathReason = "asked for" }
            return try withoutKernelPath()
        }
        do throws(DaemonError) {
            let path = try KernelPath(device: configuration.deviceName, netlink: netlink, logger: logger)
            state.withLock { state in
                state.kernelPath = path
                state.pathReason = configuration.datapath == .ebpf ? "asked for" : "the kernel has what it needs"
            }
            return path
        } catch {
            guard configuration.datapath == .auto else { throw error }
            logger.notice("packets take the user-space path: \(error)")
            state.withLock { $0.pathReason = "\(error)" }
            return try withoutKernelPath()
        }
    }

    /// Takes away what an earlier start may have left to carry packets without us.
    private func withoutKernelPath() throws(DaemonError) -> KernelPath? {
        do {
            for removed in try KernelPath.remove(device: configuration.deviceName, netlink: netlink) {
                logger.info("removed: \(removed)")
            }
        } catch {
            throw DaemonError("the programs of an earlier start can't be removed: \(error)")
        }
        return nil
    }

    /// Makes the kernel carry `lease` in the network `config`; called again for another lease, it changes only what
    /// differs. Blocks for some milliseconds: not for the cooperative pool.
    package func bringUp(_ config: NetworkConfig, lease: Lease) throws(DaemonError) {
        try state.withLock { (state) throws(DaemonError) in
            guard let port = config.backend.port else {
                throw DaemonError("Backend.Type \(config.backend.name): expected udp")
            }
            if state.engine == nil || state.engine?.configuration.port != port {
                state.engine?.stop()
                state.engine = nil
                state.engine = try startEngine(port: port, state)
            }
            state.config = config
            state.lease = lease
            state.rules = nil
            publish(state)
            _ = try converge(&state)
        }
    }

    /// Gives the engine its peers.
    package func setPeers(_ peers: [Lease]) {
        state.withLock { state in
            state.peers = peers
            publish(state)
            do throws(DaemonError) { try followKernelPath(&state) } catch { logger.error("\(error)") }
        }
    }

    /// Compares the kernel's state with what it should be and puts right what differs. Returns what it found.
    package func repair() throws(DaemonError) -> [String] {
        try state.withLock { (state) throws(DaemonError) in
            guard state.lease != nil else { return [] }
            if let fault = state.engine?.fault {
                guard let port = state.config?.backend.port else { return [] }
                state.engine?.stop()
                state.engine = nil
                state.engine = try startEngine(port: port, state)
                publish(state)
                state.repairs += 1
                return ["the packet engine ended (\(fault)) and was started again"] + (try converge(&state))
            }
            let found = try converge(&state)
            state.repairs += found.count
            return found
        }
    }

    /// Stops the packet engine. Device, routes, rules and files stay for the next start, and the eBPF path goes on.
    package func stop() {
        state.withLock { state in
            state.engine?.stop()
            state.engine = nil
        }
    }

    private func startEngine(port: UInt16, _ state: State) throws(DaemonError) -> TunnelEngine {
        do {
            var tunnel = TunnelConfiguration(
                deviceName: configuration.deviceName, underlayAddress: underlay.interface.address, port: port,
                queues: configuration.queues)
            tunnel.receivesJoined = state.kernelPath == nil
            let engine = try TunnelEngine(tunnel)
            try engine.start()
            return engine
        } catch {
            throw Self.explain(
                error, port: port, address: "\(underlay.interface.address)", device: configuration.deviceName)
        }
    }

    private func publish(_ state: State) {
        guard let port = state.config?.backend.port else { return }
        let routes = state.peers.map {
            ForwardingRoute(prefix: $0.subnet, endpoint: $0.attributes.publicIP, port: port)
        }
        state.engine?.publish(ForwardingTable(routes: routes))
    }

    /// Everything but the engine. Returns what was not as it should be.
    private func converge(_ state: inout State) throws(DaemonError) -> [String] {
        guard let config = state.config, let lease = state.lease else { return [] }
        var found: [String] = []
        do {
            let device = try netlink.requiredLink(configuration.deviceName)
            let underlayMTU = try netlink.link(index: underlay.interface.link.index)?.mtu ?? underlay.interface.link.mtu
            let mtu = underlayMTU - Self.encapsulationBytes
            if device.mtu != mtu {
                try netlink.setLink(device.index, mtu: mtu)
                found.append("MTU of \(device.name): \(device.mtu), set to \(mtu)")
            }
            let file = SubnetFile(
                network: config.network, subnet: lease.subnet, mtu: mtu, masquerade: configuration.masquerade)
            found += write(file, &state)
            found += try convergeAddress(device, lease)
            if !device.isUp {
                try netlink.setLink(device.index, up: true)
                found.append("\(device.name) was down")
            }
            found += try convergeRoutes(device, config)
        } catch let error as DaemonError {
            throw error
        } catch {
            throw DaemonError("the overlay's device can't be set up: \(error)")
        }
        let filter = PacketFilter(
            network: config.network, subnet: lease.subnet, masquerade: configuration.masquerade,
            forward: configuration.forwardRules)
        if state.rules == nil || state.rules != PacketFilter.current() {
            if state.rules != nil { found.append("table ip \(PacketFilter.table) was changed by somebody") }
            state.rules = try filter.apply()
        }
        try followKernelPath(&state)
        for setting in ["net.ipv4.ip_forward"] where Sysctl.read(setting) != "1" {
            do {
                try Sysctl.write(setting, "1")
                found.append("\(setting) was off")
            } catch {
                throw DaemonError("\(setting) can't be set to 1: \(error); pods need it to reach each other")
            }
        }
        return found
    }

    /// Tells the eBPF path what there is to carry. It follows pods and routes by itself.
    private func followKernelPath(_ state: inout State) throws(DaemonError) {
        guard let path = state.kernelPath, let config = state.config, let lease = state.lease,
            case .udp(let port) = config.backend
        else { return }
        let device: Link?
        do { device = try netlink.link(named: configuration.deviceName) } catch { throw DaemonError("\(error)") }
        guard let device else { return }
        try path.update(
            KernelPathState(
                network: config.network, subnet: lease.subnet, underlayAddress: underlay.interface.address,
                underlay: underlay.interface.link.index, device: device.index, encapsulation: .udp(port: port),
                overhead: Self.encapsulationBytes, peers: state.peers.map { KernelPathState.Peer($0) }))
    }

    private func convergeAddress(_ device: Link, _ lease: Lease) throws(SyscallError) -> [String] {
        let wanted = InterfaceAddress(interface: device.index, address: lease.subnet.address, prefixLength: 32)
        let present = try netlink.addresses(of: device.index)
        for other in present where other.address != wanted.address { try netlink.deleteAddress(other) }
        if present.contains(where: { $0.address == wanted.address && $0.prefixLength == 32 }) { return [] }
        try netlink.addAddress(wanted)
        return ["\(device.name) had no address \(wanted.address)"]
    }

    private func convergeRoutes(_ device: Link, _ config: NetworkConfig) throws(SyscallError) -> [String] {
        let wanted = Route(to: config.network, interface: device.index, protocolTag: Self.routeProtocol)
        var found: [String] = []
        var isThere = false
        for route in try netlink.routes() where route.protocolTag == Self.routeProtocol {
            if route.destination == wanted.destination, route.interface == device.index, route.gateway == nil {
                isThere = true
            } else {
                try netlink.deleteRoute(route)
                found.append("stale route \(route.destination)")
            }
        }
        if !isThere {
            try netlink.replaceRoute(wanted)
            found.append("no route to \(wanted.destination)")
        }
        return found
    }

    /// A full or read-only disk must not stop packets, so a failure is only logged, once.
    private func write(_ file: SubnetFile, _ state: inout State) -> [String] {
        let path = configuration.subnetFile
        let bytes = Array(file.text.utf8)
        if (try? FileContents.read(path)) == bytes { return [] }
        do {
            if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try FileContents.makeDirectories(String(path[..<slash]))
            }
            try FileContents.replace(path, with: bytes)
            state.isFileFailing = false
            return ["\(path) was missing or different"]
        } catch {
            if !state.isFileFailing {
                logger.error("\(path) can't be written, pods will not learn of subnet \(file.subnet): \(error)")
            }
            state.isFileFailing = true
            return []
        }
    }
}
