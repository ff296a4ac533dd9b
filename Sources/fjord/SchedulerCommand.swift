import ArgumentParser
import HTTPTransport
import KubeAPI
import Logging
import Scheduler
import ServiceLifecycle
import UnixSignals

/// `fjord scheduler`, `kube-scheduler`
struct SchedulerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scheduler", abstract: "Choose a node for each new pod.")

    @OptionGroup var server: APIServerOptions

    @Option(help: "The address that the health check is served on.")
    var address = "127.0.0.1"

    @Option(help: "The port of the health check; 0 for none.")
    var port = 10251

    @Flag(inversion: .prefixedNo, help: "Schedule only while holding a lease, for several schedulers in one cluster.")
    var leaderElect = false

    @OptionGroup var logging: LogOptions

    func run() async throws {
        let logger = bootstrapLogging(component: "kube-scheduler", verbosity: logging.verbosity)
        let client = try KubeClient(configuration: server.configuration(), component: "kube-scheduler", logger: logger)
        var services: [any ServiceLifecycle.Service] = [
            MasterComponent(client: client, lease: leaderElect ? "kube-scheduler" : nil, logger: logger) {
                SchedulerService(client: client, logger: logger)
            }
        ]
        if port > 0 {
            let health = HTTPServerConfiguration(address: address, port: port)
            services.append(HTTPServer(configuration: health, logger: logger, handler: ComponentHealth()))
        }
        try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
    }
}
