public import Addressing

/// Which peer owns an inner address: immutable once built, shared by all packet paths, read without locks.
///
/// Prefixes of one length share a hash table, and tables are asked from the longest prefix to the shortest. In the
/// normal case, one `SubnetLen` for the whole network, a lookup is one probe however many peers there are.
public final class ForwardingTable: Sendable {
    /// The routes, as given.
    public let routes: [ForwardingRoute]
    /// The IPv6 routes, as given.
    public let routes6: [ForwardingRoute6]
    /// The node's own subnets, as given.
    public let local: LocalSubnets?

    private let hashed: HashedPrefixes<UInt32>
    private let hashed6: HashedPrefixes<PrefixBits6>
    private let owners: HashedOwners

    /// - Parameter local: What peers may send to; `nil` lets them send to any address.
    /// - Complexity: O(n) in the number of routes, in time and memory.
    public init(routes: [ForwardingRoute], routes6: [ForwardingRoute6] = [], local: LocalSubnets? = nil) {
        self.routes = routes
        self.routes6 = routes6
        self.local = local
        hashed = HashedPrefixes(
            routes.map {
                ($0.prefix.length, $0.prefix.address.bits, PeerAddress($0.endpoint, port: $0.port, mtu: $0.mtu))
            }
        ) { IPv4Prefix(IPv4Address(bits: 0), length: $0).mask }
        hashed6 = HashedPrefixes(
            routes6.map {
                (
                    $0.prefix.length, PrefixBits6($0.prefix.address),
                    PeerAddress($0.endpoint, port: $0.port, mtu: $0.mtu)
                )
            }
        ) { PrefixBits6(maskOf: $0) }
        owners = HashedOwners(
            routes.map { ($0.endpoint, $0.otherSources) } + routes6.map { ($0.endpoint, $0.otherSources) })
    }

    /// A view for a packet loop: plain pointers, valid as long as the table lives.
    var view: ForwardingView {
        ForwardingView(
            prefixes: hashed.view, prefixes6: hashed6.view, owners: owners.view,
            localMask: local?.subnet.mask ?? 0, localPrefix: local?.subnet.address.bits ?? 0,
            localMask6: local.map { $0.subnet6.map { PrefixBits6(maskOf: $0.length) } ?? .all } ?? .none,
            localPrefix6: local?.subnet6.map { PrefixBits6($0.address) } ?? .none)
    }

    /// The route with the longest prefix that contains `address`.
    public func lookup(_ address: IPv4Address) -> ForwardingRoute? {
        withExtendedLifetime(self) { view.prefixes.lookup(address.bits) }.map { routes[Int($0.route)] }
    }

    /// The route with the longest prefix that contains `address`.
    public func lookup(_ address: IPv6Address) -> ForwardingRoute6? {
        withExtendedLifetime(self) { view.prefixes6.lookup(PrefixBits6(address)) }.map { routes6[Int($0.route)] }
    }
}

/// What a packet loop holds of a ``ForwardingTable``.
struct ForwardingView {
    let prefixes: PrefixView<UInt32>
    let prefixes6: PrefixView<PrefixBits6>
    let owners: OwnerView
    /// An address is ours when it equals `localPrefix` under the mask; 0 and 0 stand for any.
    let localMask: UInt32
    let localPrefix: UInt32
    let localMask6: PrefixBits6
    let localPrefix6: PrefixBits6

    /// The peer that owns the packet's destination.
    @inline(__always)
    func peer(for packet: InnerPacket) -> PeerAddress? {
        packet.isIPv6
            ? prefixes6.lookup(PrefixBits6(loadedFrom: packet.header + IPv6Header.destinationOffset))?.peer
            : prefixes.lookup(packet.header.bigEndian32(IPv4Header.destinationOffset))?.peer
    }

    /// Whether the packet's source belongs to the peer whose datagram came from `source` (network byte order): an
    /// address of its prefixes, or one of its outer addresses.
    @inline(__always)
    func isFromItsPeer(_ packet: InnerPacket, source: UInt32) -> Bool {
        if packet.isIPv6 {
            let inner = PrefixBits6(loadedFrom: packet.header + IPv6Header.sourceOffset)
            guard let found = prefixes6.lookup(inner) else { return false }
            return found.peer.endpoint == source || owners.owner(of: source) == found.peer.endpoint
        }
        let inner = packet.header.bigEndian32(IPv4Header.sourceOffset)
        if let found = prefixes.lookup(inner) {
            if found.peer.endpoint == source { return true }
            if owners.owner(of: source) == found.peer.endpoint { return true }
        }
        let owner = owners.owner(of: source)
        return owner != 0 && owner == owners.owner(of: inner.bigEndian)
    }

    /// Whether the packet is for this node.
    @inline(__always)
    func isForUs(_ packet: InnerPacket) -> Bool {
        packet.isIPv6
            ? PrefixBits6(loadedFrom: packet.header + IPv6Header.destinationOffset) & localMask6 == localPrefix6
            : packet.header.bigEndian32(IPv4Header.destinationOffset) & localMask == localPrefix
    }
}
