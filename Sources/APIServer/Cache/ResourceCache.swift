import KubeSchema
import Synchronization

/// All objects of one resource with their latest changes, in memory: what lists and watches are served from.
final class ResourceCache: Sendable {
    /// Changes kept for watches that resume; a watch from before them has to list again.
    static let historyLimit = 4096

    private struct State {
        var objects: [String: StoredObject] = [:]
        var keys: [String] = []  // sorted
        var history: [CacheEvent] = []
        var historyHead = 0  // index of the oldest event kept
        /// Every change after this revision is in `history`.
        var historyStart: Int64 = .max
        var revision: Int64 = 0
        var watchers: [ObjectIdentifier: WatcherQueue] = [:]
    }

    private let state = Mutex(State())
    let definition: ResourceDefinition
    /// `/registry/pods/`
    let prefix: String

    init(_ definition: ResourceDefinition) {
        self.definition = definition
        prefix = "/registry/\(definition.resource)/"
    }

    var revision: Int64 { state.withLock { $0.revision } }
    func object(_ key: String) -> StoredObject? { state.withLock { $0.objects[key] } }

    /// The objects whose keys begin with `prefix`, in the order of their keys, and the revision at which that is so.
    func list(_ prefix: String) -> (objects: [StoredObject], revision: Int64) {
        state.withLock { state in
            let start = state.keys.partition(notBefore: prefix)
            var objects: [StoredObject] = []
            for key in state.keys[start...] {
                guard key.hasPrefix(prefix) else { break }
                if let object = state.objects[key] { objects.append(object) }
            }
            return (objects, state.revision)
        }
    }

    /// Replaces everything by a list of the store. Changes between the old content and the new become events, so that
    /// watches go on without noticing that history had a gap.
    func reset(to objects: [StoredObject], revision: Int64) {
        let isFirst = state.withLock { $0.historyStart == .max }
        if isFirst {
            state.withLock { state in
                state.objects = Dictionary(objects.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
                state.keys = objects.map(\.key).sorted()
                state.historyStart = revision
                state.revision = revision
            }
            return
        }
        var changes = objects.map { Change.put($0) }
        let present = Set(objects.map(\.key))
        let gone = state.withLock { $0.keys.filter { !present.contains($0) } }
        changes.insert(contentsOf: gone.map { .delete($0, revision) }, at: 0)
        apply(changes, revision: revision)
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
                for watcher in state.watchers.values { watcher.push(event) }
            }
            Self.trim(&state)
            state.revision = max(state.revision, revision)
        }
    }

    private static func take(_ change: Change, _ state: inout State) -> CacheEvent? {
        switch change {
        case .put(let object):
            let previous = state.objects.updateValue(object, forKey: object.key)
            guard let previous else {
                state.keys.insert(object.key, at: state.keys.partition(notBefore: object.key))
                return CacheEvent(kind: .added, revision: object.revision, object: object, previous: nil)
            }
            guard previous.revision < object.revision else {
                state.objects[object.key] = previous
                return nil
            }
            return CacheEvent(kind: .modified, revision: object.revision, object: object, previous: previous)
        case .delete(let key, let revision):
            guard let previous = state.objects.removeValue(forKey: key) else { return nil }
            let index = state.keys.partition(notBefore: key)
            if index < state.keys.count, state.keys[index] == key { state.keys.remove(at: index) }
            let last = StoredObject(key: key, revision: revision, document: previous.document)
            return CacheEvent(kind: .deleted, revision: revision, object: last, previous: nil)
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

    /// Registers `watcher` for all changes after `revision`, those of the past included.
    ///
    /// - Parameter revision: `nil` starts with the objects that are there now, each as an added one.
    /// - Returns: The revision up to which the watcher has been given everything.
    func watch(_ watcher: WatcherQueue, after revision: Int64?, prefix: String) throws(APIFailure) -> Int64 {
        let result = state.withLock { state -> Result<Int64, APIFailure> in
            if let revision {
                guard revision >= state.historyStart else {
                    return .failure(.expired(revision, oldest: state.historyStart))
                }
                for event in state.history[state.historyHead...] where event.revision > revision { watcher.push(event) }
            } else {
                let start = state.keys.partition(notBefore: prefix)
                for key in state.keys[start...] {
                    guard key.hasPrefix(prefix) else { break }
                    guard let object = state.objects[key] else { continue }
                    watcher.pushInitial(
                        CacheEvent(kind: .added, revision: object.revision, object: object, previous: nil))
                }
            }
            state.watchers[ObjectIdentifier(watcher)] = watcher
            return .success(state.revision)
        }
        return try result.get()
    }

    func unwatch(_ watcher: WatcherQueue) {
        state.withLock { _ = $0.watchers.removeValue(forKey: ObjectIdentifier(watcher)) }
    }

    /// Ends every watch, as on the way out.
    func endWatches() {
        for watcher in state.withLock({ Array($0.watchers.values) }) { watcher.end() }
    }
}

extension [String] {
    /// The index of the first element that is not less than `key`, the array being sorted.
    func partition(notBefore key: String) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
