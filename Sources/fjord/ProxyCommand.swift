import Addressing
import ArgumentParser
import HTTPTransport
import HTTPTypes
import KubeAPI
import LinuxKit
import Logging
import NIOCore
import ServiceLifecycle
import ServiceProxy
import UnixSignals

/// `fjord proxy`, `kube-proxy`
struct ProxyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy", abstract: "Make services reachable from this node.")

    @OptionGroup var server: APIServerOptions

    @Option(name: .customLong("cluster-cidr"), help: "The pods' range; what comes from elsewhere is masqueraded.")
    var clusterCIDR: String?

    @Option(help: "The address that the health check is served on.")
    var bindAddress = "127.0.0.1"

    @Option(help: "The port of the health check; 0 for none.")
    var healthzPort = 10249

    @Option(help: "The node's name, where it is not the host's.")
    var hostnameOverride: String?

    @Flag(help: "Remove all rules that a proxy has left, and end.")
    var cleanup = false

    @OptionGroup var logging: LogOptions

    func run() async throws {
        let logger = bootstrapLogging(component: "kube-proxy", verbosity: logging.verbosity)
        if cleanup { return try await ServiceProxy.cleanUp() }
        let prefix = try clusterCIDR.map { text in
            guard let prefix = IPv4Prefix(text) else {
                throw ValidationError("--cluster-cidr: expected a prefix such as 10.244.0.0/16, found \"\(text)\"")
            }
            return prefix
        }
        let client = try KubeClient(configuration: server.configuration(), component: "kube-proxy", logger: logger)
        let proxy = ServiceProxy(client: client, clusterPrefix: prefix, logger: logger)
        var services: [any ServiceLifecycle.Service] = [proxy]
        if healthzPort > 0 {
            let health = HTTPServerConfiguration(address: bindAddress, port: healthzPort)
            services.append(HTTPServer(configuration: health, logger: logger, handler: ProxyHealth(proxy: proxy)))
        }
        logger.info(
            "starting", metadata: ["node": "\(hostnameOverride ?? "")", "cluster-cidr": "\(clusterCIDR ?? "")"])
        try await ServiceGroup(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
    }
}

/// `/healthz`: 200 while the kernel has what was asked for.
private struct ProxyHealth: HTTPHandler {
    let proxy: ServiceProxy

    func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        guard request.path == "/healthz" || request.path == "/livez" else {
            return writer.respond(HTTPResponse(status: .notFound), body: ByteBuffer(string: "try /healthz\n"))
        }
        let isHealthy = proxy.isHealthy
        writer.respond(
            HTTPResponse(status: isHealthy ? .ok : .serviceUnavailable),
            body: ByteBuffer(string: isHealthy ? "ok\n" : "services are not in place yet\n"))
    }
}
