package import Logging
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import ServiceLifecycle
import Synchronization

/// An HTTP server on one address: HTTP/1.1 with keep-alive, pipelining and upgrades, over TLS also HTTP/2.
///
/// `run()` serves until it is cancelled or asked to stop: then it takes no more connections, lets requests end within
/// ``HTTPServerConfiguration/shutdownGrace`` (long-running ones are cancelled at once), and closes what is left.
package final class HTTPServer: Service, CustomStringConvertible {
    private let configuration: HTTPServerConfiguration
    private let logger: Logger
    private let handler: any HTTPHandler
    private let channels = ChannelRegistry()
    private let listener = Mutex<(any Channel)?>(nil)
    /// What the connections of an event loop share, by its identity.
    private let loops = Mutex<[ObjectIdentifier: (waker: LoopWaker, executor: EventLoopTaskExecutor)]>([:])

    package init(configuration: HTTPServerConfiguration, logger: Logger, handler: any HTTPHandler) {
        self.configuration = configuration
        self.logger = logger
        self.handler = handler
    }

    package var description: String { "HTTP server on \(configuration.address):\(configuration.port)" }

    /// The port that the server listens on; `nil` before ``listen()``.
    package var boundPort: Int? { listener.withLock { $0?.localAddress?.port } }

    /// Begins to listen, so that a caller learns at once whether it can; `run()` does it otherwise.
    ///
    /// - Throws: ``HTTPTransportError/cannotListen(_:)``.
    package func listen() async throws {
        guard listener.withLock({ $0 == nil }) else { return }
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: configuration.address.hasPrefix("/") ? 0 : 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try prepare(channel) }
            }
        do {
            let channel =
                if configuration.address.hasPrefix("/") {
                    try await bootstrap.bind(
                        unixDomainSocketPath: configuration.address, cleanupExistingSocketFile: true
                    ).get()
                } else {
                    try await bootstrap.bind(host: configuration.address, port: configuration.port).get()
                }
            listener.withLock { $0 = channel }
        } catch {
            throw HTTPTransportError.cannotListen(Self.explain(error, configuration))
        }
    }

    package func run() async throws {
        try await listen()
        guard let channel = listener.withLock({ $0 }) else { return }
        try await withTaskCancellationOrGracefulShutdownHandler {
            try await channel.closeFuture.get()
        } onCancelOrGracefulShutdown: {
            channel.close(promise: nil)
        }
        await channels.stop(grace: configuration.shutdownGrace)
    }

    private static func explain(_ error: any Error, _ configuration: HTTPServerConfiguration) -> String {
        let place =
            configuration.address.hasPrefix("/")
            ? configuration.address : "\(configuration.address):\(configuration.port)"
        let (reason, remedy): (String, String) =
            switch (error as? IOError)?.errnoCode {
            case EADDRINUSE?:
                (
                    "another process has the port",
                    "stop it (ss -ltnp 'sport = :\(configuration.port)' names it) or choose another port"
                )
            case EADDRNOTAVAIL?:
                ("no interface of this machine has the address", "give one that `ip addr` lists, or 0.0.0.0")
            case EACCES?: ("permission denied", "run as root or choose a port above 1023")
            default: ("\(error)", "check address and port")
            }
        return "cannot listen on \(place): \(reason); \(remedy)"
    }

    // MARK: - Pipelines

    private func prepare(_ channel: any Channel) throws {
        channels.add(channel)
        let loop = loop(channel.eventLoop)
        var connection = HTTPConnection(
            peer: nil, remoteAddress: channel.remoteAddress?.ipAddress ?? "", isSecure: configuration.tls != nil,
            isHTTP2: false, maximumBodyBytes: configuration.maximumBodyBytes,
            idleTimeout: TimeAmount(configuration.idleTimeout), stallTimeout: TimeAmount(configuration.stallTimeout),
            waker: loop.waker, executor: configuration.runsHandlersOnEventLoops ? loop.executor : nil, logger: logger)
        guard let tls = configuration.tls else { return try addHTTP1(to: channel, connection) }
        let sslHandler = NIOSSLServerHandler(context: tls.context)
        try channel.pipeline.syncOperations.addHandler(sslHandler)
        let bound = NIOLoopBound(sslHandler, eventLoop: channel.eventLoop)
        let negotiation = ApplicationProtocolNegotiationHandler { [self, connection] result, channel in
            channel.eventLoop.makeCompletedFuture {
                var connection = connection
                connection.peer = bound.value.peerCertificate.flatMap { PeerIdentity($0) }
                if case .negotiated("h2") = result {
                    try addHTTP2(to: channel, connection)
                } else {
                    try addHTTP1(to: channel, connection)
                }
            }
        }
        connection.peer = nil
        // Before the negotiation, which keeps the end of the handshake to itself.
        try channel.pipeline.syncOperations.addHandler(
            HandshakeGuard(timeout: TimeAmount(configuration.handshakeTimeout)))
        try channel.pipeline.syncOperations.addHandler(negotiation)
    }

    private func loop(_ eventLoop: any EventLoop) -> (waker: LoopWaker, executor: EventLoopTaskExecutor) {
        loops.withLock { loops in
            let id = ObjectIdentifier(eventLoop)
            if let known = loops[id] { return known }
            let new = (LoopWaker(eventLoop), EventLoopTaskExecutor(eventLoop))
            loops[id] = new
            return new
        }
    }

    private func addHTTP1(to channel: any Channel, _ connection: HTTPConnection) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(HTTP1ResponseEncoder())
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)))
        try pipeline.addHandler(HTTPExchangeHandler(connection: connection, handler: handler))
    }

    private func addHTTP2(to channel: any Channel, _ connection: HTTPConnection) throws {
        var settings = NIOHTTP2Handler.Configuration()
        settings.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 1000),  // a client holds one stream a watch
            HTTP2Setting(parameter: .maxHeaderListSize, value: 64 << 10),
            HTTP2Setting(parameter: .initialWindowSize, value: 1 << 20),
        ]
        settings.connection.targetWindowSize = 4 << 20
        settings.stream.targetWindowSize = 1 << 20
        settings.stream.outboundBufferSizeHighWatermark = 64 << 10
        settings.stream.outboundBufferSizeLowWatermark = 32 << 10
        // Controllers cancel watches in bursts and ping idle connections; the defaults cut them off.
        settings.connection.controlFrameRateLimit.maximumCount = 10_000
        settings.connection.maximumRecentlyResetStreams = 1000
        settings.stream.streamResetFrameRateLimit.maximumCount = 10_000
        var connection = connection
        connection.isHTTP2 = true
        let management = NIOHTTP2ServerConnectionManagementHandler(
            eventLoop: channel.eventLoop,
            configuration: .init(
                maxIdleTime: connection.idleTimeout, maxAge: nil, maxGraceTime: TimeAmount(configuration.shutdownGrace),
                keepalive: .init(pingInterval: .minutes(5), ackTimeout: .seconds(30))))
        let pipeline = channel.pipeline.syncOperations
        _ = try pipeline.configureHTTP2Pipeline(
            mode: .server, connectionConfiguration: settings.connection, streamConfiguration: settings.stream,
            streamDelegate: management.http2StreamDelegate
        ) { [handler, channels, connection] stream in
            stream.eventLoop.makeCompletedFuture {
                channels.add(stream)
                let pipeline = stream.pipeline.syncOperations
                try pipeline.addHandler(HTTP2FramePayloadToHTTP1ServerCodec())
                try pipeline.addHandler(HTTPExchangeHandler(connection: connection, handler: handler))
            }
        }
        try pipeline.addHandler(management)
    }
}

/// Closes connections that do not finish their TLS handshake, and those that end in an error before they are HTTP.
private final class HandshakeGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let timeout: TimeAmount
    private var timer: Scheduled<Void>?

    init(timeout: TimeAmount) { self.timeout = timeout }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        timer = context.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            timer?.cancel()
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
