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

    /// Reads all objects at one revision. At first that is a past one, as far as the store still knows it, so that
    /// following it fills the history with what came since.
    private func load() async throws(StoreError) -> Int64 {
        guard progress.revision == 0 else { return try await load(at: 0) }
        let current = try await store.range(RangeRequest(.key("/registry"), countOnly: true)).revision
        let past = max(current - Self.revisionsBeforeStart, 1)
        do throws(StoreError) {
            let revision = try await load(at: past, completeAt: current)
            return revision
        } catch .compacted(let oldest) {
            guard oldest > past, oldest < current else { return try await load(at: 0) }
            return try await load(at: oldest, completeAt: current)
        }
    }

    /// Reads all objects in pages, at a revision or, for 0, at the newest.
    ///
    /// - Parameter complete: The revision at which the caches can serve.
    private func load(at wanted: Int64, completeAt complete: Int64 = 0) async throws(StoreError) -> Int64 {
        var revision = wanted
        var range = KeyRange.prefix("/registry/")
        var byCache: [String: [StoredObject]] = [:]
        while true {
            let page = try await store.range(RangeRequest(range, revision: revision, limit: 2000))
            if revision == 0 { revision = page.revision }
            for keyValue in page.keyValues {
                guard let cache = cache(forKey: keyValue.keyText) else { continue }
                if let object = StoredObject(
                    key: keyValue.keyText, revision: keyValue.modRevision, value: keyValue.value)
                {
                    byCache[cache.definition.resource, default: []].append(object)
                } else {
                    logger.error("stored value is no object, ignored", metadata: ["key": "\(keyValue.keyText)"])
                }
            }
            guard page.more, let last = page.keyValues.last else { break }
            range.start = last.key + [0]
        }
        for cache in caches.values { cache.reset(to: byCache[cache.definition.resource] ?? [], revision: revision) }
        progress.begin(at: revision, completeAt: complete)
        return revision
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
