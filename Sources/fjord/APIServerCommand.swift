import APIServer
import Addressing
import ArgumentParser
import ClusterStore
import EmbeddedStore
import FoundationEssentials
import HTTPTransport
import LinuxKit
import Logging
import ServiceLifecycle
import UnixSignals

/// `fjord apiserver`, called `kube-apiserver` in 2015.
struct APIServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apiserver", abstract: "Serve the Kubernetes API from a store.")

    @OptionGroup var logging: LogOptions

    @Option(help: "Address of the plain HTTP port. Everybody who reaches it may do everything.")
    var address: String?
    @Option(help: "The plain HTTP port; served only with this flag or --address (then 8080 by default).")
    var port: Int?
    @Option(help: "Address of the TLS port.")
    var bindAddress = "0.0.0.0"
    @Option(help: "The TLS port; served only with a certificate.")
    var securePort = 6443
    @Option(help: "Certificate chain of the TLS port (PEM).")
    var tlsCertFile: String?
    @Option(help: "Key of that certificate (PEM).")
    var tlsPrivateKeyFile: String?
    @Option(help: "Authority of the client certificates that are let in (PEM).")
    var clientCAFile: String?
    @Option(help: "The store: etcd v3 endpoints, separated by commas.")
    var etcdServers: String?
    @Option(help: "The store: a SQLite file of its own, for one machine, instead of --etcd-servers.")
    var storePath: String?
    @Option(
        name: [.customLong("service-cluster-ip-range"), .customLong("portal-net")],
        help: "The network of service addresses.")
    var serviceNetwork = "10.254.0.0/16"
    @Option(
        name: [.customLong("advertise-address"), .customLong("public-address-override")],
        help: "The address under which pods reach this server; otherwise that of the default route.")
    var advertiseAddress: String?
    @Option(help: "Port of kubelets that do not publish one.")
    var kubeletPort = 10250
    @Option(help: "Certificate shown to kubelets (PEM); with it or an authority they are spoken to over TLS.")
    var kubeletClientCertificate: String?
    @Option(help: "Key of that certificate (PEM).")
    var kubeletClientKey: String?
    @Option(help: "Authority of the kubelets' certificates (PEM).")
    var kubeletCertificateAuthority: String?

    @Option(help: "Reads served at once; more are told to try again. 0 for any number.")
    var maxRequestsInflight = 400
    @Option(help: "Writes served at once; more are told to try again. 0 for any number.")
    var maxMutatingRequestsInflight = 200

    /// What was given does not do, and what would.
    private struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    func run() async throws {
        let logger = bootstrapLogging(component: "apiserver", verbosity: logging.verbosity)
        guard let prefix = IPv4Prefix(serviceNetwork), (8...29).contains(prefix.length) else {
            throw Problem(
                description:
                    "--service-cluster-ip-range \(serviceNetwork): a network such as 10.254.0.0/16 is expected, /8 to /29"
            )
        }
        let tls = try serverTLS()
        let plain = port != nil || address != nil || tls == nil
        let plainPort = port ?? 8080
        let (store, services) = try await openStore(logger)

        var configuration = APIServerConfiguration(serviceNetwork: ServiceNetwork(prefix))
        if let advertised = advertiseAddress ?? ownAddress() {
            configuration.advertised = (advertised, tls == nil ? plainPort : securePort)
        }
        configuration.kubelet = KubeletAccess(port: kubeletPort, tls: try kubeletTLS())
        configuration.maximumReadsInFlight = maxRequestsInflight
        configuration.maximumWritesInFlight = maxMutatingRequestsInflight
        let engine = APIEngine(configuration: configuration, store: store, logger: logger)
        var listeners: [HTTPServerConfiguration] = []
        if let tls { listeners.append(.init(address: bindAddress, port: securePort, tls: tls)) }
        if plain { listeners.append(.init(address: address ?? "127.0.0.1", port: plainPort)) }
        let servers = listeners.map { listener in
            var listener = listener
            listener.runsHandlersOnEventLoops = true
            return HTTPServer(configuration: listener, logger: logger, handler: engine)
        }
        for server in servers { try await server.listen() }
        for server in servers { logger.info("serving", metadata: ["on": "\(server)"]) }
        // Stopped in the opposite order: first the servers, then the engine, then the store.
        try await ServiceGroup(
            configuration: .init(
                services: (services + [engine] + servers).map { .init(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger)
        ).run()
    }

    private func read(_ path: String, _ flag: String) throws -> [UInt8] {
        do { return Array(try Data(contentsOf: URL(filePath: path))) } catch {
            throw Problem(description: "\(flag): cannot read \(path); give the path of a readable PEM file")
        }
    }

    private func serverTLS() throws -> HTTPServerTLS? {
        switch (tlsCertFile, tlsPrivateKeyFile) {
        case (let certificate?, let key?):
            return try HTTPServerTLS(
                certificateChain: try read(certificate, "--tls-cert-file"),
                privateKey: try read(key, "--tls-private-key-file"),
                clientCA: try clientCAFile.map { try read($0, "--client-ca-file") })
        case (nil, nil): return nil
        default:
            throw Problem(description: "--tls-cert-file and --tls-private-key-file belong together; give both or none")
        }
    }

    private func kubeletTLS() throws -> HTTPClientTLS? {
        guard kubeletClientCertificate != nil || kubeletCertificateAuthority != nil else { return nil }
        return try HTTPClientTLS(
            certificateAuthority: try kubeletCertificateAuthority.map {
                try read($0, "--kubelet-certificate-authority")
            },
            certificateChain: try kubeletClientCertificate.map { try read($0, "--kubelet-client-certificate") },
            privateKey: try kubeletClientKey.map { try read($0, "--kubelet-client-key") })
    }

    /// Opens the store and waits, not for long, until it answers.
    private func openStore(_ logger: Logger) async throws -> (any ClusterStore, [any Service]) {
        switch (etcdServers, storePath) {
        case (let servers?, nil):
            let endpoints = servers.split(separator: ",").map(String.init)
            let store = try EtcdStore(endpoints: endpoints, logger: logger)
            // A client of its own, since one that has been stopped cannot be run again.
            try await probe(try EtcdStore(endpoints: endpoints, logger: logger), servers)
            return (store, [store])
        case (nil, let path?):
            let store = try EmbeddedStore(path: path, logger: logger)
            return (store, [store])
        case (nil, nil):
            throw Problem(
                description:
                    "no store given: use --etcd-servers=http://HOST:2379 or --store-path=/var/lib/fjord/store.db")
        default: throw Problem(description: "--etcd-servers and --store-path exclude each other; give one")
        }
    }

    private func probe(_ store: EtcdStore, _ servers: String) async throws {
        let reason = await withTaskGroup(of: String?.self) { group in
            group.addTask {
                try? await store.run()
                return "it was closed"
            }
            group.addTask {
                try? await Task.sleep(for: .seconds(5))
                return Task.isCancelled ? nil : "no answer within 5 s"
            }
            group.addTask {
                var last = ""
                while !Task.isCancelled {
                    do throws(StoreError) {
                        _ = try await store.range(RangeRequest(.key("/registry"), countOnly: true))
                        return nil
                    } catch {
                        last = "\(error)"
                        try? await Task.sleep(for: .milliseconds(200))
                    }
                }
                return last
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
        if let reason {
            throw Problem(
                description:
                    "no etcd behind --etcd-servers=\(servers): \(reason); start it (systemctl start etcd) or correct the "
                    + "address, or use --store-path for a store of this process")
        }
    }

    /// The address under which this machine is reached by default; pods cannot use loopback.
    private func ownAddress() -> String? {
        guard let socket = try? NetlinkSocket() else { return nil }
        return (try? socket.defaultInterface()).flatMap { $0 }.map { "\($0.address)" }
    }
}
