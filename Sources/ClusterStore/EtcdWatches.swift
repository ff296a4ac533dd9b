import FoundationEssentials
import GRPCCore
import GRPCProtobuf
import GRPCTransport
import Logging
import Synchronization

/// All watches of a client, on one stream.
///
/// Contract it relies on: etcd sends the events of a revision in one message, in order, and nothing twice on one
/// watch; so a watch that lost its stream goes on at the revision behind the last one delivered.
final class EtcdWatches: Sendable {
    private struct Entry {
        let queue: WatchQueue
        let request: WatchRequest
        /// The next revision to ask for; 0 until etcd has said where the watch began.
        var next: Int64
        /// The newest revision that etcd has spoken of on this watch, and the cluster that it named: a store that comes
        /// back with less, or as another, was restored from a backup or wiped.
        var seen: Int64 = 0
        var cluster: UInt64 = 0
    }

    private struct State {
        var entries: [Int64: Entry] = [:]
        var lastID: Int64 = 0
        /// Where requests of the present stream go; `nil` between streams.
        var requests: AsyncStream<Etcdserverpb_WatchRequest>.Continuation?
        /// Watches asked for on the present stream and not answered yet. etcd answers in the order of the requests, and
        /// does not always name the watch that it refuses.
        var unanswered: [Int64] = []
        /// Whether the user's token was fetched for the present stream, so that a refusal is not for its age.
        var hasNewToken = false

        /// The present stream is of no use any more.
        var isStreamSpent = false

        /// Asks for a watch, if there is a stream.
        mutating func ask(for id: Int64, _ request: Etcdserverpb_WatchRequest) {
            guard let requests else { return }
            unanswered.append(id)
            requests.yield(request)
        }
    }

    private static let initialBackoff: Duration = .milliseconds(100)
    private static let maximumBackoff: Duration = .seconds(5)

    private let client: EtcdSession.Client
    private let session: EtcdSession
    private let logger: Logger
    private let state = Mutex(State())
    private let wanted: AsyncStream<Void>
    private let want: AsyncStream<Void>.Continuation

    init(client: EtcdSession.Client, session: EtcdSession, logger: Logger) {
        self.client = client
        self.session = session
        self.logger = logger
        (wanted, want) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Registers a watch; it begins as soon as there is a stream.
    func add(_ request: WatchRequest) -> (id: Int64, queue: WatchQueue) {
        let queue = WatchQueue()
        let id = state.withLock { state in
            state.lastID += 1
            let entry = Entry(queue: queue, request: request, next: request.startRevision)
            state.entries[state.lastID] = entry
            state.ask(for: state.lastID, Self.create(state.lastID, entry))
            return state.lastID
        }
        want.yield()
        return (id, queue)
    }

    /// Ends a watch that nobody reads any more.
    func remove(_ id: Int64) {
        state.withLock { state in
            guard state.entries.removeValue(forKey: id) != nil else { return }
            state.requests?.yield(Self.cancel(id))
        }
    }

    /// Lets ``run()`` return.
    func finish() {
        want.finish()
        state.withLock { $0.requests?.finish() }
    }

    /// Keeps a stream while there are watches. Ends with ``finish()`` or cancellation; then every watch fails.
    func run() async {
        defer {
            let queues = state.withLock { state in
                defer { state.entries = [:] }
                return state.entries.values.map(\.queue)
            }
            for queue in queues { queue.fail(.cancelled) }
        }
        var backoff = Self.initialBackoff
        for await _ in wanted {
            while !Task.isCancelled, state.withLock({ !$0.entries.isEmpty }) {
                let heard = Mutex(false)
                do {
                    try await stream { heard.withLock { $0 = true } }
                } catch {
                    logger.debug("watch stream ended", metadata: ["error": "\(error)"])
                }
                state.withLock { state in
                    state.requests?.finish()
                    state.requests = nil
                }
                if heard.withLock({ $0 }) { backoff = Self.initialBackoff }
                try? await Task.sleep(for: backoff * Double.random(in: 0.5...1))
                backoff = min(backoff * 2, Self.maximumBackoff)
            }
            if Task.isCancelled { break }
        }
    }

    private func stream(_ heard: @escaping @Sendable () -> Void) async throws {
        var options = CallOptions.defaults
        options.waitForReady = true
        let hasNewToken = !session.hasToken
        var metadata = try await session.metadata()
        metadata.addString("true", forKey: "hasleader")  // a member cut off from its cluster ends the stream
        let (requests, continuation) = AsyncStream<Etcdserverpb_WatchRequest>.makeStream()
        state.withLock { state in
            state.requests = continuation
            state.unanswered = []
            state.isStreamSpent = false
            state.hasNewToken = hasNewToken
            for (id, entry) in state.entries { state.ask(for: id, Self.create(id, entry)) }
        }
        try await Etcdserverpb_Watch.Client(wrapping: client).watch(
            metadata: metadata, options: options,
            requestProducer: { writer in
                for await request in requests { try await writer.write(request) }
            },
            onResponse: { response in
                for try await message in response.messages {
                    heard()
                    self.receive(message)
                    // etcd does not end a stream because the client has no more requests: leave it.
                    if self.state.withLock({ $0.isStreamSpent }) { throw SpentStream() }
                }
            })
    }

    private func receive(_ message: Etcdserverpb_WatchResponse) {
        state.withLock { state in
            let isAnswer = message.created && !state.unanswered.isEmpty
            let id = isAnswer ? state.unanswered.removeFirst() : message.watchID
            guard var entry = state.entries[id] else { return }
            if message.canceled {
                end(id, entry, message, &state)
                return
            }
            if message.created {
                let isAnother = entry.cluster != 0 && entry.cluster != message.header.clusterID
                if isAnother || message.header.revision < entry.seen {
                    logger.warning(
                        "the store went back from revision \(entry.seen) to \(message.header.revision), or is another one; what it holds is read anew"
                    )
                    state.entries[id] = nil
                    state.requests?.yield(Self.cancel(id))
                    entry.queue.fail(.compacted(oldest: 0))
                    return
                }
                entry.cluster = message.header.clusterID
                if entry.next == 0 { entry.next = message.header.revision + 1 }
            }
            entry.seen = max(entry.seen, message.header.revision)
            if let last = message.events.last?.kv.modRevision {
                entry.next = last + 1
                entry.queue.push(WatchBatch(revision: last, events: message.events.map { StoreEvent($0) }))
            } else if !message.created {
                // Progress: everything up to the store's revision has been sent.
                entry.next = max(entry.next, message.header.revision + 1)
                entry.queue.push(WatchBatch(revision: message.header.revision, events: []))
            }
            state.entries[id] = entry
        }
    }

    /// etcd ended a watch: for good, or because of something that a new stream can mend.
    private func end(_ id: Int64, _ entry: Entry, _ message: Etcdserverpb_WatchResponse, _ state: inout State) {
        if message.compactRevision != 0 {
            state.entries[id] = nil
            entry.queue.fail(.compacted(oldest: message.compactRevision))
        } else if message.cancelReason.contains("permission denied") {
            // Said of a token that etcd forgot, too: only one that was fetched for this stream tells what the user may.
            if session.hasToken, !state.hasNewToken {
                session.forgetToken()
                state.isStreamSpent = true
                return
            }
            state.entries[id] = nil
            entry.queue.fail(.refused(message.cancelReason))
        } else {
            if message.cancelReason.contains("token") { session.forgetToken() }
            logger.debug("watch cancelled by the store", metadata: ["reason": "\(message.cancelReason)"])
            state.isStreamSpent = true
        }
    }

    private static func cancel(_ id: Int64) -> Etcdserverpb_WatchRequest {
        var message = Etcdserverpb_WatchRequest()
        message.cancelRequest.watchID = id
        return message
    }

    private static func create(_ id: Int64, _ entry: Entry) -> Etcdserverpb_WatchRequest {
        var message = Etcdserverpb_WatchRequest()
        message.createRequest.watchID = id
        message.createRequest.key = Data(entry.request.range.start)
        message.createRequest.rangeEnd = Data(entry.request.range.end)
        message.createRequest.startRevision = entry.next
        message.createRequest.prevKv = entry.request.previous
        message.createRequest.progressNotify = entry.request.progress
        return message
    }
}

/// Ends a watch stream that a new one must replace.
private struct SpentStream: Error {}
