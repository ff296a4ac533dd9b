package import NIOCore

/// A connection that has left HTTP: bytes in both directions, with backpressure.
///
/// Reads are one task's business, writes may come from any; writes of different tasks are not mixed but their order is
/// theirs to arrange. Has no half-closed state: closing ends both directions.
package final class ByteTunnel: Sendable {
    private let eventLoop: any EventLoop
    private let channel: any Channel
    private let handler: NIOLoopBound<ByteTunnelHandler>
    private let inbound: InboundBuffer

    /// Called on the channel's event loop, before the handler is in its pipeline.
    init(handler: ByteTunnelHandler, channel: any Channel) {
        eventLoop = channel.eventLoop
        self.channel = channel
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
        inbound = handler.inbound
        inbound.onDemand { [eventLoop, handler = self.handler] in eventLoop.execute { handler.value.resumeReading() } }
    }

    /// The next bytes as they came; `nil` when the other end has closed.
    package func read() async throws -> ByteBuffer? { try await inbound.next() }

    /// Writes, and waits until there is room for more.
    ///
    /// - Throws: ``HTTPTransportError/connectionClosed``.
    package func write(_ bytes: ByteBuffer) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            eventLoop.execute { [handler] in handler.value.write(bytes) { continuation.resume(with: $0) } }
        }
    }

    /// Closes once what has been written is sent. Returns at once; may be called more than once.
    package func close() {
        channel.writeAndFlush(ByteBuffer()).whenComplete { [channel] _ in channel.close(promise: nil) }
    }

    func unread(_ bytes: ByteBuffer) { inbound.unread(bytes) }

    /// Copies bytes between two tunnels until one of them ends, and closes both.
    package static func relay(_ left: ByteTunnel, _ right: ByteTunnel) async {
        await withTaskCancellationHandler {
            await withTaskGroup { group in
                group.addTask { await copy(from: left, to: right) }
                group.addTask { await copy(from: right, to: left) }
            }
        } onCancel: {
            left.close()
            right.close()
        }
    }

    /// Whoever ends first closes the other end, which makes the copy in the other direction end.
    private static func copy(from source: ByteTunnel, to sink: ByteTunnel) async {
        do {
            while let bytes = try await source.read() { try await sink.write(bytes) }
        } catch {}  // either end is gone; both are closed below
        sink.close()
        source.close()
    }
}

/// The end of the pipeline of a connection that carries a tunnel.
final class ByteTunnelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let inbound = InboundBuffer()
    private var gate: WriteGate
    private var context: ChannelHandlerContext?
    private var isPaused = false
    private var readPending = false

    init(stallTimeout: TimeAmount) { gate = WriteGate(stallTimeout: stallTimeout) }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        inbound.finish()
        gate.close()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if !inbound.append(unwrapInboundIn(data)) { isPaused = true }
    }

    func read(context: ChannelHandlerContext) {
        if isPaused { readPending = true } else { context.read() }
    }

    func resumeReading() {
        isPaused = false
        guard readPending, let context else { return }
        readPending = false
        context.read()
    }

    func write(_ bytes: ByteBuffer, done: @escaping HTTPResponseWriter.Completion) {
        guard let context, context.channel.isActive else { return done(.failure(HTTPTransportError.connectionClosed)) }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: nil)
        gate.pass(context.channel, done)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        gate.writabilityChanged(context.channel)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        inbound.finish()
        gate.close()
        context.fireChannelInactive()
    }

    /// Whatever it was (a reset, a TLS end without notice), the tunnel is over.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        inbound.finish()
        context.close(promise: nil)
    }
}
