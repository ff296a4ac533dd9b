import Addressing
import DataPlane
import Glibc
import LinuxKit
import Logging
import SubnetLeases
import Synchronization

/// flannel's `vxlan`: the kernel's own device, `flannel.VNI`, with an entry for each peer in the routing table, the
/// neighbour table and the device's forwarding database. In dual stack a second device, `flannel-v6.VNI`, carries IPv6
/// over an IPv6 underlay.
///
/// Plain kernel peers that are set up the same way can't tell the difference, nor can flanneld's.
final class VXLANBackend: OverlayBackend {
    /// Ethernet, IP, UDP and VXLAN headers around each packet (RFC 7348 section 5), for either outer family.
    static let encapsulationBytes = 50, ipv6EncapsulationBytes = 70

    private let options: VXLANOptions
    private let isDualStack: Bool
    private let previous: LeaseAttributes?
    private let datapath: DatapathChoice
    private let place: BackendPlace
    private let logger: Logger
    private let choice = Mutex(KernelPathChoice())

    /// - Parameters:
    ///   - previous: What this node's lease said before: its MAC addresses are kept if devices have to be made anew, so
    ///     that the peers' entries stay right.
    ///   - datapath: Whether eBPF may cut the way between pods and device short.
    init(
        _ options: VXLANOptions, isDualStack: Bool, previous: LeaseAttributes?, datapath: DatapathChoice,
        place: BackendPlace, logger: Logger
    ) {
        self.datapath = datapath
        self.logger = logger
        self.options = options
        self.isDualStack = isDualStack
        self.previous = previous
        self.place = place
    }

    var deviceNames: [String] { ["flannel.\(options.identifier)"] + (isDualStack ? [ipv6DeviceName] : []) }
    var kernelPath: KernelPath? { choice.withLock { $0.path } }
    var path: (choice: PacketPath, reason: String) {
        choice.withLock { ($0.path == nil ? .kernel : .ebpf, $0.reason) }
    }
    private var ipv6DeviceName: String { "flannel-v6.\(options.identifier)" }

    func prepare() throws(DaemonError) -> BackendAttributes {
        let choice = try KernelPathChoice(datapath, device: deviceNames[0], netlink: place.netlink, logger: logger)
        self.choice.withLock { $0 = choice }
        var attributes = BackendAttributes(type: "vxlan")
        attributes.data = data(try tunnel().device(keeping: previous?.backendData?.vtepMAC))
        if isDualStack {
            attributes.ipv6Data = data(try ipv6Tunnel().device(keeping: previous?.backendV6Data?.vtepMAC))
        }
        return attributes
    }

    func converge(_ goal: BackendGoal) throws -> BackendOutcome {
        let tunnel = tunnel()
        let mtu = try (options.underlayMTU ?? place.underlayMTU) - Self.encapsulationBytes
        var outcome = BackendOutcome(mtu: mtu)
        let own = goal.lease.attributes
        let device = try tunnel.device(keeping: own.backendData?.vtepMAC, outcome: &outcome)
        outcome.found += try place.converge(device, address: goal.lease.subnet.address, mtu: mtu)
        let peers = goal.peers?.compactMap { peer -> VXLANPeer<IPv4Address>? in
            guard let mac = peer.attributes.backendData?.vtepMAC else {
                outcome.unreachable.append("\(peer.subnet): its lease names no VtepMAC")
                return nil
            }
            return VXLANPeer(subnet: peer.subnet, endPoint: peer.attributes.publicIP, mac: mac)
        }
        outcome.routes = try tunnel.converge(device, peers, options.hasDirectRouting, &outcome.found)
        outcome.devices.append(device.index)
        try followKernelPath(device, goal, peers ?? [])
        if isDualStack, let subnet = goal.lease.ipv6Subnet {
            try convergeIPv6(subnet, goal, &outcome)
        }
        return outcome
    }

    /// Tells the eBPF path what there is to carry. Peers that need no encapsulation are none of its.
    private func followKernelPath(
        _ device: Link, _ goal: BackendGoal, _ peers: [VXLANPeer<IPv4Address>]
    ) throws(DaemonError) {
        guard let path = kernelPath, let address = device.hardwareAddress else { return }
        let tunnelled = peers.filter { !options.hasDirectRouting || !place.isOnLink($0.endPoint) }
        try path.update(
            KernelPathState(
                network: goal.config.network, subnet: goal.lease.subnet,
                underlayAddress: place.underlay.interface.address, underlay: place.underlay.interface.link.index,
                device: device.index,
                encapsulation: .vxlan(address: address, port: options.port, identifier: options.identifier),
                overhead: Self.encapsulationBytes, peers: tunnelled.map { KernelPathState.Peer($0) }))
    }

    func withdraw() throws(SyscallError) {
        choice.withLock { $0.path = nil }
        _ = try KernelPath.remove(netlink: place.netlink)
        for name in deviceNames { try place.netlink.deleteLink(name) }
    }

    private func convergeIPv6(_ subnet: IPv6Prefix, _ goal: BackendGoal, _ outcome: inout BackendOutcome) throws {
        let tunnel = try ipv6Tunnel()
        let mtu = try (options.underlayMTU ?? place.underlayMTU) - Self.ipv6EncapsulationBytes
        let mac = goal.lease.attributes.backendV6Data?.vtepMAC
        let device = try tunnel.device(keeping: mac, outcome: &outcome)
        outcome.found += try place.converge(device, address: subnet.address, mtu: mtu)
        var unreachable: [String] = []
        let peers = goal.peers?.compactMap { peer -> VXLANPeer<IPv6Address>? in
            guard let subnet = peer.ipv6Subnet, let mac = peer.attributes.backendV6Data?.vtepMAC,
                let endPoint = peer.attributes.publicIPv6.flatMap({ IPv6Address($0) })
            else {
                unreachable.append("\(peer.subnet): its lease has no IPv6 subnet, PublicIPv6 or BackendV6Data")
                return nil
            }
            return VXLANPeer(subnet: subnet, endPoint: endPoint, mac: mac)
        }
        outcome.ipv6Routes = try tunnel.converge(device, peers, options.hasDirectRouting, &outcome.found)
        outcome.unreachable += unreachable
        outcome.devices.append(device.index)
        outcome.mtu = min(outcome.mtu, mtu)  // pods have one MTU for both families
    }

    private func tunnel() -> VXLANTunnel<IPv4Address> {
        var settings = settings
        settings.local = place.underlay.interface.address
        return VXLANTunnel(name: "flannel.\(options.identifier)", settings: settings, place: place)
    }

    private func ipv6Tunnel() throws(DaemonError) -> VXLANTunnel<IPv6Address> {
        var settings = settings
        settings.localIPv6 = try place.requiredIPv6()
        return VXLANTunnel(name: ipv6DeviceName, settings: settings, place: place)
    }

    private var settings: VXLANSettings {
        var settings = VXLANSettings(
            identifier: options.identifier, underlay: place.underlay.interface.link.index, port: options.port)
        settings.isLearning = options.isLearning
        settings.hasGroupPolicy = options.hasGroupPolicy
        return settings
    }

    /// The lease's `BackendData`: flannel's two fields.
    private func data(_ device: Link) -> JSONValue {
        .object([
            "VNI": .integer(Int64(options.identifier)),
            "VtepMAC": .string("\(device.hardwareAddress ?? MACAddress(bits: 0))"),
        ])
    }
}

extension JSONValue {
    /// The MAC address of a node's VXLAN device, in its lease's `BackendData`.
    var vtepMAC: MACAddress? { objectValue?["VtepMAC"]?.stringValue.flatMap { MACAddress($0) } }
}

/// A peer as one address family sees it.
struct VXLANPeer<Address: InternetAddress>: Sendable {
    var subnet: Address.Prefix
    /// Where encapsulated packets go to.
    var endPoint: Address
    var mac: MACAddress
}

/// One VXLAN device with its tables.
struct VXLANTunnel<Address: InternetAddress>: Sendable {
    let name: String
    let settings: VXLANSettings
    let place: BackendPlace

    /// The device, made anew when it is missing or set up in another way.
    ///
    /// - Parameter mac: What its address shall be if it has to be made; `nil` leaves that to the kernel.
    func device(keeping mac: MACAddress?) throws(DaemonError) -> Link {
        var outcome = BackendOutcome(mtu: 0)
        return try device(keeping: mac, outcome: &outcome)
    }

    func device(keeping mac: MACAddress?, outcome: inout BackendOutcome) throws(DaemonError) -> Link {
        do {
            var mac = mac
            if let present = try place.netlink.link(named: name) {
                guard present.kind == "vxlan" else {
                    throw DaemonError(
                        "\(name) is no VXLAN device (\(present.kind ?? "no virtual device")); rename it, or choose "
                            + "another Backend.VNI")
                }
                if present.vxlan == settings, mac == nil || present.hardwareAddress == mac { return present }
                mac = mac ?? present.hardwareAddress
                try place.netlink.deleteLink(name)
                outcome.found.append("\(name) was set up otherwise and is made anew")
            } else {
                outcome.found.append("\(name) was missing")
            }
            try place.netlink.createVXLAN(LinkPlace(name, hardwareAddress: mac), settings)
            return try place.netlink.requiredLink(name)
        } catch let error as DaemonError {
            throw error
        } catch {
            throw DaemonError(
                "the device \(name) can't be made (VNI \(settings.identifier), UDP port \(settings.port)): \(error); "
                    + "another VXLAN device may have them (ip -d link show type vxlan), else choose another Backend.VNI "
                    + "or Backend.Port")
        }
    }

    /// Brings neighbours and forwarding database to what `peers` need, and returns the routes.
    func converge(
        _ device: Link, _ peers: [VXLANPeer<Address>]?, _ isDirect: Bool, _ found: inout [String]
    ) throws(SyscallError) -> [InternetRoute<Address>] {
        guard let peers else { return [] }
        var routes: [InternetRoute<Address>] = []
        var neighbours: [Address: MACAddress] = [:]
        var endPoints: [MACAddress: Address] = [:]
        let tag = OverlayNetwork.routeProtocol
        for peer in peers {
            if isDirect, place.isOnLink(peer.endPoint) {
                routes.append(
                    InternetRoute(
                        to: peer.subnet, via: peer.endPoint, interface: settings.underlay, protocolTag: tag))
                continue
            }
            routes.append(
                InternetRoute(
                    to: peer.subnet, via: peer.subnet.address, interface: device.index, protocolTag: tag, onLink: true))
            neighbours[peer.subnet.address] = peer.mac
            endPoints[peer.mac] = peer.endPoint
        }
        try converge(neighbours: neighbours, of: device, &found)
        try converge(endPoints: endPoints, of: device, &found)
        return routes
    }

    private func converge(
        neighbours wanted: [Address: MACAddress], of device: Link, _ found: inout [String]
    ) throws(SyscallError) {
        var missing = wanted
        for present in try place.netlink.neighbours(Address.self)
        where present.interface == device.index && present.state & 0x80 != 0 {  // NUD_PERMANENT
            if missing[present.address] == present.hardwareAddress {
                missing[present.address] = nil
            } else if wanted[present.address] == nil {
                try ignoringAbsence { () throws(SyscallError) in try place.netlink.deleteNeighbour(present) }
                found.append("stale neighbour \(present.address) on \(name)")
            }
        }
        for (address, mac) in missing {
            try place.netlink.replaceNeighbour(
                InternetNeighbour(interface: device.index, address: address, hardwareAddress: mac))
            found.append("no neighbour \(address) on \(name)")
        }
    }

    private func converge(
        endPoints wanted: [MACAddress: Address], of device: Link, _ found: inout [String]
    ) throws(SyscallError) {
        var missing = wanted
        for present in try place.netlink.forwardingEntries(Address.self)
        where present.interface == device.index && present.hardwareAddress.bits != 0 {  // 0: the default entry
            if let destination = present.destination, missing[present.hardwareAddress] == destination {
                missing[present.hardwareAddress] = nil
            } else if wanted[present.hardwareAddress] == nil, !settings.isLearning {
                try ignoringAbsence { () throws(SyscallError) in try place.netlink.deleteForwardingEntry(present) }
                found.append("stale forwarding entry \(present.hardwareAddress) on \(name)")
            }
        }
        for (mac, endPoint) in missing {
            try place.netlink.replaceForwardingEntry(
                InternetForwardingEntry(interface: device.index, hardwareAddress: mac, destination: endPoint))
            found.append("no forwarding entry \(mac) on \(name)")
        }
    }

    private func ignoringAbsence(_ body: () throws(SyscallError) -> Void) throws(SyscallError) {
        do throws(SyscallError) { try body() } catch {
            guard [ENOENT, ESRCH, ENODEV].contains(error.code) else { throw error }
        }
    }
}
