public import ClusterStore
import GRPCCore
import GRPCTransport
import Glibc
public import Logging
import NIOCore
public import ServiceLifecycle

/// Why a server did not start.
public struct StoreServerError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String
}

/// etcd's v3 API over any store, so that etcdctl, flanneld and ``EtcdStore`` use it as they would use etcd.
///
/// Plain HTTP/2. Offered: KV, Watch, Lease, MemberList, Alarm, Status, Defragment. Not offered: users, changes of
/// membership, snapshots, transactions inside transactions.
public final class StoreServer: Service {
    private let store: any ClusterStore
    private let address: String
    private let port: Int
    private let logger: Logger
    private let transport: GRPCServerTransport

    /// - Parameters:
    ///   - address: The address to listen on, such as `127.0.0.1` or `0.0.0.0`.
    ///   - port: 0 lets the kernel choose; ``bind()`` returns the choice.
    public init(store: any ClusterStore, address: String, port: Int, logger: Logger) {
        self.store = store
        self.address = address
        self.port = port
        self.logger = logger
        transport = GRPCServerTransport(.tcp(host: address, port: port), logger: logger)
    }

    /// Connections accepted so far.
    package var connectionsAccepted: Int { transport.connectionsAccepted }

    /// Claims the port ahead of ``run()``, so that one in use is known before anything else starts.
    ///
    /// - Returns: The port listened on.
    @discardableResult
    public func bind() async throws(StoreServerError) -> Int {
        do {
            return try await transport.bind()
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
        let host = address == "0.0.0.0" || address == "::" ? "localhost" : address
        let server = GRPCServer(
            transport: transport,
            services: [
                KVService(store: store), WatchService(store: store), LeaseService(store: store),
                ClusterService(store: store, clientURL: "http://\(host):\(port)"), MaintenanceService(store: store),
                AuthService(),
            ])
        logger.info("store listens", metadata: ["address": "\(address)", "port": "\(port)"])
        try await withGracefulShutdownHandler {
            try await server.serve()
        } onGracefulShutdown: {
            server.beginGracefulShutdown()
        }
    }
}
