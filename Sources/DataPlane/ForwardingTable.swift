public import Addressing

/// One remote prefix and the peer that owns it.
public struct ForwardingRoute: Hashable, Sendable {
    /// The inner addresses behind the peer.
    public var prefix: IPv4Prefix
    /// The peer's outer address.
    public var endpoint: IPv4Address
    /// The peer's UDP port.
    public var port: UInt16

    public init(prefix: IPv4Prefix, endpoint: IPv4Address, port: UInt16) {
        self.prefix = prefix
        self.endpoint = endpoint
        self.port = port
    }
}

/// Which peer owns an inner address: immutable once built, shared by all packet paths, read without locks.
///
/// Prefixes of one length share a hash table, and tables are asked from the longest prefix to the shortest. In the
/// normal case, one `SubnetLen` for the whole network, a lookup is one probe.
public final class ForwardingTable: Sendable {
    /// The routes, as given.
    public let routes: [ForwardingRoute]
    private let buckets: HashedPrefixes

    public init(routes: [ForwardingRoute]) {
        self.routes = routes
        buckets = HashedPrefixes(routes)
    }

    /// A view for a packet loop: plain pointers, valid as long as the table lives.
    var view: ForwardingView {
        ForwardingView(
            lengths: buckets.lengths, lengthCount: buckets.lengthCount, entries: buckets.entries, peers: buckets.peers,
            peerMask: buckets.peerMask)
    }

    /// The route with the longest prefix that contains `address`.
    public func lookup(_ address: IPv4Address) -> ForwardingRoute? {
        let view = self.view
        guard let found = withExtendedLifetime(self, { view.lookup(address.bits) }) else { return nil }
        return routes[Int(found.route)]
    }
}

/// One slot of the hash: 16 bytes, four to a cache line.
struct ForwardingEntry {
    /// The prefix's address, host byte order.
    var prefix: UInt32
    /// The peer's outer address, network byte order.
    var endpoint: UInt32
    /// The peer's port, network byte order.
    var port: UInt16
    /// 0 marks an empty slot.
    var used: UInt16
    /// Index into the table's routes.
    var route: UInt32
}

/// One prefix length and where its slots are.
struct ForwardingLength {
    var mask: UInt32
    /// Slots less one; their number is a power of two, at least twice the routes.
    var slotMask: UInt32
    /// Index of the first slot.
    var first: UInt32
}

/// What a packet loop holds of a ``ForwardingTable``.
struct ForwardingView {
    let lengths: UnsafePointer<ForwardingLength>
    let lengthCount: Int
    let entries: UnsafePointer<ForwardingEntry>
    /// The peers' outer addresses, network byte order, hashed; 0 is an empty slot.
    let peers: UnsafePointer<UInt32>
    let peerMask: UInt32

    /// The entry with the longest prefix that contains `address` (host byte order).
    @inline(__always)
    func lookup(_ address: UInt32) -> ForwardingEntry? {
        var index = 0
        while index < lengthCount {
            let length = lengths[index]
            let prefix = address & length.mask
            var slot = ForwardingView.hash(prefix) & length.slotMask
            while true {
                let entry = entries[Int(length.first &+ slot)]
                if entry.used == 0 { break }
                if entry.prefix == prefix { return entry }
                slot = (slot &+ 1) & length.slotMask
            }
            index &+= 1
        }
        return nil
    }

    /// Whether `endpoint` (network byte order) is the outer address of some peer.
    @inline(__always)
    func isPeer(_ endpoint: UInt32) -> Bool {
        var slot = ForwardingView.hash(endpoint) & peerMask
        while true {
            let peer = peers[Int(slot)]
            if peer == endpoint { return true }
            if peer == 0 { return false }
            slot = (slot &+ 1) & peerMask
        }
    }

    /// Spreads prefixes whose low bits are zero (Fibonacci hashing, Knuth, TAOCP volume 3, section 6.4).
    @inline(__always)
    static func hash(_ prefix: UInt32) -> UInt32 {
        UInt32(truncatingIfNeeded: (UInt64(prefix) &* 0x9E37_79B9_7F4A_7C15) >> 32)
    }
}

/// The memory of a table.
///
/// `@unchecked Sendable`: written only while it is built, before anybody else can see it.
private final class HashedPrefixes: @unchecked Sendable {
    let lengths: UnsafeMutablePointer<ForwardingLength>
    let lengthCount: Int
    let entries: UnsafeMutablePointer<ForwardingEntry>
    let peers: UnsafeMutablePointer<UInt32>
    let peerMask: UInt32

    init(_ routes: [ForwardingRoute]) {
        let byLength = Dictionary(grouping: routes.indices, by: { routes[$0].prefix.length })
        let longestFirst = byLength.keys.sorted(by: >)
        lengthCount = longestFirst.count
        lengths = .allocate(capacity: max(1, lengthCount))
        let slotCounts = longestFirst.map { Self.slots(for: byLength[$0]?.count ?? 0) }
        let total = slotCounts.reduce(0, +)
        entries = .allocate(capacity: max(1, total))
        entries.initialize(
            repeating: ForwardingEntry(prefix: 0, endpoint: 0, port: 0, used: 0, route: 0), count: max(1, total))
        let peerSlots = Self.slots(for: routes.count)
        peerMask = UInt32(peerSlots - 1)
        peers = .allocate(capacity: peerSlots)
        peers.initialize(repeating: 0, count: peerSlots)
        for route in routes where route.endpoint.bits != 0 {
            let endpoint = route.endpoint.networkOrder
            var slot = ForwardingView.hash(endpoint) & peerMask
            while peers[Int(slot)] != 0, peers[Int(slot)] != endpoint { slot = (slot + 1) & peerMask }
            peers[Int(slot)] = endpoint
        }
        var first = 0
        for (position, length) in longestFirst.enumerated() {
            let slotMask = UInt32(slotCounts[position] - 1)
            let mask = IPv4Prefix(IPv4Address(bits: 0), length: length).mask
            (lengths + position).initialize(to: ForwardingLength(mask: mask, slotMask: slotMask, first: UInt32(first)))
            for index in byLength[length] ?? [] {
                let route = routes[index]
                var slot = ForwardingView.hash(route.prefix.address.bits) & slotMask
                while entries[first + Int(slot)].used != 0,
                    entries[first + Int(slot)].prefix != route.prefix.address.bits
                {
                    slot = (slot + 1) & slotMask
                }
                entries[first + Int(slot)] = ForwardingEntry(
                    prefix: route.prefix.address.bits, endpoint: route.endpoint.networkOrder,
                    port: route.port.bigEndian, used: 1, route: UInt32(index))
            }
            first += slotCounts[position]
        }
    }

    deinit {
        lengths.deallocate()
        entries.deallocate()
        peers.deallocate()
    }

    private static func slots(for routes: Int) -> Int {
        var slots = 4
        while slots < routes * 2 { slots *= 2 }
        return slots
    }
}
