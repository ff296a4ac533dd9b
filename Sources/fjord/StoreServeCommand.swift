import ArgumentParser
import EmbeddedStore
import GRPCTransport
import Logging
import NIOSSL
import ServiceLifecycle
import StoreServer
import UnixSignals

/// `fjord store serve`, or `fjord store` for short. Flags are etcd's where etcd has the thing.
struct StoreServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve an embedded store over etcd's v3 API.",
        discussion: "/health, /version and /metrics answer on the same port, as etcd's do.")

    @Option(help: "The database file. It and its directory are made if they are missing.")
    var storePath = StoreCommand.defaultPath

    @Option(help: "The name of this member.")
    var name = "default"

    @Option(
        name: .customLong("listen-client-urls"),
        help: "Where clients connect: http://ADDRESS:PORT or https://ADDRESS:PORT, several with commas between them.")
    var listenClientURLs = "http://127.0.0.1:4001"

    @Option(
        name: .customLong("advertise-client-urls"),
        help: "What clients are told to connect to; otherwise where this listens.")
    var advertiseClientURLs: String?

    @Option(help: "The certificate chain of https addresses (PEM).")
    var certFile: String?

    @Option(help: "The key of that certificate (PEM).")
    var keyFile: String?

    @Option(name: .customLong("trusted-ca-file"), help: "Authority of the clients' certificates (PEM).")
    var trustedCAFile: String?

    @Flag(help: "Admit only clients with a certificate of --trusted-ca-file.")
    var clientCertAuth = false

    @Option(help: "Bytes in use at which puts are refused until there is room again; 0 for no limit but the disk.")
    var quotaBackendBytes: Int64 = 0

    @Option(help: "The largest request that writes, in bytes.")
    var maxRequestBytes = 1_572_864

    @Option(help: "How history is given up: periodic (what is older than the retention) or revision.")
    var autoCompactionMode = "periodic"

    @Option(
        help: """
            With periodic a time such as 5m or 1h (a bare number is hours, as in etcd), with revision a number of \
            revisions; 0 gives nothing up.
            """)
    var autoCompactionRetention = "5m"

    @OptionGroup var logging: LogOptions

    func run() async throws {
        let logger = bootstrapLogging(component: "store", verbosity: logging.verbosity)
        var configuration = EmbeddedStore.Configuration()
        configuration.compaction = try compaction()
        guard quotaBackendBytes >= 0 else {
            throw ValidationError("--quota-backend-bytes: expected a number from 0 on, found \(quotaBackendBytes)")
        }
        configuration.quota = quotaBackendBytes == 0 ? nil : quotaBackendBytes
        let addresses = try listenAddresses()
        let tls = try serverTLS(isUsed: addresses.contains(where: \.isTLS))
        let store = try EmbeddedStore(path: storePath, configuration: configuration, logger: logger)
        var services: [any ServiceLifecycle.Service] = [store]
        for address in addresses {
            var serving = StoreServer.Configuration()
            serving.tls = address.isTLS ? tls : nil
            serving.maximumRequestBytes = maxRequestBytes
            serving.memberName = name
            serving.advertisedURLs = advertiseClientURLs.map { $0.split(separator: ",").map(String.init) }
            let server = StoreServer(
                store: store, address: address.host, port: address.port, configuration: serving, logger: logger)
            try await server.bind()
            services.append(server)
        }
        try await ServiceGroup(
            services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
    }

    private struct ListenAddress {
        let host: String
        let port: Int
        let isTLS: Bool
    }

    private func listenAddresses() throws -> [ListenAddress] {
        try listenClientURLs.split(separator: ",").map { text in
            let isTLS = text.hasPrefix("https://")
            guard isTLS || text.hasPrefix("http://"), case .tcp(let host, let port)? = GRPCEndpoint(String(text)) else {
                throw ValidationError(
                    "--listen-client-urls: expected http://ADDRESS:PORT or https://ADDRESS:PORT, found \"\(text)\"")
            }
            return ListenAddress(host: host == "localhost" ? "127.0.0.1" : host, port: port, isTLS: isTLS)
        }
    }

    private func serverTLS(isUsed: Bool) throws -> TLSConfiguration? {
        guard isUsed else {
            if certFile != nil || keyFile != nil || trustedCAFile != nil || clientCertAuth {
                throw ValidationError(
                    "certificates were given, but no address of --listen-client-urls begins with https://")
            }
            return nil
        }
        guard let certFile, let keyFile else {
            throw ValidationError("https:// in --listen-client-urls needs --cert-file and --key-file")
        }
        if clientCertAuth, trustedCAFile == nil {
            throw ValidationError("--client-cert-auth needs --trusted-ca-file, to know whose certificates to admit")
        }
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certFile) } catch {
            throw ValidationError("--cert-file \(certFile): \(error)")
        }
        let key: NIOSSLPrivateKey
        do { key = try NIOSSLPrivateKey(file: keyFile, format: .pem) } catch {
            throw ValidationError("--key-file \(keyFile): \(error)")
        }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        tls.minimumTLSVersion = .tlsv12
        if let trustedCAFile {
            tls.trustRoots = .file(trustedCAFile)
            // etcd asks for a certificate only with --client-cert-auth, and then demands one.
            tls.certificateVerification = clientCertAuth ? .noHostnameVerification : .none
        }
        return tls
    }

    private func compaction() throws -> AutoCompaction {
        let text = autoCompactionRetention
        let wrong = ValidationError(
            "--auto-compaction-retention: expected a time such as 5m, or revisions, found \"\(text)\"")
        switch autoCompactionMode {
        case "revision":
            guard let kept = Int64(text), kept >= 0 else { throw wrong }
            return kept == 0 ? .off : .revisions(kept)
        case "periodic":
            if let hours = Int64(text), hours >= 0 { return hours == 0 ? .off : .periodic(.seconds(hours * 3600)) }
            let units: [(suffix: String, milliseconds: Int64)] = [
                ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
            ]
            for unit in units where text.hasSuffix(unit.suffix) {
                guard let number = Int64(text.dropLast(unit.suffix.count)) else { continue }
                guard number >= 0 else { throw wrong }
                return number == 0 ? .off : .periodic(.milliseconds(number * unit.milliseconds))
            }
            throw wrong
        default:
            throw ValidationError(
                "--auto-compaction-mode: expected periodic or revision, found \"\(autoCompactionMode)\"")
        }
    }
}
