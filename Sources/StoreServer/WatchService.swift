import ClusterStore
import FoundationEssentials
import GRPCCore
import Synchronization

/// etcd's `Watch` service: any number of watches on one stream.
struct WatchService: Etcdserverpb_Watch.SimpleServiceProtocol {
    let store: any ClusterStore

    func watch(
        request: RPCAsyncSequence<Etcdserverpb_WatchRequest, any Error>,
        response: RPCWriter<Etcdserverpb_WatchResponse>, context: ServerContext
    ) async throws {
        let session = WatchSession(store: store, writer: response)
        do {
            for try await message in request {
                switch message.requestUnion {
                case .createRequest(let create): try await session.create(create)
                case .cancelRequest(let cancel): try await session.cancel(cancel.watchID)
                case .progressRequest: try await session.reportProgress()
                case nil: break
                }
            }
        } catch {
            await session.end()
            throw error
        }
        await session.end()
    }
}

/// The watches of one stream. Each is pumped by a task that the session owns and ends.
private final class WatchSession: Sendable {
    private struct Watch {
        let task: Task<Void, Never>
        /// Everything up to this revision has been written to the stream.
        var delivered: Int64
    }

    private struct State {
        var watches: [Int64: Watch] = [:]
        var nextID: Int64 = 0
    }

    private let store: any ClusterStore
    private let writer: RPCWriter<Etcdserverpb_WatchResponse>
    private let state = Mutex(State())

    init(store: any ClusterStore, writer: RPCWriter<Etcdserverpb_WatchResponse>) {
        self.store = store
        self.writer = writer
    }

    func create(_ request: Etcdserverpb_WatchCreateRequest) async throws {
        let revision = try await Answers.translate { try await store.revision() }
        let id = state.withLock { state -> Int64? in
            if request.watchID != 0 { return state.watches[request.watchID] == nil ? request.watchID : nil }
            while state.watches[state.nextID] != nil { state.nextID += 1 }
            defer { state.nextID += 1 }
            return state.nextID
        }
        var created = Etcdserverpb_WatchResponse()
        created.header = Answers.header(revision)
        created.created = true
        guard let id else {
            created.watchID = -1
            created.canceled = true
            created.cancelReason = "etcdserver: duplicate watch ID provided on the WatchStream"
            return try await writer.write(created)
        }
        created.watchID = id
        try await writer.write(created)
        // From the revision just told, not from whenever the watch is registered: a client resumes from what it was told.
        let start = request.startRevision > 0 ? request.startRevision : revision + 1
        let range = KeyRange(start: request.key.isEmpty ? [0] : [UInt8](request.key), end: [UInt8](request.rangeEnd))
        let watch = store.watch(
            WatchRequest(range, from: start, previous: request.prevKv, progress: request.progressNotify))
        let filters = request.filters
        state.withLock { state in
            let task = Task { await self.pump(watch, id, filters) }
            state.watches[id] = Watch(task: task, delivered: min(revision, start - 1))
        }
    }

    func cancel(_ id: Int64) async throws {
        guard let watch = state.withLock({ $0.watches.removeValue(forKey: id) }) else { return }
        watch.task.cancel()
        await watch.task.value
        var message = Etcdserverpb_WatchResponse()
        message.header = Answers.header(try await Answers.translate { try await store.revision() })
        message.watchID = id
        message.canceled = true
        try await writer.write(message)
    }

    /// Answers for the stream as a whole: a revision up to which every watch on it has had everything.
    func reportProgress() async throws {
        let delivered = state.withLock { $0.watches.values.map(\.delivered).min() }
        guard let delivered else { return }
        var message = Etcdserverpb_WatchResponse()
        message.header = Answers.header(delivered)
        message.watchID = -1
        try await writer.write(message)
    }

    func end() async {
        let watches = state.withLock { state in
            defer { state.watches = [:] }
            return state.watches.values
        }
        for watch in watches { watch.task.cancel() }
        for watch in watches { await watch.task.value }
    }

    private func pump(
        _ watch: StoreWatch, _ id: Int64, _ filters: [Etcdserverpb_WatchCreateRequest.FilterType]
    ) async {
        do {
            for try await batch in watch {
                var message = Etcdserverpb_WatchResponse()
                message.header = Answers.header(batch.revision)
                message.watchID = id
                message.events = batch.events.map(\.message).filter { event in
                    !filters.contains(event.type == .delete ? .nodelete : .noput)
                }
                if !message.events.isEmpty || batch.events.isEmpty { try await writer.write(message) }
                state.withLock { $0.watches[id]?.delivered = batch.revision }
            }
        } catch let error as StoreError {
            guard error != .cancelled else { return }
            var message = Etcdserverpb_WatchResponse()
            message.header = Answers.header((try? await store.revision()) ?? 0)
            message.watchID = id
            message.canceled = true
            message.cancelReason = Answers.error(error).message
            if case .compacted(let oldest) = error { message.compactRevision = max(oldest, 1) }
            state.withLock { _ = $0.watches.removeValue(forKey: id) }
            try? await writer.write(message)
        } catch {
            // The stream is gone, and the session with it.
        }
    }
}
