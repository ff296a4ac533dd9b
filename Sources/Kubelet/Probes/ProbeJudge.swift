/// Counts the outcomes of one probe of one container. No I/O.
package struct ProbeJudge: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable { case undecided, success, failure }

    private let successThreshold: Int, failureThreshold: Int
    private var successes = 0, failures = 0
    package private(set) var verdict: Verdict

    /// - Parameter initial: What holds before the first threshold is reached.
    package init(successThreshold: Int, failureThreshold: Int, initial: Verdict = .undecided) {
        self.successThreshold = successThreshold
        self.failureThreshold = failureThreshold
        verdict = initial
    }

    /// Counts one outcome and returns whether the verdict changed.
    package mutating func count(success: Bool) -> Bool {
        let before = verdict
        if success {
            successes += 1
            failures = 0
            if successes >= successThreshold { verdict = .success }
        } else {
            failures += 1
            successes = 0
            if failures >= failureThreshold { verdict = .failure }
        }
        return verdict != before
    }
}
