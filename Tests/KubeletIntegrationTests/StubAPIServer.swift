import HTTPTransport
import HTTPTypes
import KubeAPI
import KubeSchema
import Kubelet
import NIOCore
import OrderedCollections
import Synchronization

/// As much of an API server as a kubelet talks to, in memory: objects by path, with revisions, watches and graceful
/// deletion of pods.
final class StubAPIServer: HTTPHandler {
    private struct State {
        var revision: Int64 = 0
        var objects: OrderedDictionary<String, JSON> = [:]
        /// Everything that happened, for watches: revision, collection, kind of event, object.
        var history: [(revision: Int64, collection: String, type: String, object: JSON)] = []
    }
    private let state = Mutex(State())

    /// The object at `path`, such as `/api/v1/namespaces/default/pods/x`.
    func object(_ path: String) -> JSON? { state.withLock { $0.objects[path] } }

    func objects(under prefix: String) -> [JSON] {
        state.withLock { state in state.objects.filter { $0.key.hasPrefix(prefix + "/") }.map(\.value) }
    }

    /// Creates or replaces an object as a client would.
    @discardableResult
    func put(_ path: String, _ object: JSON) -> JSON { state.withLock { Self.store(path, object, &$0) } }

    private static func store(_ path: String, _ object: JSON, _ state: inout State) -> JSON {
        var object = object
        state.revision += 1
        let isNew = state.objects[path] == nil
        object["metadata", "resourceVersion"] = .string(String(state.revision))
        if object["metadata", "uid"] == nil { object["metadata", "uid"] = .string("uid-\(state.revision)") }
        state.objects[path] = object
        let collection = collection(of: path)
        state.history.append((state.revision, collection, isNew ? "ADDED" : "MODIFIED", object))
        return object
    }

    /// Asks for deletion: of a pod with grace, of anything else at once.
    func delete(_ path: String, grace: Int64? = nil) {
        state.withLock { state in
            guard var object = state.objects[path] else { return }
            let grace = grace ?? object["spec", "terminationGracePeriodSeconds"]?.integer ?? 30
            if path.contains("/pods/"), grace > 0 {
                if object["metadata", "deletionTimestamp"] == nil {
                    object["metadata", "deletionTimestamp"] = .string((Timestamp.now + .seconds(grace)).rfc3339)
                }
                object["metadata", "deletionGracePeriodSeconds"] = .integer(grace)
                _ = Self.store(path, object, &state)
            } else {
                state.objects[path] = nil
                state.revision += 1
                object["metadata", "resourceVersion"] = .string(String(state.revision))
                state.history.append((state.revision, Self.collection(of: path), "DELETED", object))
            }
        }
    }

    /// `/api/v1/namespaces/default/pods/x` belongs to `/api/v1/pods`.
    private static func collection(of path: String) -> String {
        var parts = path.split(separator: "/").map(String.init)
        parts.removeLast()
        return allNamespaces(parts)
    }

    private static func allNamespaces(_ parts: [String]) -> String {
        var parts = parts
        if let index = parts.firstIndex(of: "namespaces"), parts.count > index + 2 {
            parts.removeSubrange(index...(index + 1))
        }
        return "/" + parts.joined(separator: "/")
    }

    private static let resources: Set<String> = [
        "pods", "nodes", "services", "events", "leases", "secrets", "configmaps", "namespaces",
    ]

    func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        let path = String(request.path)
        let query = Dictionary(RequestQuery.parse(request.query).map { ($0.name, $0.value) }) { $1 }
        var parts = path.split(separator: "/").map(String.init)
        let isCollection = Self.resources.contains(parts.last ?? "")
        if query["watch"] == "true" { return try await watch(parts, from: query["resourceVersion"], writer) }
        let body = try await request.body.collect()
        let document = body.isEmpty ? JSON.null : try JSON(parsing: body)
        switch request.head.method {
        case .get where isCollection:
            let collection = Self.allNamespaces(parts)
            let answer: JSON = state.withLock { state in
                let items = state.objects.filter { Self.collection(of: $0.key) == collection }.map(\.value)
                return [
                    "kind": "List", "apiVersion": "v1",
                    "metadata": ["resourceVersion": .string(String(state.revision))],
                    "items": .array(items),
                ]
            }
            respond(writer, 200, answer)
        case .get: answer(writer, object(path))
        case .post:
            let name = document["metadata", "name"]?.string ?? ""
            respond(writer, 201, put("\(path)/\(name)", document))
        case .put: respond(writer, 200, put(path, document))
        case .patch:
            if parts.last == "status" { parts.removeLast() }
            let target = "/" + parts.joined(separator: "/")
            let result: JSON? = state.withLock { state in
                guard let old = state.objects[target], let new = try? Patch.merge(document, to: old) else { return nil }
                return Self.store(target, new, &state)
            }
            answer(writer, result)
        case .delete:
            guard let object = object(path) else { return answer(writer, nil) }
            delete(path, grace: document["gracePeriodSeconds"]?.integer)
            respond(writer, 200, object)
        default: respond(writer, 405, ["kind": "Status", "status": "Failure"])
        }
    }

    private func watch(_ parts: [String], from revision: String?, _ writer: HTTPResponseWriter) async throws {
        let collection = Self.allNamespaces(parts)
        var seen = revision.flatMap { Int64($0) } ?? 0
        try await writer.begin(HTTPResponse(status: .ok, headerFields: [.contentType: "application/json"]))
        writer.markLongRunning()
        while !Task.isCancelled {
            let (news, now) = state.withLock { state in
                (state.history.filter { $0.revision > seen && $0.collection == collection }, state.revision)
            }
            for event in news {
                let line: JSON = ["type": .string(event.type), "object": event.object]
                try await writer.write(ByteBuffer(bytes: line.encoded() + [0x0a]))
            }
            seen = now
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func answer(_ writer: HTTPResponseWriter, _ object: JSON?) {
        if let object {
            respond(writer, 200, object)
        } else {
            respond(
                writer, 404,
                [
                    "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
                    "message": "not found",
                ])
        }
    }

    private func respond(_ writer: HTTPResponseWriter, _ code: Int, _ document: JSON) {
        writer.respond(
            HTTPResponse(status: .init(code: code), headerFields: [.contentType: "application/json"]),
            body: ByteBuffer(bytes: document.encoded()))
    }
}
