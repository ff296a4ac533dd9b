import ClusterStore
import EmbeddedStore
import FoundationEssentials
import GRPCCore
import GRPCProtobuf
import GRPCTransport
import Logging
import StoreServer
import SwiftProtobuf

/// A real etcd and our server side by side: every request goes to both.
struct WireParity: Sendable {
    typealias Client = GRPCClient<GRPCClientTransport>

    let etcd: Client
    let fjord: Client
    /// The ports of both.
    let ports: (etcd: Int, fjord: Int)

    /// What a request was answered with, in words that must be the same for both.
    func ask(_ request: WireRequest) async throws -> (etcd: String, fjord: String) {
        (try await request.send(etcd), try await request.send(fjord))
    }
}

/// Runs a test against both servers, each with an empty store.
func withBoth(_ body: @escaping @Sendable (WireParity) async throws -> Void) async throws {
    let etcd = try RealEtcd()
    let program = try etcd.start()
    defer { program.kill() }
    let directory = try TemporaryDirectory()
    let store = try EmbeddedStore(path: directory.path + "/store", logger: quiet)
    let server = StoreServer(store: store, address: "127.0.0.1", port: 0, logger: quiet)
    let port = try await server.bind()
    let clients = [etcd.port, port].map { port in
        WireParity.Client(
            transport: GRPCClientTransport([.tcp(host: "127.0.0.1", port: port)], logger: quiet))
    }
    try await running([store, server]) {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for client in clients { group.addTask { try await client.runConnections() } }
            let parity = WireParity(etcd: clients[0], fjord: clients[1], ports: (etcd.port, port))
            let result: Result<Void, any Error>
            do {
                _ = try await eventually {
                    try await WireRequest.range(.init(key: "a")).send(parity.etcd).hasPrefix("header") ? true : nil
                }
                result = .success(try await body(parity))
            } catch {
                result = .failure(error)
            }
            group.cancelAll()
            while await group.nextResult() != nil {}
            try result.get()
        }
    }
    withExtendedLifetime(directory) {}
}

/// A request of one of etcd's services.
enum WireRequest: Sendable {
    case range(Etcdserverpb_RangeRequest)
    case put(Etcdserverpb_PutRequest)
    case delete(Etcdserverpb_DeleteRangeRequest)
    case transaction(Etcdserverpb_TxnRequest)
    case compact(Int64)
    case grant(id: Int64, timeToLive: Int64)
    case revoke(Int64)
    case keepAlive(Int64)
    case timeToLive(Int64, keys: Bool)
    case leases
    case authenticate

    /// Sends the request and returns the answer as text, without what two servers cannot have in common.
    func send(_ client: WireParity.Client) async throws -> String {
        var options = CallOptions.defaults
        options.timeout = .seconds(10)
        let kv = Etcdserverpb_KV.Client(wrapping: client)
        let lease = Etcdserverpb_Lease.Client(wrapping: client)
        do {
            switch self {
            case .range(let request): return text(try await kv.range(request, options: options))
            case .put(let request): return text(try await kv.put(request, options: options))
            case .delete(let request): return text(try await kv.deleteRange(request, options: options))
            case .transaction(let request): return text(try await kv.txn(request, options: options))
            case .compact(let revision):
                var request = Etcdserverpb_CompactionRequest()
                request.revision = revision
                return text(try await kv.compact(request, options: options))
            case .grant(let id, let seconds):
                var request = Etcdserverpb_LeaseGrantRequest()
                request.id = id
                request.ttl = seconds
                return text(try await lease.leaseGrant(request, options: options))
            case .revoke(let id):
                var request = Etcdserverpb_LeaseRevokeRequest()
                request.id = id
                return text(try await lease.leaseRevoke(request, options: options))
            case .keepAlive(let id):
                return try await lease.leaseKeepAlive(options: options) { writer in
                    var request = Etcdserverpb_LeaseKeepAliveRequest()
                    request.id = id
                    try await writer.write(request)
                } onResponse: { response in
                    for try await message in response.messages { return text(message) }
                    return "nothing"
                }
            case .timeToLive(let id, let keys):
                var request = Etcdserverpb_LeaseTimeToLiveRequest()
                request.id = id
                request.keys = keys
                var answer = try await lease.leaseTimeToLive(request, options: options)
                if answer.ttl > 0 { answer.ttl = answer.grantedTtl }  // a second may end between the two
                answer.keys.sort { $0.lexicographicallyPrecedes($1) }
                return text(answer)
            case .leases:
                return text(try await lease.leaseLeases(Etcdserverpb_LeaseLeasesRequest(), options: options))
            case .authenticate:
                let auth = Etcdserverpb_Auth.Client(wrapping: client)
                return text(try await auth.authenticate(Etcdserverpb_AuthenticateRequest(), options: options))
            }
        } catch let error as RPCError {
            return "\(error.code): \(error.message)"
        }
    }

    private func text(_ message: some Message) -> String {
        var configuration = TextFormatEncodingOptions()
        configuration.printUnknownFields = true
        // Every store numbers its cluster, its members and its terms in its own way.
        return message.textFormatString(options: configuration).split(separator: "\n")
            .filter { line in
                !["cluster_id:", "member_id:", "raft_term:"].contains { line.drop { $0 == " " }.hasPrefix($0) }
            }
            .joined(separator: "\n")
    }
}

// MARK: Short forms for tables of requests

extension Etcdserverpb_RangeRequest {
    init(key: String, end: String = "", _ change: (inout Self) -> Void = { _ in }) {
        self.init()
        self.key = Data(key.utf8)
        rangeEnd = Data(end.utf8)
        change(&self)
    }
}

extension Etcdserverpb_PutRequest {
    init(_ key: String, _ value: String = "", lease: Int64 = 0, _ change: (inout Self) -> Void = { _ in }) {
        self.init()
        self.key = Data(key.utf8)
        self.value = Data(value.utf8)
        self.lease = lease
        change(&self)
    }
}

extension Etcdserverpb_DeleteRangeRequest {
    init(_ key: String, end: String = "", previous: Bool = false) {
        self.init()
        self.key = Data(key.utf8)
        rangeEnd = Data(end.utf8)
        prevKv = previous
    }
}

extension Etcdserverpb_Compare {
    init(
        _ key: String, end: String = "", _ result: Etcdserverpb_Compare.CompareResult,
        _ target: Etcdserverpb_Compare.OneOf_TargetUnion
    ) {
        self.init()
        self.key = Data(key.utf8)
        rangeEnd = Data(end.utf8)
        self.result = result
        targetUnion = target
        self.target =
            switch target {
            case .version: .version
            case .createRevision: .create
            case .modRevision: .mod
            case .value: .value
            case .lease: .lease
            }
    }
}

extension Etcdserverpb_RequestOp {
    static func range(_ request: Etcdserverpb_RangeRequest) -> Self { .with { $0.requestRange = request } }
    static func put(_ request: Etcdserverpb_PutRequest) -> Self { .with { $0.requestPut = request } }
    static func delete(_ request: Etcdserverpb_DeleteRangeRequest) -> Self { .with { $0.requestDeleteRange = request } }
    static func transaction(_ request: Etcdserverpb_TxnRequest) -> Self { .with { $0.requestTxn = request } }
}

extension Etcdserverpb_TxnRequest {
    init(
        if compare: [Etcdserverpb_Compare] = [], then success: [Etcdserverpb_RequestOp] = [],
        else failure: [Etcdserverpb_RequestOp] = []
    ) {
        self.init()
        self.compare = compare
        self.success = success
        self.failure = failure
    }
}
