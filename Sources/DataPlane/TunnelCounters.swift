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
    /// Not IPv4, or its lengths contradict each other.
    case malformed
    /// The outer source is no peer, or the inner source is not the peer's.
    case spoofed
    /// The kernel refused to send the datagram: no route to the peer, too big, forbidden.
    case refusedByUnderlay
    /// The kernel refused to take the inner packet.
    case refusedByDevice
    /// Congestion was marked on the way of a packet whose sender cannot be told (RFC 6040 section 4.2).
    case congestion
}

/// The counters of one packet loop, which alone writes them; others read them at any time.
final class LaneCounters: Sendable {
    private let packets = Atomic<UInt64>(0)
    private let bytes = Atomic<UInt64>(0)
    private let noRoute = Atomic<UInt64>(0)
    private let malformed = Atomic<UInt64>(0)
    private let spoofed = Atomic<UInt64>(0)
    private let refused = Atomic<UInt64>(0)
    private let congestion = Atomic<UInt64>(0)

    /// Shows what a loop counted so far. Called once a batch.
    func publish(_ tally: LaneTally) {
        packets.store(tally.packets, ordering: .relaxed)
        bytes.store(tally.bytes, ordering: .relaxed)
        noRoute.store(tally.noRoute, ordering: .relaxed)
        malformed.store(tally.malformed, ordering: .relaxed)
        spoofed.store(tally.spoofed, ordering: .relaxed)
        refused.store(tally.refused, ordering: .relaxed)
        congestion.store(tally.congestion, ordering: .relaxed)
    }

    var current: LaneTally {
        LaneTally(
            packets: packets.load(ordering: .relaxed), bytes: bytes.load(ordering: .relaxed),
            noRoute: noRoute.load(ordering: .relaxed), malformed: malformed.load(ordering: .relaxed),
            spoofed: spoofed.load(ordering: .relaxed), refused: refused.load(ordering: .relaxed),
            congestion: congestion.load(ordering: .relaxed))
    }
}

/// A packet loop's own plain counts.
struct LaneTally {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    var noRoute: UInt64 = 0
    var malformed: UInt64 = 0
    var spoofed: UInt64 = 0
    var refused: UInt64 = 0
    var congestion: UInt64 = 0
}
