public import Addressing

/// One remote prefix and the peer that owns it.
public struct ForwardingRoute: Hashable, Sendable {
    /// The inner addresses behind the peer.
    public var prefix: IPv4Prefix
    /// The peer's outer address.
    public var endpoint: IPv4Address
    /// The peer's UDP port.
    public var port: UInt16
    /// Other outer addresses that the peer may send from: behind NAT, or with several interfaces.
    public var otherSources: [IPv4Address]
    /// The largest inner packet that reaches the peer, in bytes; `nil` when the device's MTU is the limit.
    public var mtu: Int?

    public init(
        prefix: IPv4Prefix, endpoint: IPv4Address, port: UInt16, otherSources: [IPv4Address] = [], mtu: Int? = nil
    ) {
        self.prefix = prefix
        self.endpoint = endpoint
        self.port = port
        self.otherSources = otherSources
        self.mtu = mtu
    }
}

/// One remote IPv6 prefix and the peer that owns it. Only for peers that said they take IPv6: flanneld's `udp` backend
/// corrupts such packets.
public struct ForwardingRoute6: Hashable, Sendable {
    /// The inner addresses behind the peer.
    public var prefix: IPv6Prefix
    /// The peer's outer address.
    public var endpoint: IPv4Address
    /// The peer's UDP port.
    public var port: UInt16
    /// Other outer addresses that the peer may send from.
    public var otherSources: [IPv4Address]
    /// The largest inner packet that reaches the peer, in bytes; `nil` when the device's MTU is the limit.
    public var mtu: Int?

    public init(
        prefix: IPv6Prefix, endpoint: IPv4Address, port: UInt16, otherSources: [IPv4Address] = [], mtu: Int? = nil
    ) {
        self.prefix = prefix
        self.endpoint = endpoint
        self.port = port
        self.otherSources = otherSources
        self.mtu = mtu
    }
}

/// The node's own part of the overlay: what peers may send to.
public struct LocalSubnets: Hashable, Sendable {
    public var subnet: IPv4Prefix
    /// `nil` when the node has no IPv6 subnet; then nothing that comes in with IPv6 is for it.
    public var subnet6: IPv6Prefix?

    public init(subnet: IPv4Prefix, subnet6: IPv6Prefix? = nil) {
        self.subnet = subnet
        self.subnet6 = subnet6
    }
}
