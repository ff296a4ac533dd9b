import FoundationEssentials
import HTTPTransport
import HTTPTypes
import KubeSchema

/// Paths that are no resources.
extension APIEngine {
    /// What `/version` says; clients choose their behaviour by it.
    static let version: JSON = [
        "major": "1", "minor": "32", "gitVersion": "v1.32.0+fjord", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "swiftc", "platform": "linux/amd64",
    ]

    func serveOther(_ segments: [String], _ request: HTTPServerRequest, _ writer: HTTPResponseWriter)
        async throws(APIFailure)
    {
        guard request.head.method == .get || request.head.method == .head else { throw .unknownPath() }
        if let answer = discovery.answer(segments, accept: request.head.headerFields[.accept] ?? "") {
            return send(200, answer.body, writer, contentType: answer.contentType)
        }
        switch segments {
        case []: send(200, paths.encoded(), writer)
        case ["version"]: send(200, Self.version.encoded(), writer)
        case ["openid", "v1", "jwks"]:
            send(200, try await tokens.keySet().encoded(), writer, contentType: "application/jwk-set+json")
        case [".well-known", "openid-configuration"]: send(200, ServiceAccountTokens.discovery.encoded(), writer)
        case ["healthz"], ["livez"], ["healthz", "ping"], ["livez", "ping"]:
            send(200, Array("ok".utf8), writer, contentType: "text/plain; charset=utf-8")
        case ["readyz"]:
            if isReady { return send(200, Array("ok".utf8), writer, contentType: "text/plain; charset=utf-8") }
            throw .store("it has not been read yet")
        default:
            guard let (head, body) = openAPI.answer(segments, request) else { throw .unknownPath() }
            writer.respond(head, body: body)
        }
    }

    private var paths: JSON {
        let others = ["/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
        return ["paths": .array((discovery.paths + others).map { .string($0) })]
    }
}
