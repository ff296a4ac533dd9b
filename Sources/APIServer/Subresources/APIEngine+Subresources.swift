import HTTPTransport
import HTTPTypes
import KubeSchema
import OrderedCollections

extension APIEngine {
    func serve(subresource: String, _ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let method = request.http.head.method
        guard let name = request.target.name, request.definition.subresource(subresource) != nil else {
            throw .unknownPath()
        }
        switch (request.definition.resource, subresource, method) {
        case (_, "status", .get), (_, "status", .head): try await get(request, writer)
        case (_, "status", .put): try await replace(request, part: .status, writer)
        case (_, "status", .patch): try await patch(request, part: .status, writer)
        case ("namespaces", "finalize", .put): try await replace(request, part: .finalize, writer)
        case (_, "scale", .get): try await getScale(request, writer)
        case (_, "scale", .put), (_, "scale", .patch): try await setScale(request, writer)
        case ("pods", "ephemeralcontainers", _), ("pods", "resize", _), ("certificatesigningrequests", "approval", _):
            try await part(subresource, request, writer)
        case ("serviceaccounts", "token", .post): try await issueToken(request, writer)
        case ("pods", "binding", .post): try await bind(try await binding(request), name: name, request, writer)
        case ("pods", "eviction", .post): try await evict(request, writer)
        case ("pods", "log", .get): try await log(request, writer)
        case ("pods", "exec", .get), ("pods", "exec", .post): try await stream("exec", request, writer)
        case ("pods", "attach", .get), ("pods", "attach", .post): try await stream("attach", request, writer)
        case ("pods", "portforward", .get), ("pods", "portforward", .post):
            try await stream("portForward", request, writer)
        default: throw .methodNotAllowed()
        }
    }

    // MARK: - Binding

    private func binding(_ request: APIRequest) async throws(APIFailure) -> JSON {
        guard let bindings = catalogue.resource(group: "", version: "v1", kind: "Binding") else { throw .unknownPath() }
        do throws(BodyError) {
            return try RequestDecoder.decode(
                body: try await request.bytes(), contentType: request.contentType, as: bindings, validation: .ignore
            ).object
        } catch {
            throw APIFailure(error)
        }
    }

    /// Puts a pod on the node that the binding names, if it has none.
    func bind(_ binding: JSON, name: String, _ request: APIRequest, _ writer: HTTPResponseWriter)
        async throws(APIFailure)
    {
        guard let pods = catalogue.resource(group: "", version: "v1", resource: "pods") else { throw .unknownPath() }
        guard !name.isEmpty else { throw APIFailure(.badRequest, "the binding does not name a pod") }
        let node = binding["target", "name"]?.string ?? ""
        guard !node.isEmpty else {
            throw APIFailure(StatusDocument.invalid(pods, name: name, [FieldError(.required, "target.name")]))
        }
        let kind = binding["target", "kind"]?.string ?? ""
        guard kind.isEmpty || kind == "Node" || kind == "Minion" else {
            throw APIFailure(
                StatusDocument.invalid(pods, name: name, [FieldError.notSupported("target.kind", kind, ["Node"])]))
        }
        let namespace = request.namespace ?? "default"
        _ = try await registry.change(pods, namespace, name, dryRun: request.isDryRun) {
            (current, context) throws(APIFailure) in
            func refuse(_ why: String) -> APIFailure { APIFailure(StatusDocument.conflict(pods, name: name, why)) }
            if let uid = binding["metadata", "uid"]?.string, !uid.isEmpty, uid != current.uid {
                throw refuse("Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid)")
            }
            guard current.document["metadata", "deletionTimestamp"] == nil else {
                throw refuse("pod \(name) is being deleted, cannot be assigned to a host")
            }
            if let bound = current.document["spec", "nodeName"]?.string, !bound.isEmpty {
                throw refuse("pod \(name) is already assigned to node \"\(bound)\"")
            }
            var pod = current.document
            pod["spec", "nodeName"] = .string(node)
            for (key, value) in binding["metadata", "annotations"]?.object ?? [:] {
                pod["metadata", "annotations", key] = value
            }
            var conditions = (pod["status", "conditions"]?.array ?? []).filter { $0["type"] != "PodScheduled" }
            conditions.append([
                "type": "PodScheduled", "status": "True", "lastTransitionTime": .string(context.now.rfc3339),
            ])
            pod["status", "conditions"] = .array(conditions)
            return .store(pod)
        }
        send(201, presenter(request).encode(document: StatusDocument.success(code: 201)), writer)
    }
}

extension APIRequest {
    func bytes() async throws(BodyError) -> [UInt8] {
        do throws(APIFailure) { return try await body() } catch {
            throw BodyError(
                reason: StatusReason(rawValue: error.reason) ?? .badRequest, error.status["message"]?.string ?? "")
        }
    }
}

extension PatchBody {
    func patched(
        _ object: JSON, _ message: MessageSchema, _ definition: ResourceDefinition, _ name: String
    ) throws(BodyError) -> JSON {
        do throws(APIFailure) { return try apply(to: object, message, definition, name) } catch {
            throw BodyError(
                reason: StatusReason(rawValue: error.reason) ?? .badRequest, error.status["message"]?.string ?? "")
        }
    }
}
