import NIOCore
import NIOHTTP1

/// Answers to plain HTTP/1.1 requests on a gRPC port, such as etcd's `/health` and `/metrics`.
public struct PlainHTTPAnswers: Sendable {
    public struct Answer: Sendable {
        public var status: Int
        public var contentType: String
        public var body: String

        public init(status: Int = 200, contentType: String = "application/json", body: String) {
            self.status = status
            self.contentType = contentType
            self.body = body
        }
    }

    let find: @Sendable (_ path: String) async -> Answer?

    /// - Parameter find: The answer to a GET of a path without its query; `nil` where nothing is.
    public init(_ find: @escaping @Sendable (_ path: String) async -> Answer?) { self.find = find }
}

/// Looks at the first bytes of a connection: HTTP/2 opens with `PRI`, which is no method of HTTP/1.1.
final class ProtocolSniffer: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let configure: (any Channel, _ isHTTP2: Bool) throws -> Void
    private var received = ByteBuffer()

    /// - Parameter configure: Adds the handlers of the protocol behind this one.
    init(_ configure: @escaping (any Channel, _ isHTTP2: Bool) throws -> Void) { self.configure = configure }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        guard let first = received.getBytes(at: received.readerIndex, length: 3) else { return }
        do {
            try configure(context.channel, first == Array("PRI".utf8))
        } catch {
            return context.close(promise: nil)
        }
        context.fireChannelRead(wrapInboundOut(received))
        context.fireChannelReadComplete()
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}

/// Answers requests one after the other; each has its whole body read and thrown away.
final class PlainHTTPHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answers: PlainHTTPAnswers
    private var head: HTTPRequestHead?

    init(answers: PlainHTTPAnswers) { self.answers = answers }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        case .body: break
        case .end:
            guard let head else { return }
            self.head = nil
            answer(head, context)
        }
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        guard head.method == .GET || head.method == .HEAD else {
            return write(.init(status: 405, contentType: "text/plain", body: "Method Not Allowed\n"), head, context)
        }
        let path = String(head.uri.prefix { $0 != "?" })
        let found = context.eventLoop.makePromise(of: PlainHTTPAnswers.Answer?.self)
        found.completeWithTask { [answers] in await answers.find(path) }
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        found.futureResult.whenComplete { result in
            let (handler, context) = bound.value
            let answer =
                (try? result.get()) ?? .init(status: 404, contentType: "text/plain", body: "404 page not found\n")
            handler.write(answer, head, context)
        }
    }

    private func write(_ answer: PlainHTTPAnswers.Answer, _ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let body = ByteBuffer(string: answer.body)
        let headers: HTTPHeaders = ["content-type": answer.contentType, "content-length": "\(body.readableBytes)"]
        let response = HTTPResponseHead(
            version: head.version, status: .init(statusCode: answer.status), headers: headers)
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
