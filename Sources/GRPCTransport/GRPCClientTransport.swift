public import GRPCCore
public import Logging
import NIOCore
import NIOPosix
import Synchronization

/// gRPC's client transport over our own HTTP/2 connections: plain, TLS or unix socket.
///
/// One connection at a time carries all calls. When it goes away the endpoints are tried in turn, beginning with the
/// one that was in use; after all have failed there is a jittered pause that doubles up to a cap. Calls wait while a
/// first round of attempts is under way and fail with `.unavailable` during a pause, unless they ask to wait
/// (`CallOptions.waitForReady`).
///
///     let client = GRPCClient(transport: GRPCClientTransport([.unix("/run/containerd/containerd.sock")]))
///     async let running: Void = client.runConnections()
public final class GRPCClientTransport: ClientTransport {
    public typealias Bytes = [UInt8]

    private enum Phase {
        case connecting
        case ready(ClientConnection)
        case pausing(RPCError)
        case closed
    }

    private struct State {
        var phase = Phase.connecting
        var isShuttingDown = false
        var waiting: [Int: CheckedContinuation<ClientConnection, any Error>] = [:]
        var nextWaiter = 0
        var connectionsMade = 0
        /// The endpoint in use did not do its work: the next connection goes to another.
        var leavesEndpoint = false
        /// Why the last attempts failed; empty while a connection stands.
        var trouble = ""
    }

    private let endpoints: [GRPCEndpoint]
    private let configuration: GRPCTransportConfiguration
    private let logger: Logger
    private let state = Mutex(State())
    private let shutdown: AsyncStream<Never>
    private let shutdownTrigger: AsyncStream<Never>.Continuation

    /// - Parameter endpoints: At least one; tried in this order.
    public init(
        _ endpoints: [GRPCEndpoint], configuration: GRPCTransportConfiguration = .init(),
        logger: Logger = Logger(label: "grpc.client")
    ) {
        precondition(!endpoints.isEmpty, "a client needs an endpoint")
        self.endpoints = endpoints
        self.configuration = configuration
        self.logger = logger
        (shutdown, shutdownTrigger) = AsyncStream.makeStream()
    }

    /// Connections that were established so far: 1 for as long as none had to be replaced.
    public var connectionsMade: Int { state.withLock { $0.connectionsMade } }

    /// Where the transport stands, in words: for the message of a call that got no answer.
    public var situation: String {
        state.withLock { state in
            switch state.phase {
            case .ready(let connection): "connected to \(connection.remotePeer)"
            case .pausing(let error): error.message
            case .connecting: state.trouble.isEmpty ? "connecting to \(endpoints[0])" : state.trouble
            case .closed: "shut down"
            }
        }
    }

    /// Leaves the present endpoint for the next one, if there are several: for a server that takes calls and does not
    /// answer them, or that is cut off from its cluster. Calls under way fail.
    public func tryNextEndpoint() {
        guard endpoints.count > 1 else { return }
        let connection = state.withLock { state -> ClientConnection? in
            guard case .ready(let connection) = state.phase, !state.leavesEndpoint else { return nil }
            state.leavesEndpoint = true
            return connection
        }
        connection?.close()
    }

    public var retryThrottle: RetryThrottle? { nil }

    public func config(forMethod descriptor: MethodDescriptor) -> MethodConfig? { nil }

    /// Keeps a connection until the task is cancelled or a shutdown has begun and the open calls are done.
    public func connect() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.maintain() }
            group.addTask { for await _ in self.shutdown {} }
            await group.next()
            group.cancelAll()
        }
        let waiting = state.withLock { state in
            state.phase = .closed
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for waiter in waiting { waiter.resume(throwing: Self.closedError) }
    }

    public func beginGracefulShutdown() {
        state.withLock { $0.isShuttingDown = true }
        shutdownTrigger.finish()
    }

    public func withStream<T: Sendable>(
        descriptor: MethodDescriptor,
        options: CallOptions,
        _ closure: (_ stream: RPCStream<Inbound, Outbound>, _ context: ClientContext) async throws -> T
    ) async throws -> T {
        let (connection, stream) = try await openStream(descriptor, waitForReady: options.waitForReady ?? false)
        let context = ClientContext(
            descriptor: descriptor, remotePeer: connection.remotePeer, localPeer: connection.localPeer)
        return try await stream.executeThenClose { inbound, outbound in
            let call = RPCStream<Inbound, Outbound>(
                descriptor: descriptor, inbound: RPCAsyncSequence(wrapping: inbound),
                outbound: RPCWriter.Closable(wrapping: StreamWriter(writer: outbound, channel: stream.channel)))
            return try await closure(call, context)
        }
    }

    private func openStream(
        _ descriptor: MethodDescriptor, waitForReady: Bool
    ) async throws -> (ClientConnection, ClientStream) {
        // A connection can be lost between the choice and the call; nothing was sent, so another try is safe.
        var attempt = 1
        while true {
            let connection = try await usableConnection(waitForReady: waitForReady)
            do {
                return (connection, try await connection.openStream(descriptor))
            } catch  where attempt < 3 {
                attempt += 1
                connection.close()
                await connection.untilClosed()
                leaveReady(connection)
            } catch {
                throw RPCError(
                    code: .unavailable, message: "no stream to \(connection.remotePeer): \(error)", cause: error)
            }
        }
    }

    /// The connection, if there is one at this moment.
    var readyConnection: ClientConnection? {
        state.withLock { state in
            if case .ready(let connection) = state.phase, !state.isShuttingDown { connection } else { nil }
        }
    }

    func usableConnection(waitForReady: Bool) async throws -> ClientConnection {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<ClientConnection, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.isShuttingDown { return .failure(Self.closedError) }
                    switch state.phase {
                    case .ready(let connection): return .success(connection)
                    case .closed: return .failure(Self.closedError)
                    case .pausing(let error) where !waitForReady: return .failure(error)
                    case .connecting, .pausing:
                        state.waiting[id] = continuation
                        return nil
                    }
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(throwing: CancellationError())
        }
    }

    private static let closedError = RPCError(code: .unavailable, message: "the client is shut down")
}

// MARK: - The connection's life

extension GRPCClientTransport {
    private func maintain() async {
        var backoff = configuration.initialBackoff
        var first = 0
        rounds: while !Task.isCancelled {
            var failures: [String] = []
            for offset in endpoints.indices {
                let index = (first + offset) % endpoints.count
                do {
                    let connection = try await ClientConnection.open(endpoints[index], configuration)
                    state.withLock { $0.trouble = "" }
                    let lifetime = await ContinuousClock().measure { await serve(connection) }
                    let leaves = state.withLock { state in
                        defer { state.leavesEndpoint = false }
                        return state.leavesEndpoint
                    }
                    first = leaves ? (index + 1) % endpoints.count : index
                    failures = []
                    // A server that hangs up at once is as good as down.
                    if lifetime > configuration.maximumBackoff {
                        backoff = configuration.initialBackoff
                        continue rounds
                    }
                    break
                } catch {
                    let reason = await ConnectionFailure.reason(error, endpoints[index], configuration)
                    failures.append("cannot connect to \(endpoints[index]): \(reason)")
                    state.withLock { $0.trouble = failures.joined(separator: "; ") }
                    logger.debug(
                        "connection failed", metadata: ["endpoint": "\(endpoints[index])", "error": "\(error)"])
                }
                if Task.isCancelled { return }
            }
            if Task.isCancelled { return }
            if !failures.isEmpty {
                enterPause(RPCError(code: .unavailable, message: failures.joined(separator: "; ")))
            }
            try? await Task.sleep(for: backoff * Double.random(in: 0.5...1))
            backoff = min(backoff * 2, configuration.maximumBackoff)
        }
    }

    /// Lets calls use the connection until it should not be used any more. Open calls then finish on it by themselves.
    private func serve(_ connection: ClientConnection) async {
        let waiting = state.withLock { state in
            state.phase = .ready(connection)
            state.connectionsMade += 1
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for waiter in waiting { waiter.resume(returning: connection) }
        logger.debug("connected", metadata: ["endpoint": "\(connection.remotePeer)"])
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await connection.untilUnusable() }
            group.addTask { for await _ in AsyncStream<Never>.makeStream().stream {} }  // ends by cancellation
            await group.next()
            group.cancelAll()
            if Task.isCancelled {
                await drain(connection)
                connection.close()
            }
        }
        leaveReady(connection)
    }

    private func drain(_ connection: ClientConnection) async {
        let deadline = ContinuousClock.now + configuration.shutdownGrace
        // Cancelled tasks cannot sleep, hence the task of its own; it ends within the grace.
        await Task.detached {
            while connection.isBusy, ContinuousClock.now < deadline { try? await Task.sleep(for: .milliseconds(5)) }
        }.value
    }

    func leaveReady(_ connection: ClientConnection) {
        state.withLock { state in
            if case .ready(let current) = state.phase, current.id == connection.id { state.phase = .connecting }
        }
    }

    private func enterPause(_ error: RPCError) {
        let waiting = state.withLock { state in
            state.phase = .pausing(error)
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for waiter in waiting { waiter.resume(throwing: error) }
    }
}
