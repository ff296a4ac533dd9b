import Synchronization

/// What the user-space path did since it began. All counts are of inner packets as they crossed the wire, so a
/// super-packet counts as its segments.
public struct TunnelCounters: Hashable, Sendable {
    public var sentPackets: UInt64 = 0
    public var sentBytes: UInt64 = 0
    public var receivedPackets: UInt64 = 0
    public var receivedBytes: UInt64 = 0
    /// Drops by reason; only reasons that occurred need be shown.
    public var drops: [DropReason: UInt64] = [:]

    static func + (left: TunnelCounters, right: TunnelCounters) -> TunnelCounters {
        var sum = left
        sum.sentPackets += right.sentPackets
        sum.sentBytes += right.sentBytes
        sum.receivedPackets += right.receivedPackets
        sum.receivedBytes += right.receivedBytes
        sum.drops.merge(right.drops, uniquingKeysWith: +)
        return sum
    }
}

/// Why a packet went no further.
public enum DropReason: Int, CaseIterable, Hashable, Sendable {
    /// No lease covers the inner destination.
    case noRoute
    /// Neither IPv4 nor IPv6, or its lengths contradict each other.
    case malformed
    /// The outer source is no peer, or the inner source is not the peer's.
    case spoofed
    /// The inner destination is not of this node's subnet.
    case notForUs
    /// The hop limit is used up.
    case expired
    /// More bytes than the way to the peer takes, and it must not be fragmented.
    case tooBig
    /// The kernel refused to send the datagram: no route to the peer, too big, forbidden.
    case refusedByUnderlay
    /// The kernel refused to take the inner packet.
    case refusedByDevice
    /// Congestion was marked on the way of a packet whose sender cannot be told (RFC 6040 section 4.2).
    case congestion

    static let count = 9
}

/// A packet loop's own plain counts.
package struct LaneTally {
    package var packets: UInt64 = 0
    package var bytes: UInt64 = 0
    var drops = InlineArray<9, UInt64>(repeating: 0)

    @inline(__always)
    mutating func drop(_ reason: DropReason, _ count: UInt64 = 1) { drops[reason.rawValue] &+= count }

    /// The drops for one reason.
    package func dropped(_ reason: DropReason) -> UInt64 { drops[reason.rawValue] }

    /// All drops by reason, those that occurred.
    var occurred: [DropReason: UInt64] {
        var result: [DropReason: UInt64] = [:]
        for reason in DropReason.allCases where drops[reason.rawValue] > 0 { result[reason] = drops[reason.rawValue] }
        return result
    }
}

/// The counters of one packet loop, which alone writes them; others read them at any time.
package final class LaneCounters: Sendable {
    private let packets = Atomic<UInt64>(0)
    private let bytes = Atomic<UInt64>(0)
    private let drops: InlineArray<9, Atomic<UInt64>> = InlineArray { _ in Atomic(0) }

    package init() {}

    /// Shows what a loop counted so far. Called once a batch.
    func publish(_ tally: LaneTally) {
        packets.store(tally.packets, ordering: .relaxed)
        bytes.store(tally.bytes, ordering: .relaxed)
        for index in 0..<DropReason.count { drops[index].store(tally.drops[index], ordering: .relaxed) }
    }

    package var current: LaneTally {
        var tally = LaneTally()
        tally.packets = packets.load(ordering: .relaxed)
        tally.bytes = bytes.load(ordering: .relaxed)
        for index in 0..<DropReason.count { tally.drops[index] = drops[index].load(ordering: .relaxed) }
        return tally
    }
}
