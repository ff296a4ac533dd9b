import ClusterStore
import KubeSchema
import Logging

/// The caches of all resources, kept up to date by one watch of the whole store, so that the store's revision tells when
/// they have caught up with it.
final class CacheSet: Sendable {
    /// How long a read waits for the caches before the client is told to try again.
    static let catchUpTimeout: Duration = .seconds(5)
    /// Changes before the start that watches can resume from: so that a server that was away for a moment, or another
    /// one behind the same address, does not cost every client a new list.
    static let revisionsBeforeStart: Int64 = 1000
    private static let pageSize: Int64 = 2000

    private let store: any ClusterStore
    private let logger: Logger
    private let caches: [String: ResourceCache]
    private let progress = StoreProgress()
    private let revisions: SharedRead

    init(store: any ClusterStore, catalogue: ResourceCatalogue, logger: Logger) {
        self.store = store
        self.logger = logger
        caches = Dictionary(
            catalogue.definitions.map { [progress] in ($0.resource, ResourceCache($0, progress: progress)) },
            uniquingKeysWith: { first, _ in first })
        revisions = SharedRead { [store] () async throws(StoreError) in
            try await store.range(RangeRequest(.key("/registry"), countOnly: true)).revision
        }
    }

    func cache(_ definition: ResourceDefinition) -> ResourceCache? { caches[definition.resource] }
    var all: [ResourceCache] { Array(caches.values) }
    var isReady: Bool { progress.isReady }
    /// Everything up to this revision is in the caches.
    var revision: Int64 { progress.revision }

    /// Waits until the caches hold all that was written before the call.
    func catchUp() async throws(APIFailure) {
        let current: Int64
        do { current = try await revisions.value() } catch { throw .store("\(error)") }
        guard await wait(for: current) else { throw .store("the watch of it has not caught up") }
    }

    /// Waits until the caches have reached `revision`; `false` when they don't in time.
    func wait(for revision: Int64) async -> Bool {
        await progress.wait(for: revision, timeout: Self.catchUpTimeout)
    }

    // MARK: - Following the store

    /// Lists the store and follows its changes until cancelled. A store that goes away is waited for.
    func run() async throws {
        var failures = 0
        while !Task.isCancelled {
            do throws(StoreError) {
                let revision = try await load()
                failures = 0
                try await follow(after: revision)
            } catch {
                if case .cancelled = error { break }
                failures += 1
                logger.warning("following the store failed", metadata: ["error": "\(error)"])
                try await Task.sleep(for: .milliseconds(min(100 << min(failures, 5), 2000)))
            }
        }
    }

    /// Reads all objects at one revision. Returns the revision.
    private func load() async throws(StoreError) -> Int64 {
        let isFirst = progress.revision == 0
        let (objects, revision) = try await readAll()
        for cache in caches.values { cache.reset(to: objects[cache.definition.resource] ?? [], revision: revision) }
        if isFirst { await recall(upTo: revision) }
        progress.advance(to: revision)
        return revision
    }

    /// Reads the store in pages; while one is looked at the next is on its way.
    private func readAll() async throws(StoreError) -> ([String: [StoredObject]], Int64) {
        var objects: [String: [StoredObject]] = [:]
        var range = KeyRange.prefix("/registry/")
        var page = try await store.range(RangeRequest(range, limit: Self.pageSize))
        let revision = page.revision
        while true {
            var following: Task<Result<RangeResponse, StoreError>, Never>?
            if page.more, let last = page.keyValues.last {
                range.start = last.key + [0]
                let request = RangeRequest(range, revision: revision, limit: Self.pageSize)
                following = Task { [store] in
                    do throws(StoreError) { return .success(try await store.range(request)) } catch {
                        return .failure(error)
                    }
                }
            }
            for keyValue in page.keyValues {
                let key = keyValue.keyText
                guard let cache = cache(forKey: key) else { continue }
                if let object = StoredObject(key: key, revision: keyValue.modRevision, value: keyValue.value) {
                    objects[cache.definition.resource, default: []].append(object)
                } else {
                    logger.error("stored value is no object, ignored", metadata: ["key": "\(key)"])
                }
            }
            guard let following else { return (objects, revision) }
            page = try await following.value.get()
        }
    }

    // MARK: - What was before the start

    /// Asks the store for the changes just before `revision`, so that watches can resume from there. Without an answer
    /// in time they cannot, and their clients list anew.
    private func recall(upTo revision: Int64) async {
        let recalled = await withTaskGroup(of: History?.self) { group in
            group.addTask { [self] in try? await history(upTo: revision) }
            group.addTask {
                try? await Task.sleep(for: .seconds(1))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let recalled else { return }
        for cache in caches.values {
            cache.recall(recalled.events[cache.definition.resource] ?? [], since: recalled.start)
        }
    }

    private struct History: Sendable {
        /// Every change after this revision is in `events`.
        var start: Int64
        var events: [String: [CacheEvent]] = [:]
    }

    private func history(upTo revision: Int64) async throws(StoreError) -> History {
        let start = max(revision - Self.revisionsBeforeStart, 1)
        do throws(StoreError) { return try await history(after: start, upTo: revision) } catch .compacted(let oldest) {
            guard oldest > start else { throw .compacted(oldest: oldest) }
            return try await history(after: oldest, upTo: revision)
        }
    }

    private func history(after start: Int64, upTo revision: Int64) async throws(StoreError) -> History {
        var history = History(start: start)
        guard start < revision else { return history }
        let request = WatchRequest(.prefix(""), from: start + 1, previous: true)
        var batches = store.watch(request).makeAsyncIterator()
        while let batch = try await batches.next() {
            for event in batch.events where event.keyValue.modRevision <= revision { add(event, to: &history) }
            if batch.revision >= revision { break }
        }
        return history
    }

    private func add(_ event: StoreEvent, to history: inout History) {
        let (key, revision) = (event.keyValue.keyText, event.keyValue.modRevision)
        guard let cache = cache(forKey: key) else { return }
        let previous = event.previous.flatMap { StoredObject(key: key, revision: $0.modRevision, value: $0.value) }
        let change: CacheEvent?
        switch event.kind {
        case .delete:
            change = previous.map {
                CacheEvent(kind: .deleted, revision: revision, object: $0.at(revision), previous: nil)
            }
        case .put:
            let object = StoredObject(key: key, revision: revision, value: event.keyValue.value)
            change = object.flatMap { object in
                if previous == nil, event.keyValue.version > 1 { return nil }  // what was before is compacted away
                return CacheEvent(
                    kind: previous == nil ? .added : .modified, revision: revision, object: object, previous: previous)
            }
        }
        if let change {
            history.events[cache.definition.resource, default: []].append(change)
        } else {
            // A gap: history begins behind it.
            history = History(start: revision)
        }
    }

    private func follow(after revision: Int64) async throws(StoreError) {
        var batches = store.watch(WatchRequest(.prefix(""), from: revision + 1, progress: true)).makeAsyncIterator()
        while let batch = try await batches.next() {
            take(batch)
            progress.advance(to: batch.revision)
        }
    }

    private func take(_ batch: WatchBatch) {
        var changes: [String: [ResourceCache.Change]] = [:]
        for event in batch.events {
            let key = event.keyValue.keyText
            guard let cache = cache(forKey: key) else { continue }
            switch event.kind {
            case .put:
                if let object = StoredObject(
                    key: key, revision: event.keyValue.modRevision, value: event.keyValue.value)
                {
                    changes[cache.definition.resource, default: []].append(.put(object))
                }
            case .delete:
                changes[cache.definition.resource, default: []].append(.delete(key, event.keyValue.modRevision))
            }
        }
        for (resource, changes) in changes { caches[resource]?.apply(changes, revision: batch.revision) }
    }

    private func cache(forKey key: String) -> ResourceCache? {
        let parts = key.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 2)
        guard parts.count == 3, parts[0].elementsEqual("registry".utf8) else { return nil }
        return caches[String(decoding: parts[1], as: UTF8.self)]
    }
}
