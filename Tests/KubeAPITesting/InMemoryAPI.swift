package import KubeAPI
package import KubeSchema
import OrderedCollections
import Synchronization

/// An API server in memory, as much of one as clients' loops need: revisions, conflicts, status, binding, deletion,
/// watches. It can be switched off and can forget its history.
package final class InMemoryAPI: APITransport {
    private struct Stored {
        var path: String  // of the collection across namespaces, such as /api/v1/pods
        var namespace: String
        var object: JSON
    }
    private struct Entry {
        var revision: Int
        var type: String
        var stored: Stored
    }
    private struct State {
        var objects: [String: Stored] = [:]
        var revision = 100
        var history: [Entry] = []
        var oldest = 0
        var isDown = false
        var requests: [String] = []
    }
    private let state = Mutex(State())

    package init() {}

    /// While `true` nothing is answered, and watches end.
    package var isDown: Bool {
        get { state.withLock { $0.isDown } }
        set { state.withLock { $0.isDown = newValue } }
    }
    /// Method and path of each request so far.
    package var requests: [String] { state.withLock { $0.requests } }

    /// Watches from now on can't resume from the past.
    package func forgetHistory() {
        state.withLock { state in
            state.history = []
            state.oldest = state.revision
        }
    }

    package func send(_ request: APIRequest) async throws(APIError) -> JSON {
        let body = try request.body.map { bytes throws(APIError) in
            do { return try JSON(parsing: bytes) } catch { throw .malformed("\(error)") }
        }
        let result: Result<JSON, APIError> = state.withLock { state in
            state.requests.append(request.method.rawValue + " " + request.path)
            if state.isDown { return .failure(.unreachable("switched off")) }
            return Self.answer(request, body ?? .null, &state)
        }
        return try result.get()
    }

    package func stream(
        _ request: APIRequest, _ receive: @Sendable (JSON) async throws(APIError) -> Bool
    ) async throws(APIError) {
        let route = Route(request.path)
        state.withLock { $0.requests.append("WATCH " + request.path) }
        var revision = request.query.first { $0.name == "resourceVersion" }.flatMap { Int($0.value) } ?? 0
        while true {
            if Task.isCancelled { throw .cancelled }
            let next: Result<[Entry], APIError> = state.withLock { state in
                if state.isDown { return .failure(.unreachable("switched off")) }
                if revision < state.oldest {
                    return .failure(
                        .status(code: 410, reason: "Expired", message: "too old resource version", details: nil))
                }
                return .success(
                    state.history.filter { $0.revision > revision && route.covers($0.stored.path, $0.stored.namespace) }
                )
            }
            for entry in try next.get() {
                revision = entry.revision
                if try await !receive(["type": .string(entry.type), "object": entry.stored.object]) { return }
            }
            do { try await Task.sleep(for: .milliseconds(2)) } catch { throw .cancelled }
        }
    }

    private struct Route {
        var collection: String
        var namespace: String?
        var name: String?
        var subresource: String?

        init(_ path: String) {
            var parts = path.split(separator: "/").map(String.init)
            let prefix = parts.first == "api" ? 2 : 3
            let base = "/" + parts.prefix(prefix).joined(separator: "/")
            parts.removeFirst(min(prefix, parts.count))
            if parts.count > 2, parts[0] == "namespaces", !["finalize", "status"].contains(parts[2]) {
                namespace = parts[1]
                parts.removeFirst(2)
            }
            collection = base + "/" + (parts.first ?? "")
            name = parts.count > 1 ? parts[1] : nil
            subresource = parts.count > 2 ? parts[2] : nil
        }

        func covers(_ path: String, _ namespace: String) -> Bool {
            path == collection && (self.namespace == nil || self.namespace == namespace)
        }
        func key(_ name: String) -> String { collection + "|" + (namespace ?? "") + "|" + name }
    }

    private static func failure(_ code: Int, _ reason: String) -> Result<JSON, APIError> {
        .failure(.status(code: code, reason: reason, message: reason, details: nil))
    }

    private static func answer(_ request: APIRequest, _ body: JSON, _ state: inout State) -> Result<JSON, APIError> {
        let route = Route(request.path)
        if request.path == "/apis" { return .success(["groups": []]) }
        if request.path == "/api/v1" { return .success(["resources": Self.discovery]) }
        guard let name = route.name else {
            switch request.method {
            case .get:
                let items = state.objects.values.filter { route.covers($0.path, $0.namespace) }.map(\.object)
                return .success([
                    "kind": "List", "metadata": ["resourceVersion": .string(String(state.revision))],
                    "items": .array(items),
                ])
            case .post:
                var object = body
                var metadata = ObjectMetadata(document: object["metadata"] ?? .emptyObject)
                if metadata.name.isEmpty {
                    metadata.name = (metadata.generateName ?? "") + String(state.revision, radix: 36)
                }
                let key = route.key(metadata.name)
                guard state.objects[key] == nil else { return failure(409, "AlreadyExists") }
                metadata.uid = "uid-\(state.revision + 1)"
                if metadata.creationTimestamp == nil { metadata.creationTimestamp = .now }
                metadata.generation = 1
                object["metadata"] = metadata.document
                return .success(
                    store(
                        Stored(path: route.collection, namespace: route.namespace ?? "", object: object), key, "ADDED",
                        &state))
            default: return failure(405, "MethodNotAllowed")
            }
        }
        let key = route.key(name)
        guard let stored = state.objects[key] else { return failure(404, "NotFound") }
        switch (request.method, route.subresource) {
        case (.get, _): return .success(stored.object)
        case (.post, "binding"?):
            guard stored.object["spec", "nodeName"] == nil else { return failure(409, "Conflict") }
            return .success(change(stored, key, &state) { $0["spec", "nodeName"] = body["target", "name"] })
        case (.put, let subresource):
            if let version = body["metadata", "resourceVersion"],
                version != stored.object["metadata", "resourceVersion"]
            {
                return failure(409, "Conflict")
            }
            return .success(
                change(stored, key, &state) { object in
                    if subresource == "status" {
                        object["status"] = body["status"]
                    } else {
                        let status = object["status"]
                        let metadata = object["metadata"]
                        object = body
                        for own in ["uid", "creationTimestamp", "deletionTimestamp"] {
                            object["metadata", own] = metadata?[own]
                        }
                        object["status"] = status
                        if subresource == "finalize" { object["spec"] = body["spec"] }
                    }
                })
        case (.patch, _):
            if let version = body["metadata", "resourceVersion"]?.string,
                version != stored.object["metadata", "resourceVersion"]?.string
            {
                return failure(409, "Conflict")
            }
            return .success(change(stored, key, &state) { $0 = merged(body, into: $0) })
        case (.delete, _):
            if let uid = body["preconditions", "uid"], uid != stored.object["metadata", "uid"] {
                return failure(409, "Conflict")
            }
            let policy = body["propagationPolicy"]?.string
            let waits = policy == "Orphan" ? "orphan" : policy == "Foreground" ? "foregroundDeletion" : nil
            let isNamespace = route.collection == "/api/v1/namespaces"
            let isGraceful =
                route.collection == "/api/v1/pods" && body["gracePeriodSeconds"]?.integer != 0
                && stored.object["spec", "nodeName"] != nil
            if waits != nil || isNamespace || isGraceful {
                return .success(
                    change(stored, key, &state) { object in
                        object["metadata", "deletionTimestamp"] = Timestamp.now.json
                        if let waits { object["metadata", "finalizers"] = .array([.string(waits)]) }
                    })
            }
            return .success(remove(stored, key, &state))
        default: return failure(405, "MethodNotAllowed")
        }
    }

    private static func change(
        _ stored: Stored, _ key: String, _ state: inout State, _ body: (inout JSON) -> Void
    ) -> JSON {
        var changed = stored
        body(&changed.object)
        let metadata = ObjectMetadata(document: changed.object["metadata"] ?? .emptyObject)
        let finalizers = changed.object["spec", "finalizers"]?.array ?? []
        let hadFinalizers = stored.object["metadata", "finalizers"] != nil || stored.path.hasSuffix("/namespaces")
        if metadata.isBeingDeleted, hadFinalizers, metadata.finalizers.isEmpty, finalizers.isEmpty {
            return remove(changed, key, &state)
        }
        if changed.object["spec"] != stored.object["spec"] {
            changed.object["metadata", "generation"] = .integer((metadata.generation ?? 0) + 1)
        }
        return store(changed, key, "MODIFIED", &state)
    }

    private static func store(_ stored: Stored, _ key: String, _ type: String, _ state: inout State) -> JSON {
        var stored = stored
        state.revision += 1
        stored.object["metadata", "resourceVersion"] = .string(String(state.revision))
        state.objects[key] = stored
        state.history.append(Entry(revision: state.revision, type: type, stored: stored))
        return stored.object
    }

    private static func remove(_ stored: Stored, _ key: String, _ state: inout State) -> JSON {
        var stored = stored
        state.revision += 1
        stored.object["metadata", "resourceVersion"] = .string(String(state.revision))
        state.objects[key] = nil
        state.history.append(Entry(revision: state.revision, type: "DELETED", stored: stored))
        return stored.object
    }

    private static func merged(_ patch: JSON, into target: JSON) -> JSON {
        guard let members = patch.object else { return patch }
        var result = target.object == nil ? .emptyObject : target
        for key in members.keys {
            guard let value = patch[key] else { continue }
            result[key] = value.isNull ? nil : merged(value, into: result[key] ?? .null)
        }
        return result
    }

    private static var discovery: JSON {
        let kinds = [
            ("pods", "Pod"), ("replicationcontrollers", "ReplicationController"), ("services", "Service"),
            ("endpoints", "Endpoints"), ("configmaps", "ConfigMap"), ("serviceaccounts", "ServiceAccount"),
        ]
        return .array(
            kinds.map { plural, kind in
                [
                    "name": .string(plural), "kind": .string(kind), "namespaced": true,
                    "verbs": ["get", "list", "delete", "create", "watch"],
                ]
            })
    }
}
