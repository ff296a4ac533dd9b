public import GRPCCore
public import Logging
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import Synchronization

/// gRPC's server transport over our own HTTP/2 connections: plain, TLS or unix socket.
public final class GRPCServerTransport: ServerTransport {
    public typealias Bytes = [UInt8]

    private typealias ServerStream = NIOAsyncChannel<RPCRequestPart<[UInt8]>, RPCResponsePart<[UInt8]>>
    private typealias Streams = NIOHTTP2Handler.AsyncStreamMultiplexer<AcceptedStream>
    private typealias Listener = NIOAsyncChannel<AcceptedConnection, Never>

    private struct AcceptedStream: Sendable {
        let stream: ServerStream
        let method: EventLoopFuture<MethodDescriptor>
    }

    private struct AcceptedConnection: Sendable {
        let channel: any Channel
        let streams: Streams
    }

    private struct State {
        var listener: Listener?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var isShuttingDown = false
        var connectionsAccepted = 0
    }

    private let endpoint: GRPCEndpoint
    private let configuration: GRPCTransportConfiguration
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameter endpoint: Port 0 lets the kernel choose; ``bind()`` returns the choice.
    public init(
        _ endpoint: GRPCEndpoint, configuration: GRPCTransportConfiguration = .init(),
        logger: Logger = Logger(label: "grpc.server")
    ) {
        self.endpoint = endpoint
        self.configuration = configuration
        self.logger = logger
    }

    /// Connections accepted so far.
    public var connectionsAccepted: Int { state.withLock { $0.connectionsAccepted } }

    /// Claims the address ahead of ``listen(streamHandler:)``, so that a port in use is known before anything starts.
    ///
    /// - Returns: The port listened on; 0 for a unix socket.
    /// - Throws: NIO's error, an `IOError` with the `errno` of `bind(2)`.
    @discardableResult
    public func bind() async throws -> Int {
        if let bound = state.withLock({ $0.listener }) { return bound.channel.localAddress?.port ?? 0 }
        let configuration = self.configuration
        let sslContext = try configuration.tls.map { tls in
            var tls = tls
            tls.applicationProtocols = ["h2"]
            return try NIOSSLContext(configuration: tls)
        }
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
        let setUp: @Sendable (any Channel) -> EventLoopFuture<AcceptedConnection> = { channel in
            channel.eventLoop.makeCompletedFuture {
                if case .tcp = self.endpoint {
                    try channel.syncOptions?.setOption(.socketOption(.tcp_nodelay), value: 1)
                }
                if let sslContext {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: sslContext))
                }
                let streams = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
                    mode: .server, configuration: .grpc
                ) { stream in
                    stream.eventLoop.makeCompletedFuture {
                        let method = stream.eventLoop.makePromise(of: MethodDescriptor.self)
                        try stream.pipeline.syncOperations.addHandler(
                            ServerStreamHandler(method: method, maximumMessageBytes: configuration.maximumMessageBytes))
                        return AcceptedStream(
                            stream: try ServerStream(
                                wrappingChannelSynchronously: stream,
                                configuration: .init(isOutboundHalfClosureEnabled: true)),
                            method: method.futureResult)
                    }
                }
                return AcceptedConnection(channel: channel, streams: streams)
            }
        }
        let listener: Listener
        switch endpoint {
        case .tcp(let host, let port):
            listener = try await bootstrap.bind(host: host, port: port, childChannelInitializer: setUp)
        case .unix(let path):
            listener = try await bootstrap.bind(
                unixDomainSocketPath: path, cleanupExistingSocketFile: true, childChannelInitializer: setUp)
        }
        state.withLock { $0.listener = listener }
        return listener.channel.localAddress?.port ?? 0
    }

    public func listen(
        streamHandler: @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) async throws {
        try await bind()
        guard let listener = state.withLock({ $0.listener }) else { return }
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { await self.serve(connection, streamHandler) }
                }
            }
        }
    }

    /// Accepts no further connection or call, lets open calls go on for the configured grace, and closes.
    public func beginGracefulShutdown() {
        let (listener, connections) = state.withLock { state in
            state.isShuttingDown = true
            return (state.listener?.channel, Array(state.connections.values))
        }
        listener?.close(promise: nil)
        for connection in connections { retire(connection) }
    }

    private func retire(_ connection: any Channel) {
        let goAway = HTTP2Frame(
            streamID: .rootStream,
            payload: .goAway(lastStreamID: .maxID, errorCode: .noError, opaqueData: nil))
        connection.writeAndFlush(goAway, promise: nil)
        connection.eventLoop.scheduleTask(in: TimeAmount(configuration.shutdownGrace)) {
            connection.close(promise: nil)
        }
    }

    private func serve(
        _ connection: AcceptedConnection,
        _ handler: @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) async {
        let channel = connection.channel
        let isShuttingDown = state.withLock { state in
            state.connections[ObjectIdentifier(channel)] = channel
            state.connectionsAccepted += 1
            return state.isShuttingDown
        }
        defer { state.withLock { _ = $0.connections.removeValue(forKey: ObjectIdentifier(channel)) } }
        if isShuttingDown { retire(channel) }
        let remotePeer = channel.remoteAddress.map { "\($0)" } ?? "unknown"
        let localPeer = channel.localAddress.map { "\($0)" } ?? "unknown"
        await withDiscardingTaskGroup { group in
            do {
                for try await accepted in connection.streams.inbound {
                    group.addTask { await Self.serve(accepted, remotePeer, localPeer, handler) }
                }
            } catch {
                logger.debug("connection ended", metadata: ["peer": "\(remotePeer)", "error": "\(error)"])
            }
            channel.close(promise: nil)
        }
    }

    private static func serve(
        _ accepted: AcceptedStream, _ remotePeer: String, _ localPeer: String,
        _ handler: @escaping @Sendable (RPCStream<Inbound, Outbound>, ServerContext) async -> Void
    ) async {
        try? await accepted.stream.executeThenClose { inbound, outbound in
            guard let method = try? await accepted.method.get() else { return }
            await withServerContextRPCCancellationHandle { cancellation in
                accepted.stream.channel.closeFuture.whenComplete { _ in cancellation.cancel() }
                let stream = RPCStream<Inbound, Outbound>(
                    descriptor: method, inbound: RPCAsyncSequence(wrapping: inbound),
                    outbound: RPCWriter.Closable(
                        wrapping: StreamWriter(writer: outbound, channel: accepted.stream.channel)))
                let context = ServerContext(
                    descriptor: method, remotePeer: remotePeer, localPeer: localPeer, cancellation: cancellation)
                await handler(stream, context)
            }
        }
    }
}
