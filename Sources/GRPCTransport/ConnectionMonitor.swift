import GRPCCore
import NIOCore
import NIOHTTP2
import Synchronization

/// Watches over a client's connection: its first SETTINGS, GOAWAY, keepalive PINGs and the end.
final class ConnectionMonitor: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame
    typealias InboundOut = HTTP2Frame
    typealias OutboundIn = HTTP2Frame
    typealias OutboundOut = HTTP2Frame

    /// The parts of the monitor that other threads may hold.
    struct Handle: Sendable {
        let ready: EventLoopFuture<Void>
        let unusable: EventLoopFuture<Void>
        let streams: StreamCounter
    }

    /// Counts the connection's open streams.
    final class StreamCounter: NIOHTTP2StreamDelegate, Sendable {
        let open = Atomic<Int>(0)
        func streamCreated(_ id: HTTP2StreamID, channel: any Channel) { open.add(1, ordering: .relaxed) }
        func streamClosed(_ id: HTTP2StreamID, channel: any Channel) { open.subtract(1, ordering: .relaxed) }
    }

    let streams = StreamCounter()
    private let ready: EventLoopPromise<Void>
    private let unusable: EventLoopPromise<Void>
    private let interval: Duration?
    private let timeout: Duration
    private var pings: RepeatedTask?
    private var answer: Scheduled<Void>?

    var handle: Handle { Handle(ready: ready.futureResult, unusable: unusable.futureResult, streams: streams) }

    init(eventLoop: any EventLoop, interval: Duration?, timeout: Duration) {
        ready = eventLoop.makePromise()
        unusable = eventLoop.makePromise()
        self.interval = interval
        self.timeout = timeout
    }

    func channelActive(context: ChannelHandlerContext) {
        startPings(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .settings(.settings): ready.succeed()
        case .ping(_, ack: true):
            answer?.cancel()
            answer = nil
        case .goAway: unusable.succeed()
        default: break
        }
        context.fireChannelRead(data)
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(RPCError(code: .unavailable, message: "the server closed the connection"))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end(RPCError(code: .unavailable, message: "the connection failed: \(error)"))
        context.close(promise: nil)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        end(RPCError(code: .unavailable, message: "the connection was closed"))
    }

    private func end(_ error: RPCError) {
        pings?.cancel()
        answer?.cancel()
        ready.fail(error)
        unusable.succeed()
    }

    private func startPings(_ context: ChannelHandlerContext) {
        guard let interval else { return }
        let pause = TimeAmount(interval)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        pings = context.eventLoop.scheduleRepeatedTask(initialDelay: pause, delay: pause) { _ in
            let (monitor, context) = bound.value
            monitor.ping(context)
        }
    }

    /// Servers count PINGs on an idle connection against the client, so only a connection in use is checked.
    private func ping(_ context: ChannelHandlerContext) {
        guard streams.open.load(ordering: .relaxed) > 0, answer == nil else { return }
        let frame = HTTP2Frame(streamID: .rootStream, payload: .ping(HTTP2PingData(withInteger: 0), ack: false))
        context.writeAndFlush(wrapOutboundOut(frame), promise: nil)
        let channel = context.channel
        answer = context.eventLoop.scheduleTask(in: TimeAmount(timeout)) { channel.close(promise: nil) }
    }
}
