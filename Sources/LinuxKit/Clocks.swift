import Glibc

/// A clock that costs a memory access and is a few milliseconds behind, for deadlines in packet loops.
package enum CoarseClock {
    /// Milliseconds since some fixed moment (`CLOCK_MONOTONIC_COARSE`).
    package static var milliseconds: Int { MonotonicClock.read(CLOCK_MONOTONIC_COARSE) / 1_000_000 }
}

/// The precise clock, some 25 ns a look.
package enum MonotonicClock {
    /// Nanoseconds since some fixed moment (`CLOCK_MONOTONIC`).
    package static var nanoseconds: Int { read(CLOCK_MONOTONIC) }

    fileprivate static func read(_ clock: clockid_t) -> Int {
        var time = timespec()
        clock_gettime(clock, &time)  // cannot fail: the clocks exist on every Linux
        return time.tv_sec &* 1_000_000_000 &+ time.tv_nsec
    }
}
