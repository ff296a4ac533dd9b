public import GRPCCore
import NIOCore
import NIOHPACK
import NIOHTTP2

extension GRPCClientTransport {
    /// Makes a call that sends one message and gets one, at a third of the cost of a call through `GRPCClient`: without
    /// tasks, writers and sequences of its own, for callers that make thousands a second.
    ///
    /// The transport must be running, as for all calls. Nothing is sent twice.
    ///
    /// - Parameter timeout: The longest that the call takes to succeed or fail.
    /// - Throws: An `RPCError`, or `CancellationError`.
    package func unary(_ method: MethodDescriptor, _ message: [UInt8], timeout: Duration) async throws -> [UInt8] {
        // A connection can be lost between the choice and the call; nothing was sent, so another try is safe.
        var attempt = 1
        while true {
            let connection = try await usableConnection(within: timeout)
            let call: UnaryCall
            do { call = try await connection.openUnary(method, message, timeout: timeout) } catch  where attempt < 3 {
                attempt += 1
                connection.close()
                await connection.untilClosed()
                leaveReady(connection)
                continue
            } catch {
                throw RPCError(
                    code: .unavailable, message: "no stream to \(connection.remotePeer): \(error)", cause: error)
            }
            return try await withTaskCancellationHandler {
                try await call.answer.get()
            } onCancel: {
                call.channel.close(promise: nil)
            }
        }
    }
}

extension GRPCClientTransport {
    private func usableConnection(within timeout: Duration) async throws -> ClientConnection {
        if let readyConnection { return readyConnection }
        return try await withThrowingTaskGroup(of: ClientConnection.self) { group in
            group.addTask { try await self.usableConnection(waitForReady: false) }
            group.addTask {
                try await Task.sleep(for: timeout)
                throw RPCError(code: .deadlineExceeded, message: "no connection in time")
            }
            defer { group.cancelAll() }
            guard let first = try await group.next() else { throw CancellationError() }
            return first
        }
    }
}

/// A call that is under way.
struct UnaryCall: Sendable {
    let channel: any Channel
    let answer: EventLoopFuture<[UInt8]>
}

extension ClientConnection {
    /// Opens a stream and sends the whole call on it.
    func openUnary(_ method: MethodDescriptor, _ message: [UInt8], timeout: Duration) async throws -> UnaryCall {
        try await multiplexer.openStream { stream in
            stream.eventLoop.makeCompletedFuture {
                let promise = stream.eventLoop.makePromise(of: [UInt8].self)
                let headers = Headers.request(
                    path: "/" + method.fullyQualifiedMethod, scheme: scheme, authority: authority, metadata: [:])
                try stream.pipeline.syncOperations.addHandler(
                    UnaryCallHandler(
                        headers, message, maximumMessageBytes: maximumMessageBytes, timeout: TimeAmount(timeout),
                        promise))
                return UnaryCall(channel: stream, answer: promise.futureResult)
            }
        }
    }
}

/// The client's end of a call of one message each way. Keeps its promise exactly once.
private final class UnaryCallHandler: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private let headers: HPACKHeaders
    private let message: [UInt8]
    private let timeout: TimeAmount
    private var promise: EventLoopPromise<[UInt8]>?
    private var decoder: MessageDecoder
    private var answer: [UInt8]?
    private var receivedHead = false
    private var deadline: Scheduled<Void>?

    init(
        _ headers: HPACKHeaders, _ message: [UInt8], maximumMessageBytes: Int, timeout: TimeAmount,
        _ promise: EventLoopPromise<[UInt8]>
    ) {
        self.headers = headers
        self.message = message
        self.timeout = timeout
        self.promise = promise
        decoder = MessageDecoder(maximumMessageBytes: maximumMessageBytes)
    }

    func channelActive(context: ChannelHandlerContext) {
        let channel = context.channel
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: timeout) {
            bound.value.finish(.failure(RPCError(code: .deadlineExceeded, message: "no answer in time")))
            channel.close(promise: nil)
        }
        context.write(wrapOutboundOut(.headers(.init(headers: headers))), promise: nil)
        let data = MessageDecoder.frame(message, allocator: context.channel.allocator)
        context.writeAndFlush(wrapOutboundOut(.data(.init(data: .byteBuffer(data), endStream: true))), promise: nil)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame): receive(frame, context)
        case .data(let frame): receive(frame, context)
        case .rstStream(let code):
            let error =
                code == .cancel
                ? RPCError(code: .cancelled, message: "the server cancelled the stream")
                : RPCError(code: .unavailable, message: "the server reset the stream: \(code)")
            finish(.failure(error))
        default: break
        }
    }

    private func receive(_ frame: HTTP2Frame.FramePayload.Headers, _ context: ChannelHandlerContext) {
        if !receivedHead, let code = frame.headers.first(name: ":status"), code != "200" {
            if code.hasPrefix("1") { return }
            return fail(
                RPCError(code: .unavailable, message: "the server answered with HTTP status \(code), not with gRPC"),
                context)
        }
        receivedHead = true
        guard frame.endStream else { return }
        let status = Headers.status(frame.headers)
        if let code = RPCError.Code(status.code) {
            finish(.failure(RPCError(code: code, message: status.message)))
        } else if let answer {
            finish(.success(answer))
        } else {
            finish(.failure(RPCError(code: .internalError, message: "the server ended the call without an answer")))
        }
    }

    private func receive(_ frame: HTTP2Frame.FramePayload.Data, _ context: ChannelHandlerContext) {
        guard case .byteBuffer(let bytes) = frame.data, promise != nil else { return }
        decoder.append(bytes)
        do throws(RPCError) {
            if let message = try decoder.next() { answer = message }
        } catch {
            return fail(error, context)
        }
        if frame.endStream {
            fail(RPCError(code: .internalError, message: "the server ended the call without a status"), context)
        }
    }

    private func fail(_ error: RPCError, _ context: ChannelHandlerContext) {
        finish(.failure(error))
        context.close(promise: nil)
    }

    private func finish(_ result: Result<[UInt8], any Error>) {
        deadline?.cancel()
        deadline = nil
        let promise = promise
        self.promise = nil
        promise?.completeWith(result)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(RPCError(code: .unavailable, message: "the connection was closed")))
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(RPCError(code: .unavailable, message: "the connection failed: \(error)"), context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(.failure(RPCError(code: .unavailable, message: "the connection was closed")))
    }
}
