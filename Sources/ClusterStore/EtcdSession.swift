import GRPCCore
import GRPCProtobuf
import GRPCTransport
import Synchronization

/// Calls to etcd with a deadline, a token where users are known, and Fjord's errors.
final class EtcdSession: Sendable {
    typealias Client = GRPCClient<GRPCClientTransport>

    private let client: Client
    private let credentials: EtcdCredentials?
    private let token = Mutex<String?>(nil)

    init(client: Client, credentials: EtcdCredentials?) {
        self.client = client
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
            throw StoreError(error, lease: lease)
        }
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

    /// Drops the token, after etcd refused it.
    func forgetToken() { token.withLock { $0 = nil } }
}
