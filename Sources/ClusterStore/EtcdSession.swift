import GRPCCore
import GRPCProtobuf
import GRPCTransport
import Synchronization

/// Calls to etcd with a deadline, a token where users are known, and Fjord's errors.
final class EtcdSession: Sendable {
    typealias Client = GRPCClient<GRPCClientTransport>

    private let client: Client
    private let transport: GRPCClientTransport
    private let credentials: EtcdCredentials?
    private let token = Mutex<String?>(nil)

    init(client: Client, transport: GRPCClientTransport, credentials: EtcdCredentials?) {
        self.client = client
        self.transport = transport
        self.credentials = credentials
    }

    var hasCredentials: Bool { credentials != nil }

    /// Makes a call; once more with a new token if etcd no longer knows the old one.
    ///
    /// - Parameter lease: The lease that the call is about, for its error.
    func call<Answer: Sendable>(
        lease: Int64 = 0, _ body: (Client, Metadata, CallOptions) async throws -> Answer
    ) async throws(StoreError) -> Answer {
        var options = CallOptions.defaults
        options.timeout = EtcdStore.callTimeout
        do {
            let metadata = try await self.metadata()
            do {
                return try await body(client, metadata, options)
            } catch let error as RPCError where credentials != nil && error.message == EtcdErrorText.invalidToken {
                token.withLock { $0 = nil }
                return try await body(client, try await self.metadata(), options)
            }
        } catch {
            throw failure(error, lease: lease)
        }
    }

    /// What a failed call means. A member that gives no answer, or has no leader, is left for the next endpoint.
    func failure(_ error: any Error, lease: Int64) -> StoreError {
        let meaning = StoreError(error, lease: lease)
        guard let error = error as? RPCError, case .unavailable(let reason) = meaning else { return meaning }
        let isLate = error.code == .deadlineExceeded
        guard isLate || reason.hasPrefix("etcdserver:") else { return meaning }
        let situation = transport.situation
        transport.tryNextEndpoint()
        return .unavailable("\(isLate ? "no answer within \(EtcdStore.callTimeout)" : reason) (\(situation))")
    }

    /// What every call carries: the token of the user, if there is one.
    func metadata() async throws -> Metadata {
        guard let credentials else { return [:] }
        if let token = token.withLock({ $0 }) { return ["token": .string(token)] }
        var request = Etcdserverpb_AuthenticateRequest()
        request.name = credentials.user
        request.password = credentials.password
        var options = CallOptions.defaults
        options.timeout = EtcdStore.callTimeout
        let answer = try await Etcdserverpb_Auth.Client(wrapping: client).authenticate(request, options: options)
        token.withLock { $0 = answer.token }
        return ["token": .string(answer.token)]
    }

    /// Whether calls carry a token that was fetched before.
    var hasToken: Bool { token.withLock { $0 != nil } }

    /// Drops the token, after etcd refused it.
    func forgetToken() { token.withLock { $0 = nil } }
}
