import KubeSchema

/// A patch as it came in: its kind by Content-Type, and its document.
struct PatchBody: Sendable {
    private enum Kind { case json, merge, strategic }
    private let kind: Kind
    private let document: JSON

    init(_ request: APIRequest) async throws(APIFailure) {
        let type = request.contentType?.split(separator: ";").first.map { $0.lowercased().filter { $0 != " " } } ?? ""
        switch type {
        case "application/json-patch+json": kind = .json
        case "application/merge-patch+json", "application/json", "": kind = .merge
        case "application/strategic-merge-patch+json": kind = .strategic
        default:
            throw APIFailure(
                .unsupportedMediaType,
                "the body of the request was in an unknown format - accepted media types include: "
                    + "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json"
            )
        }
        do { document = try JSON(parsing: try await request.body()) } catch let failure as APIFailure {
            throw failure
        } catch {
            throw APIFailure(.badRequest, "error decoding patch: \(error)")
        }
    }

    func apply(
        to object: JSON, _ message: MessageSchema, _ definition: ResourceDefinition, _ name: String
    ) throws(APIFailure) -> JSON {
        do throws(PatchError) {
            return switch kind {
            case .json: try Patch.json(document, to: object)
            case .merge: try Patch.merge(document, to: object)
            case .strategic: try Patch.strategicMerge(document, to: object, schema: message)
            }
        } catch {
            throw APIFailure(
                StatusDocument.failure(
                    reason: error.reason, message: "\(error)", group: definition.group, kind: definition.resource,
                    name: name))
        }
    }
}
