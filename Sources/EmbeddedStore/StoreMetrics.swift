import Synchronization

/// Counters of a store, read at any time by any thread.
package final class StoreMetrics: Sendable {
    /// How long commits took, as a Prometheus histogram has it.
    package struct Histogram: Sendable {
        /// Commits that took at most so many seconds, growing; etcd's own bounds for `wal_fsync_duration_seconds`.
        package static let bounds: [Double] = (0..<14).map { 0.001 * Double(1 << $0) }
        package var counts = [UInt64](repeating: 0, count: bounds.count + 1)
        package var seconds = 0.0
        package var count: UInt64 { counts.reduce(0, +) }

        /// The bound under which that part of all commits stays, `nil` without commits.
        package func quantile(_ part: Double) -> Double? {
            guard count > 0 else { return nil }
            var seen: UInt64 = 0
            for (bound, number) in zip(Self.bounds, counts) {
                seen += number
                if Double(seen) >= part * Double(count) { return bound }
            }
            return .infinity
        }
    }

    private let commits = Mutex(Histogram())
    private let writeCount = Atomic<UInt64>(0)
    private let slowest = Mutex<Duration?>(nil)

    package init() {}

    /// Commits so far: the write of the log and its sync.
    package var histogram: Histogram { commits.withLock { $0 } }
    /// Writes so far, several a commit.
    package var writes: UInt64 { writeCount.load(ordering: .relaxed) }

    func committed(writes: Int, taking duration: Duration) {
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
        commits.withLock { histogram in
            let index = Histogram.bounds.firstIndex { seconds <= $0 } ?? Histogram.bounds.count
            histogram.counts[index] += 1
            histogram.seconds += seconds
        }
        writeCount.add(UInt64(writes), ordering: .relaxed)
        slowest.withLock { $0 = max($0 ?? .zero, duration) }
    }

    /// The longest commit since the last call, `nil` without one.
    func takeSlowest() -> Duration? {
        slowest.withLock { slowest in
            defer { slowest = nil }
            return slowest
        }
    }
}
