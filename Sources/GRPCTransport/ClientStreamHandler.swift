import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2

/// The client's end of one call: turns request parts into frames, and frames into response parts.
///
/// However the stream ends, the last part it delivers is exactly one status.
final class ClientStreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = RPCResponsePart<[UInt8]>
    typealias OutboundIn = RPCRequestPart<[UInt8]>
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let path: String
    private let scheme: String
    private let authority: String
    /// The call sends one message, so head, message and end leave in one write.
    private let sendsOneMessage: Bool
    private var decoder: MessageDecoder
    private var heldMessage: (data: ByteBuffer, promise: EventLoopPromise<Void>?)?
    private var sentHead = false
    private var sentEnd = false
    private var receivedHead = false
    private var deliveredStatus = false

    init(descriptor: MethodDescriptor, scheme: String, authority: String, maximumMessageBytes: Int) {
        path = "/" + descriptor.fullyQualifiedMethod
        self.scheme = scheme
        self.authority = authority
        sendsOneMessage = descriptor.type.map { !$0.isRequestStreaming } ?? false
        decoder = MessageDecoder(maximumMessageBytes: maximumMessageBytes)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame): receive(frame, context)
        case .data(let frame): receive(frame, context)
        case .rstStream(let code):
            let status: Status =
                code == .cancel
                ? Status(code: .cancelled, message: "the server cancelled the stream")
                : Status(code: .unavailable, message: "the server reset the stream: \(code)")
            deliver(status, [:], context)
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        deliver(Status(code: .unavailable, message: "the connection was closed"), [:], context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        deliver(Status(code: .unavailable, message: "the connection failed: \(error)"), [:], context)
        context.close(promise: nil)
    }

    private func receive(_ frame: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        let headers = frame.headers
        if !receivedHead, let code = headers.first(name: ":status"), code != "200" {
            if code.hasPrefix("1") { return }
            return fail(
                Status(code: .unavailable, message: "the server answered with HTTP status \(code), not with gRPC"),
                context)
        }
        if frame.endStream {
            deliver(Headers.status(headers), Headers.metadata(headers), context)
        } else if receivedHead {
            fail(Status(code: .internalError, message: "the server sent two header blocks"), context)
        } else {
            receivedHead = true
            context.fireChannelRead(wrapInboundOut(.metadata(Headers.metadata(headers))))
        }
    }

    private func receive(_ frame: HTTP2Frame.FramePayload.Data, _ context: ChannelHandlerContext) {
        guard case .byteBuffer(let bytes) = frame.data, !deliveredStatus else { return }
        guard receivedHead else {
            return fail(Status(code: .internalError, message: "the server sent data before headers"), context)
        }
        decoder.append(bytes)
        do throws(RPCError) {
            while let message = try decoder.next() { context.fireChannelRead(wrapInboundOut(.message(message))) }
        } catch {
            return fail(Status(code: Status.Code(error.code), message: error.message), context)
        }
        if frame.endStream {
            fail(Status(code: .internalError, message: "the server ended the call without a status"), context)
        }
    }

    private func fail(_ status: Status, _ context: ChannelHandlerContext) {
        deliver(status, [:], context)
        context.close(promise: nil)
    }

    private func deliver(_ status: Status, _ metadata: Metadata, _ context: ChannelHandlerContext) {
        guard !deliveredStatus else { return }
        deliveredStatus = true
        context.fireChannelRead(wrapInboundOut(.status(status, metadata)))
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .metadata(let metadata):
            sentHead = true
            let headers = Headers.request(path: path, scheme: scheme, authority: authority, metadata: metadata)
            context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: promise)
        case .message(let message):
            releaseHeldMessage(context)
            let data = MessageDecoder.frame(message, allocator: context.channel.allocator)
            if sendsOneMessage {
                heldMessage = (data, promise)
            } else {
                context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(data)))), promise: promise)
            }
        }
    }

    func flush(context: ChannelHandlerContext) {
        if !sendsOneMessage || sentEnd { context.flush() }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output:
            // Not passed on: the stream channel closes as a whole whatever the mode is.
            guard sentHead, !sentEnd else {
                promise?.succeed()
                return
            }
            sentEnd = true
            let (data, held) = heldMessage.map { ($0.data, $0.promise) } ?? (ByteBuffer(), nil)
            heldMessage = nil
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.cascade(to: held)
            written.futureResult.cascade(to: promise)
            context.writeAndFlush(
                wrapOutboundOut(.data(.init(data: .byteBuffer(data), endStream: true))), promise: written)
        case .input:
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            promise?.succeed()
        case .all:
            heldMessage?.promise?.fail(ChannelError.ioOnClosedChannel)
            heldMessage = nil
            context.close(mode: .all, promise: promise)
        }
    }

    private func releaseHeldMessage(_ context: ChannelHandlerContext) {
        guard let held = heldMessage else { return }
        heldMessage = nil
        context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(held.data)))), promise: held.promise)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        heldMessage?.promise?.fail(ChannelError.ioOnClosedChannel)
        heldMessage = nil
    }
}
