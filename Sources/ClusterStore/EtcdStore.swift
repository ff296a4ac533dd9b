import FoundationEssentials
import GRPCCore
import GRPCProtobuf
import GRPCTransport
public import Logging
import NIOSSL
public import ServiceLifecycle
import SwiftProtobuf
import Synchronization

/// Files for TLS with etcd, in PEM.
public struct EtcdTLS: Sendable, Hashable {
    /// Certificates to trust; the system's for `nil`.
    public var certificateAuthorityFile: String?
    /// The client's certificate and key, both or none.
    public var certificateFile: String?
    public var keyFile: String?

    public init(certificateAuthorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil) {
        self.certificateAuthorityFile = certificateAuthorityFile
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// A user of an etcd with authentication enabled.
public struct EtcdCredentials: Sendable, Hashable {
    public var user: String
    public var password: String

    public init(user: String, password: String) {
        self.user = user
        self.password = password
    }
}

/// A store in an etcd cluster, over etcd's v3 API.
///
/// Works while ``run()`` runs. A cluster that goes away is retried for as long as it takes: calls fail with
/// ``StoreError/unavailable(_:)`` after at most ``callTimeout``, watches wait and resume.
public final class EtcdStore: ClusterStore, Service {
    /// The longest that any call takes to succeed or fail.
    public static let callTimeout: Duration = .seconds(5)

    private let client: GRPCClient<GRPCClientTransport>
    private let transport: GRPCClientTransport
    let session: EtcdSession
    private let watches: EtcdWatches

    /// - Parameter endpoints: `http://host:port` or `https://host:port`, all of one kind.
    /// - Throws: ``StoreError/refused(_:)`` for an endpoint that is none, or a certificate file that cannot be read.
    public init(
        endpoints: [String], tls: EtcdTLS? = nil, credentials: EtcdCredentials? = nil, logger: Logger
    ) throws(StoreError) {
        var parsed: [GRPCEndpoint] = []
        for text in endpoints {
            guard let endpoint = GRPCEndpoint(text) else {
                throw .refused("“\(text)” is no etcd endpoint; expected http://HOST:PORT or https://HOST:PORT")
            }
            parsed.append(endpoint)
        }
        guard !parsed.isEmpty else { throw .refused("no etcd endpoint was given; expected http://HOST:PORT") }
        var configuration = GRPCTransportConfiguration()
        // With several endpoints one that swallows everything must leave a call time for the next.
        configuration.connectTimeout = parsed.count > 1 ? .milliseconds(1500) : .seconds(3)
        configuration.keepaliveInterval = .seconds(10)
        configuration.keepaliveTimeout = .seconds(5)
        if tls != nil || endpoints.contains(where: { $0.hasPrefix("https://") }) {
            configuration.tls = try Self.tlsConfiguration(tls ?? EtcdTLS())
        }
        transport = GRPCClientTransport(parsed, configuration: configuration, logger: logger)
        client = GRPCClient(transport: transport)
        session = EtcdSession(client: client, transport: transport, credentials: credentials)
        watches = EtcdWatches(client: client, session: session, logger: logger)
    }

    /// Connections made so far: 1 for as long as none had to be replaced.
    public var connectionsMade: Int { transport.connectionsMade }

    public func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.client.runConnections() }
                group.addTask { await self.watches.run() }
                try await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.watches.finish()
            self.client.beginGracefulShutdown()
        }
    }

    public func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse {
        let message = request.message
        if let answer: Etcdserverpb_RangeResponse = try await unary(Etcdserverpb_KV.Method.Range.descriptor, message) {
            return RangeResponse(answer)
        }
        return try await session.call { client, metadata, options in
            RangeResponse(
                try await Etcdserverpb_KV.Client(wrapping: client).range(message, metadata: metadata, options: options))
        }
    }

    public func transact(_ transaction: Transaction) async throws(StoreError) -> TransactionResponse {
        let message = transaction.message
        let method = Etcdserverpb_KV.Method.Txn.descriptor
        if let answer: Etcdserverpb_TxnResponse = try await unary(method, message, lease: transaction.firstLease) {
            return TransactionResponse(answer)
        }
        return try await session.call(lease: transaction.firstLease) { client, metadata, options in
            TransactionResponse(
                try await Etcdserverpb_KV.Client(wrapping: client).txn(message, metadata: metadata, options: options))
        }
    }

    /// Makes a call on the short way; `nil` where a user's token has to be looked after.
    private func unary<Request: SwiftProtobuf.Message, Answer: SwiftProtobuf.Message>(
        _ method: MethodDescriptor, _ request: Request, lease: Int64 = 0
    ) async throws(StoreError) -> Answer? {
        guard !session.hasCredentials else { return nil }
        do {
            let bytes: [UInt8] = try request.serializedBytes()
            return try Answer(serializedBytes: try await transport.unary(method, bytes, timeout: Self.callTimeout))
        } catch {
            throw session.failure(error, lease: lease)
        }
    }

    public func compact(to revision: Int64) async throws(StoreError) {
        var message = Etcdserverpb_CompactionRequest()
        message.revision = revision
        let request = message
        _ = try await session.call { client, metadata, options in
            try await Etcdserverpb_KV.Client(wrapping: client).compact(request, metadata: metadata, options: options)
        }
    }

    public func grantLease(timeToLive seconds: Int64, id: Int64) async throws(StoreError) -> StoreLease {
        var message = Etcdserverpb_LeaseGrantRequest()
        message.ttl = seconds
        message.id = id
        let request = message
        let granted = try await session.call(lease: id) { client, metadata, options in
            try await Etcdserverpb_Lease.Client(wrapping: client)
                .leaseGrant(request, metadata: metadata, options: options)
        }
        return StoreLease(id: granted.id, timeToLive: granted.ttl)
    }

    public func renewLease(_ id: Int64) async throws(StoreError) -> Int64 {
        let seconds = try await session.call(lease: id) { client, metadata, options in
            try await Etcdserverpb_Lease.Client(wrapping: client).leaseKeepAlive(
                metadata: metadata, options: options,
                requestProducer: { writer in
                    var message = Etcdserverpb_LeaseKeepAliveRequest()
                    message.id = id
                    try await writer.write(message)
                },
                onResponse: { response in
                    for try await message in response.messages { return message.ttl }
                    throw RPCError(code: .unavailable, message: "the store ended the renewal without an answer")
                })
        }
        // etcd answers the renewal of a lease that has ended with 0, not with an error.
        guard seconds > 0 else { throw .leaseNotFound(id) }
        return seconds
    }

    public func revokeLease(_ id: Int64) async throws(StoreError) {
        var message = Etcdserverpb_LeaseRevokeRequest()
        message.id = id
        let request = message
        _ = try await session.call(lease: id) { client, metadata, options in
            try await Etcdserverpb_Lease.Client(wrapping: client)
                .leaseRevoke(request, metadata: metadata, options: options)
        }
    }

    public func watch(_ request: WatchRequest) -> StoreWatch {
        let watches = self.watches
        return StoreWatch {
            let (id, queue) = watches.add(request)
            let token = WatchToken { watches.remove(id) }
            return { () async throws(StoreError) -> WatchBatch? in
                defer { withExtendedLifetime(token) {} }
                return try await queue.next()
            }
        }
    }

    private static func tlsConfiguration(_ tls: EtcdTLS) throws(StoreError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let file = tls.certificateAuthorityFile {
            do {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(file))
            } catch {
                throw .refused("cannot read etcd's certificate authority \(file): \(error)")
            }
        }
        guard (tls.certificateFile == nil) == (tls.keyFile == nil) else {
            throw .refused("a client certificate for etcd needs its key, and a key its certificate")
        }
        if let certificate = tls.certificateFile, let key = tls.keyFile {
            do {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificate)
                    .map { .certificate($0) }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            } catch {
                throw .refused("cannot read etcd's client certificate \(certificate) and key \(key): \(error)")
            }
        }
        return configuration
    }
}

extension Transaction {
    /// A lease that the transaction names, for the error that says it has ended; 0 for none.
    var firstLease: Int64 {
        for case .put(_, _, let lease) in success + failure where lease != 0 { return lease }
        return 0
    }
}
