/// Delays that grow with each failure in a row, up to a cap, each shortened by chance so that many clients of one
/// server don't come back at the same moment.
package struct Backoff: Sendable {
    package var base: Duration
    package var cap: Duration

    package init(base: Duration = .milliseconds(100), cap: Duration) {
        self.base = base
        self.cap = cap
    }

    /// The time to wait after the `failures`th failure in a row (1 is the first): between half and all of `base`
    /// doubled with each further failure.
    ///
    /// - Parameter random: 0 ..< 1.
    package func delay(failures: Int, random: Double = .random(in: 0..<1)) -> Duration {
        guard failures > 0 else { return .zero }
        let full = min(cap, base * (1 << min(failures - 1, 20)))
        return full * (0.5 + random / 2)
    }
}
