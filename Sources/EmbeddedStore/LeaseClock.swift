import ClusterStore
import Synchronization

/// The time that leases run on; tests bring their own.
package struct StoreClock: Sendable {
    /// Time since some fixed moment.
    package let now: @Sendable () -> Duration
    /// Returns after that time, or throws when the task is cancelled.
    package let sleep: @Sendable (Duration) async throws -> Void

    package init(now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void) {
        self.now = now
        self.sleep = sleep
    }

    /// The system's clock; goes on while the machine sleeps.
    package static let continuous: StoreClock = {
        let start = ContinuousClock.now
        return StoreClock(now: { start.duration(to: .now) }, sleep: { try await Task.sleep(for: $0) })
    }()
}

/// When each lease ends. In memory only: a start of the store gives every lease its whole time again, as etcd does.
final class LeaseDeadlines: Sendable {
    private struct Lease {
        let timeToLive: Int64
        var deadline: Duration
    }

    private let clock: StoreClock
    private let leases = Mutex<[Int64: Lease]>([:])
    private let started = Bell()

    init(clock: StoreClock) { self.clock = clock }

    /// Adds a lease that runs from now on.
    func start(_ id: Int64, timeToLive: Int64) {
        let deadline = clock.now() + .seconds(timeToLive)
        leases.withLock { $0[id] = Lease(timeToLive: timeToLive, deadline: deadline) }
        started.ring()
    }

    /// Gives a lease its whole time again. Returns that time in seconds, `nil` when there is no such lease.
    func renew(_ id: Int64) -> Int64? {
        let now = clock.now()
        return leases.withLock { leases in
            guard let lease = leases[id] else { return nil }
            leases[id]?.deadline = now + .seconds(lease.timeToLive)
            return lease.timeToLive
        }
    }

    /// Forgets a lease. Returns its whole time in seconds, `nil` when there is no such lease.
    func end(_ id: Int64) -> Int64? { leases.withLock { $0.removeValue(forKey: id)?.timeToLive } }

    /// Leases whose time is over.
    func expired() -> [Int64] {
        let now = clock.now()
        return leases.withLock { leases in leases.filter { $0.value.deadline <= now }.map(\.key).sorted() }
    }

    /// Returns when a lease was started, perhaps long ago, or the task is cancelled. For one task at a time.
    func untilStart() async { for await _ in started.rings { return } }

    /// Time until the next lease ends, `nil` when there is none.
    func untilNext() -> Duration? {
        let now = clock.now()
        return leases.withLock { leases in leases.values.map(\.deadline).min().map { $0 - now } }
    }

    /// All leases, the one that ends next first.
    func all() -> [Int64] {
        leases.withLock { $0.sorted { ($0.value.deadline, $0.key) < ($1.value.deadline, $1.key) }.map(\.key) }
    }

    /// Seconds left and seconds granted.
    func status(_ id: Int64) -> (remaining: Int64, timeToLive: Int64)? {
        let now = clock.now()
        return leases.withLock { leases in
            leases[id].map { (max(0, ($0.deadline - now).components.seconds), $0.timeToLive) }
        }
    }
}
