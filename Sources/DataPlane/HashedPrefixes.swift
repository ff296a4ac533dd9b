import Addressing

/// Where a peer's datagrams go.
struct PeerAddress {
    /// The outer address, network byte order.
    var endpoint: UInt32
    /// Network byte order.
    var port: UInt16
    /// The largest inner packet that gets there; 0 when there is no limit but the device's.
    var mtu: UInt16

    init(_ endpoint: IPv4Address, port: UInt16, mtu: Int?) {
        self.endpoint = endpoint.networkOrder
        self.port = port.bigEndian
        self.mtu = mtu.map { UInt16(clamping: $0) } ?? 0
    }
}

/// The bits of an address as hashing needs them.
protocol PrefixBits: Equatable, BitwiseCopyable {
    static func & (left: Self, right: Self) -> Self
    /// All bits in one word, well enough spread for a multiplication to do the rest.
    var word: UInt64 { get }
    static var none: Self { get }
}

extension UInt32: PrefixBits {
    @inline(__always) var word: UInt64 { UInt64(self) }
    static var none: UInt32 { 0 }
}

/// An IPv6 address as two numbers in host byte order.
struct PrefixBits6: PrefixBits {
    var high: UInt64
    var low: UInt64

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init(_ bits: UInt128) {
        self.init(high: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }

    init(_ address: IPv6Address) { self.init(address.bits) }

    /// The netmask of a prefix length, 0...128.
    init(maskOf length: Int) { self.init(length == 0 ? 0 : ~UInt128(0) << UInt128(128 - length)) }

    @inline(__always)
    init(loadedFrom bytes: UnsafeRawPointer) { self.init(high: bytes.bigEndian64(0), low: bytes.bigEndian64(8)) }

    static let none = PrefixBits6(high: 0, low: 0)
    static let all = PrefixBits6(high: ~0, low: ~0)

    @inline(__always)
    static func & (left: PrefixBits6, right: PrefixBits6) -> PrefixBits6 {
        PrefixBits6(high: left.high & right.high, low: left.low & right.low)
    }

    @inline(__always) var word: UInt64 { high ^ (low &* 0xD6E8_FEB8_6659_FD93) }
}

/// A prefix and its peer; of 16 bytes for IPv4, four to a cache line.
struct PrefixEntry<Bits: PrefixBits> {
    var prefix: Bits
    var peer: PeerAddress
    /// Index into the table's routes, plus one; 0 marks an empty slot.
    var used: UInt32

    var route: UInt32 { used &- 1 }
}

/// One prefix length and where its slots are.
struct PrefixLength<Bits: PrefixBits> {
    var mask: Bits
    /// Slots less one; their number is a power of two, at least twice the routes.
    var slotMask: UInt32
    /// Index of the first slot.
    var first: UInt32
}

/// What a packet loop sees of ``HashedPrefixes``.
struct PrefixView<Bits: PrefixBits> {
    let lengths: UnsafePointer<PrefixLength<Bits>>
    let lengthCount: Int
    let entries: UnsafePointer<PrefixEntry<Bits>>

    /// The entry with the longest prefix that contains `address`.
    @inline(__always)
    func lookup(_ address: Bits) -> PrefixEntry<Bits>? {
        var index = 0
        while index < lengthCount {
            let length = lengths[index]
            let prefix = address & length.mask
            var slot = spread(prefix.word) & length.slotMask
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
}

/// Spreads keys whose low bits are zero (Fibonacci hashing, Knuth, TAOCP volume 3, section 6.4).
@inline(__always)
private func spread(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: (word &* 0x9E37_79B9_7F4A_7C15) >> 32) }

/// A power of two, at least twice `entries`.
private func slots(for entries: Int) -> Int {
    var slots = 4
    while slots < entries * 2 { slots *= 2 }
    return slots
}

/// The memory of a table of prefixes.
///
/// `@unchecked Sendable`: written only while it is built, before anybody else can see it.
final class HashedPrefixes<Bits: PrefixBits>: @unchecked Sendable {
    private let lengths: UnsafeMutablePointer<PrefixLength<Bits>>
    private let lengthCount: Int
    private let entries: UnsafeMutablePointer<PrefixEntry<Bits>>

    /// - Parameters:
    ///   - prefixes: Length, network address and peer of each; of two equal prefixes the last counts.
    ///   - mask: The netmask of a length.
    init(_ prefixes: [(length: Int, address: Bits, peer: PeerAddress)], mask: (Int) -> Bits) {
        let byLength = Dictionary(grouping: prefixes.indices, by: { prefixes[$0].length })
        let longestFirst = byLength.keys.sorted(by: >)
        lengthCount = longestFirst.count
        lengths = .allocate(capacity: max(1, lengthCount))
        let slotCounts = longestFirst.map { slots(for: byLength[$0]?.count ?? 0) }
        let total = max(1, slotCounts.reduce(0, +))
        entries = .allocate(capacity: total)
        let nobody = PeerAddress(IPv4Address(bits: 0), port: 0, mtu: nil)
        entries.initialize(repeating: PrefixEntry(prefix: .none, peer: nobody, used: 0), count: total)
        var first = 0
        for (position, length) in longestFirst.enumerated() {
            let slotMask = UInt32(slotCounts[position] - 1)
            (lengths + position).initialize(
                to: PrefixLength(mask: mask(length), slotMask: slotMask, first: UInt32(first)))
            for index in byLength[length] ?? [] {
                let (_, address, peer) = prefixes[index]
                var slot = spread(address.word) & slotMask
                while entries[first + Int(slot)].used != 0, entries[first + Int(slot)].prefix != address {
                    slot = (slot + 1) & slotMask
                }
                entries[first + Int(slot)] = PrefixEntry(prefix: address, peer: peer, used: UInt32(index) + 1)
            }
            first += slotCounts[position]
        }
    }

    deinit {
        lengths.deallocate()
        entries.deallocate()
    }

    var view: PrefixView<Bits> { PrefixView(lengths: lengths, lengthCount: lengthCount, entries: entries) }
}

/// What a packet loop sees of ``HashedOwners``.
struct OwnerView {
    let entries: UnsafePointer<(address: UInt32, owner: UInt32)>
    let slotMask: UInt32

    /// The endpoint of the peer that may send from `address`, both in network byte order; 0 when none may.
    @inline(__always)
    func owner(of address: UInt32) -> UInt32 {
        guard address != 0 else { return 0 }
        var slot = spread(UInt64(address)) & slotMask
        while true {
            let entry = entries[Int(slot)]
            if entry.address == address { return entry.owner }
            if entry.address == 0 { return 0 }
            slot = (slot &+ 1) & slotMask
        }
    }
}

/// From which outer addresses which peer may send.
///
/// `@unchecked Sendable`: written only while it is built, before anybody else can see it.
final class HashedOwners: @unchecked Sendable {
    private let entries: UnsafeMutablePointer<(address: UInt32, owner: UInt32)>
    private let slotMask: UInt32

    /// - Parameter peers: Each peer's outer address, and others it may send from. An address that is one peer's own is
    ///   no other's, whoever claims it.
    init(_ peers: [(endpoint: IPv4Address, others: [IPv4Address])]) {
        let count = slots(for: peers.reduce(0) { $0 + 1 + $1.others.count })
        slotMask = UInt32(count - 1)
        entries = .allocate(capacity: count)
        entries.initialize(repeating: (0, 0), count: count)
        for peer in peers { insert(peer.endpoint, owner: peer.endpoint) }
        for peer in peers { for other in peer.others { insert(other, owner: peer.endpoint) } }
    }

    private func insert(_ address: IPv4Address, owner: IPv4Address) {
        let address = address.networkOrder
        guard address != 0 else { return }
        var slot = spread(UInt64(address)) & slotMask
        while entries[Int(slot)].address != 0 {
            if entries[Int(slot)].address == address { return }
            slot = (slot + 1) & slotMask
        }
        entries[Int(slot)] = (address, owner.networkOrder)
    }

    deinit { entries.deallocate() }

    var view: OwnerView { OwnerView(entries: entries, slotMask: slotMask) }
}
