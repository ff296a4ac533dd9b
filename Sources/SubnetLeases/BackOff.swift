/// Waiting times between attempts: doubling up to a limit, each drawn from the upper half of its span, so that nodes
/// that failed together do not come back together.
package struct BackOff: Sendable {
    package let first: Duration
    package let limit: Duration
    private var attempt = 0

    package init(first: Duration = .milliseconds(250), limit: Duration = .seconds(15)) {
        self.first = first
        self.limit = limit
    }

    /// The time to wait before the next attempt.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let span = min(limit, first * (1 << min(attempt, 20)))
        attempt += 1
        return span * Double.random(in: 0.5...1, using: &generator)
    }

    package mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// Begins anew, after a success.
    package mutating func reset() { attempt = 0 }
}
