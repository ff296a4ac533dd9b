import Glibc
package import KubeSchema

/// Where a component gets the time from: the machine, or a test that moves it by hand.
package protocol TimeSource: Sendable {
    /// The wall clock, for what is written into objects.
    var now: Timestamp { get }
    /// Time since an arbitrary beginning that no adjustment of the wall clock moves, for measuring and waiting.
    var uptime: Duration { get }
    /// Returns once `uptime` has reached `deadline`; throws `CancellationError` when the task is cancelled before.
    func sleep(until deadline: Duration) async throws
}

extension TimeSource {
    package func sleep(for duration: Duration) async throws { try await sleep(until: uptime + duration) }
}

/// The machine's clocks. `uptime` goes on while the machine is suspended (CLOCK_BOOTTIME), so that a laptop that
/// wakes up sees stale heartbeats as stale.
package struct SystemTime: TimeSource {
    package init() {}
    package var now: Timestamp { .now }
    package var uptime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
    }
    package func sleep(until deadline: Duration) async throws {
        let rest = deadline - uptime
        if rest > .zero { try await Task.sleep(for: rest) } else { try Task.checkCancellation() }
    }
}
