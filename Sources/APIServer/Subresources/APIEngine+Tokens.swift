import FoundationEssentials
import HTTPTransport
import HTTPTypes
import KubeSchema

extension APIEngine {
    private static let shortestToken: Int64 = 600
    private static let longestToken: Int64 = 1 << 32
    private static let defaultToken: Int64 = 3600

    /// Signs a token for a service account (`serviceaccounts/x/token`).
    func issueToken(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let definition = request.definition
        guard let message = definition.subresource("token")?.message else { throw .unknownPath() }
        try request.checkDryRun()
        let name = try request.requireName()
        var body: JSON
        do throws(BodyError) {
            body = try RequestDecoder.decode(
                body: try await request.bytes(), contentType: request.contentType, kind: "TokenRequest",
                apiVersion: "authentication.k8s.io/v1", message: message, validation: .ignore
            ).object
        } catch {
            throw APIFailure(error)
        }
        let account = try await registry.get(definition, request.namespace, name)
        let seconds = body["spec", "expirationSeconds"]?.integer ?? Self.defaultToken
        guard (Self.shortestToken...Self.longestToken).contains(seconds) else {
            let error = FieldError(
                .invalid, "spec.expirationSeconds", value: .integer(seconds),
                seconds < Self.shortestToken
                    ? "may not specify a duration less than 10 minutes"
                    : "may not specify a duration larger than 2^32 seconds")
            throw APIFailure(
                StatusDocument.failure(
                    reason: .invalid, message: "TokenRequest.authentication.k8s.io \"\" is invalid: \(error)",
                    group: "authentication.k8s.io", kind: "TokenRequest", causes: [error.cause]))
        }
        var audiences = body["spec", "audiences"]?.array ?? []
        if audiences.isEmpty { audiences = [.string(ServiceAccountTokens.issuer)] }
        let namespace = request.namespace ?? ""
        let now = registry.now().seconds
        var subject: JSON = [
            "namespace": .string(namespace), "serviceaccount": ["name": .string(name), "uid": .string(account.uid)],
        ]
        if let bound = body["spec", "boundObjectRef"] {
            subject[(bound["kind"]?.string ?? "").lowercased()] = try await boundObject(bound, namespace, name)
        }
        let claims: JSON = [
            "aud": .array(audiences), "exp": .integer(now + seconds), "iat": .integer(now),
            "iss": .string(ServiceAccountTokens.issuer), "jti": .string(UUID().uuidString.lowercased()),
            "kubernetes.io": subject, "nbf": .integer(now),
            "sub": .string("system:serviceaccount:\(namespace):\(name)"),
        ]
        body["metadata"] = [
            "name": .string(name), "namespace": .string(namespace),
            "creationTimestamp": .string(Timestamp(seconds: now).rfc3339),
        ]
        body["spec", "audiences"] = .array(audiences)
        body["spec", "expirationSeconds"] = .integer(seconds)
        body["status"] = [
            "token": .string(try await tokens.sign(claims)),
            "expirationTimestamp": .string(Timestamp(seconds: now + seconds).rfc3339),
        ]
        send(201, presenter(request).encode(document: body), writer)
    }

    /// The object with which a token ends.
    private func boundObject(_ reference: JSON, _ namespace: String, _ account: String) async throws(APIFailure) -> JSON
    {
        let kind = reference["kind"]?.string ?? ""
        let name = reference["name"]?.string ?? ""
        guard ["Pod", "Secret", "Node"].contains(kind),
            let definition = catalogue.resource(group: "", version: "v1", kind: kind)
        else {
            throw APIFailure(.badRequest, "cannot bind token to object of type \(kind): Pod, Secret and Node are known")
        }
        let object = try await registry.get(definition, definition.isNamespaced ? namespace : nil, name)
        if let uid = reference["uid"]?.string, !uid.isEmpty, uid != object.uid {
            throw APIFailure(
                StatusDocument.conflict(
                    definition, name: name,
                    "the UID in the bound object reference (\(uid)) does not match the UID in record. The object might "
                        + "have been deleted and then recreated"))
        }
        if kind == "Pod", let user = object.document["spec", "serviceAccountName"]?.string, user != account {
            throw APIFailure(
                .badRequest,
                "cannot bind token for serviceaccount \(JSON.string(account)) to pod running with different "
                    + "serviceaccount name.")
        }
        return ["name": .string(name), "uid": .string(object.uid)]
    }

    /// Who a bearer token of this cluster is: `nil` unless the token holds and its account, and the object it is bound to,
    /// are still there.
    ///
    /// - Parameter audience: What the token must be meant for.
    func identity(ofToken token: String, audience: String = ServiceAccountTokens.issuer) async throws(APIFailure)
        -> PeerIdentity?
    {
        guard let claims = try await tokens.verify(token, now: registry.now().seconds),
            claims["aud"]?.array?.contains(.string(audience)) == true,
            let namespace = claims["kubernetes.io", "namespace"]?.string,
            let accounts = catalogue.resource(group: "", version: "v1", resource: "serviceaccounts"),
            let name = claims["kubernetes.io", "serviceaccount", "name"]?.string,
            cached(accounts, namespace, name)?.uid == claims["kubernetes.io", "serviceaccount", "uid"]?.string
        else { return nil }
        for (claim, resource) in [("pod", "pods"), ("secret", "secrets"), ("node", "nodes")] {
            guard let bound = claims["kubernetes.io", claim] else { continue }
            guard let definition = catalogue.resource(group: "", version: "v1", resource: resource),
                let object = cached(definition, definition.isNamespaced ? namespace : nil, bound["name"]?.string ?? ""),
                object.uid == bound["uid"]?.string
            else { return nil }
        }
        return PeerIdentity(
            commonName: "system:serviceaccount:\(namespace):\(name)",
            organizations: ["system:serviceaccounts", "system:serviceaccounts:\(namespace)"])
    }

    private func cached(_ definition: ResourceDefinition, _ namespace: String?, _ name: String) -> StoredObject? {
        registry.caches.cache(definition)?.object(registry.key(definition, namespace, name))
    }

    /// The token of a request that shows one; some clients send theirs also where nobody asks for it.
    func bearerToken(_ request: HTTPServerRequest) -> String? {
        guard let value = request.head.headerFields[.authorization], value.utf8.count > 7,
            value.prefix(7).lowercased() == "bearer "
        else { return nil }
        return String(value.dropFirst(7))
    }

    /// What a TokenReview is answered.
    func reviewToken(_ review: JSON) async throws(APIFailure) -> JSON {
        let wanted = (review["spec", "audiences"]?.array ?? []).compactMap(\.string)
        for audience in wanted.isEmpty ? [ServiceAccountTokens.issuer] : wanted {
            guard
                let identity = try await identity(
                    ofToken: review["spec", "token"]?.string ?? "", audience: audience)
            else { continue }
            let groups = identity.organizations + ["system:authenticated"]
            return [
                "authenticated": true, "audiences": [.string(audience)],
                "user": [
                    "username": .string(identity.commonName), "groups": .array(groups.map { .string($0) }),
                ],
            ]
        }
        return ["authenticated": false, "error": "the token is not one of this cluster's, or no longer valid"]
    }
}
