import Addressing
package import DataPlane
package import LinuxKit
package import Logging
package import SubnetLeases
import Synchronization

/// The node's side of the overlay in the kernel: the backend's devices and tables, and what all backends share: routes,
/// rules and files. Brought to what it should be by ``bringUp(_:lease:)``, and kept there by ``repair()``.
package final class OverlayNetwork: Sendable {
    /// Marks the routes that are ours (`rtm_protocol`); not among the numbers of <linux/rtnetlink.h> or iproute2.
    package static let routeProtocol: UInt8 = 82

    private struct State {
        var backend: (any OverlayBackend)?
        var attributes = BackendAttributes()
        var config: NetworkConfig?
        var lease: Lease?
        /// The other nodes; `nil` until they are known.
        var peers: [Lease]?
        /// Files whose failure has been logged.
        var failingFiles: Set<String> = []
        var rules: String?
        var repairs = 0
        /// What has been said about peers that can't be reached.
        var unreachable: Set<String> = []
    }

    private let configuration: DaemonConfiguration
    private let netlink: NetlinkSocket
    private let logger: Logger
    private let state = Mutex(State())

    package init(_ configuration: DaemonConfiguration, netlink: NetlinkSocket, logger: Logger) {
        self.configuration = configuration
        self.netlink = netlink
        self.logger = logger
    }

    /// How often something had to be put right that somebody else had changed.
    package var repairs: Int { state.withLock { $0.repairs } }

    package var counters: TunnelCounters? { state.withLock { $0.backend }?.counters }

    /// The path that packets take, and why.
    package var path: (choice: PacketPath, reason: String) {
        state.withLock { $0.backend }?.path ?? (.kernel, "starting")
    }

    /// The eBPF path, where it is in use; it wants to be run.
    package var kernelPath: KernelPath? { state.withLock { $0.backend }?.kernelPath }

    /// Sets up the backend that `config` asks for, in place of another one, and returns what the lease has to say of
    /// it. Blocks for some milliseconds: not for the cooperative pool.
    ///
    /// - Parameter previous: What this node's lease said before.
    /// - Throws: When this machine can't be a node of such a network; the line says why.
    package func use(
        _ config: NetworkConfig, underlay: Underlay, previous: LeaseAttributes?
    ) throws(DaemonError) -> LeaseAttributes {
        try state.withLock { (state) throws(DaemonError) in
            let place = BackendPlace(underlay: underlay, netlink: netlink)
            let backend = backend(config, place, previous: previous)
            if let old = state.backend {
                old.stop()
                if old.deviceNames != backend.deviceNames {
                    do { try old.withdraw() } catch { logger.warning("parts of the old backend stay: \(error)") }
                }
            }
            state.backend = nil
            if state.config != config { state.peers = nil }
            state.attributes = try backend.prepare()
            state.backend = backend
            state.unreachable = []
            return LeaseAttributes(
                publicIP: underlay.publicIP,
                publicIPv6: config.ipv6 == nil ? nil : (underlay.publicIPv6 ?? underlay.ipv6).map { "\($0)" },
                backendType: state.attributes.type, backendData: state.attributes.data,
                backendV6Data: state.attributes.ipv6Data)
        }
    }

    private func backend(
        _ config: NetworkConfig, _ place: BackendPlace, previous: LeaseAttributes?
    ) -> any OverlayBackend {
        switch config.backend {
        case .udp(let port): TunnelBackend(configuration, port: port, place: place, logger: logger)
        case .vxlan(let options):
            VXLANBackend(
                options, isDualStack: config.ipv6 != nil, previous: previous, datapath: configuration.datapath,
                place: place, logger: logger)
        case .hostGateway: HostGatewayBackend(isDualStack: config.ipv6 != nil, place: place)
        case .alloc: AllocBackend(place: place)
        }
    }

    /// Makes the kernel carry `lease` in the network `config`, for which ``use(_:underlay:previous:)`` was called;
    /// called again for another lease, it changes only what differs. Blocks for some milliseconds.
    package func bringUp(_ config: NetworkConfig, lease: Lease) throws(DaemonError) {
        try state.withLock { (state) throws(DaemonError) in
            state.config = config
            state.lease = lease
            state.rules = nil
            _ = try converge(&state)
        }
    }

    /// Sets up what leads to the other nodes. Blocks for some milliseconds.
    package func setPeers(_ peers: [Lease]) throws(DaemonError) {
        try state.withLock { (state) throws(DaemonError) in
            state.peers = peers
            _ = try converge(&state)
        }
    }

    /// Compares the kernel's state with what it should be and puts right what differs. Returns what it found.
    package func repair() throws(DaemonError) -> [String] {
        try state.withLock { (state) throws(DaemonError) in
            let found = try converge(&state)
            state.repairs += found.count
            return found
        }
    }

    /// Ends what lives in this process. Devices, routes, rules and files stay for the next start, and the kernel's own
    /// paths go on.
    package func stop() { state.withLock { $0.backend?.stop() } }

    /// Returns what was not as it should be.
    private func converge(_ state: inout State) throws(DaemonError) -> [String] {
        guard let backend = state.backend, let config = state.config, let lease = state.lease else { return [] }
        var found: [String] = []
        do {
            let outcome = try backend.converge(BackendGoal(config: config, lease: lease, peers: state.peers))
            found += outcome.found
            report(outcome.unreachable, &state)
            let mayRemove = state.peers != nil
            found += try converge(outcome.routes, of: outcome.devices, mayRemove: mayRemove)
            if config.ipv6 != nil {
                found += try converge(outcome.ipv6Routes, of: outcome.devices, mayRemove: mayRemove)
            }
            found += write(SubnetFile(config, lease, mtu: outcome.mtu, masquerade: configuration.masquerade), &state)
        } catch let error as DaemonError {
            throw error
        } catch {
            throw DaemonError("the overlay can't be set up: \(error)")
        }
        let filter = PacketFilter(
            network: config.network, subnet: lease.subnet, masquerade: configuration.masquerade,
            forward: configuration.forwardRules, ipv6Network: config.ipv6?.network, ipv6Subnet: lease.ipv6Subnet)
        if state.rules == nil || state.rules != PacketFilter.current() {
            if state.rules != nil { found.append("table ip \(PacketFilter.table) was changed by somebody") }
            state.rules = try filter.apply()
        }
        try convergeForwarding(["net.ipv4.ip_forward"] + (config.ipv6 == nil ? [] : ["net.ipv6.conf.all.forwarding"]))
        return found
    }

    /// Pods need the machine to forward.
    private func convergeForwarding(_ settings: [String]) throws(DaemonError) {
        for setting in settings where Sysctl.read(setting) != "1" {
            do {
                try Sysctl.write(setting, "1")
                logger.info("\(setting) was off")
            } catch {
                throw DaemonError("\(setting) can't be set to 1: \(error); pods need it to reach each other")
            }
        }
    }

    /// Says once of each peer that it can't be reached.
    private func report(_ unreachable: [String], _ state: inout State) {
        for line in unreachable where !state.unreachable.contains(line) { logger.warning("no way to \(line)") }
        state.unreachable = Set(unreachable)
    }

    /// Our routes are those with our mark, and, so that a flanneld's are taken over, those by way of a router on our
    /// own devices.
    private func converge<Address>(
        _ wanted: [InternetRoute<Address>], of devices: [Int32], mayRemove: Bool
    ) throws(SyscallError) -> [String] {
        var missing = Dictionary(wanted.map { ($0.destination, $0) }) { first, _ in first }
        var found: [String] = []
        for route in try netlink.routes(of: Address.self) {
            let isMarked = route.protocolTag == Self.routeProtocol
            guard isMarked || (route.gateway != nil && route.interface.map { devices.contains($0) } ?? false) else {
                continue
            }
            let want = missing[route.destination]
            if let want, isMarked, route.interface == want.interface, route.gateway == want.gateway {
                missing[route.destination] = nil
            } else if want == nil, mayRemove {
                try netlink.deleteRoute(route)
                found.append("stale route \(route.destination)")
            }
        }
        for route in wanted where missing[route.destination] != nil {
            try netlink.replaceRoute(route)
            found.append("no route to \(route.destination)")
        }
        return found
    }

    /// A full or read-only disk must not stop packets, so a failure is only logged, once.
    private func write(_ file: SubnetFile, _ state: inout State) -> [String] {
        var files = [(path: configuration.subnetFile, text: file.text)]
        if let cni = configuration.cni {
            let list = CNIConfiguration(form: cni.form, subnetFile: file, subnetFilePath: configuration.subnetFile)
            files.append(("\(cni.directory)/\(CNIConfiguration.fileName)", list.text))
        }
        var found: [String] = []
        for (path, text) in files where (try? FileContents.read(path)) != Array(text.utf8) {
            do {
                if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                    try FileContents.makeDirectories(String(path[..<slash]))
                }
                try FileContents.replace(path, with: Array(text.utf8))
                state.failingFiles.remove(path)
                found.append("\(path) was missing or different")
            } catch {
                if state.failingFiles.insert(path).inserted {
                    logger.error("\(path) can't be written, pods will not learn of subnet \(file.subnet): \(error)")
                }
            }
        }
        return found
    }
}
