import ClusterStore
import HTTPTransport
import KubeSchema

/// The verbs on collections, watching aside.
extension APIEngine {
    func list(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        guard request.definition.verbs.contains("list") else { throw .methodNotAllowed() }
        let filter = try ObjectFilter(request)
        let limit = try request.query.integer("limit") ?? 0
        let page: ListPage
        if let token = request.query["continue"], !token.isEmpty {
            page = try await registry.page(filter, after: try ContinueToken(token), limit: limit)
        } else {
            page = try await firstPage(request, filter, limit: limit)
        }
        let body = presenter(request).encode(
            list: page.objects, revision: page.revision, next: page.next?.text, remaining: page.remaining,
            path: String(request.http.path))
        send(200, body, writer)
    }

    private func firstPage(_ request: APIRequest, _ filter: ObjectFilter, limit: Int64) async throws(APIFailure)
        -> ListPage
    {
        guard let cache = registry.caches.cache(request.definition) else { throw .unknownPath() }
        let version = try request.query.integer("resourceVersion")
        let match = request.query["resourceVersionMatch"]
        if match == "Exact", let version, version > 0 {
            return try await registry.page(filter, after: ContinueToken(revision: version, last: ""), limit: limit)
        }
        switch version {
        case nil: try await registry.caches.catchUp()
        case 0?:
            guard registry.caches.isReady else { throw .store("it has not been read yet") }
        case let version?: try await waitForVersion(version)
        }
        let (objects, revision) = cache.list(filter.prefix)
        let matching = filter.isEmpty ? objects : objects.filter(filter.matches)
        guard limit > 0, matching.count > Int(limit) else { return ListPage(objects: matching, revision: revision) }
        let shown = Array(matching[..<Int(limit)])
        return ListPage(
            objects: shown, revision: revision,
            next: shown.last.map { ContinueToken(revision: revision, last: $0.key) },
            remaining: filter.isEmpty ? Int64(matching.count) - limit : nil)
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

/// A part of a list, all of one revision.
struct ListPage: Sendable {
    var objects: [StoredObject]
    var revision: Int64
    var next: ContinueToken?
    var remaining: Int64?
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
