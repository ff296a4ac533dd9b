import HTTPTransport
import HTTPTypes
import KubeSchema

/// The verbs on single objects.
extension APIEngine {
    func get(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let name = try request.requireName()
        let object = try await registry.get(
            request.definition, request.namespace, name, fromCache: request.query["resourceVersion"] == "0")
        send(200, presenter(request).encode(object), writer)
    }

    func create(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let definition = request.definition
        try request.checkDryRun()
        var (object, warnings) = try await decode(request)
        if definition.resource == "bindings" {
            return try await bind(object, name: object["metadata", "name"]?.string ?? "", request, writer)
        }
        guard definition.verbs.contains("create") else { throw .methodNotAllowed() }
        guard definition.isStored else { return try await review(object, request, writer, warnings) }
        let namespace = try settleNamespace(&object, request)
        if (object["metadata", "name"]?.string ?? "").isEmpty,
            (object["metadata", "generateName"]?.string ?? "").isEmpty
        {
            throw APIFailure(
                StatusDocument.invalid(
                    definition, name: "",
                    [FieldError(.required, "metadata.name", "name or generateName is required")]))
        }
        if definition.kind == "CertificateSigningRequest" { nameRequester(of: &object, request) }
        Defaults.apply(to: &object, definition)
        let stored = try await registry.create(
            object, definition, namespace: namespace, by: request.manager(), dryRun: request.isDryRun,
            lenient: request.isHistoric)
        send(201, presenter(request).encode(stored), writer, warnings: warnings)
    }

    /// Reads a body of the request's version into `v1`.
    func decode(_ request: APIRequest, merging stored: JSON? = nil) async throws(APIFailure) -> (JSON, [String]) {
        let bytes = try await request.body()
        return try decode(bytes, request, merging: stored)
    }

    func decode(_ bytes: [UInt8], _ request: APIRequest, merging stored: JSON? = nil) throws(APIFailure) -> (
        JSON, [String]
    ) {
        let definition = request.definition
        do throws(BodyError) {
            guard case .v1beta1(let resource, _) = request.target.edge else {
                let (object, warnings) = try RequestDecoder.decode(
                    body: bytes, contentType: request.contentType, as: request.served,
                    validation: try request.fieldValidationOrBody())
                return (VersionConversion.stored(object, from: request.served), warnings)
            }
            let document = try HistoricBody.parse(bytes)
            do throws(ConversionError) {
                let (object, warnings) = try V1Beta1.toV1(document, resource: resource, mergingOver: stored)
                let (conformed, _) = try Self.conform(object, definition)
                return (conformed, warnings)
            } catch {
                throw BodyError("\(error)")
            }
        } catch {
            throw APIFailure(error)
        }
    }

    /// Converted documents may carry members that `v1` does not have; the converter has warned of them.
    private static func conform(
        _ object: JSON, _ definition: ResourceDefinition
    ) throws(ConversionError) -> (JSON, [String]) {
        do throws(BodyError) {
            return try RequestDecoder.conform(
                object, kind: definition.kind, message: definition.message, validation: .ignore)
        } catch {
            throw .malformed(error.message)
        }
    }

    /// The namespace of a new object: the path's, which the body may repeat.
    private func settleNamespace(_ object: inout JSON, _ request: APIRequest) throws(APIFailure) -> String? {
        guard request.definition.isNamespaced else { return nil }
        let inBody = object["metadata", "namespace"]?.string ?? ""
        guard let namespace = request.namespace ?? (request.isHistoric ? (inBody.isEmpty ? "default" : inBody) : nil)
        else {
            throw APIFailure(
                .badRequest,
                "the namespace must be part of the path: /namespaces/<namespace>/\(request.definition.resource)")
        }
        guard inBody.isEmpty || inBody == namespace else {
            throw APIFailure(
                .badRequest, "the namespace of the provided object does not match the namespace sent on the request")
        }
        return namespace
    }

    func put(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        try await replace(request, part: .main, writer)
    }

    func replace(_ request: APIRequest, part: Registry.Part, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let definition = request.definition
        let name = try request.requireName()
        try request.checkDryRun()
        let bytes = try await request.body()
        if part == .main, definition.kind == "Event", request.isHistoric { throw .methodNotAllowed() }
        // Decoded once before anything is looked up, so that a bad body is named whatever the object's state.
        var (object, warnings) = request.isHistoric ? (JSON.null, []) : try decode(bytes, request)
        if !request.isHistoric { _ = try settleNamespace(&object, request) }
        do throws(APIFailure) {
            let result = try await registry.update(
                definition, request.namespace, name, part: part, by: request.manager(part: part),
                dryRun: request.isDryRun, lenient: request.isHistoric
            ) { (current) throws(APIFailure) in
                if request.isHistoric { (object, warnings) = try decode(bytes, request, merging: current.document) }
                var new = object
                if part == .main { Defaults.apply(to: &new, definition) }
                return new
            }
            send(200, presenter(request).encode(result.object), writer, warnings: warnings)
        } catch {
            guard error.reason == "NotFound", part == .main, Strategies.of(definition).createsOnUpdate,
                !request.isHistoric
            else {
                throw error
            }
            object["metadata", "name"] = .string(name)
            Defaults.apply(to: &object, definition)
            let stored = try await registry.create(
                object, definition, namespace: request.namespace, by: request.manager(), dryRun: request.isDryRun)
            send(201, presenter(request).encode(stored), writer, warnings: warnings)
        }
    }

    func patch(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        try await patch(request, part: .main, writer)
    }

    func patch(_ request: APIRequest, part: Registry.Part, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let definition = request.definition
        let name = try request.requireName()
        try request.checkDryRun()
        let patch = try await PatchBody(request)
        if let body = patch.applied { return try await apply(body, request, part: part, writer) }
        let validation = try request.fieldValidation()
        var warnings: [String] = []
        let result = try await registry.update(
            definition, request.namespace, name, part: part, by: request.manager(part: part), dryRun: request.isDryRun,
            lenient: request.isHistoric
        ) { (current) throws(APIFailure) in
            // A patch is written against the version of its path.
            let shown = VersionConversion.served(current.document, as: request.served)
            let patched = try patch.apply(to: shown, request.served.message, definition, name)
            var new: JSON
            do throws(BodyError) {
                (new, warnings) = try RequestDecoder.conform(
                    patched, kind: definition.kind, message: request.served.message, validation: validation)
            } catch {
                throw APIFailure(error)
            }
            new = VersionConversion.stored(new, from: request.served)
            if part == .main { Defaults.apply(to: &new, definition) }
            return new
        }
        send(200, presenter(request).encode(result.object), writer, warnings: warnings)
    }

    func delete(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let definition = request.definition
        let name = try request.requireName()
        if request.isHistoric, definition.kind == "Endpoints" { throw .methodNotAllowed() }
        var options = try await deleteOptions(request)
        // v1beta1 knew no grace: what is deleted is gone from the client's view, and the kubelet takes its time anyway.
        if request.isHistoric, options.gracePeriodSeconds == nil {
            options.propagationPolicy = options.propagationPolicy ?? "Background"
        }
        let result = try await registry.delete(definition, request.namespace, name, options)
        if request.isHistoric {
            let status = StatusDocument.success(
                group: definition.group, kind: definition.resource, name: name, uid: result.object.uid)
            return send(200, presenter(request).encode(document: status), writer)
        }
        if result.removed, !Strategies.of(definition).deletionAnswersObject {
            let status = StatusDocument.success(
                group: definition.group, kind: definition.resource, name: name, uid: result.object.uid)
            return send(200, status.encoded(), writer)
        }
        send(200, presenter(request).encode(result.object), writer)
    }

    func deleteOptions(_ request: APIRequest) async throws(APIFailure) -> DeleteOptions {
        let bytes = try await request.body()
        var options = DeleteOptions()
        if !bytes.isEmpty, !request.isHistoric, let message = SchemaTable.builtin.message("meta/v1.DeleteOptions") {
            do throws(BodyError) {
                let (document, _) = try RequestDecoder.decode(
                    body: bytes, contentType: request.contentType, kind: "DeleteOptions", apiVersion: nil,
                    message: message,
                    validation: .ignore)
                options = try DeleteOptions.of(document)
            } catch {
                throw APIFailure(error)
            }
        }
        try options.merge(request.query)
        return options
    }
}

extension DeleteOptions {
    fileprivate static func of(_ document: JSON) throws(BodyError) -> DeleteOptions {
        do throws(APIFailure) { return try DeleteOptions(document) } catch {
            throw BodyError(error.status["message"]?.string ?? "bad DeleteOptions")
        }
    }
}

extension APIRequest {
    fileprivate func fieldValidationOrBody() throws(BodyError) -> FieldValidation {
        do throws(APIFailure) { return try fieldValidation() } catch {
            throw BodyError(reason: .invalid, error.status["message"]?.string ?? "bad fieldValidation")
        }
    }
}

/// Bodies of 2015: JSON, or what its authors took for JSON and YAML.
enum HistoricBody {
    static func parse(_ bytes: [UInt8]) throws(BodyError) -> JSON {
        let syntaxError: String
        do throws(JSONSyntaxError) { return try JSON(parsing: bytes) } catch { syntaxError = "\(error)" }
        do throws(YAMLError) {
            let document = try JSON(yaml: bytes)
            if case .object = document { return document }
        } catch {}
        throw BodyError("the body is neither JSON nor YAML of an object: \(syntaxError)")
    }
}
