import HTTPTransport
import KubeSchema

/// Kinds that ask a question: a POST is answered with the object and its status, and nothing is kept.
extension APIEngine {
    func review(
        _ object: JSON, _ request: APIRequest, _ writer: HTTPResponseWriter, _ warnings: [String]
    ) async throws(APIFailure) {
        var object = object
        switch request.definition.kind {
        // Whoever is let in may do everything, so the answer is yes.
        case "SelfSubjectAccessReview", "SubjectAccessReview", "LocalSubjectAccessReview":
            object["status"] = ["allowed": true]
        case "SelfSubjectRulesReview":
            object["status"] = [
                "resourceRules": [["verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]]],
                "nonResourceRules": [["verbs": ["*"], "nonResourceURLs": ["*"]]],
                "incomplete": false,
            ]
        case "SelfSubjectReview":
            object["status"] = ["userInfo": user(request)]
        case "TokenReview":
            object["status"] = try await reviewToken(object)
        default: throw .methodNotAllowed()
        }
        object["metadata", "creationTimestamp"] = .string(registry.now().rfc3339)
        send(201, presenter(request).encode(document: object), writer, warnings: warnings)
    }

    /// Who asks: the subject of the client certificate; without TLS nobody in particular.
    private func user(_ request: APIRequest) -> JSON {
        guard let peer = request.http.peer else {
            return ["username": "system:unsecured", "groups": ["system:masters", "system:authenticated"]]
        }
        let groups = peer.organizations + ["system:authenticated"]
        return ["username": .string(peer.commonName), "groups": .array(groups.map { .string($0) })]
    }
}
