import ClusterStore
import FoundationEssentials
import GRDB
import Synchronization

/// Feeds watchers from memory as commits happen; what lies before their registration they read from history.
final class WatchHub: Sendable {
    /// Revisions that one read of history delivers at most.
    private static let revisionsPerPage: Int64 = 1000

    private struct Watcher {
        let request: WatchRequest
        let queue: WatchQueue
        /// Events before this revision are not delivered.
        let first: Int64
    }

    private struct State {
        var watchers: [Int: Watcher] = [:]
        var lastID = 0
        /// The revision up to which events were handed out.
        var published: Int64
    }

    private let pool: DatabasePool
    private let state: Mutex<State>

    init(pool: DatabasePool, revision: Int64) {
        self.pool = pool
        state = Mutex(State(published: revision))
    }

    /// Hands the events of a commit to the watchers they concern.
    func publish(_ events: [StoreEvent], revision: Int64) {
        state.withLock { state in
            guard revision > state.published else { return }
            state.published = revision
            for watcher in state.watchers.values {
                var wanted: [StoreEvent] = []
                for event in events where event.keyValue.modRevision >= watcher.first {
                    guard watcher.request.range.contains(event.keyValue.key) else { continue }
                    wanted.append(watcher.request.previous ? event : StoreEvent(event.kind, event.keyValue))
                }
                if let last = wanted.last {
                    watcher.queue.push(WatchBatch(revision: last.keyValue.modRevision, events: wanted))
                }
            }
        }
    }

    /// Tells the watchers that asked for it how far the store is.
    func publishProgress() {
        state.withLock { state in
            for watcher in state.watchers.values where watcher.request.progress && watcher.first <= state.published + 1
            {
                watcher.queue.push(WatchBatch(revision: state.published, events: []))
            }
        }
    }

    /// Ends all watches.
    func close() {
        let watchers = state.withLock { state in
            defer { state.watchers = [:] }
            return state.watchers.values
        }
        for watcher in watchers { watcher.queue.fail(.cancelled) }
    }

    /// Registers a watch. What happened before is read by the caller's task, page by page, as it asks for batches.
    func watch(_ request: WatchRequest) -> @Sendable () async throws(StoreError) -> WatchBatch? {
        let queue = WatchQueue()
        let (id, published) = state.withLock { state in
            state.lastID += 1
            let first = request.startRevision > 0 ? request.startRevision : state.published + 1
            state.watchers[state.lastID] = Watcher(request: request, queue: queue, first: first)
            return (state.lastID, state.published)
        }
        let token = WatchToken { self.state.withLock { _ = $0.watchers.removeValue(forKey: id) } }
        let box = CursorBox(cursor: request.startRevision > 0 ? request.startRevision : published + 1)
        return { () async throws(StoreError) -> WatchBatch? in
            defer { withExtendedLifetime(token) {} }
            while true {
                let next = box.cursor.withLock { $0 }
                if next > published { return try await queue.next() }
                let last = min(published, next + Self.revisionsPerPage - 1)
                let events = try await self.history(request, from: next, through: last)
                box.cursor.withLock { $0 = last + 1 }
                if !events.isEmpty { return WatchBatch(revision: last, events: events) }
            }
        }
    }

    private final class CursorBox: Sendable {
        let cursor: Mutex<Int64>
        init(cursor: Int64) { self.cursor = Mutex(cursor) }
    }

    private func history(
        _ request: WatchRequest, from first: Int64, through last: Int64
    ) async throws(StoreError) -> [StoreEvent] {
        do {
            return try await pool.read { db in
                // Revisions up to the compacted one may have been swept.
                let compacted = try db.counter("compacted")
                if first <= compacted { throw StoreError.compacted(oldest: compacted) }
                let (condition, bounds) = request.range.condition
                let sql = """
                    SELECT key, value, created, revision, version, lease FROM history
                    WHERE revision BETWEEN ? AND ? AND \(condition) ORDER BY revision, position
                    """
                let arguments: StatementArguments = [first, last] + bounds
                return try Row.fetchAll(db.cachedStatement(sql: sql), arguments: arguments).map { row in
                    let keyValue = KeyValue(row)
                    return StoreEvent(
                        keyValue.version == 0 ? .delete : .put, keyValue,
                        previous: request.previous ? try Self.previous(of: keyValue, in: db) : nil)
                }
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw error is CancellationError ? .cancelled : .unavailable("the store's history: \(error)")
        }
    }

    private static func previous(of keyValue: KeyValue, in db: Database) throws -> KeyValue? {
        let sql = """
            SELECT key, value, created, revision, version, lease FROM history
            WHERE key = ? AND revision < ? ORDER BY revision DESC LIMIT 1
            """
        let row = try Row.fetchOne(
            db.cachedStatement(sql: sql), arguments: [Data(keyValue.key), keyValue.modRevision])
        return row.map { KeyValue($0) }.flatMap { $0.version == 0 ? nil : $0 }
    }
}
