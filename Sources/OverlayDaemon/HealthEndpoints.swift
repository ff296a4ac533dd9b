package import HTTPTransport
import HTTPTypes
import NIOCore

/// flanneld's `/healthz` (the process runs) and `/readyz` (it has a lease, so pods can be set up).
package struct HealthEndpoints: HTTPHandler {
    private let isReady: @Sendable () -> String?

    /// - Parameter isReady: `nil` when ready, else the reason why not.
    package init(_ isReady: @escaping @Sendable () -> String?) { self.isReady = isReady }

    package func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        let status: HTTPResponse.Status
        let text: String
        switch request.path {
        case "/healthz":
            (status, text) = (.ok, "overlayd is running\n")
        case "/readyz":
            let reason = isReady()
            (status, text) = (reason == nil ? .ok : .serviceUnavailable, (reason ?? "ready") + "\n")
        default:
            (status, text) = (.notFound, "expected /healthz or /readyz\n")
        }
        var head = HTTPResponse(status: status)
        head.headerFields[.contentType] = "text/plain; charset=utf-8"
        writer.respond(head, body: ByteBuffer(string: text))
    }
}
