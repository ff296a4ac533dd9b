import HTTPTransport
import KubeSchema
import NIOCore
import Synchronization

/// One watch: takes note of changes, and turns them into bytes when its client has room for more.
final class WatchStream: HTTPResponseSource, CacheWatcher {
    /// Changes that a client may be behind. One that falls further behind is cut off; it resumes from the last version
    /// that it saw or, when that is too old by then, is told so.
    static let limit = 8192
    private static let bookmarkInterval: TimeAmount = .seconds(60)

    private struct Queue {
        var events: [CacheEvent] = []
        var isOver = false
    }

    /// What only the event loop touches: ``next()`` is never called twice at once, and ``begin(_:)`` comes before it.
    private struct Progress {
        var taken: [CacheEvent] = []
        var takenCount = 0
        var initial: ObjectTable.Slice?
        /// The revision up to which the client has been told everything that was queued.
        var sent: Int64
        var isFirst = true
        var initialEndPending: Bool
        var nextBookmark: NIODeadline
        /// The bookmark with which a watch ends has been sent.
        var saidGoodbye = false
    }

    private let presenter: ObjectPresenter
    private let filter: ObjectFilter
    private let signal: HTTPResponseSignal
    private let cache: ResourceCache
    /// Changes up to here are known to the client.
    private let after: Int64
    private let sendsBookmarks: Bool
    private let deadline: NIODeadline
    private let queue = Mutex(Queue())
    private let progress: Mutex<Progress>
    private let copiesBytes: Bool

    init(
        presenter: ObjectPresenter, filter: ObjectFilter, signal: HTTPResponseSignal, cache: ResourceCache,
        after: Int64,
        marksInitialEnd: Bool, sendsBookmarks: Bool, timeLimit: TimeAmount
    ) {
        self.presenter = presenter
        self.filter = filter
        self.signal = signal
        self.cache = cache
        self.after = after
        self.sendsBookmarks = sendsBookmarks
        deadline = .now() + timeLimit
        progress = Mutex(
            Progress(sent: after, initialEndPending: marksInitialEnd, nextBookmark: .now() + Self.bookmarkInterval))
        copiesBytes = presenter.showsStoredBytes
    }

    var mayEndEarly: Bool { true }

    /// Takes over what is there at the start, before the response begins.
    func begin(_ start: ResourceCache.Start) {
        progress.withLock { progress in
            progress.initial = start.initial
            progress.taken = start.missed
            if start.initial != nil { progress.sent = start.revision }
        }
    }

    func push(_ event: CacheEvent) {
        queue.withLock { queue in
            guard !queue.isOver else { return }
            if queue.events.count >= Self.limit {
                queue.isOver = true
                queue.events = []
            } else {
                queue.events.append(event)
            }
        }
        signal.wake()
    }

    func end() {
        queue.withLock { $0.isOver = true }
        signal.wake()
    }

    func next() -> HTTPResponsePiece { progress.withLock { next(&$0) } }

    private func next(_ progress: inout Progress) -> HTTPResponsePiece {
        var bytes = ByteBuffer()
        if progress.initial != nil {
            addInitial(&progress, to: &bytes)
            if bytes.readableBytes > 0 { return .bytes(bytes) }
        }
        // Read before the queue is: what the cache has applied by then has been pushed, or is not for this watch.
        let applied = cache.revision
        while bytes.readableBytes < Self.pieceBytes {
            if progress.takenCount == progress.taken.count {
                progress.takenCount = 0
                progress.taken = queue.withLock { queue in
                    defer { queue.events = [] }
                    return queue.events
                }
                if progress.taken.isEmpty { break }
            }
            add(progress.taken[progress.takenCount], &progress, to: &bytes)
            progress.takenCount += 1
        }
        if bytes.readableBytes > 0 { return .bytes(bytes) }
        return idle(&progress, applied)
    }

    /// Nothing is queued: perhaps it is time for a bookmark, or the end.
    private func idle(_ progress: inout Progress, _ applied: Int64) -> HTTPResponsePiece {
        let now = NIODeadline.now()
        if queue.withLock({ $0.isOver && $0.events.isEmpty }) { return .end }
        if now >= deadline {
            guard sendsBookmarks, !progress.saidGoodbye else { return .end }
            progress.saidGoodbye = true
            let revision = max(progress.sent, applied)
            return .bytes(ByteBuffer(bytes: presenter.bookmark(revision, endsInitialEvents: false)))
        }
        guard sendsBookmarks else { return .wait(until: deadline) }
        if now >= progress.nextBookmark {
            progress.nextBookmark = now + Self.bookmarkInterval
            progress.sent = max(progress.sent, applied)
            return .bytes(ByteBuffer(bytes: presenter.bookmark(progress.sent, endsInitialEvents: false)))
        }
        return .wait(until: min(deadline, progress.nextBookmark))
    }

    private func addInitial(_ progress: inout Progress, to bytes: inout ByteBuffer) {
        while bytes.readableBytes < Self.pieceBytes, let object = progress.initial?.next() {
            guard filter.isEmpty || filter.matches(object) else { continue }
            append("ADDED", object, &progress, to: &bytes)
        }
        if bytes.readableBytes < Self.pieceBytes {
            progress.initial = nil
            if progress.initialEndPending {
                progress.initialEndPending = false
                bytes.writeBytes(presenter.bookmark(progress.sent, endsInitialEvents: true))
            }
        }
    }

    private func add(_ event: CacheEvent, _ progress: inout Progress, to bytes: inout ByteBuffer) {
        // A cache that is behind the client (that of another server) tells it what it knows already.
        guard event.revision > after else { return }
        progress.sent = max(progress.sent, event.revision)
        guard let (type, object) = transition(event) else { return }
        append(type, object, &progress, to: &bytes)
    }

    private func append(
        _ type: StaticString, _ object: StoredObject, _ progress: inout Progress, to bytes: inout ByteBuffer
    ) {
        if copiesBytes {
            bytes.reserveCapacity(minimumWritableBytes: object.encoded.count + 48)
            bytes.writeStaticString("{\"type\":\"")
            bytes.writeStaticString(type)
            bytes.writeStaticString("\",\"object\":")
            bytes.writeBytes(object.encoded)
            bytes.writeStaticString("}\n")
        } else {
            bytes.writeBytes(presenter.frame("\(type)", object, isFirst: progress.isFirst))
        }
        progress.isFirst = false
    }

    /// What an event means to a client that sees only what its selectors match.
    private func transition(_ event: CacheEvent) -> (StaticString, StoredObject)? {
        guard event.object.key.hasPrefix(filter.prefix) else { return nil }
        let matches = filter.isEmpty || filter.matches(event.object)
        switch event.kind {
        case .added: return matches ? ("ADDED", event.object) : nil
        case .deleted: return matches ? ("DELETED", event.object) : nil
        case .modified:
            guard let previous = event.previous else { return nil }
            let matched = filter.isEmpty || filter.matches(previous)
            switch (matched, matches) {
            case (true, true): return ("MODIFIED", event.object)
            case (false, true): return ("ADDED", event.object)
            // The last state that the client may see, with the version of the change.
            case (true, false): return ("DELETED", previous.at(event.revision))
            case (false, false): return nil
            }
        }
    }
}
