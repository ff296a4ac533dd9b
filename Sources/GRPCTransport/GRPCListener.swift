public import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// A gRPC server straight on HTTP/2 streams: a call costs its frames and one closure, no task and no stream of parts.
///
/// The methods are a table of ``GRPCMethod``; the bytes between gRPC's prefixes are theirs to understand.
public final class GRPCListener: Sendable {
    private struct State {
        var listener: (any Channel)?
        var connections: [ObjectIdentifier: any Channel] = [:]
        var isShuttingDown = false
        var connectionsAccepted = 0
    }

    private let endpoint: GRPCEndpoint
    private let configuration: GRPCTransportConfiguration
    private let methods: GRPCMethodTable
    private let plain: PlainHTTPAnswers?
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - endpoint: Port 0 lets the kernel choose; ``bind()`` returns the choice.
    ///   - plain: Answers requests of HTTP/1.1 on the same port, as etcd does; without it they are not understood.
    public init(
        _ endpoint: GRPCEndpoint, configuration: GRPCTransportConfiguration = .init(), methods: [String: GRPCMethod],
        plain: PlainHTTPAnswers? = nil, logger: Logger = Logger(label: "grpc.server")
    ) {
        self.endpoint = endpoint
        self.configuration = configuration
        self.methods = GRPCMethodTable(methods)
        self.plain = plain
        self.logger = logger
    }

    /// Connections accepted so far.
    public var connectionsAccepted: Int { state.withLock { $0.connectionsAccepted } }

    /// Claims the address ahead of ``run()``, so that a port in use is known before anything starts.
    ///
    /// - Returns: The port listened on; 0 for a unix socket.
    /// - Throws: NIO's error, an `IOError` with the `errno` of `bind(2)`, or NIOSSL's for a certificate of no use.
    @discardableResult
    public func bind() async throws -> Int {
        if let bound = state.withLock({ $0.listener }) { return bound.localAddress?.port ?? 0 }
        let offersPlain = plain != nil
        let sslContext = try configuration.tls.map { tls in
            var tls = tls
            tls.applicationProtocols = offersPlain ? ["h2", "http/1.1"] : ["h2"]
            return try NIOSSLContext(configuration: tls)
        }
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.prepare(channel, sslContext) }
            }
        let listener: any Channel
        switch endpoint {
        case .tcp(let host, let port): listener = try await bootstrap.bind(host: host, port: port).get()
        case .unix(let path):
            listener = try await bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).get()
        }
        state.withLock { $0.listener = listener }
        return listener.localAddress?.port ?? 0
    }

    /// Serves until ``shutDown()`` or the cancellation of the task.
    public func run() async throws {
        try await bind()
        guard let listener = state.withLock({ $0.listener }) else { return }
        await withTaskCancellationHandler {
            try? await listener.closeFuture.get()
        } onCancel: {
            shutDown()
        }
        let connections = state.withLock { Array($0.connections.values) }
        for connection in connections { try? await connection.closeFuture.get() }
    }

    /// Accepts no further connection or call, lets open calls go on for the configured grace, and closes.
    public func shutDown() {
        let (listener, connections) = state.withLock { state in
            state.isShuttingDown = true
            return (state.listener, Array(state.connections.values))
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

    private func prepare(_ channel: any Channel, _ sslContext: NIOSSLContext?) throws {
        if case .tcp = endpoint { try channel.syncOptions?.setOption(.socketOption(.tcp_nodelay), value: 1) }
        if let sslContext {
            try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: sslContext))
        }
        if plain == nil {
            try prepareHTTP2(channel)
        } else {
            try channel.pipeline.syncOperations.addHandler(
                ProtocolSniffer { channel, isHTTP2 in
                    if isHTTP2 { try self.prepareHTTP2(channel) } else { try self.preparePlain(channel) }
                })
        }
        let id = ObjectIdentifier(channel)
        let isShuttingDown = state.withLock { state in
            state.connections[id] = channel
            state.connectionsAccepted += 1
            return state.isShuttingDown
        }
        channel.closeFuture.whenComplete { _ in self.state.withLock { _ = $0.connections.removeValue(forKey: id) } }
        if isShuttingDown { channel.close(promise: nil) }
    }

    private func prepareHTTP2(_ channel: any Channel) throws {
        let methods = self.methods
        let limit = configuration.maximumMessageBytes
        let http2 = NIOHTTP2Handler.Configuration.grpc
        _ = try channel.pipeline.syncOperations.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: http2.connection, streamConfiguration: http2.stream
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(
                    ServerCallHandler(methods: methods, maximumMessageBytes: limit, eventLoop: stream.eventLoop))
            }
        }
        try channel.pipeline.syncOperations.addHandler(ConnectionEndHandler())
    }

    private func preparePlain(_ channel: any Channel) throws {
        guard let plain else { return }
        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
        try channel.pipeline.syncOperations.addHandler(PlainHTTPHandler(answers: plain))
    }
}

/// Ends a connection whose protocol went wrong.
private final class ConnectionEndHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
