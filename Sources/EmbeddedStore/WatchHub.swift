import ClusterStore
import GRDB
import Synchronization

/// Feeds watchers from memory as commits happen; what lies before they read from history.
///
/// Watchers of the same range form a group, so that an event is compared with each range once, and with the ranges of
/// single keys not at all.
final class WatchHub: Sendable {
    private struct State {
        /// By range, then by a number of its own.
        var groups: [KeyRange: [Int: WatchCursor]] = [:]
        /// The ranges of more than one key among them.
        var ranges: Set<KeyRange> = []
        var count = 0
        var lastID = 0
        /// The revision up to which events were handed out.
        var published: Int64
    }

    private let pool: DatabasePool
    private let state: Mutex<State>
    /// Watchers that want the values before changes.
    private let previousWatchers = Atomic<Int>(0)

    init(pool: DatabasePool, revision: Int64) {
        self.pool = pool
        state = Mutex(State(published: revision))
    }

    /// The revision up to which events were handed out.
    var published: Int64 { state.withLock { $0.published } }

    /// Whether events should come with the values that puts replace. A watcher that begins during a commit may still
    /// get events without; it then reads them from history.
    var wantsPrevious: Bool { previousWatchers.load(ordering: .relaxed) > 0 }

    /// Watchers, and those of them that go on from history.
    var counts: (all: Int, behind: Int) {
        state.withLock { state in
            (state.count, state.groups.values.reduce(0) { $0 + $1.values.count(where: \.isBehind) })
        }
    }

    /// Hands the events of a commit to the watchers they concern.
    func publish(_ events: [StoreEvent], revision: Int64) {
        let wakes = state.withLock { state -> [@Sendable () -> Void] in
            guard revision > state.published else { return [] }
            state.published = revision
            guard state.count > 0 else { return [] }
            var wanted: [KeyRange: [PublishedEvent]] = [:]
            for event in events {
                let key = KeyRange(start: event.keyValue.key, end: [])
                let ranges = state.ranges.filter { $0.contains(event.keyValue.key) }
                guard state.groups[key] != nil || !ranges.isEmpty else { continue }
                let shared = PublishedEvent(event)
                if state.groups[key] != nil { wanted[key, default: []].append(shared) }
                for range in ranges { wanted[range, default: []].append(shared) }
            }
            var wakes: [@Sendable () -> Void] = []
            for (range, events) in wanted {
                guard let first = events.first?.event.keyValue.modRevision else { continue }
                let delivery = WatchDelivery(revision: revision, events: events)
                let weight = events.reduce(0) { $0 + $1.weight }
                let lacksPrevious = events.contains { $0.lacksPrevious }
                for cursor in state.groups[range, default: [:]].values {
                    let next = cursor.next
                    if lacksPrevious, cursor.request.previous {
                        if let wake = cursor.fallBehind() { wakes.append(wake) }
                    } else if next <= first {
                        if let wake = cursor.offer(delivery, weight: weight) { wakes.append(wake) }
                    } else {
                        // A watch from a revision that was still to come.
                        let later = events.filter { $0.event.keyValue.modRevision >= next }
                        guard !later.isEmpty else { continue }
                        let part = WatchDelivery(revision: revision, events: later)
                        if let wake = cursor.offer(part, weight: weight) { wakes.append(wake) }
                    }
                }
            }
            return wakes
        }
        for wake in wakes { wake() }
    }

    /// Tells the watchers that asked for it how far the store is.
    func publishProgress() {
        let wakes = state.withLock { state in
            let progress = WatchDelivery(revision: state.published, events: [])
            return state.groups.values.flatMap(\.values)
                .filter { $0.request.progress && $0.next <= state.published + 1 }
                .compactMap { $0.offer(progress, weight: 0) }
        }
        for wake in wakes { wake() }
    }

    /// Ends all watches.
    func close() {
        let groups = state.withLock { state in
            defer {
                state.groups = [:]
                state.ranges = []
                state.count = 0
            }
            return state.groups.values
        }
        for cursor in groups.flatMap(\.values) { cursor.fail(.cancelled)?() }
    }

    /// Registers a watch until the token goes away.
    func watch(_ request: WatchRequest) -> (cursor: WatchCursor, token: WatchToken) {
        if request.previous { previousWatchers.add(1, ordering: .relaxed) }
        let (id, cursor) = state.withLock { state in
            state.lastID += 1
            let next = request.startRevision > 0 ? request.startRevision : state.published + 1
            let cursor = WatchCursor(request, next: next, isBehind: next <= state.published)
            state.groups[request.range, default: [:]][state.lastID] = cursor
            if !request.range.end.isEmpty { state.ranges.insert(request.range) }
            state.count += 1
            return (state.lastID, cursor)
        }
        let range = request.range
        return (
            cursor,
            WatchToken {
                if request.previous { self.previousWatchers.subtract(1, ordering: .relaxed) }
                self.remove(id, range)
            }
        )
    }

    private func remove(_ id: Int, _ range: KeyRange) {
        // The cursor's last reference must not go away under the lock.
        let removed = state.withLock { state -> WatchCursor? in
            guard let removed = state.groups[range]?.removeValue(forKey: id) else { return nil }
            state.count -= 1
            if state.groups[range]?.isEmpty == true {
                state.groups[range] = nil
                state.ranges.remove(range)
            }
            return removed
        }
        withExtendedLifetime(removed) {}
    }

    /// Reads on for a watch that is behind, a page at a time; the last page makes it live again.
    ///
    /// - Returns: `nil` where the page had nothing for this watch.
    func catchUp(_ cursor: WatchCursor) async throws(StoreError) -> WatchDelivery? {
        let next = cursor.next
        let published = self.published
        if next <= published {
            let page = try await history(cursor.request, from: next, through: published)
            cursor.advance(past: page.revision)
            if cursor.next <= published { return page.events.isEmpty ? nil : page }
            goLiveIfLevel(cursor)
            return page.events.isEmpty ? nil : page
        }
        goLiveIfLevel(cursor)
        return nil
    }

    private func goLiveIfLevel(_ cursor: WatchCursor) {
        // Under the lock, so that no commit is published between the comparison and the change.
        state.withLock { state in
            if cursor.next > state.published { cursor.goLive() }
        }
    }

    private func history(
        _ request: WatchRequest, from first: Int64, through last: Int64
    ) async throws(StoreError) -> WatchDelivery {
        do {
            return try await pool.read { try WatchHistory.page(request, from: first, through: last, in: $0) }
        } catch let error as StoreError {
            throw error
        } catch {
            throw error is CancellationError ? .cancelled : .unavailable("the store's history: \(error)")
        }
    }
}
