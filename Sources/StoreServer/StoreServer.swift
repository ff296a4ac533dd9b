public import EmbeddedStore
import GRPCTransport
import Glibc
public import Logging
import NIOCore
public import NIOSSL
public import ServiceLifecycle

/// Why a server did not start.
public struct StoreServerError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
}

/// etcd's v3 API over an embedded store, so that etcdctl, flanneld, kube-apiserver and `EtcdStore` use it as they would
/// use etcd.
///
/// Offered: KV, Watch, Lease, MemberList and all of Maintenance but MoveLeader; `/health`, `/version` and `/metrics`
/// over HTTP/1.1 on the same port. Not offered: users, and other members.
public final class StoreServer: Service {
    /// What can be chosen about a server.
    public struct Configuration: Sendable {
        /// TLS with this certificate and these demands on clients; plain HTTP/2 for `nil`.
        public var tls: TLSConfiguration?
        /// Largest request that writes, in bytes.
        public var maximumRequestBytes = 1_572_864
        /// What clients are told to connect to; the server's own address for `nil`.
        public var advertisedURLs: [String]?
        /// The name of the one member.
        public var memberName = "fjord"

        public init() {}
    }

    /// Room in a message beside the request's own bytes, as etcd has it.
    private static let messageOverhead = 512 << 10

    private let store: EmbeddedStore
    private let address: String
    private let port: Int
    private let logger: Logger
    private let tasks: CallTasks
    private let listener: GRPCListener
    private let clientURLs: ClientURLs
    private let urlPrefix: String
    private let isAdvertisingOwn: Bool

    /// - Parameters:
    ///   - address: The address to listen on, such as `127.0.0.1` or `0.0.0.0`.
    ///   - port: 0 lets the kernel choose; ``bind()`` returns the choice.
    public init(
        store: EmbeddedStore, address: String, port: Int, configuration: Configuration = .init(), logger: Logger
    ) {
        self.store = store
        self.address = address
        self.port = port
        self.logger = logger
        tasks = CallTasks()
        let context = CallContext(
            store: store, tasks: tasks, maximumRequestBytes: configuration.maximumRequestBytes)
        let host = address == "0.0.0.0" || address == "::" ? "localhost" : address
        urlPrefix = "\(configuration.tls == nil ? "http" : "https")://\(host.contains(":") ? "[\(host)]" : host):"
        clientURLs = ClientURLs(configuration.advertisedURLs ?? ["\(urlPrefix)\(port)"])
        isAdvertisingOwn = configuration.advertisedURLs == nil
        var methods = KVCalls(context: context).methods
        methods.merge(LeaseCalls(context: context).methods) { $1 }
        methods["/etcdserverpb.Watch/Watch"] = .streaming { WatchStream(stream: $0, context: context) }
        let maintenance = MaintenanceCalls(
            context: context, clientURLs: clientURLs, memberName: configuration.memberName)
        methods.merge(maintenance.methods) { $1 }
        var transport = GRPCTransportConfiguration()
        transport.tls = configuration.tls
        transport.maximumMessageBytes = configuration.maximumRequestBytes + Self.messageOverhead
        listener = GRPCListener(
            .tcp(host: address, port: port), configuration: transport, methods: methods,
            plain: PlainPages(store: store).answers, logger: logger)
    }

    /// Connections accepted so far.
    package var connectionsAccepted: Int { listener.connectionsAccepted }

    /// Claims the port ahead of ``run()``, so that one in use is known before anything else starts.
    ///
    /// - Returns: The port listened on.
    @discardableResult
    public func bind() async throws(StoreServerError) -> Int {
        do {
            let port = try await listener.bind()
            if isAdvertisingOwn { clientURLs.set(["\(urlPrefix)\(port)"]) }
            return port
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw StoreServerError(
                description: "port \(port) on \(address) is in use by another process; stop it, or listen elsewhere")
        } catch let error as IOError where error.errnoCode == EADDRNOTAVAIL {
            throw StoreServerError(description: "\(address) is not an address of this machine; listen on one that is")
        } catch {
            throw StoreServerError(description: "cannot listen on \(address):\(port): \(error)")
        }
    }

    public func run() async throws {
        let port = try await bind()
        logger.info("store listens", metadata: ["address": "\(address)", "port": "\(port)"])
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { await self.tasks.run() }
            try await withGracefulShutdownHandler {
                try await self.listener.run()
            } onGracefulShutdown: {
                self.listener.shutDown()
            }
            self.tasks.finish()
            group.cancelAll()
        }
    }
}
