import HTTPTransport
import HTTPTypes
import KubeSchema
import OrderedCollections

/// The scale subresource: the number of replicas of any kind that has one, in one form for all.
extension APIEngine {
    private func scale(_ object: JSON) -> JSON {
        var metadata: JSON = [:]
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[field] = object["metadata", field]
        }
        var status: JSON = ["replicas": object["status", "replicas"] ?? 0]
        if let selector = selector(object["spec", "selector"]) { status["selector"] = .string(selector) }
        return [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata,
            "spec": ["replicas": object["spec", "replicas"] ?? 0], "status": status,
        ]
    }

    /// The selector as a query carries it: of replication controllers a map of labels, of all others a `LabelSelector`.
    private func selector(_ selector: JSON?) -> String? {
        guard let selector, let members = selector.object, !members.isEmpty else { return nil }
        if members["matchLabels"]?.object != nil || members["matchExpressions"]?.array != nil {
            return (try? LabelSelector(selector))?.description
        }
        return LabelSelector(matchLabels: selector.stringMap ?? [:]).description
    }

    func getScale(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let object = try await registry.get(request.definition, request.namespace, try request.requireName())
        send(200, scale(object.document).encoded(), writer)
    }

    func setScale(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let definition = request.definition
        let name = try request.requireName()
        guard let message = definition.subresource("scale")?.message else { throw .unknownPath() }
        try request.checkDryRun()
        let patch: PatchBody? = request.http.head.method == .patch ? try await PatchBody(request) : nil
        if let body = patch?.applied { return try await applyScale(body, message, request, writer) }
        let bytes = patch == nil ? try await request.body() : []
        let manager = request.manager(part: .other("scale"))
        let result = try await registry.update(
            definition, request.namespace, name, by: manager, dryRun: request.isDryRun
        ) { (current) throws(APIFailure) in
            let wanted: JSON
            do throws(BodyError) {
                if let patch {
                    let patched = try patch.patched(scale(current.document), message, definition, name)
                    wanted = try RequestDecoder.conform(patched, kind: "Scale", message: message, validation: .ignore)
                        .object
                } else {
                    wanted = try RequestDecoder.decode(
                        body: bytes, contentType: request.contentType, kind: "Scale", apiVersion: "autoscaling/v1",
                        message: message, validation: .ignore
                    ).object
                }
            } catch {
                throw APIFailure(error)
            }
            let replicas = wanted["spec", "replicas"]?.integer ?? 0
            try check(replicas, name)
            var new = current.document
            new["spec", "replicas"] = .integer(replicas)
            new["metadata", "resourceVersion"] = wanted["metadata", "resourceVersion"]
            return new
        }
        send(200, scale(result.object.document).encoded(), writer)
    }

    /// A configuration of a scale is one of the object's number of replicas.
    private func applyScale(
        _ body: [UInt8], _ message: MessageSchema, _ request: APIRequest, _ writer: HTTPResponseWriter
    ) async throws(APIFailure) {
        let definition = request.definition
        let name = try request.requireName()
        var configuration: JSON
        do throws(BodyError) {
            configuration = try ApplyConfiguration.decode(
                body: body, definition, kind: "Scale", apiVersion: "autoscaling/v1", message: message, name: name,
                namespace: request.namespace, validation: .ignore
            ).configuration
        } catch {
            throw APIFailure(error)
        }
        let replicas = configuration["spec", "replicas"]
        if let replicas { try check(replicas.integer ?? 0, name) }
        configuration = [
            "kind": .string(definition.kind), "apiVersion": .string(definition.apiVersion),
            "metadata": ["name": .string(name)],
        ]
        if let replicas { configuration["spec", "replicas"] = replicas }
        _ = try await registry.get(definition, request.namespace, name)  // a scale alone makes no object
        let result = try await registry.apply(
            .init(
                configuration: configuration, manager: request.manager(.apply, part: .other("scale")),
                force: request.query.flag("force")), definition, request.namespace, name, dryRun: request.isDryRun)
        send(200, scale(result.object.document).encoded(), writer)
    }

    private func check(_ replicas: Int64, _ name: String) throws(APIFailure) {
        guard replicas < 0 else { return }
        let error = FieldError(
            .invalid, "spec.replicas", value: .integer(replicas), "must be greater than or equal to 0")
        throw APIFailure(
            StatusDocument.failure(
                reason: .invalid,
                message: "Scale.autoscaling \"\(name)\" is invalid: \(error)", group: "autoscaling", kind: "Scale",
                name: name, causes: [error.cause]))
    }
}
