package import HTTPTransport
import HTTPTypes
import NIOCore

/// flanneld's `/healthz` (the process runs) and `/readyz` (it has a lease, so pods can be set up), and `/metrics`.
package struct HealthEndpoints: HTTPHandler {
    private let isReady: @Sendable () -> String?
    private let metrics: @Sendable () -> String

    /// - Parameters:
    ///   - isReady: `nil` when ready, else the reason why not.
    ///   - metrics: The samples now, in Prometheus' text format.
    package init(isReady: @escaping @Sendable () -> String?, metrics: @escaping @Sendable () -> String) {
        self.isReady = isReady
        self.metrics = metrics
    }

    package func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        let status: HTTPResponse.Status
        let text: String
        switch request.path {
        case "/healthz":
            (status, text) = (.ok, "overlayd is running\n")
        case "/readyz":
            let reason = isReady()
            (status, text) = (reason == nil ? .ok : .serviceUnavailable, (reason ?? "ready") + "\n")
        case "/metrics":
            (status, text) = (.ok, metrics())
        default:
            (status, text) = (.notFound, "expected /healthz, /readyz or /metrics\n")
        }
        var head = HTTPResponse(status: status)
        head.headerFields[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
        writer.respond(head, body: ByteBuffer(string: text))
    }
}
