import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore

extension APIEngine {
    /// Between two lines that only say how far a quiet watch is.
    private static let bookmarkInterval: Duration = .seconds(55)
    /// A watch without a time limit of its own ends after this long, so that clients spread over servers again.
    private static let longestWatch: Int64 = 3600

    func watch(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        guard request.definition.verbs.contains("watch"), let cache = registry.caches.cache(request.definition) else {
            throw .methodNotAllowed()
        }
        let filter = try ObjectFilter(request, name: request.target.name)
        let version = try request.query.integer("resourceVersion") ?? 0
        let wantsInitialEvents = request.query.flag("sendInitialEvents")
        let wantsBookmarks = request.query.flag("allowWatchBookmarks")
        if wantsInitialEvents, !wantsBookmarks || request.query["resourceVersionMatch"] != "NotOlderThan" {
            throw APIFailure(
                .invalid,
                "sendInitialEvents: Forbidden: needs resourceVersionMatch=NotOlderThan and allowWatchBookmarks=true")
        }
        let seconds = try request.query.integer("timeoutSeconds") ?? 0
        let startsWithList = wantsInitialEvents || version == 0
        if startsWithList {
            // Without any version the client wants the newest state; 0 is content with what the cache has.
            if request.query["resourceVersion"] == "0", registry.caches.isReady {
            } else if version > 0 {
                try await waitForVersion(version)
            } else {
                try await registry.caches.catchUp()
            }
        } else if !registry.caches.isReady {
            throw .store("it has not been read yet")
        }
        let queue = WatcherQueue(prefix: filter.prefix)
        let presenter = presenter(request)
        let start: Int64
        do throws(APIFailure) {
            start = try cache.watch(queue, after: startsWithList ? nil : version, prefix: filter.prefix)
        } catch {
            return await sendExpired(error, presenter, writer)
        }
        defer { cache.unwatch(queue) }
        let stream = WatchStream(
            presenter: presenter, filter: filter, writer: writer, cache: cache, queue: queue, start: start,
            after: startsWithList ? 0 : version, marksInitialEnd: wantsInitialEvents,
            bookmarkInterval: wantsBookmarks ? Self.bookmarkInterval : nil,
            limit: .seconds(seconds > 0 ? seconds : Self.longestWatch),
            isTable: request.form != .json && request.form != .metadata)
        await stream.run()
    }

    /// The version is no longer known: one event that says so, the form that clients of every age understand.
    private func sendExpired(_ failure: APIFailure, _ presenter: ObjectPresenter, _ writer: HTTPResponseWriter) async {
        do {
            try await writer.begin(HTTPResponse(status: .ok, headerFields: [.contentType: "application/json"]))
            try await writer.write(ByteBuffer(bytes: presenter.errorFrame(failure)))
            try await writer.end()
        } catch {}  // the client has gone
    }
}

/// One running watch: turns changes into lines and writes all that are at hand as one chunk.
private struct WatchStream {
    let presenter: ObjectPresenter
    let filter: ObjectFilter
    let writer: HTTPResponseWriter
    let cache: ResourceCache
    let queue: WatcherQueue
    /// The revision up to which `queue` was filled at the start.
    let start: Int64
    let after: Int64
    let marksInitialEnd: Bool
    let bookmarkInterval: Duration?
    let limit: Duration
    let isTable: Bool

    func run() async {
        writer.markLongRunning()
        let deadline = ContinuousClock.now + limit
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await nudge(until: deadline) }
            do { try await pump(until: deadline) } catch {}  // the client has gone, or the server stops
            group.cancelAll()
        }
    }

    /// Wakes the watch for bookmarks and at its end.
    private func nudge(until deadline: ContinuousClock.Instant) async {
        while !Task.isCancelled, ContinuousClock.now < deadline {
            let next = bookmarkInterval.map { min(ContinuousClock.now + $0, deadline) } ?? deadline
            try? await Task.sleep(until: next, tolerance: .seconds(1))
            queue.nudge()
        }
    }

    private func pump(until deadline: ContinuousClock.Instant) async throws {
        try await writer.begin(HTTPResponse(status: .ok, headerFields: [.contentType: "application/json"]))
        var isFirst = true
        var initialEndPending = marksInitialEnd
        var lastBookmark = ContinuousClock.now
        var sent = max(start, after)
        while let events = Task.isCancelled ? nil : await nextBatch(initialEndPending) {
            var bytes = ByteBuffer()
            for event in events {
                sent = max(sent, event.revision)
                guard let (type, object) = transition(event) else { continue }
                bytes.writeBytes(presenter.frame(type, object, isFirst: isFirst))
                isFirst = false
            }
            if initialEndPending {
                bytes.writeBytes(presenter.bookmark(sent, endsInitialEvents: true))
                initialEndPending = false
            }
            let isOver = ContinuousClock.now >= deadline
            if let interval = bookmarkInterval, events.isEmpty, isOver || ContinuousClock.now - lastBookmark >= interval
            {
                // What the cache has seen before this batch was empty has been sent.
                bytes.writeBytes(
                    presenter.bookmark(max(sent, events.isEmpty ? quietRevision(sent) : sent), endsInitialEvents: false)
                )
                lastBookmark = .now
            }
            if bytes.readableBytes > 0 { try await writer.write(bytes) }
            if isOver { break }
        }
        try await writer.end()
    }

    /// The initial objects are in the queue from the start, if there are any; the end mark must come either way.
    private func nextBatch(_ initialEndPending: Bool) async -> [CacheEvent]? {
        if initialEndPending { queue.nudge() }
        return initialEndPending && queue.isEmpty ? [] : await queue.next()
    }

    /// A revision that a watch may be resumed from when nothing is queued.
    private func quietRevision(_ sent: Int64) -> Int64 {
        let revision = cache.revision
        return queue.isEmpty ? max(sent, revision) : sent
    }

    /// What an event means to a client that sees only what its selectors match.
    private func transition(_ event: CacheEvent) -> (String, StoredObject)? {
        let matches = filter.isEmpty || filter.matches(event.object)
        switch event.kind {
        case .added: return matches ? ("ADDED", event.object) : nil
        case .deleted: return matches ? ("DELETED", event.object) : nil
        case .modified:
            let matched = filter.isEmpty || event.previous.map(filter.matches) ?? false
            switch (matched, matches) {
            case (true, true): return ("MODIFIED", event.object)
            case (false, true): return ("ADDED", event.object)
            case (true, false):
                // The last state that the client may see, with the version of the change.
                guard let previous = event.previous else { return nil }
                return (
                    "DELETED", StoredObject(key: previous.key, revision: event.revision, document: previous.document)
                )
            case (false, false): return nil
            }
        }
    }
}
