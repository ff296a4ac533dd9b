import Synchronization

/// Hands the newest ``ForwardingTable`` to one packet loop, without a lock on either side.
///
/// The writer swaps a retained table in; whoever finds one that nobody took releases it. The loop looks once a batch,
/// one relaxed load when nothing is new.
package final class TableMailbox: Sendable {
    private let waiting = Atomic<UInt>(0)

    package init() {}

    package func publish(_ table: ForwardingTable) {
        let new = UInt(bitPattern: Unmanaged.passRetained(table).toOpaque())
        Self.release(waiting.exchange(new, ordering: .acquiringAndReleasing))
    }

    /// The table published since the last call, if any.
    func take() -> ForwardingTable? {
        guard waiting.load(ordering: .relaxed) != 0 else { return nil }
        let bits = waiting.exchange(0, ordering: .acquiring)
        guard let pointer = UnsafeRawPointer(bitPattern: bits) else { return nil }
        return Unmanaged<ForwardingTable>.fromOpaque(pointer).takeRetainedValue()
    }

    deinit { Self.release(waiting.load(ordering: .acquiring)) }

    private static func release(_ bits: UInt) {
        if let pointer = UnsafeRawPointer(bitPattern: bits) { Unmanaged<ForwardingTable>.fromOpaque(pointer).release() }
    }
}
