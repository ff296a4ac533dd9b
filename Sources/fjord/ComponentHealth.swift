import ArgumentParser
import HTTPTransport
import HTTPTypes
import KubeAPI
import Logging
import NIOCore
import ServiceLifecycle

/// `/healthz` of a component that is healthy while it runs.
struct ComponentHealth: HTTPHandler {
    func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        guard ["/healthz", "/livez", "/readyz"].contains(request.path) else {
            return writer.respond(HTTPResponse(status: .notFound), body: ByteBuffer(string: "try /healthz\n"))
        }
        writer.respond(HTTPResponse(status: .ok), body: ByteBuffer(string: "ok"))
    }
}

/// Runs a control loop of the master when the API server answers, and only as the leader where that is asked for.
struct MasterComponent: ServiceLifecycle.Service {
    let client: KubeClient
    /// The lease to hold while running; `nil` to run without one.
    let lease: String?
    let logger: Logger
    let make: @Sendable () -> any ServiceLifecycle.Service

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            await client.waitUntilReachable()
            guard let lease else { return try await make().run() }
            let election = LeaderElection(
                client: client, lease: ObjectKey(namespace: "kube-system", name: lease),
                identity: "\(lease)-\(UInt64.random(in: 0 ... .max))", logger: logger)
            // A new one each time: what a leader knew is old when it leads again.
            try await election.run { try await make().run() }
        }
    }
}
