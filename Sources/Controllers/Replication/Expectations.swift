import KubeAPI
import Synchronization

/// What a controller has asked for and not yet seen come true. While something is outstanding it doesn't act, so that
/// a cache that lags behind never makes it ask twice.
final class Expectations: Sendable {
    /// An expectation that isn't met in this time is given up: the event was missed, or the object never came to be.
    static let timeout = Duration.seconds(60)

    private struct Entry {
        var creations: Set<String> = []
        var deletions: Set<String> = []
        var since: Duration
    }
    private let time: any TimeSource
    private let entries = Mutex<[ObjectKey: Entry]>([:])

    init(time: any TimeSource) { self.time = time }

    /// Nothing is outstanding for `owner`, or it has been for too long.
    func areMet(_ owner: ObjectKey) -> Bool {
        entries.withLock { entries in
            guard let entry = entries[owner] else { return true }
            return (entry.creations.isEmpty && entry.deletions.isEmpty) || time.uptime - entry.since > Self.timeout
        }
    }

    /// - Parameters:
    ///   - creations: names of the objects that will be created.
    ///   - deletions: uids of those that will be deleted.
    func expect(_ owner: ObjectKey, creations: [String] = [], deletions: [String] = []) {
        entries.withLock {
            $0[owner] = Entry(creations: Set(creations), deletions: Set(deletions), since: time.uptime)
        }
    }

    func sawCreation(_ owner: ObjectKey, name: String) {
        entries.withLock { _ = $0[owner]?.creations.remove(name) }
    }

    func sawDeletion(_ owner: ObjectKey, uid: String) {
        entries.withLock { _ = $0[owner]?.deletions.remove(uid) }
    }

    func forget(_ owner: ObjectKey) { entries.withLock { $0[owner] = nil } }
}
