import KubeSchema
import Synchronization

/// All objects of one resource with their latest changes, in memory: what lists and watches are served from.
final class ResourceCache: Sendable {
    /// Changes kept for watches that resume; a watch from before them has to list again.
    static let historyLimit = 4096
    /// Snapshots kept for lists that are read in pages.
    static let snapshotLimit = 4

    private struct State {
        var table = ObjectTable()
        var history: [CacheEvent] = []
        var historyHead = 0  // index of the oldest event kept
        /// Every change after this revision is in `history`.
        var historyStart: Int64 = .max
        /// Everything up to this revision has been applied; the whole store's progress may be ahead.
        var revision: Int64 = 0
        var watchers = WatcherIndex()
        var snapshots: [(revision: Int64, table: ObjectTable)] = []
    }

    private let state = Mutex(State())
    private let progress: StoreProgress
    let definition: ResourceDefinition
    /// `/registry/pods/`
    let prefix: String

    init(_ definition: ResourceDefinition, progress: StoreProgress) {
        self.definition = definition
        self.progress = progress
        prefix = "/registry/\(definition.resource)/"
    }

    /// Everything up to this revision has been applied and given to the watchers.
    var revision: Int64 {
        let stored = progress.revision  // first: what has come since is then in the state
        return max(stored, state.withLock { $0.revision })
    }

    func object(_ key: String) -> StoredObject? { state.withLock { $0.table.find(key) } }

    /// The objects whose keys begin with `prefix`, in the order of their keys, and the revision at which that is so.
    func list(_ prefix: String) -> (objects: ObjectTable.Slice, revision: Int64) {
        let stored = progress.revision
        return state.withLock { ($0.table.slice(prefix), max(stored, $0.revision)) }
    }

    // MARK: - Pages

    /// Keeps what a list began with, for its later pages; the oldest such snapshot is dropped.
    func keep(_ objects: ObjectTable.Slice, revision: Int64) {
        state.withLock { state in
            guard !state.snapshots.contains(where: { $0.revision == revision }) else { return }
            if state.snapshots.count == Self.snapshotLimit { state.snapshots.removeFirst() }
            state.snapshots.append((revision, objects.table))
        }
    }

    /// The objects behind `last` as they were at `revision`; `nil` when no snapshot of it is kept.
    func page(_ prefix: String, after last: String, at revision: Int64) -> ObjectTable.Slice? {
        state.withLock { state in
            state.snapshots.first { $0.revision == revision }?.table.slice(prefix, after: last)
        }
    }

    /// Lets go of snapshots that the store itself no longer has.
    func dropSnapshots(before revision: Int64) {
        state.withLock { $0.snapshots.removeAll { $0.revision < revision } }
    }

    // MARK: - Changes

    /// Replaces everything by a list of the store. Changes between the old content and the new become events, so that
    /// watches go on without noticing that history had a gap.
    func reset(to objects: [StoredObject], revision: Int64) {
        let isFirst = state.withLock { $0.historyStart == .max }
        if isFirst {
            let table = ObjectTable(objects)
            state.withLock { state in
                state.table = table
                state.historyStart = revision
                state.revision = revision
            }
            return
        }
        var changes = objects.map { Change.put($0) }
        let present = Set(objects.map(\.key))
        let gone = list(prefix).objects.map(\.key).filter { !present.contains($0) }
        changes.insert(contentsOf: gone.map { .delete($0, revision) }, at: 0)
        apply(changes, revision: revision)
    }

    /// Takes over the changes before the first list, in their order.
    func recall(_ events: [CacheEvent], since start: Int64) {
        state.withLock { state in
            state.history.insert(contentsOf: events, at: state.historyHead)
            state.historyStart = min(state.historyStart, start)
        }
    }

    enum Change {
        case put(StoredObject)
        case delete(String, Int64)
    }

    /// Takes over changes in the order of their revisions; those already known are skipped.
    func apply(_ changes: [Change], revision: Int64) {
        state.withLock { state in
            for change in changes {
                guard let event = Self.take(change, &state) else { continue }
                state.history.append(event)
                state.watchers.push(event, definition)
            }
            Self.trim(&state)
            state.revision = max(state.revision, revision)
        }
    }

    private static func take(_ change: Change, _ state: inout State) -> CacheEvent? {
        switch change {
        case .put(let object):
            let previous = state.table.update(object)
            guard let previous else {
                return CacheEvent(kind: .added, revision: object.revision, object: object, previous: nil)
            }
            guard previous.revision < object.revision else {
                state.table.update(previous)
                return nil
            }
            return CacheEvent(kind: .modified, revision: object.revision, object: object, previous: previous)
        case .delete(let key, let revision):
            guard let previous = state.table.remove(key) else { return nil }
            return CacheEvent(kind: .deleted, revision: revision, object: previous.at(revision), previous: nil)
        }
    }

    private static func trim(_ state: inout State) {
        while state.history.count - state.historyHead > historyLimit {
            state.historyStart = state.history[state.historyHead].revision
            state.historyHead += 1
        }
        if state.historyHead > historyLimit {
            state.history.removeFirst(state.historyHead)
            state.historyHead = 0
        }
    }

    // MARK: - Watches

    /// What a watch begins with.
    struct Start: Sendable {
        /// The revision up to which `initial` and `missed` go.
        let revision: Int64
        /// The objects that are there now, for a watch from no revision.
        let initial: ObjectTable.Slice?
        /// What has happened since the watch's revision, of the whole resource.
        let missed: [CacheEvent]
    }

    /// Registers `watcher` for all changes from here on.
    ///
    /// - Parameter revision: Where the client stands; `nil` starts with the objects that are there now.
    func watch(_ watcher: any CacheWatcher, _ scope: WatchScope, after revision: Int64?, prefix: String)
        throws(APIFailure) -> Start
    {
        let stored = progress.revision
        let result = state.withLock { state -> Result<Start, APIFailure> in
            var missed: [CacheEvent] = []
            if let revision {
                guard revision >= state.historyStart else {
                    return .failure(.expired(revision, oldest: state.historyStart))
                }
                let from = Self.firstEvent(after: revision, state)
                missed = state.history[from...].filter { $0.object.key.hasPrefix(prefix) }
            }
            state.watchers.add(watcher, scope)
            return .success(
                Start(
                    revision: max(stored, state.revision),
                    initial: revision == nil ? state.table.slice(prefix) : nil, missed: missed))
        }
        return try result.get()
    }

    /// History is in the order of revisions.
    private static func firstEvent(after revision: Int64, _ state: State) -> Int {
        var (low, high) = (state.historyHead, state.history.count)
        while low < high {
            let middle = (low + high) / 2
            if state.history[middle].revision <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }

    func unwatch(_ watcher: any CacheWatcher, _ scope: WatchScope) {
        state.withLock { $0.watchers.remove(watcher, scope) }
    }

    /// Ends every watch, as on the way out.
    func endWatches() {
        for watcher in state.withLock({ $0.watchers.all }) { watcher.end() }
    }
}
