import HTTPTransport
import HTTPTypes
import KubeSchema

/// Subresources that stand for a part of the object which cannot be changed otherwise: containers for debugging and the
/// resources of a running pod, and the approval of a signing request.
extension APIEngine {
    func part(_ subresource: String, _ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let definition = request.definition
        let name = try request.requireName()
        let part = Registry.Part.other(subresource)
        try request.checkDryRun()
        let wanted: (StoredObject) throws(APIFailure) -> JSON
        switch request.http.head.method {
        case .get, .head: return try await get(request, writer)
        case .put:
            let (object, _) = try await decode(request)
            wanted = { (_) throws(APIFailure) in object }
        case .patch:
            let patch = try await PatchBody(request)
            if let body = patch.applied { return try await apply(body, request, part: part, writer) }
            let validation = try request.fieldValidation()
            wanted = { (current) throws(APIFailure) in
                let patched = try patch.apply(to: current.document, definition.message, definition, name)
                do throws(BodyError) {
                    return try RequestDecoder.conform(
                        patched, kind: definition.kind, message: definition.message, validation: validation
                    ).object
                } catch {
                    throw APIFailure(error)
                }
            }
        default: throw .methodNotAllowed()
        }
        let result = try await registry.update(
            definition, request.namespace, name, part: part, by: request.manager(part: part), dryRun: request.isDryRun,
            wanted)
        send(200, presenter(request).encode(result.object), writer)
    }
}

extension APIEngine {
    /// Writes into a signing request who makes it: whom the server knows, not whom the request names.
    func nameRequester(of object: inout JSON, _ request: APIRequest) {
        for field in ["username", "uid", "groups", "extra"] { object["spec", field] = nil }
        let peer = request.http.peer
        object["spec", "username"] = .string(peer?.commonName ?? "system:unsecured")
        let groups = (peer?.organizations ?? ["system:masters"]) + ["system:authenticated"]
        object["spec", "groups"] = .array(groups.map { .string($0) })
    }
}

extension Registry {
    /// The current version with the part that a subresource of one kind stands for as `new` has it.
    func takingOver(
        _ subresource: String, from new: JSON, into old: JSON, _ definition: ResourceDefinition
    ) throws(APIFailure) -> JSON {
        var document = old
        document["metadata", "resourceVersion"] = new["metadata", "resourceVersion"]
        var wanted = new
        Defaults.apply(to: &wanted, definition)
        switch subresource {
        case "ephemeralcontainers":
            document["spec", "ephemeralContainers"] = wanted["spec", "ephemeralContainers"]
            try validate(Validation.ephemeralContainers(new: document, old: old), definition, document)
        case "resize":
            for list in ["containers", "initContainers"] {
                guard var containers = document["spec", list]?.array else { continue }
                let others = wanted["spec", list]?.array ?? []
                for index in containers.indices {
                    guard let other = others.first(where: { $0["name"] == containers[index]["name"] }) else { continue }
                    containers[index]["resources"] = other["resources"]
                    containers[index]["resizePolicy"] = other["resizePolicy"]
                }
                document["spec", list] = .array(containers)
            }
            try validate(Validation.resize(new: document, old: old), definition, document)
            if PodStrategy.qualityOfService(document) != PodStrategy.qualityOfService(old) {
                try validate(
                    [
                        FieldError(
                            .invalid, "spec", value: "Pod QoS Class change",
                            "Pod QOS Class may not change as a result of resizing")
                    ], definition, document)
            }
        case "approval":
            document["status", "conditions"] = new["status", "conditions"]
            try validate(Validation.approval(new: document, old: old), definition, document)
        default: break
        }
        return document
    }
}
