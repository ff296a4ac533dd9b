import ArgumentParser
import ClusterStore
import EmbeddedStore
import GRPCTransport
import Logging
import ServiceLifecycle
import StoreServer
import UnixSignals

/// `fjord store`
struct StoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store", abstract: "Serve an embedded store over etcd's v3 API.")

    @Option(help: "The database file. It and its directory are made if they are missing.")
    var storePath = "/var/lib/fjord/store/store.db"

    @Option(
        name: .customLong("listen-client-urls"),
        help: "Where clients connect: http://ADDRESS:PORT, several with commas between them.")
    var listenClientURLs = "http://127.0.0.1:4001"

    @OptionGroup var logging: LogOptions

    func run() async throws {
        let logger = bootstrapLogging(component: "store", verbosity: logging.verbosity)
        let store = try EmbeddedStore(path: storePath, logger: logger)
        var services: [any ServiceLifecycle.Service] = [store]
        for text in listenClientURLs.split(separator: ",") {
            guard text.hasPrefix("http://"), case .tcp(let host, let port)? = GRPCEndpoint(String(text)) else {
                throw ValidationError("--listen-client-urls: expected http://ADDRESS:PORT, found \"\(text)\"")
            }
            let address = host == "localhost" ? "127.0.0.1" : host
            let server = StoreServer(store: store, address: address, port: port, logger: logger)
            try await server.bind()
            services.append(server)
        }
        try await ServiceGroup(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
    }
}
