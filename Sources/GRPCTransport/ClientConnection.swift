import GRPCCore
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

typealias ClientStream = NIOAsyncChannel<RPCResponsePart<[UInt8]>, RPCRequestPart<[UInt8]>>

/// One HTTP/2 connection to one endpoint, ready for calls once ``open(_:_:)`` has returned it.
struct ClientConnection: Sendable {
    private let channel: any Channel
    let multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>
    private let monitor: ConnectionMonitor.Handle
    let scheme: String
    let authority: String
    let maximumMessageBytes: Int
    let remotePeer: String
    let localPeer: String

    /// Connects and waits for the server's SETTINGS, so that a port that accepts and then says nothing counts as down.
    static func open(
        _ endpoint: GRPCEndpoint, _ configuration: GRPCTransportConfiguration
    ) async throws -> ClientConnection {
        let sslContext = try configuration.tls.map { tls in
            var tls = tls
            tls.applicationProtocols = ["h2"]
            return try NIOSSLContext(configuration: tls)
        }
        let timeout = TimeAmount(configuration.connectTimeout)
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(timeout)
        let setUp: @Sendable (any Channel) -> EventLoopFuture<ClientSetup> = { channel in
            channel.eventLoop.makeCompletedFuture {
                if case .tcp = endpoint {
                    try channel.syncOptions?.setOption(.socketOption(.tcp_nodelay), value: 1)
                }
                if let sslContext {
                    let name = configuration.serverName ?? endpoint.tlsName
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: sslContext, serverHostname: name))
                }
                let monitor = ConnectionMonitor(
                    eventLoop: channel.eventLoop, interval: configuration.keepaliveInterval,
                    timeout: configuration.keepaliveTimeout)
                let multiplexer = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
                    mode: .client, streamDelegate: monitor.streams, configuration: .grpc
                ) { stream in
                    // Servers do not push; should one try, the stream is of no use.
                    stream.close()
                }
                try channel.pipeline.syncOperations.addHandler(monitor)
                return ClientSetup(channel: channel, multiplexer: multiplexer, monitor: monitor.handle)
            }
        }
        let opened: ClientSetup
        switch endpoint {
        case .unix(let path):
            opened = try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: setUp)
        case .tcp(let host, let port):
            opened = try await bootstrap.connect(host: host, port: port, channelInitializer: setUp)
        }
        let channel = opened.channel
        let begun = ContinuousClock.now
        let deadline = channel.eventLoop.scheduleTask(in: timeout) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        do {
            try await opened.monitor.ready.get()
        } catch {
            channel.close(promise: nil)
            guard begun.duration(to: .now) < configuration.connectTimeout else {
                throw RPCError(
                    code: .unavailable,
                    message: "it took the connection and said nothing within \(configuration.connectTimeout)")
            }
            throw error
        }
        return ClientConnection(
            channel: channel, multiplexer: opened.multiplexer, monitor: opened.monitor,
            scheme: sslContext == nil ? "http" : "https", authority: configuration.authority ?? endpoint.authority,
            maximumMessageBytes: configuration.maximumMessageBytes, remotePeer: endpoint.description,
            localPeer: channel.localAddress.map { "\($0)" } ?? "unknown")
    }

    var id: ObjectIdentifier { ObjectIdentifier(channel) }

    /// Opens the stream of one call.
    func openStream(_ descriptor: MethodDescriptor) async throws -> ClientStream {
        try await multiplexer.openStream { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.pipeline.syncOperations.addHandler(
                    ClientStreamHandler(
                        descriptor: descriptor, scheme: scheme, authority: authority,
                        maximumMessageBytes: maximumMessageBytes))
                return try ClientStream(
                    wrappingChannelSynchronously: stream,
                    configuration: .init(isOutboundHalfClosureEnabled: true))
            }
        }
    }

    /// Returns when no further call should be started here: the server said so, or the connection is gone.
    func untilUnusable() async { try? await monitor.unusable.get() }

    /// Returns when the connection is gone.
    func untilClosed() async { try? await channel.closeFuture.get() }

    /// Whether calls are under way.
    var isBusy: Bool { monitor.streams.open.load(ordering: .relaxed) > 0 }

    /// Ends the connection and every call on it.
    func close() { channel.close(promise: nil) }
}

/// What a channel's initializer hands out.
private struct ClientSetup: Sendable {
    let channel: any Channel
    let multiplexer: NIOHTTP2Handler.AsyncStreamMultiplexer<Void>
    let monitor: ConnectionMonitor.Handle
}
