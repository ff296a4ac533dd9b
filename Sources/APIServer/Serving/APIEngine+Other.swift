import FoundationEssentials
import HTTPTransport
import HTTPTypes
import KubeSchema

/// Paths that are no resources.
extension APIEngine {
    /// The media type of an OpenAPI v2 document as its servers name it: with the `@` of the Accept header it would not
    /// parse as a MIME type.
    private static let openAPIType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    /// What `/version` says; clients choose their behaviour by it.
    static let version: JSON = [
        "major": "1", "minor": "32", "gitVersion": "v1.32.0+fjord", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "swiftc", "platform": "linux/amd64",
    ]

    func serveOther(_ segments: [String], _ request: HTTPServerRequest, _ writer: HTTPResponseWriter)
        async throws(APIFailure)
    {
        if let path = segments.first, ["apis"].contains(path), segments.last == "selfsubjectaccessreviews" {
            return try await review(request, writer)
        }
        guard request.head.method == .get || request.head.method == .head else { throw .unknownPath() }
        if let (document, type) = discovery.document(segments, accept: request.head.headerFields[.accept] ?? "") {
            return send(200, document.encoded(), writer, contentType: type)
        }
        switch segments {
        case []: send(200, Self.paths.encoded(), writer)
        case ["version"]: send(200, Self.version.encoded(), writer)
        case ["healthz"], ["livez"], ["healthz", "ping"], ["livez", "ping"]:
            send(200, Array("ok".utf8), writer, contentType: "text/plain; charset=utf-8")
        case ["readyz"]:
            if isReady { return send(200, Array("ok".utf8), writer, contentType: "text/plain; charset=utf-8") }
            throw .store("it has not been read yet")
        case ["openapi", "v2"]:
            // Empty: nothing is validated by the client, everything by the server.
            send(200, [], writer, contentType: Self.openAPIType)
        default: throw .unknownPath()
        }
    }

    private static let paths: JSON = [
        "paths": [
            "/api", "/api/v1", "/api/v1beta1", "/apis", "/healthz", "/livez", "/openapi/v2", "/readyz", "/version",
        ]
    ]

    /// Whoever is let in may do everything, so the answer is yes.
    private func review(_ request: HTTPServerRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        guard request.head.method == .post else { throw .methodNotAllowed() }
        guard let message = SchemaTable.builtin.message("authorization/v1.SelfSubjectAccessReview") else {
            throw .unknownPath()
        }
        do {
            let bytes = try await request.body.collect()
            var (document, _) = try RequestDecoder.decode(
                body: bytes, contentType: request.head.headerFields[.contentType], kind: "SelfSubjectAccessReview",
                apiVersion: "authorization.k8s.io/v1", message: message, validation: .ignore)
            document["status"] = ["allowed": true]
            send(201, document.encoded(), writer)
        } catch let error as BodyError {
            throw APIFailure(error)
        } catch {
            throw APIFailure(.badRequest, "\(error)")
        }
    }
}
