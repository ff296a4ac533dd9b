import ClusterStore
import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore

/// The verbs on collections, watching aside.
extension APIEngine {
    func list(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        guard request.definition.verbs.contains("list"), let cache = registry.caches.cache(request.definition) else {
            throw .methodNotAllowed()
        }
        let filter = try ObjectFilter(request)
        let options = try ListOptions(request.query)
        let page: ListPage
        if let token = options.token {
            page = try await laterPage(filter, cache, token, limit: options.limit)
        } else {
            page = try await firstPage(filter, cache, options)
        }
        let presenter = presenter(request)
        let path = String(request.http.path)
        let takesGzip = Gzip.isAccepted(request.http.head.headerFields[.acceptEncoding])
        if presenter.showsStoredBytes, page.objects.count > ListStream.smallestCount {
            let empty = presenter.encode(
                list: [], revision: page.revision, next: page.next?.text, remaining: page.remaining, path: path)
            // The first object stands for all: it is only about whether it is worth while.
            let isLarge = (page.objects.first?.encoded.count ?? 0) * page.objects.count >= Gzip.smallestBody
            let stream = ListStream(head: empty.body, page.objects, compresses: takesGzip && isLarge)
            var head = HTTPResponse(status: .ok, headerFields: [.contentType: empty.contentType])
            if takesGzip, isLarge { head.headerFields.markGzip() }
            try? await writer.stream(head, from: stream)  // an error is the client's going
            return
        }
        let (answer, isGzip) = await offLoop(page.objects.count) {
            var answer = presenter.encode(
                list: page.objects, revision: page.revision, next: page.next?.text, remaining: page.remaining,
                path: path)
            guard takesGzip, answer.body.readableBytes >= Gzip.smallestBody else { return (answer, false) }
            answer.body = Gzip.encode(answer.body)
            return (answer, true)
        }
        guard isGzip else { return send(200, answer, writer) }
        var head = HTTPResponse(status: .ok, headerFields: [.contentType: answer.contentType])
        head.headerFields.markGzip()
        writer.respond(head, body: answer.body)
    }

    /// Runs work on so many objects where it does not hold up an event loop.
    private func offLoop<Answer: Sendable>(_ count: Int, _ work: @escaping @Sendable () -> Answer) async -> Answer {
        guard count > 100 else { return work() }
        return await withTaskExecutorPreference(globalConcurrentExecutor) { work() }
    }

    private func firstPage(_ filter: ObjectFilter, _ cache: ResourceCache, _ options: ListOptions)
        async throws(APIFailure) -> ListPage
    {
        switch options.version {
        case .newest: try await registry.caches.catchUp()
        case .any: guard registry.caches.isReady else { throw .store("it has not been read yet") }
        case .notOlderThan(let version): try await waitForVersion(version)
        case .exact(let version):
            try await waitForVersion(version)
            return try await laterPage(
                filter, cache, ContinueToken(revision: version, last: ""), limit: options.limit)
        }
        let limit = options.limit
        guard limit > 0 else {
            let (objects, revision) = cache.list(filter.prefix)
            return await offLoop(filter.isEmpty ? 0 : Int.max) {
                ListPage(objects: filter.isEmpty ? Array(objects) : objects.filter(filter.matches), revision: revision)
            }
        }
        let (objects, revision) = cache.list(filter.prefix)
        let page = await offLoop(filter.isEmpty ? limit : Int.max) {
            ListPage(of: objects, filter, limit: limit, revision: revision)
        }
        if page.next != nil { cache.keep(objects, revision: revision) }
        return page
    }

    /// A page of the list as it was at the token's revision: from a snapshot, or else as the store remembers it.
    private func laterPage(_ filter: ObjectFilter, _ cache: ResourceCache, _ token: ContinueToken, limit: Int)
        async throws(APIFailure) -> ListPage
    {
        guard token.last.isEmpty || token.last.hasPrefix(filter.prefix) else {
            throw APIFailure(.badRequest, "continue key is not valid: it belongs to another list")
        }
        guard let objects = cache.page(filter.prefix, after: token.last, at: token.revision) else {
            return try await registry.page(filter, after: token, limit: Int64(limit))
        }
        return await offLoop(filter.isEmpty && limit > 0 ? limit : Int.max) {
            ListPage(of: objects, filter, limit: limit, revision: token.revision)
        }
    }

    func waitForVersion(_ version: Int64) async throws(APIFailure) {
        guard await registry.caches.wait(for: version) else {
            throw APIFailure(
                StatusDocument.failure(
                    reason: .timeout,
                    message: "Too large resource version: \(version), current: \(registry.caches.revision)",
                    causes: [["reason": "ResourceVersionTooLarge", "message": "Too large resource version"]],
                    retryAfterSeconds: 1), retryAfter: 1)
        }
    }

    func deleteCollection(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let definition = request.definition
        guard definition.verbs.contains("deletecollection"), !request.isHistoric,
            !definition.isNamespaced || request.namespace != nil
        else {
            throw .methodNotAllowed()
        }
        let filter = try ObjectFilter(request)
        let options = try await deleteOptions(request)
        guard let cache = registry.caches.cache(definition) else { throw .unknownPath() }
        try await registry.caches.catchUp()
        let (objects, revision) = cache.list(filter.prefix)
        var deleted: [StoredObject] = []
        for object in objects where filter.matches(object) {
            do throws(APIFailure) {
                deleted.append(try await registry.delete(definition, object.namespace, object.name, options).object)
            } catch  where error.reason == "NotFound" {
                continue  // gone meanwhile, as was wanted
            }
        }
        send(
            200,
            presenter(request).encode(
                list: deleted, revision: revision, next: nil, remaining: nil, path: String(request.http.path)), writer)
    }
}

extension HTTPFields {
    fileprivate mutating func markGzip() {
        self[.contentEncoding] = "gzip"
        self[.vary] = "Accept-Encoding"
    }
}

/// A part of a list, all of one revision.
struct ListPage: Sendable {
    var objects: [StoredObject] = []
    var revision: Int64
    var next: ContinueToken?
    /// How many there are behind this page; `nil` where a selector would have to be tried on them.
    var remaining: Int64?

    init(objects: [StoredObject], revision: Int64) {
        self.objects = objects
        self.revision = revision
    }

    /// The first `limit` of some objects that match; 0 takes all.
    init(of objects: ObjectTable.Slice, _ filter: ObjectFilter, limit: Int, revision: Int64) {
        self.revision = revision
        var left = objects
        while let object = left.next() {
            guard filter.isEmpty || filter.matches(object) else { continue }
            if limit > 0, self.objects.count == limit {
                next = self.objects.last.map { ContinueToken(revision: revision, last: $0.key) }
                remaining = filter.isEmpty ? left.reduce(1) { count, _ in count + 1 } : nil
                return
            }
            self.objects.append(object)
        }
    }
}

/// Where a list goes on: a revision and the last key shown. Opaque to clients.
struct ContinueToken: Sendable {
    var revision: Int64
    var last: String

    init(revision: Int64, last: String) {
        self.revision = revision
        self.last = last
    }

    init(_ text: String) throws(APIFailure) {
        guard let bytes = try? Base64.decode(text), let document = try? JSON(parsing: bytes),
            let revision = document["rv"]?.integer, revision > 0, let last = document["last"]?.string
        else { throw APIFailure(.badRequest, "continue key is not valid: \(text)") }
        self.init(revision: revision, last: last)
    }

    var text: String {
        let document: JSON = ["rv": .integer(revision), "last": .string(last)]
        return Base64.encode(document.encoded())
    }
}

extension Registry {
    /// Reads a page of the list as it was at the token's revision from the store.
    func page(_ filter: ObjectFilter, after token: ContinueToken, limit: Int64) async throws(APIFailure) -> ListPage {
        var range = KeyRange.prefix(filter.prefix)
        if !token.last.isEmpty {
            guard token.last.hasPrefix(filter.prefix) else {
                throw APIFailure(.badRequest, "continue key is not valid: it belongs to another list")
            }
            range.start = Array(token.last.utf8) + [0]
        }
        var page = ListPage(objects: [], revision: token.revision)
        while true {
            let found: RangeResponse
            do throws(StoreError) {
                found = try await store.range(
                    RangeRequest(range, revision: token.revision, limit: limit > 0 ? max(limit, 100) : 0))
            } catch {
                throw APIFailure(error)
            }
            for (index, keyValue) in found.keyValues.enumerated() {
                guard
                    let object = StoredObject(
                        key: keyValue.keyText, revision: keyValue.modRevision, value: keyValue.value),
                    filter.matches(object)
                else { continue }
                page.objects.append(object)
                if limit > 0, page.objects.count == Int(limit) {
                    let left = found.count - Int64(index) - 1
                    if left > 0 {
                        page.next = ContinueToken(revision: token.revision, last: object.key)
                        page.remaining = filter.isEmpty ? left : nil
                    }
                    return page
                }
            }
            guard found.more, let last = found.keyValues.last else { return page }
            range.start = last.key + [0]
        }
    }
}
