package import Addressing

/// The network that all nodes share: the value of flannel's `config` key, with flannel's defaults filled in.
///
/// Source: flannel, `Documentation/configuration.md` and `pkg/subnet/config.go`.
package struct NetworkConfig: Hashable, Sendable {
    /// The range that holds every node's subnet.
    package var network: IPv4Prefix
    /// Prefix length of a node's subnet.
    package var subnetLength: Int
    /// Network address of the first subnet that may be given out.
    package var subnetMin: IPv4Address
    /// Network address of the last subnet that may be given out.
    package var subnetMax: IPv4Address
    package var backend: BackendConfig
    /// The IPv6 half, in dual stack.
    package var ipv6: IPv6Pool?

    package init(
        network: IPv4Prefix, subnetLength: Int, subnetMin: IPv4Address, subnetMax: IPv4Address,
        backend: BackendConfig = .udp(port: BackendConfig.defaultUDPPort), ipv6: IPv6Pool? = nil
    ) {
        self.network = network
        self.subnetLength = subnetLength
        self.subnetMin = subnetMin
        self.subnetMax = subnetMax
        self.backend = backend
        self.ipv6 = ipv6
    }

    /// How many subnets may be given out.
    package var capacity: Int { Int((subnetMax.bits - subnetMin.bits) >> UInt32(32 - subnetLength)) + 1 }

    /// The `index`-th subnet of the pool, 0 being the one at `subnetMin`.
    ///
    /// - Precondition: `index` is in `0..<capacity`.
    package func subnet(at index: Int) -> IPv4Prefix {
        precondition((0..<capacity).contains(index), "the pool has no such subnet")
        return IPv4Prefix(subnetMin.advanced(by: UInt32(index) << UInt32(32 - subnetLength)), length: subnetLength)
    }

    /// Whether `subnet` is one that this configuration gives out.
    package func offers(_ subnet: IPv4Prefix) -> Bool {
        subnet.length == subnetLength && subnetMin <= subnet.address && subnet.address <= subnetMax
    }

    /// Whether both halves of a lease are what this configuration gives out.
    package func offers(_ lease: Lease) -> Bool {
        guard offers(lease.subnet) else { return false }
        guard let ipv6 else { return lease.ipv6Subnet == nil }
        return lease.ipv6Subnet.map { ipv6.offers($0) } ?? false
    }

    /// The IPv6 subnet that goes with an IPv4 subnet of this configuration; `nil` without dual stack.
    ///
    /// The place in one pool decides the place in the other, so that nodes that take different IPv4 subnets at the
    /// same moment take different IPv6 subnets too, though only the pair is claimed. A place that is taken (flanneld
    /// draws both at random) is passed over.
    package func ipv6Subnet(for subnet: IPv4Prefix, leased: [IPv6Prefix]) -> IPv6Prefix? {
        guard let ipv6 else { return nil }
        var index = UInt128(subnet.address.bits &- subnetMin.bits) >> UInt128(32 - subnetLength)
        var candidate = ipv6.subnet(at: index)
        for _ in 0...leased.count where leased.contains(where: { $0.overlaps(candidate) }) {
            index += UInt128(capacity)
            candidate = ipv6.subnet(at: index)
        }
        return candidate
    }
}

/// The range of a dual-stack network's IPv6 subnets: flannel's `IPv6Network` and what belongs to it.
package struct IPv6Pool: Hashable, Sendable {
    package var network: IPv6Prefix
    package var subnetLength: Int
    /// Network address of the first subnet that may be given out, and of the last.
    package var subnetMin: IPv6Address
    package var subnetMax: IPv6Address

    package init(network: IPv6Prefix, subnetLength: Int, subnetMin: IPv6Address, subnetMax: IPv6Address) {
        self.network = network
        self.subnetLength = subnetLength
        self.subnetMin = subnetMin
        self.subnetMax = subnetMax
    }

    /// How many subnets may be given out.
    package var capacity: UInt128 {
        (subnetMax.bits &- subnetMin.bits) >> UInt128(128 - subnetLength) &+ 1
    }

    /// The `index`-th subnet of the pool, counted on from its start again behind its end.
    package func subnet(at index: UInt128) -> IPv6Prefix {
        let place = capacity == 0 ? index : index % capacity
        return IPv6Prefix(subnetMin.advanced(by: place << UInt128(128 - subnetLength)), length: subnetLength)
    }

    /// Whether `subnet` is one that this range gives out.
    package func offers(_ subnet: IPv6Prefix) -> Bool {
        subnet.length == subnetLength && subnetMin <= subnet.address && subnet.address <= subnetMax
    }
}

/// How packets travel between nodes, flannel's `Backend` object.
package enum BackendConfig: Hashable, Sendable {
    /// Bare IP packets as UDP payload.
    case udp(port: UInt16)
    /// The kernel's VXLAN device.
    case vxlan(VXLANOptions)
    /// No encapsulation: routes by way of the peers themselves, which must be on the same link.
    case hostGateway
    /// A lease and nothing else: somebody else moves the packets.
    case alloc

    /// flanneld's default for the `udp` backend.
    package static let defaultUDPPort: UInt16 = 8285

    /// The UDP port of every node, where packets are encapsulated.
    package var port: UInt16? {
        switch self {
        case .udp(let port): port
        case .vxlan(let options): options.port
        case .hostGateway, .alloc: nil
        }
    }

    /// The name under flannel's `Type` key.
    package var name: String {
        switch self {
        case .udp: "udp"
        case .vxlan: "vxlan"
        case .hostGateway: "host-gw"
        case .alloc: "alloc"
        }
    }
}

/// flannel's options of the `vxlan` backend.
package struct VXLANOptions: Hashable, Sendable {
    /// The kernel's port, and flannel's.
    package static let defaultPort: UInt16 = 8472

    /// `VNI`: the network identifier, 1...16777215; the device is called after it.
    package var identifier: UInt32 = 1
    package var port: UInt16 = Self.defaultPort
    /// `GBP`: the group policy extension.
    package var hasGroupPolicy = false
    /// `Learning`: the device learns end points from packets.
    package var isLearning = false
    /// `DirectRouting`: no encapsulation to peers on the same link.
    package var hasDirectRouting = false
    /// `MTU` of the underlay to count with, in place of its interface's.
    package var underlayMTU: Int?

    package init() {}
}

/// A network configuration that can't be used: which key, what stands there, what was expected.
package struct NetworkConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Path of the key below the document, such as `Backend.Port`; empty for the document itself.
    package let key: String
    package let problem: String

    package init(key: String, problem: String) {
        self.key = key
        self.problem = problem
    }

    package var description: String { key.isEmpty ? problem : "\(key): \(problem)" }
}
