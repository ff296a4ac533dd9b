package import Addressing
import Glibc
package import LinuxKit
import Synchronization

/// What the eBPF path must know of its node.
package struct FastPathSettings: Hashable, Sendable {
    package var network: IPv4Prefix
    package var subnet: IPv4Prefix
    package var underlayAddress: IPv4Address
    /// Interfaces on which peers' packets come in.
    package var underlayInterfaces: [Int32]
    /// The overlay's device, for what the stack sends and gets.
    package var device: Int32
    package var encapsulation: Encapsulation

    package enum Encapsulation: Hashable, Sendable {
        /// Bare packets in UDP, to and from this port.
        case udp(port: UInt16)
        /// Through the VXLAN device ``FastPathSettings/device`` with this address, UDP port and 24-bit identifier.
        case vxlan(address: MACAddress, port: UInt16, identifier: UInt32)
    }

    package init(
        network: IPv4Prefix, subnet: IPv4Prefix, underlayAddress: IPv4Address, underlayInterfaces: [Int32],
        device: Int32, encapsulation: Encapsulation
    ) {
        self.network = network
        self.subnet = subnet
        self.underlayAddress = underlayAddress
        self.underlayInterfaces = underlayInterfaces
        self.device = device
        self.encapsulation = encapsulation
    }
}

/// Where a remote prefix is, as the programs need it.
package struct FastPathRoute: Hashable, Sendable {
    package var prefix: IPv4Prefix
    /// The peer's outer address, and ours towards it.
    package var remote: IPv4Address
    package var local: IPv4Address
    /// The next hop, `remote` itself on a shared link, and the interface that leads to it.
    package var gateway: IPv4Address
    package var interface: Int32
    /// Bytes of the largest inner packet.
    package var mtu: Int
    package var port: UInt16
    package var vtepMAC: MACAddress?
    /// The peer takes finished packets only: the user-space path sends to it.
    package var isUserSpaceOnly: Bool
    /// Further outer addresses that the peer may send from: behind NAT, with several interfaces.
    package var sources: Set<IPv4Address>

    package init(
        prefix: IPv4Prefix, remote: IPv4Address, local: IPv4Address, gateway: IPv4Address, interface: Int32, mtu: Int,
        port: UInt16, vtepMAC: MACAddress? = nil, isUserSpaceOnly: Bool = false, sources: Set<IPv4Address> = []
    ) {
        self.sources = sources
        self.prefix = prefix
        self.remote = remote
        self.local = local
        self.gateway = gateway
        self.interface = interface
        self.mtu = mtu
        self.port = port
        self.vtepMAC = vtepMAC
        self.isUserSpaceOnly = isUserSpaceOnly
    }
}

/// A pod of this node.
package struct FastPathPod: Hashable, Sendable {
    package var address: IPv4Address
    /// The host's end of its veth pair.
    package var interface: Int32
    package var podMAC: MACAddress
    package var hostMAC: MACAddress
    /// Why its packets must go through the stack, if they must.
    package var stepAside: String?

    package init(
        address: IPv4Address, interface: Int32, podMAC: MACAddress, hostMAC: MACAddress, stepAside: String? = nil
    ) {
        self.address = address
        self.interface = interface
        self.podMAC = podMAC
        self.hostMAC = hostMAC
        self.stepAside = stepAside
    }
}

/// What a peer and we have sent each other.
package struct PeerTraffic: Hashable, Sendable {
    package var sentPackets: UInt64
    package var sentBytes: UInt64
    package var receivedPackets: UInt64
    package var receivedBytes: UInt64
}

/// The packet path that never leaves the kernel: eBPF programs at the pods' veths, the underlay and the overlay's
/// device, and the maps that they read.
///
/// Everything stays in the kernel when this goes, and packets with it; another one, of this process or the next, takes
/// it over without a gap (maps are pinned, programs are replaced in place). ``remove()`` ends it.
///
/// Needs CAP_BPF and CAP_NET_ADMIN, or root, and kernel 5.18 for `bpf_skb_ct_lookup`.
package final class FastPath: Sendable {
    /// Tells our classifiers from others' at the same hook (tc-bpf(8)); the priorities that people choose come first.
    package static let priority: UInt32 = 0xF10D

    /// Peers beyond this number share one set of counters (`PEERS` in maps.h).
    private static let countedPeers: UInt32 = 1 << 12

    private struct State {
        var settings: FastPathSettings?
        var value = SettingsValue()
        var routes: [IPv4Prefix: FastPathRoute] = [:]
        var pods: [Int32: FastPathPod] = [:]
        var attached: Set<ProgramPlace> = []
        var peers: [IPv4Address: UInt32] = [:]
    }

    private let programs: FastPathPrograms
    private let state: Mutex<State>

    /// Loads the programs; nothing is attached yet.
    ///
    /// - Parameter pins: A directory on a bpffs, of this node's own.
    package init(pins: String) throws(FastPathError) {
        programs = try FastPathPrograms(pins: pins)
        var state = State()
        if let value = programs.settings[0] { state.value = value }
        self.state = Mutex(state)
    }

    /// Says what the node is, and attaches the programs of underlay and device. Pods follow with ``setPods(_:)``.
    ///
    /// Before anything is attached for the first time, the flows that conntrack knows are given to the stack.
    package func configure(_ settings: FastPathSettings) throws(SyscallError) {
        try state.withLock { (state) throws(SyscallError) in
            let isFirst = state.settings == nil
            state.settings = settings
            state.value.network = settings.network.address.networkOrder
            state.value.networkMask = settings.network.mask.bigEndian
            state.value.subnet = settings.subnet.address.networkOrder
            state.value.subnetMask = settings.subnet.mask.bigEndian
            state.value.prefixMask = settings.subnet.mask.bigEndian
            state.value.underlay = settings.underlayAddress.networkOrder
            switch settings.encapsulation {
            case .udp(let port):
                state.value.tun = UInt32(bitPattern: settings.device)
                state.value.vtep = 0
                state.value.port = port.bigEndian
                state.value.vtepMAC = MACBytes(nil)
            case .vxlan(let address, let port, let identifier):
                state.value.tun = 0
                state.value.vtep = UInt32(bitPattern: settings.device)
                state.value.port = port.bigEndian
                state.value.vtepMAC = MACBytes(address)
                state.value.vni = (identifier << 8).bigEndian
            }
            try programs.settings.set(0, state.value)
            if isFirst { try rebuildFilter(&state) }
            try attach(&state)
        }
    }

    /// Brings the programs' routes to `routes`. What stays the same is not touched.
    package func setRoutes(_ routes: [FastPathRoute]) throws(SyscallError) {
        try state.withLock { (state) throws(SyscallError) in
            let ordinary = state.settings?.subnet.length ?? 24
            let wanted = Dictionary(routes.map { ($0.prefix, $0) }) { first, _ in first }
            state.value.hasExceptions = wanted.keys.contains { $0.length != ordinary } ? 1 : 0
            try programs.settings.set(0, state.value)
            for (prefix, route) in wanted where state.routes[prefix] != route {
                let value = value(of: route, &state)
                if prefix.length == ordinary {
                    try programs.routes.set(prefix.address.networkOrder, value)
                } else {
                    try programs.exceptions.set(PrefixKey(prefix), value)
                }
            }
            // Whatever is in the maps, from an earlier process too, and is not wanted any more.
            let addresses = Set(wanted.keys.filter { $0.length == ordinary }.map(\.address.networkOrder))
            for key in programs.routes.keys() where !addresses.contains(key) { try programs.routes.remove(key) }
            let exceptions = Set(wanted.keys.filter { $0.length != ordinary }.map { PrefixKey($0) })
            for key in programs.exceptions.keys() where !exceptions.contains(key) {
                try programs.exceptions.remove(key)
            }
            let sources = Set(
                wanted.values.flatMap { route in
                    route.sources.map { SourceKey(remote: route.remote.networkOrder, source: $0.networkOrder) }
                })
            for key in sources { try programs.sources.set(key, 1) }
            for key in programs.sources.keys() where !sources.contains(key) { try programs.sources.remove(key) }
            state.routes = wanted
        }
    }

    /// Brings the programs' pods to `pods`, and their programs to their interfaces.
    ///
    /// A pod is found by others only after its own packets pass the programs, so that a flow begins on the path that
    /// it stays on.
    package func setPods(_ pods: [FastPathPod]) throws(SyscallError) {
        try state.withLock { (state) throws(SyscallError) in
            let wanted = Dictionary(pods.map { ($0.interface, $0) }) { first, _ in first }
            let changed = wanted.values.filter { state.pods[$0.interface] != $0 }
            for pod in changed {
                try programs.veths.set(
                    UInt32(bitPattern: pod.interface),
                    VethValue(
                        address: pod.address.networkOrder, flags: pod.stepAside == nil ? 0 : VethValue.stepAside))
            }
            state.pods = wanted
            try attach(&state)
            for pod in changed where pod.stepAside == nil {
                try programs.endpoints.set(
                    pod.address.networkOrder,
                    EndpointValue(
                        interface: UInt32(bitPattern: pod.interface), podMAC: MACBytes(pod.podMAC),
                        hostMAC: MACBytes(pod.hostMAC)))
            }
            let addresses = Set(wanted.values.filter { $0.stepAside == nil }.map(\.address.networkOrder))
            for key in programs.endpoints.keys() where !addresses.contains(key) { try programs.endpoints.remove(key) }
            for key in programs.veths.keys() where wanted[Int32(bitPattern: key)] == nil {
                try programs.veths.remove(key)
            }
        }
    }

    /// Attaches again what somebody else has taken away; finds nothing to do otherwise.
    package func repair() throws(SyscallError) {
        try state.withLock { (state) throws(SyscallError) in
            state.attached = []
            try attach(&state)
        }
    }

    /// Makes room in the flow filter when it has filled up: the next half is built from what conntrack knows.
    ///
    /// To be called every now and then. Without it nothing breaks: conntrack is asked about more and more flows.
    package func refreshFilter() throws(SyscallError) {
        try state.withLock { (state) throws(SyscallError) in
            if programs.filter.added > FlowFilter.limit { try rebuildFilter(&state) }
        }
    }

    /// Notes that the stack carries a flow, as the programs do when they see it.
    package func giveToStack(_ flow: FlowTuple) throws(SyscallError) { try programs.giveToStack(flow) }

    /// Runs a program over an Ethernet frame as if it had come in on the loopback interface, and sends nothing: what
    /// would become of a packet (`BPF_PROG_TEST_RUN`).
    ///
    /// - Parameter segment: Of a super-packet, the payload bytes of its segments.
    /// - Returns: The program's result (`TC_ACT_…`, <linux/pkt_cls.h>) and the frame after it.
    package func run(
        _ program: FastPathProgram, over frame: [UInt8], segment: Int = 0
    ) throws(SyscallError) -> (result: CInt, frame: [UInt8]) {
        try programs.run(program, over: frame, segment: segment)
    }

    /// Packets by what became of them, since the maps were made.
    package var events: [FastPathEvent: UInt64] { programs.events.counts }

    /// By outer address. Those of the peers beyond the counted ones are under `0.0.0.0`.
    package var traffic: [IPv4Address: PeerTraffic] {
        let peers = state.withLock { $0.peers }
        var traffic: [IPv4Address: PeerTraffic] = [:]
        for (address, peer) in peers {
            traffic[peer == 0 ? IPv4Address(bits: 0) : address] = PeerTraffic(programs.traffic.perProcessor(peer))
        }
        return traffic
    }

    /// Takes our programs away from `interfaces`, whoever attached them. Packets go through the stack and the
    /// user-space path from now on.
    package static func remove(from interfaces: [Int32]) throws(SyscallError) {
        for interface in interfaces {
            try FastPathPrograms.detach(interface: interface, .ingress)
            try FastPathPrograms.detach(interface: interface, .egress)
        }
    }

    // MARK: -

    private func value(of route: FastPathRoute, _ state: inout State) -> RouteValue {
        let peer = state.peers[route.remote] ?? UInt32(state.peers.count + 1)
        let counted = peer < Self.countedPeers ? peer : 0
        state.peers[route.remote] = counted
        return RouteValue(
            remote: route.remote.networkOrder, local: route.local.networkOrder, gateway: route.gateway.networkOrder,
            interface: UInt32(bitPattern: route.interface), mtu: UInt16(clamping: route.mtu),
            port: route.port.bigEndian, vtepMAC: MACBytes(route.vtepMAC),
            flags: route.isUserSpaceOnly ? RouteValue.userSpace : 0, peer: counted)
    }

    /// Brings the attached programs to what settings and pods ask for.
    private func attach(_ state: inout State) throws(SyscallError) {
        var wanted: Set<ProgramPlace> = []
        if let settings = state.settings {
            switch settings.encapsulation {
            case .udp:
                for interface in settings.underlayInterfaces {
                    wanted.insert(.init(interface: interface, direction: .ingress, program: .underlayIngress))
                }
                wanted.insert(.init(interface: settings.device, direction: .egress, program: .tunEgress))
            case .vxlan:
                for interface in settings.underlayInterfaces {
                    wanted.insert(.init(interface: interface, direction: .ingress, program: .vxlanIngress))
                }
                wanted.insert(.init(interface: settings.device, direction: .ingress, program: .vtepIngress))
                wanted.insert(.init(interface: settings.device, direction: .egress, program: .stackEgress))
            }
        }
        for pod in state.pods.values {
            wanted.insert(.init(interface: pod.interface, direction: .egress, program: .stackEgress))
            wanted.insert(.init(interface: pod.interface, direction: .ingress, program: .podIngress))
        }
        for place in state.attached.subtracting(wanted) {
            if wanted.contains(where: { $0.interface == place.interface && $0.direction == place.direction }) {
                continue
            }
            do throws(SyscallError) {
                try FastPathPrograms.detach(interface: place.interface, place.direction)
            } catch {
                guard error.code == ENODEV || error.code == ENOENT else { throw error }
            }
        }
        for place in wanted.subtracting(state.attached) {
            do throws(SyscallError) {
                try programs.attach(place)
            } catch {
                // A pod may go at any moment; its interface is looked for again with the next change.
                guard error.code == ENODEV || error.code == ENOENT else { throw error }
                wanted.remove(place)
            }
        }
        state.attached = wanted
    }

    private func rebuildFilter(_ state: inout State) throws(SyscallError) {
        guard let settings = state.settings else { return }
        programs.filter.clear(half: state.value.filter ^ 1)
        state.value.filterBoth = 1
        try programs.settings.set(0, state.value)
        for tuple in try Conntrack.tuples()
        where settings.network.contains(tuple.source) || settings.network.contains(tuple.destination) {
            try programs.giveToStack(tuple)
        }
        state.value.filter ^= 1
        state.value.filterBoth = 0
        try programs.settings.set(0, state.value)
        programs.filter.resetAdded()
    }
}

extension PrefixKey {
    fileprivate init(_ prefix: IPv4Prefix) {
        self.init(length: UInt32(prefix.length), address: prefix.address.networkOrder)
    }
}
