import HTTPTransport
import HTTPTypes
import KubeSchema

/// A patch as it came in: its kind by Content-Type, and its document.
struct PatchBody: Sendable {
    private enum Content {
        case json(JSON), merge(JSON), strategic(JSON)
        /// An apply patch is read once it is known what it applies to.
        case apply([UInt8])
    }
    private let content: Content

    init(_ request: APIRequest) async throws(APIFailure) {
        let type = request.contentType?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } ?? ""
        let bytes = try await request.body()
        switch type {
        case "application/json-patch+json": content = .json(try Self.parse(bytes))
        case "application/merge-patch+json", "application/json", "": content = .merge(try Self.parse(bytes))
        case "application/strategic-merge-patch+json": content = .strategic(try Self.parse(bytes))
        case "application/apply-patch+yaml": content = .apply(bytes)
        default:
            throw APIFailure(
                .unsupportedMediaType,
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json, "
                    + "application/strategic-merge-patch+json, application/apply-patch+yaml")
        }
        try checkOptions(request)
    }

    private static func parse(_ bytes: [UInt8]) throws(APIFailure) -> JSON {
        do throws(JSONSyntaxError) { return try JSON(parsing: bytes) } catch {
            throw APIFailure(.badRequest, "error decoding patch: \(error)")
        }
    }

    /// `PatchOptions` that go with one kind of patch only.
    private func checkOptions(_ request: APIRequest) throws(APIFailure) {
        var errors: [FieldError] = []
        if case .apply = content {
            if (request.query["fieldManager"] ?? "").isEmpty {
                errors.append(FieldError(.required, "fieldManager", "is required for apply patch"))
            }
        } else if request.query["force"] != nil {
            errors.append(FieldError(.forbidden, "force", "may not be specified for non-apply patch"))
        }
        errors += FieldManager.check(request.query["fieldManager"] ?? "")
        guard errors.isEmpty else { throw .invalidOptions("PatchOptions", errors) }
    }

    /// The body of an apply patch; `nil` of another one.
    var applied: [UInt8]? { if case .apply(let bytes) = content { bytes } else { nil } }

    /// Changes an object as the patch says. An apply patch changes nothing by itself: see ``Registry/apply(_:_:_:_:part:dryRun:)``.
    func apply(
        to object: JSON, _ message: MessageSchema, _ definition: ResourceDefinition, _ name: String
    ) throws(APIFailure) -> JSON {
        do throws(PatchError) {
            return switch content {
            case .json(let patch): try Patch.json(patch, to: object)
            case .merge(let patch): try Patch.merge(patch, to: object)
            case .strategic(let patch): try Patch.strategicMerge(patch, to: object, schema: message)
            case .apply: object
            }
        } catch {
            throw APIFailure(
                StatusDocument.failure(
                    reason: error.reason, message: "\(error)", group: definition.group, kind: definition.resource,
                    name: name))
        }
    }
}

extension FieldManager {
    /// The longest name in bytes.
    private static let nameLimit = 128

    /// What is wrong with a name that a client gave itself.
    static func check(_ name: String) -> [FieldError] {
        if name.utf8.count > nameLimit {
            return [FieldError(.tooLong, "fieldManager", "may not be more than \(nameLimit) bytes")]
        }
        if let bad = name.unicodeScalars.first(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return [
                FieldError(
                    .invalid, "fieldManager", value: .string(name),
                    "invalid character U+\(String(bad.value, radix: 16, uppercase: true)) (should be printable)")
            ]
        }
        return []
    }

    /// The name of a client that gives none: what its User-Agent says before the first slash.
    static func name(ofUserAgent agent: String) -> String {
        var name = ""
        for scalar in (agent.split(separator: "/").first ?? "").unicodeScalars
        where scalar.value >= 0x20 && scalar.value != 0x7F {
            guard name.utf8.count + String(scalar).utf8.count <= nameLimit else { break }
            name.unicodeScalars.append(scalar)
        }
        return name
    }
}

extension APIRequest {
    /// Who writes, as `managedFields` is to name him.
    func manager(_ operation: FieldManager.Operation = .update, part: Registry.Part = .main) -> FieldManager {
        let given = query["fieldManager"] ?? ""
        let name = given.isEmpty ? FieldManager.name(ofUserAgent: http.head.headerFields[.userAgent] ?? "") : given
        return FieldManager(name, operation, apiVersion: definition.apiVersion, subresource: part.subresource)
    }
}

extension APIFailure {
    /// Parameters of a request that break rules.
    static func invalidOptions(_ kind: String, _ errors: [FieldError]) -> APIFailure {
        APIFailure(
            StatusDocument.failure(
                reason: .invalid, message: "\(kind).meta.k8s.io \"\" is invalid: \(FieldError.aggregate(errors))",
                group: "meta.k8s.io", kind: kind, causes: errors.map(\.cause)))
    }
}
