import ClusterStore
import KubeSchema
import Logging
import Synchronization

/// The caches of all resources, kept up to date by one watch of the whole store, so that the store's revision tells when
/// they have caught up with it.
final class CacheSet: Sendable {
    /// How long a read waits for the caches before the client is told to try again.
    static let catchUpTimeout: Duration = .seconds(5)

    private let store: any ClusterStore
    private let logger: Logger
    private let caches: [String: ResourceCache]
    private let progress = Mutex(Progress())
    private let revisions: SharedRead

    private struct Progress {
        var revision: Int64 = 0
        var isReady = false
        var nextID = 0
        var waiting: [Int: (revision: Int64, continuation: CheckedContinuation<Bool, Never>)] = [:]
    }

    init(store: any ClusterStore, catalogue: ResourceCatalogue, logger: Logger) {
        self.store = store
        self.logger = logger
        caches = Dictionary(
            catalogue.definitions.map { ($0.resource, ResourceCache($0)) }, uniquingKeysWith: { first, _ in first })
        revisions = SharedRead { [store] () async throws(StoreError) in
            try await store.range(RangeRequest(.key("/registry"), countOnly: true)).revision
        }
    }

    func cache(_ definition: ResourceDefinition) -> ResourceCache? { caches[definition.resource] }
    var all: [ResourceCache] { Array(caches.values) }
    var isReady: Bool { progress.withLock { $0.isReady } }
    /// Everything up to this revision is in the caches.
    var revision: Int64 { progress.withLock { $0.revision } }

    /// Waits until the caches hold all that was written before the call.
    func catchUp() async throws(APIFailure) {
        let current: Int64
        do { current = try await revisions.value() } catch { throw .store("\(error)") }
        guard await wait(for: current) else { throw .store("the watch of it has not caught up") }
    }

    /// Waits until the caches have reached `revision`; `false` when they don't in time.
    func wait(for revision: Int64) async -> Bool {
        if progress.withLock({ $0.isReady && $0.revision >= revision }) { return true }
        let id = progress.withLock { progress in
            progress.nextID += 1
            return progress.nextID
        }
        return await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                try? await Task.sleep(for: Self.catchUpTimeout)
                progress.withLock { $0.waiting.removeValue(forKey: id) }?.continuation.resume(returning: false)
            }
            let reached = await withCheckedContinuation { continuation in
                let ready = progress.withLock { progress in
                    if progress.isReady, progress.revision >= revision { return true }
                    progress.waiting[id] = (revision, continuation)
                    return false
                }
                if ready { continuation.resume(returning: true) }
            }
            group.cancelAll()
            return reached
        }
    }

    private func advance(to revision: Int64) {
        let ready = progress.withLock { progress in
            progress.revision = max(progress.revision, revision)
            progress.isReady = true
            let done = progress.waiting.filter { $0.value.revision <= progress.revision }
            for id in done.keys { progress.waiting[id] = nil }
            return done.values.map(\.continuation)
        }
        for continuation in ready { continuation.resume(returning: true) }
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

    /// Reads all objects at one revision, in pages.
    private func load() async throws(StoreError) -> Int64 {
        var revision: Int64 = 0
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
        advance(to: revision)
        return revision
    }

    private func follow(after revision: Int64) async throws(StoreError) {
        var batches = store.watch(WatchRequest(.prefix(""), from: revision + 1, progress: true)).makeAsyncIterator()
        while let batch = try await batches.next() {
            take(batch)
            advance(to: batch.revision)
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
        for (resource, cache) in caches { cache.apply(changes[resource] ?? [], revision: batch.revision) }
    }

    private func cache(forKey key: String) -> ResourceCache? {
        let parts = key.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 2)
        guard parts.count == 3, parts[0].elementsEqual("registry".utf8) else { return nil }
        return caches[String(decoding: parts[1], as: UTF8.self)]
    }
}

/// One read shared by all who ask before it begins; those who come while it runs share the next one, so that nobody gets
/// an answer older than his question.
final class SharedRead: Sendable {
    typealias Read = @Sendable () async throws(StoreError) -> Int64
    private struct State {
        var running: Task<Result<Int64, StoreError>, Never>?
        var next: Task<Result<Int64, StoreError>, Never>?
    }
    private let state = Mutex(State())
    private let read: Read

    init(_ read: @escaping Read) { self.read = read }

    func value() async throws(StoreError) -> Int64 {
        let task = state.withLock { state -> Task<Result<Int64, StoreError>, Never> in
            if let next = state.next { return next }
            let before = state.running
            let task = Task { [self, read] () -> Result<Int64, StoreError> in
                _ = await before?.value
                begin()
                do throws(StoreError) { return .success(try await read()) } catch { return .failure(error) }
            }
            state.next = task
            return task
        }
        return try await task.value.get()
    }

    /// What was next is running from here on: whoever comes now needs a later one.
    private func begin() {
        state.withLock { state in
            state.running = state.next
            state.next = nil
        }
    }
}
