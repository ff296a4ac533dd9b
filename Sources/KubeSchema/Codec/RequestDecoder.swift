import OrderedCollections

/// What to do about members that the schema does not know, or that are written twice.
package enum FieldValidation: String, Sendable {
    case strict = "Strict"
    case warn = "Warn"
    case ignore = "Ignore"
}

/// Why a request's body could not be read: the reason and message of the Status that answers it.
package struct BodyError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `.badRequest` or `.unsupportedMediaType`.
    package let reason: StatusReason
    package let message: String
    package var description: String { message }

    package init(reason: StatusReason = .badRequest, _ message: String) {
        self.reason = reason
        self.message = message
    }
}

/// Turns the bodies of requests into documents of which the rest of the project need not doubt the shape.
///
/// What comes out has a `kind` and an `apiVersion`; every member is known to the schema and of its type; nulls and, where
/// the API does not tell them from absent values, zero values are gone; quantities and times are in canonical form.
package enum RequestDecoder {
    /// The form of a body.
    package enum MediaType: Sendable {
        case json, yaml, protobuf

        /// Reads a Content-Type; a missing one means JSON, since several clients send none.
        package init?(contentType: String?) {
            let type = contentType?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } ?? ""
            switch type {
            case "", "application/json", "text/json": self = .json
            case "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml": self = .yaml
            case "application/vnd.kubernetes.protobuf": self = .protobuf
            default: return nil
            }
        }
    }

    /// Decodes an object of the resource `definition`.
    package static func decode(
        body: [UInt8], contentType: String?, as definition: ResourceDefinition, validation: FieldValidation
    ) throws(BodyError) -> (object: JSON, warnings: [String]) {
        try decode(
            body: body, contentType: contentType, kind: definition.kind, apiVersion: definition.apiVersion,
            message: definition.message, validation: validation)
    }

    /// Decodes a document of one kind, such as that of a subresource or `DeleteOptions`.
    ///
    /// - Parameter apiVersion: What the document must say if it says anything; `nil` accepts every version, as is right
    ///   for `DeleteOptions`, which clients label with whatever group they talk to.
    package static func decode(
        body: [UInt8], contentType: String?, kind: String, apiVersion: String?, message: MessageSchema,
        validation: FieldValidation
    ) throws(BodyError) -> (object: JSON, warnings: [String]) {
        guard var mediaType = MediaType(contentType: contentType) else {
            throw BodyError(
                reason: .unsupportedMediaType,
                "the body of the request was in an unknown format (\(contentType ?? "")) - accepted media types include: "
                    + "application/json, application/yaml, application/vnd.kubernetes.protobuf")
        }
        if body.starts(with: ProtobufDecoder.magic) { mediaType = .protobuf }
        var (document, duplicates) = try parse(body, mediaType, kind: kind, message: message)
        guard case .object = document else {
            throw unrecognized(kind, "json: cannot unmarshal \(document.goKind) into an object")
        }
        try checkType(of: &document, kind: kind, apiVersion: apiVersion)
        return try conform(document, duplicates: duplicates, kind: kind, message: message, validation: validation)
    }

    /// Brings a document that is already parsed (the result of a patch, a converted one) into the same form.
    package static func conform(
        _ document: JSON, duplicates: [String] = [], kind: String, message: MessageSchema, validation: FieldValidation
    ) throws(BodyError) -> (object: JSON, warnings: [String]) {
        var conformer = SchemaConformer()
        let object: JSON
        do throws(TypeMismatch) {
            object = try conformer.conform(document, to: message)
        } catch {
            throw cannotBeHandled(document, kind, error.description)
        }
        if validation == .ignore { return (object, []) }
        let problems =
            conformer.unknown.map { "unknown field \"\($0)\"" } + duplicates.map { "duplicate field \"\($0)\"" }
        if validation == .strict, !problems.isEmpty {
            throw cannotBeHandled(document, kind, "strict decoding error: \(problems.joined(separator: ", "))")
        }
        return (object, problems)
    }

    private static func parse(
        _ body: [UInt8], _ mediaType: MediaType, kind: String, message: MessageSchema
    ) throws(BodyError) -> (JSON, duplicates: [String]) {
        var duplicates: [String] = []
        switch mediaType {
        case .json:
            do throws(JSONSyntaxError) {
                return (try JSON.parse(body.span, duplicates: &duplicates), duplicates)
            } catch {
                throw unrecognized(kind, error.description)
            }
        case .yaml:
            do throws(YAMLError) {
                return (try JSON.parse(yaml: body, duplicates: &duplicates), duplicates)
            } catch {
                throw unrecognized(kind, error.description)
            }
        case .protobuf:
            do throws(ProtobufError) {
                return (try ProtobufDecoder.decode(envelope: body, as: message), [])
            } catch {
                throw unrecognized(kind, error.description)
            }
        }
    }

    /// Fills in a missing `kind` and `apiVersion` and refuses wrong ones.
    private static func checkType(of document: inout JSON, kind: String, apiVersion: String?) throws(BodyError) {
        switch document["kind"] {
        case nil, .null, .string(""): document["kind"] = .string(kind)
        case .string(kind): break
        case .string(let other):
            throw cannotBeHandled(
                document, kind, "the kind in the data (\(other)) does not match the expected kind (\(kind))")
        case let other?: throw unrecognized(kind, "kind must be a string, not \(other.goKind)")
        }
        guard let apiVersion else { return }
        switch document["apiVersion"] {
        case nil, .null, .string(""): document["apiVersion"] = .string(apiVersion)
        case .string(apiVersion): break
        case .string(let other):
            throw BodyError(
                "the API version in the data (\(other)) does not match the expected API version (\(apiVersion))")
        case let other?: throw unrecognized(kind, "apiVersion must be a string, not \(other.goKind)")
        }
    }

    private static func unrecognized(_ kind: String, _ why: String) -> BodyError {
        BodyError("the object provided is unrecognized (must be of type \(kind)): \(why)")
    }

    private static func cannotBeHandled(_ document: JSON, _ kind: String, _ why: String) -> BodyError {
        let version = ResourceCatalogue.split(apiVersion: document["apiVersion"]?.string ?? "").version
        return BodyError(
            "\(document["kind"]?.string ?? kind) in version \(JSON.string(version)) cannot be handled as a \(kind): \(why)"
        )
    }
}

extension JSON {
    /// The value's type in the words that Kubernetes' messages use.
    var goKind: String {
        switch self {
        case .null: "null"
        case .bool: "bool"
        case .integer, .double: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
