import KubeAPI
package import KubeSchema

/// How long something that keeps failing has to wait before it is tried again: 10 s, then twice as long each time up
/// to five minutes, and from the start after it has been well for ten minutes. One value serves many things by key.
package struct RestartBackOff: Sendable {
    static let initial: Duration = .seconds(10)
    static let limit: Duration = .seconds(300)
    /// Twice the limit, so that what fails once per limit still counts as failing all the time.
    static let forgottenAfter: Duration = .seconds(600)

    private struct Entry: Sendable { var delay: Duration, since: Timestamp }
    private var entries: [String: Entry] = [:]

    package init() {}

    /// Returns how much longer `key` has to wait, given that it ended or failed at `failedAt`; `nil` when not at all.
    package func remaining(_ key: String, failedAt: Timestamp, now: Timestamp) -> Duration? {
        guard let entry = entries[key], failedAt - entry.since < Self.forgottenAfter else { return nil }
        let rest = entry.delay - (now - failedAt)
        return rest > .zero ? rest : nil
    }

    /// The delay in force for `key`, for messages.
    package func delay(_ key: String) -> Duration { entries[key]?.delay ?? .zero }

    /// Notes that `key` is tried again at `now` after it ended or failed at `failedAt`: the next failure waits longer.
    package mutating func advance(_ key: String, failedAt: Timestamp, now: Timestamp) {
        if let entry = entries[key], failedAt - entry.since < Self.forgottenAfter {
            entries[key] = Entry(delay: min(entry.delay * 2, Self.limit), since: now)
        } else {
            entries[key] = Entry(delay: Self.initial, since: now)
        }
    }

    /// Forgets `key`: its next failure is a first one.
    package mutating func reset(_ key: String) { entries[key] = nil }
}
