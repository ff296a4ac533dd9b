import Addressing

// The values of the maps in Sources/DataPlane/bpf/maps.h, in the same order. Addresses and ports are in network byte
// order, the rest in the machine's.

/// A MAC address as a program copies it.
struct MACBytes: BitwiseCopyable {
    var octets: (UInt8, UInt8, UInt8, UInt8, UInt8, UInt8) = (0, 0, 0, 0, 0, 0)

    init(_ address: MACAddress?) {
        guard let bits = address?.bits else { return }
        func octet(_ shift: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: bits >> shift) }
        octets = (octet(40), octet(32), octet(24), octet(16), octet(8), octet(0))
    }
}

/// `struct settings`
struct SettingsValue: BitwiseCopyable {
    var network: UInt32 = 0
    var networkMask: UInt32 = 0
    var subnet: UInt32 = 0
    var subnetMask: UInt32 = 0
    var prefixMask: UInt32 = 0
    var underlay: UInt32 = 0
    var tun: UInt32 = 0
    var vtep: UInt32 = 0
    var port: UInt16 = 0
    var vtepMAC = MACBytes(nil)
    var vni: UInt32 = 0
    var hasExceptions: UInt32 = 0
    var filter: UInt32 = 0
    var filterBoth: UInt32 = 0
}

/// `struct route`
struct RouteValue: BitwiseCopyable {
    static let userSpace: UInt16 = 1  // ROUTE_USER_SPACE

    var remote: UInt32
    var local: UInt32
    var gateway: UInt32
    var interface: UInt32
    var mtu: UInt16
    var port: UInt16
    var vtepMAC: MACBytes
    var flags: UInt16
    var peer: UInt32
}

/// `struct lpm_key`
struct PrefixKey: BitwiseCopyable, Hashable {
    var length: UInt32
    var address: UInt32
}

/// `struct source_key`
struct SourceKey: BitwiseCopyable, Hashable {
    var remote: UInt32
    var source: UInt32
}

/// `struct endpoint`
struct EndpointValue: BitwiseCopyable {
    var interface: UInt32
    var podMAC: MACBytes
    var hostMAC: MACBytes
}

/// `struct veth`
struct VethValue: BitwiseCopyable {
    static let stepAside: UInt32 = 1  // VETH_STEP_ASIDE

    var address: UInt32
    var flags: UInt32
}

/// `struct traffic`, of one processor
struct TrafficValue: BitwiseCopyable {
    var sentPackets: UInt64 = 0
    var sentBytes: UInt64 = 0
    var receivedPackets: UInt64 = 0
    var receivedBytes: UInt64 = 0
}

/// What becomes of packets, in the order of `enum event`.
package enum FastPathEvent: Int, CaseIterable, Sendable {
    /// A pod sent with an address that is not its own. Dropped.
    case spoofedByPod
    /// The outer source is none of the addresses of the inner source's owner. Dropped.
    case spoofedOuterSource
    /// Nobody owns the inner source. Dropped.
    case unknownPeer
    /// Truncated, or with lengths that contradict each other. Dropped.
    case malformed
    /// For an address outside of this node's subnet. Dropped.
    case notOurs
    /// Congestion was met by a flow that cannot hear of it (RFC 6040 section 4.2). Dropped.
    case congestion
    /// The kernel had no room for the outer header. Dropped.
    case noRoom
    /// Took the short cut to a peer.
    case shortOut
    /// Took the short cut to a pod of this node.
    case shortLocal
    /// Took the short cut from a peer to a pod.
    case shortIn
    /// Encapsulated on its way from the stack.
    case stackOut
    /// Stripped and handed to the stack.
    case stackIn
    /// Left to the stack, since its flow perhaps is the stack's.
    case gated
    /// Conntrack was asked whether it is.
    case lookups

    /// As users read it: `spoofed-by-pod`.
    package var name: String {
        "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
    }

    /// Whether the packets were dropped.
    package var isDrop: Bool { rawValue <= FastPathEvent.noRoom.rawValue }
}
