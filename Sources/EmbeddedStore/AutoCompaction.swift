/// When a store gives history up by itself; etcd's `--auto-compaction-mode` and `--auto-compaction-retention`.
public enum AutoCompaction: Hashable, Sendable {
    case off
    /// Keeps what happened in the last such time.
    case periodic(Duration)
    /// Keeps so many revisions.
    case revisions(Int64)

    /// Time between two looks.
    var interval: Duration {
        switch self {
        case .off: .seconds(3600)
        case .periodic(let period): max(period / 10, .milliseconds(100))
        case .revisions: .seconds(10)
        }
    }
}

/// Decides to which revision to compact: a state machine that is told the time.
struct CompactionPlan {
    private let policy: AutoCompaction
    /// The revision at each look, oldest first.
    private var looks: [(time: Duration, revision: Int64)] = []

    init(_ policy: AutoCompaction) { self.policy = policy }

    /// The revision to compact to now, `nil` for none.
    mutating func target(at now: Duration, revision: Int64) -> Int64? {
        switch policy {
        case .off: return nil
        case .revisions(let kept): return revision > kept ? revision - kept : nil
        case .periodic(let period):
            looks.append((now, revision))
            guard let index = looks.lastIndex(where: { $0.time <= now - period }) else { return nil }
            let target = looks[index].revision
            looks.removeFirst(index)
            return target
        }
    }
}
