import ArgumentParser
import Controllers
import HTTPTransport
import KubeAPI
import Logging
import ServiceLifecycle
import UnixSignals

/// `fjord controller-manager`, `kube-controller-manager`
struct ControllerManagerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "controller-manager",
        abstract: "Keep replicas, endpoints, nodes and namespaces as they should be.")

    @OptionGroup var server: APIServerOptions

    @Option(help: "A node that hasn't given a sign of life for so long is not ready.")
    var nodeMonitorGracePeriod = DurationArgument(ControllerOptions().nodeMonitorGracePeriod)

    @Option(
        help:
            "Pods of an unreachable node are replaced after this time, where their own tolerations don't say otherwise."
    )
    var podEvictionTimeout = DurationArgument(ControllerOptions().podEvictionTimeout)

    @Option(help: "The address that the health check is served on.")
    var address = "127.0.0.1"

    @Option(help: "The port of the health check; 0 for none.")
    var port = 10252

    @Flag(
        inversion: .prefixedNo, help: "Work only while holding a lease, for several controller managers in one cluster."
    )
    var leaderElect = false

    @OptionGroup var logging: LogOptions

    func run() async throws {
        let logger = bootstrapLogging(component: "kube-controller-manager", verbosity: logging.verbosity)
        var options = ControllerOptions()
        options.nodeMonitorGracePeriod = nodeMonitorGracePeriod.duration
        options.podEvictionTimeout = podEvictionTimeout.duration
        let client = try KubeClient(
            configuration: server.configuration(), component: "kube-controller-manager", logger: logger)
        var services: [any ServiceLifecycle.Service] = [
            MasterComponent(client: client, lease: leaderElect ? "kube-controller-manager" : nil, logger: logger) {
                [options] in ControllerManager(client: client, options: options, logger: logger)
            }
        ]
        if port > 0 {
            let health = HTTPServerConfiguration(address: address, port: port)
            services.append(HTTPServer(configuration: health, logger: logger, handler: ComponentHealth()))
        }
        try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
    }
}
