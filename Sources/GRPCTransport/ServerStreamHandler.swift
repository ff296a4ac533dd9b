import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2

/// The server's end of one call: turns frames into request parts, and response parts into frames.
final class ServerStreamHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias InboundOut = RPCRequestPart<[UInt8]>
    typealias OutboundIn = RPCResponsePart<[UInt8]>
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let method: EventLoopPromise<MethodDescriptor>
    private var decoder: MessageDecoder
    private var receivedHead = false
    private var receivedEnd = false
    private var sentHead = false
    private var sentEnd = false
    /// The end has left this channel: closing it earlier would reset the stream and lose what flow control holds back.
    private var endIsWritten = false
    private var closeWaiting: (promise: EventLoopPromise<Void>?, Void)?

    /// - Parameter method: Gets the method's name once the request's head is there; fails when no call comes of it.
    init(method: EventLoopPromise<MethodDescriptor>, maximumMessageBytes: Int) {
        self.method = method
        decoder = MessageDecoder(maximumMessageBytes: maximumMessageBytes)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame): receive(frame, context)
        case .data(let frame): receive(frame, context)
        case .rstStream(let code):
            fail(RPCError(code: .cancelled, message: "the client reset the stream: \(code)"), context)
        default: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let error = RPCError(code: .cancelled, message: "the client closed the connection")
        method.fail(error)
        if !receivedEnd { context.fireErrorCaught(error) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(RPCError(code: .cancelled, message: "the connection failed: \(error)"), context)
        context.close(promise: nil)
    }

    private func fail(_ error: RPCError, _ context: ChannelHandlerContext) {
        method.fail(error)
        guard !receivedEnd else { return }
        receivedEnd = true
        context.fireErrorCaught(error)
    }

    private func receive(_ frame: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        if !receivedHead {
            receivedHead = true
            let headers = frame.headers
            let type = headers.first(name: "content-type") ?? ""
            guard headers.first(name: ":method") == "POST", type.hasPrefix("application/grpc"),
                let path = headers.first(name: ":path"), path.utf8.first == UInt8(ascii: "/"),
                let slash = path.lastIndex(of: "/"), slash != path.startIndex
            else {
                return reject("a gRPC call is a POST of application/grpc to /service/method", context)
            }
            let service = String(path[path.index(after: path.startIndex)..<slash])
            let name = String(path[path.index(after: slash)...])
            context.fireChannelRead(wrapInboundOut(.metadata(Headers.metadata(headers))))
            method.succeed(MethodDescriptor(fullyQualifiedService: service, method: name))
        }
        if frame.endStream { end(context) }
    }

    private func receive(_ frame: HTTP2Frame.FramePayload.Data, _ context: ChannelHandlerContext) {
        guard case .byteBuffer(let bytes) = frame.data, receivedHead, !receivedEnd else { return }
        decoder.append(bytes)
        do throws(RPCError) {
            while let message = try decoder.next() { context.fireChannelRead(wrapInboundOut(.message(message))) }
        } catch {
            return fail(error, context)
        }
        if frame.endStream { end(context) }
    }

    private func end(_ context: ChannelHandlerContext) {
        guard !receivedEnd else { return }
        receivedEnd = true
        context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    private func reject(_ reason: String, _ context: ChannelHandlerContext) {
        method.fail(RPCError(code: .internalError, message: reason))
        receivedEnd = true
        sentEnd = true
        let headers: HPACKHeaders = [
            ":status": "415", "grpc-status": "13", "grpc-message": Headers.percentEncoded(reason),
        ]
        endIsWritten = true
        context.writeAndFlush(wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: nil)
        context.close(promise: nil)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard !sentEnd else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        switch unwrapOutboundIn(data) {
        case .metadata(let metadata):
            sentHead = true
            context.write(wrapOutboundOut(.headers(.init(headers: Headers.response(metadata)))), promise: promise)
        case .message(let message):
            let data = MessageDecoder.frame(message, allocator: context.channel.allocator)
            context.write(wrapOutboundOut(.data(.init(data: .byteBuffer(data)))), promise: promise)
        case .status(let status, let metadata):
            sentEnd = true
            let headers = Headers.trailers(status, metadata, opening: !sentHead)
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.cascade(to: promise)
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            written.futureResult.whenComplete { _ in
                let (handler, context) = bound.value
                handler.endWasWritten(context)
            }
            context.write(wrapOutboundOut(.headers(.init(headers: headers, endStream: true))), promise: written)
        }
    }

    private func endWasWritten(_ context: ChannelHandlerContext) {
        endIsWritten = true
        guard let (promise, _) = closeWaiting else { return }
        closeWaiting = nil
        context.close(mode: .all, promise: promise)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .output: promise?.succeed()  // the status has ended the stream; closing would reset it
        case .input:
            end(context)
            promise?.succeed()
        case .all where sentEnd && !endIsWritten && closeWaiting == nil: closeWaiting = (promise, ())
        case .all: context.close(mode: .all, promise: promise)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        closeWaiting?.promise?.succeed()
        closeWaiting = nil
        method.fail(ChannelError.ioOnClosedChannel)
    }
}
