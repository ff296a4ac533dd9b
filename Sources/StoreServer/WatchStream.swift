import ClusterStore
import EmbeddedStore
import FoundationEssentials
import GRPCCore
import GRPCTransport
import NIOCore
import SwiftProtobuf

/// One call of etcd's `Watch` service: any number of watches on one stream.
///
/// Lives on the event loop of its stream. While the client does not read, nothing is taken from the cursors; what that
/// means for them is their business, so a client that stops reading costs a bounded amount of memory.
final class WatchStream: GRPCStreamReceiver {
    private struct Watch {
        let cursor: WatchCursor
        let token: WatchToken
        let previous: Bool
        let dropsPuts: Bool
        let dropsDeletes: Bool
        let allowsFragments: Bool
        /// A page of history is being read.
        var isCatchingUp = false
    }

    private let stream: GRPCServerStream
    private let context: CallContext
    private var watches: [Int64: Watch] = [:]
    private var nextID: Int64 = 0

    init(stream: GRPCServerStream, context: CallContext) {
        self.stream = stream
        self.context = context
    }

    private var store: EmbeddedStore { context.store }

    func receive(_ message: [UInt8]) {
        do {
            switch try Etcdserverpb_WatchRequest(serializedBytes: message).requestUnion {
            case .createRequest(let request): create(request)
            case .cancelRequest(let request): cancel(request.watchID)
            case .progressRequest: reportProgress()
            case nil: break
            }
        } catch {
            stream.finish(Status(code: .internalError, message: "grpc: error unmarshalling request: \(error)"))
        }
    }

    func receivedEnd() { stream.finish(Status(code: .ok, message: "")) }

    func becameWritable() {
        for id in Array(watches.keys) {
            guard stream.isWritable else { return }
            pump(id)
        }
    }

    func ended() {
        for watch in watches.values { watch.cursor.forgetWake() }
        watches = [:]
    }

    // MARK: Requests

    private func create(_ request: Etcdserverpb_WatchCreateRequest) {
        var answer = WatchAnswer(revision: store.revision, id: -1)
        answer.isCreated = true
        let range = KeyRange(start: request.key.isEmpty ? [0] : [UInt8](request.key), end: [UInt8](request.rangeEnd))
        if range.isEmpty {
            answer.cancelReason = "mvcc: watcher range is empty"
        } else if request.watchID != 0, watches[request.watchID] != nil {
            answer.cancelReason = "mvcc: duplicate watch ID provided on the WatchStream"
        }
        guard answer.cancelReason == nil else { return stream.send(answer.encoded()) }
        answer.id = request.watchID != 0 ? request.watchID : unusedID()
        // From the revision just told, not from whenever the watch is registered: a client resumes from what it was told.
        let start = request.startRevision > 0 ? request.startRevision : answer.revision + 1
        let (cursor, token) = store.startWatch(
            WatchRequest(range, from: start, previous: request.prevKv, progress: request.progressNotify))
        watches[answer.id] = Watch(
            cursor: cursor, token: token, previous: request.prevKv, dropsPuts: request.filters.contains(.noput),
            dropsDeletes: request.filters.contains(.nodelete), allowsFragments: request.fragment)
        stream.send(answer.encoded())
        pump(answer.id)
    }

    private func unusedID() -> Int64 {
        while watches[nextID] != nil { nextID += 1 }
        defer { nextID += 1 }
        return nextID
    }

    private func cancel(_ id: Int64) {
        guard let watch = watches.removeValue(forKey: id) else { return }
        watch.cursor.forgetWake()
        var answer = WatchAnswer(revision: store.revision, id: id)
        answer.isCanceled = true
        stream.send(answer.encoded())
    }

    /// Answers for the stream as a whole: a revision up to which every watch on it has had everything.
    private func reportProgress() {
        let published = store.revision
        let delivered = watches.values.map { $0.cursor.delivered(published: published) }.min() ?? published
        stream.send(WatchAnswer(revision: delivered, id: -1).encoded())
    }

    // MARK: Deliveries

    /// Sends what a watch has until there is nothing more, or the client does not read.
    private func pump(_ id: Int64) {
        while stream.isWritable, let watch = watches[id], !watch.isCatchingUp {
            let bound = NIOLoopBound(self, eventLoop: stream.eventLoop)
            let eventLoop = stream.eventLoop
            switch watch.cursor.take(orWake: { eventLoop.execute { bound.value.pump(id) } }) {
            case .delivery(let delivery): send(delivery, id, watch)
            case .behind: catchUp(id, watch.cursor)
            case .failed(let error): fail(id, error)
            case .waiting: return
            }
        }
    }

    private func catchUp(_ id: Int64, _ cursor: WatchCursor) {
        watches[id]?.isCatchingUp = true
        let bound = NIOLoopBound(self, eventLoop: stream.eventLoop)
        let eventLoop = stream.eventLoop
        let store = self.store
        context.tasks.start {
            let result: Result<WatchDelivery?, StoreError>
            do throws(StoreError) { result = .success(try await store.catchUp(cursor)) } catch {
                result = .failure(error)
            }
            eventLoop.execute { bound.value.caughtUp(id, cursor, result) }
        }
    }

    private func caughtUp(_ id: Int64, _ cursor: WatchCursor, _ result: Result<WatchDelivery?, StoreError>) {
        // Another watch may have been made under the number meanwhile.
        guard let watch = watches[id], watch.cursor === cursor else { return }
        watches[id]?.isCatchingUp = false
        switch result {
        case .success(let delivery): if let delivery { send(delivery, id, watch) }
        case .failure(let error): return fail(id, error)
        }
        pump(id)
    }

    private func send(_ delivery: WatchDelivery, _ id: Int64, _ watch: Watch) {
        var answer = WatchAnswer(revision: delivery.revision, id: id)
        if delivery.events.isEmpty { return stream.send(answer.encoded()) }
        for published in delivery.events {
            if published.event.kind == .put ? watch.dropsPuts : watch.dropsDeletes { continue }
            answer.events.append(published.encoding(previous: watch.previous, WatchAnswer.encode))
        }
        guard !answer.events.isEmpty else { return }
        let limit = watch.allowsFragments ? context.maximumRequestBytes : .max
        for part in answer.parts(atMost: limit) { stream.send(part.encoded()) }
    }

    private func fail(_ id: Int64, _ error: StoreError) {
        guard watches.removeValue(forKey: id) != nil else { return }
        var answer = WatchAnswer(revision: store.revision, id: id)
        answer.isCanceled = true
        if case .compacted(let oldest) = error {
            answer.compactRevision = max(oldest, 1)
        } else {
            answer.cancelReason = Answers.status(error).message
        }
        stream.send(answer.encoded())
    }
}

extension KeyRange {
    /// Whether no key lies in the range.
    fileprivate var isEmpty: Bool {
        !end.isEmpty && end != [0] && !start.lexicographicallyPrecedes(end)
    }
}
