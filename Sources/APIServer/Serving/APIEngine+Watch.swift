import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore

extension APIEngine {
    /// Watches end after this time when the client names none; it resumes where it was.
    private static let longestWatch: Int64 = 3600

    /// Streams changes of a collection, or of one object, as they happen.
    func watch(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        guard request.definition.verbs.contains("watch"), let cache = registry.caches.cache(request.definition) else {
            throw .methodNotAllowed()
        }
        let filter = try ObjectFilter(request, name: request.target.name)
        let version = try request.query.integer("resourceVersion") ?? 0
        let wantsBookmarks = request.query.flag("allowWatchBookmarks")
        let wantsInitialEvents = try Self.wantsInitialEvents(request, wantsBookmarks)
        let seconds = try request.query.integer("timeoutSeconds") ?? 0
        let startsWithList = wantsInitialEvents ?? (version == 0)
        try await awaitStart(request, version, startsWithList)
        let presenter = presenter(request)
        let stream = WatchStream(
            presenter: presenter, filter: filter, signal: writer.signal(), cache: cache,
            after: startsWithList ? 0 : version, marksInitialEnd: wantsInitialEvents == true,
            sendsBookmarks: wantsBookmarks,
            timeLimit: .seconds(seconds > 0 && seconds <= Self.longestWatch ? seconds : Self.longestWatch))
        let scope = filter.scope
        let head = HTTPResponse(status: .ok, headerFields: [.contentType: presenter.form.watchContentType])
        do throws(APIFailure) {
            stream.begin(try cache.watch(stream, scope, after: startsWithList ? nil : version, prefix: filter.prefix))
        } catch {
            // One event that says so: the form that clients of every age understand.
            try? await writer.begin(head)
            try? await writer.write(ByteBuffer(bytes: presenter.errorFrame(error)))
            try? await writer.end()
            return
        }
        defer { cache.unwatch(stream, scope) }
        writer.markLongRunning()
        try? await writer.stream(head, from: stream)  // an error is the client's going
    }

    /// Whether the client wants the present objects first, as a list inside the watch; `nil` when it does not say.
    private static func wantsInitialEvents(_ request: APIRequest, _ wantsBookmarks: Bool) throws(APIFailure) -> Bool? {
        let match = request.query["resourceVersionMatch"] ?? ""
        guard request.query["sendInitialEvents"] != nil else {
            guard match.isEmpty else {
                throw APIFailure(
                    .invalid,
                    "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless "
                        + "sendInitialEvents is provided")
            }
            return nil
        }
        guard match == "NotOlderThan" else {
            throw APIFailure(
                .invalid, "resourceVersionMatch: Unsupported value: \"\(match)\": supported values: \"NotOlderThan\"")
        }
        let wants = request.query.flag("sendInitialEvents")
        if wants, !wantsBookmarks {
            throw APIFailure(
                .invalid,
                "allowWatchBookmarks: Forbidden: sendInitialEvents requires setting allowWatchBookmarks to true")
        }
        return wants
    }

    /// Waits until the cache is where the client wants the watch to begin.
    private func awaitStart(_ request: APIRequest, _ version: Int64, _ startsWithList: Bool) async throws(APIFailure) {
        guard startsWithList else {
            if !registry.caches.isReady { throw .store("it has not been read yet") }
            return
        }
        if version > 0 { return try await waitForVersion(version) }
        // Without any version the client wants the newest state; 0 is content with what the cache has.
        if request.query["resourceVersion"] == "0", registry.caches.isReady { return }
        try await registry.caches.catchUp()
    }
}

extension ObjectPresenter {
    /// Whether objects go out as the very bytes that the cache keeps.
    var showsStoredBytes: Bool {
        edge == .none && form.shape == .object && form.encoding == .json && served.storedAPIVersion == nil
    }
}
