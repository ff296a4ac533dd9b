import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2

/// The server's end of one call: turns frames into messages for its method, and answers into frames.
final class ServerCallHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Call {
        case awaitingHead
        /// The request's one message, once it is there.
        case unary(@Sendable ([UInt8], GRPCReply) -> Void, message: [UInt8]?)
        case streaming(any GRPCStreamReceiver)
        /// Nothing is received any more: the method has the request, or the stream is gone.
        case received
    }

    private static let openingHeaders: HPACKHeaders = [":status": "200", "content-type": "application/grpc"]
    private static let successTrailers: HPACKHeaders = ["grpc-status": "0"]

    private let methods: GRPCMethodTable
    private let eventLoop: any EventLoop
    private var decoder: MessageDecoder
    private var call = Call.awaitingHead
    private var context: ChannelHandlerContext?
    private var receivedEnd = false
    private var sentHead = false
    private var sentEnd = false

    init(methods: GRPCMethodTable, maximumMessageBytes: Int, eventLoop: any EventLoop) {
        self.methods = methods
        self.eventLoop = eventLoop
        decoder = MessageDecoder(maximumMessageBytes: maximumMessageBytes)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        end()
        self.context = nil
    }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame):
            if case .awaitingHead = call { receive(frame.headers) }
            if frame.endStream { receiveEnd() }
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            receive(bytes)
            if frame.endStream { receiveEnd() }
        case .rstStream: end()
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end()
        context.close(promise: nil)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, case .streaming(let receiver) = call { receiver.becameWritable() }
        context.fireChannelWritabilityChanged()
    }

    private func receive(_ headers: HPACKHeaders) {
        let type = headers.first(name: "content-type") ?? ""
        guard headers.first(name: ":method") == "POST", type.hasPrefix("application/grpc"),
            let path = headers.first(name: ":path")
        else { return reject("a gRPC call is a POST of application/grpc to /service/method") }
        switch methods.find(path) {
        case .success(.unary(let body)): call = .unary(body, message: nil)
        case .success(.streaming(let make)):
            call = .streaming(
                make(GRPCServerStream(handler: NIOLoopBound(self, eventLoop: eventLoop), eventLoop: eventLoop)))
        case .failure(let error): finish(Status(code: .unimplemented, message: error.message))
        }
    }

    private func receive(_ bytes: ByteBuffer) {
        guard !sentEnd else { return }
        decoder.append(bytes)
        do throws(RPCError) {
            while let message = try decoder.next() {
                switch call {
                case .unary(let body, nil): call = .unary(body, message: message)
                case .unary: finish(Status(code: .internalError, message: "a unary call has one message"))
                case .streaming(let receiver): receiver.receive(message)
                case .awaitingHead, .received: break
                }
            }
        } catch {
            finish(Status(code: Status.Code(error.code), message: error.message))
        }
    }

    private func receiveEnd() {
        guard !receivedEnd else { return }
        receivedEnd = true
        switch call {
        case .unary(let body, let message?):
            call = .received
            body(message, GRPCReply(handler: NIOLoopBound(self, eventLoop: eventLoop), eventLoop: eventLoop))
        case .unary(_, nil): finish(Status(code: .internalError, message: "the call ended without a message"))
        case .streaming(let receiver): receiver.receivedEnd()
        case .awaitingHead, .received: break
        }
    }

    /// The stream is gone.
    private func end() {
        sentEnd = true
        if case .streaming(let receiver) = call {
            call = .received
            receiver.ended()
        }
        call = .received
    }

    // MARK: Sending

    var isWritable: Bool { !sentEnd && context?.channel.isWritable ?? false }

    /// The whole answer to a unary call.
    func answer(_ message: [UInt8]) {
        guard let context, !sentEnd else { return }
        write(message, context)
        writeEnd(Self.successTrailers, context)
    }

    /// One of many messages.
    func send(_ message: [UInt8]) {
        guard let context, !sentEnd else { return }
        write(message, context)
        context.flush()
    }

    func finish(_ status: Status) {
        guard let context, !sentEnd else { return }
        writeEnd(Headers.trailers(status, [:], opening: !sentHead), context)
        if case .streaming(let receiver) = call {
            call = .received
            receiver.ended()
        }
        call = .received
    }

    private func write(_ message: [UInt8], _ context: ChannelHandlerContext) {
        if !sentHead {
            sentHead = true
            context.write(wrapOutboundOut(.headers(.init(headers: Self.openingHeaders))), promise: nil)
        }
        let data = MessageDecoder.frame(message, allocator: context.channel.allocator)
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(data)))), promise: nil)
    }

    private func writeEnd(_ trailers: HPACKHeaders, _ context: ChannelHandlerContext) {
        sentEnd = true
        let frame = HTTP2Frame.FramePayload.headers(.init(headers: trailers, endStream: true))
        guard !receivedEnd else { return context.writeAndFlush(wrapOutboundOut(frame), promise: nil) }
        // The client might send for ever: the stream is closed, but not before its end has left, which would lose it.
        let bound = NIOLoopBound(context, eventLoop: eventLoop)
        context.writeAndFlush(wrapOutboundOut(frame)).whenComplete { _ in bound.value.close(promise: nil) }
    }

    /// No gRPC at all: HTTP has a status for that.
    private func reject(_ reason: String) {
        guard let context, !sentEnd else { return }
        call = .received
        writeEnd(
            [":status": "415", "grpc-status": "13", "grpc-message": Headers.percentEncoded(reason)], context)
    }
}
