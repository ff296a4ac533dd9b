import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1

/// Turns the messages of one HTTP/1.1 connection, or of one HTTP/2 stream, into calls of an ``HTTPHandler``.
///
/// Requests of a connection are answered one after another; what a client sends ahead waits in `queue`, and beyond
/// `maximumQueuedParts` in its socket.
final class HTTPExchangeHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = Never
    typealias OutboundOut = HTTPServerResponsePart
    typealias Completion = HTTPResponseWriter.Completion

    static let maximumQueuedParts = 64

    /// One request and what has become of its response.
    struct Exchange {
        enum Response { case none, streaming, ended }
        var id: UInt64
        var head: HTTPRequestHead
        var body: InboundBuffer
        var isUpgrade: Bool
        var keepAlive: Bool
        var requestEnded = false
        var response = Response.none
        var isLongRunning = false
        var task: Task<Void, Never>?
        var stream: HTTPStream?
    }

    let connection: HTTPConnection
    private let handler: any HTTPHandler
    private(set) var context: ChannelHandlerContext?
    var current: Exchange?
    private let waker: LoopWaker
    private let executor: EventLoopTaskExecutor?
    private var queue = CircularBuffer<HTTPServerRequestPart>()
    private var nextID: UInt64 = 0
    private var isPaused = false
    private var readPending = false
    private var isDraining = false
    var gate: WriteGate
    private var lastActivity = NIODeadline.now()
    private var idleTimer: Scheduled<Void>?

    init(connection: HTTPConnection, handler: any HTTPHandler) {
        self.connection = connection
        self.handler = handler
        waker = connection.waker
        executor = connection.executor
        gate = WriteGate(stallTimeout: connection.stallTimeout)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if !connection.isHTTP2 { scheduleIdleCheck(in: connection.idleTimeout) }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        idleTimer?.cancel()
        self.context = nil
    }

    // MARK: - Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActivity = .now()
        let part = unwrapInboundIn(data)
        if let current, current.requestEnded { queue.append(part) } else { take(part, context) }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head): begin(head, context)
        case .body(let bytes):
            guard let current, current.response != .ended else { return }  // rest of a body that nobody wants
            if !current.body.append(bytes) { isPaused = true }
        case .end:
            guard current != nil else { return }
            current?.requestEnded = true
            current?.body.finish()
            if current?.response == .ended { return next(context) }
            if current?.isUpgrade == true { start(context) }
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        nextID += 1
        let asksForUpgrade =
            !connection.isHTTP2 && head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "upgrade" }
            && head.headers.contains(name: "upgrade")
        let body = InboundBuffer()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        body.onDemand { [eventLoop = context.eventLoop] in eventLoop.execute { bound.value.resumeReading() } }
        current = Exchange(
            id: nextID, head: head, body: body, isUpgrade: asksForUpgrade,
            // The decoder reads nothing more after a request that asks for an upgrade, whatever is answered.
            keepAlive: connection.isHTTP2
                || (head.isKeepAlive && !asksForUpgrade && head.method != .CONNECT && !isDraining))
        if head.headers.first(name: "expect")?.lowercased() == "100-continue" {
            context.writeAndFlush(
                wrapOutboundOut(.head(HTTPResponseHead(version: head.version, status: .continue))), promise: nil)
        }
        if !asksForUpgrade { start(context) }
    }

    private func start(_ context: ChannelHandlerContext) {
        guard let exchange = current else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        let writer = HTTPResponseWriter(handler: bound, eventLoop: eventLoop, exchange: exchange.id, waker: waker)
        let request = HTTPServerRequest(
            head: HTTPRequest(exchange.head, isSecure: connection.isSecure),
            body: HTTPBody(
                buffer: exchange.body,
                contentLength: exchange.head.headers.first(name: "content-length").flatMap { Int($0) },
                limit: connection.maximumBodyBytes),
            peer: connection.peer, remoteAddress: connection.remoteAddress, isSecure: connection.isSecure,
            isUpgrade: exchange.isUpgrade)
        // Owned by the exchange, which cancels it when its channel goes away.
        current?.task = Task(executorPreference: executor) { [handler, id = exchange.id] in
            var failure: (any Error)?
            do { try await handler.respond(to: request, writer: writer) } catch { failure = error }
            eventLoop.execute { [failure] in bound.value.returned(failure, exchange: id) }
        }
    }

    private func resumeReading() {
        isPaused = false
        resumeReadIfPossible()
    }

    private func resumeReadIfPossible() {
        guard readPending, !isPaused, queue.count < Self.maximumQueuedParts, let context else { return }
        readPending = false
        context.read()
    }

    func read(context: ChannelHandlerContext) {
        if isPaused || queue.count >= Self.maximumQueuedParts { readPending = true } else { context.read() }
    }

    // MARK: - Responses

    func valid(_ id: UInt64, _ state: Exchange.Response) -> ChannelHandlerContext? {
        guard let current, current.id == id, current.response == state else { return nil }
        return context
    }

    func respond(_ response: HTTPResponse, body: ByteBuffer, exchange id: UInt64) {
        guard let context = valid(id, .none), let current else { return }
        var head = responseHead(response)
        if !response.status.forbidsBody {
            head.headers.replaceOrAdd(name: "content-length", value: "\(body.readableBytes)")
        }
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if body.readableBytes > 0, current.head.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        finishResponse(context)
    }

    func begin(_ response: HTTPResponse, exchange id: UInt64, done: @escaping Completion) {
        guard let context = valid(id, .none) else { return done(.failure(outOfOrder)) }
        context.writeAndFlush(wrapOutboundOut(.head(beginResponse(response))), promise: nil)
        gate.pass(context.channel, done)
    }

    /// The head of a response of unknown length.
    func beginResponse(_ response: HTTPResponse) -> HTTPResponseHead {
        var head = responseHead(response)
        if !connection.isHTTP2, current?.head.version == .http1_0 {
            current?.keepAlive = false
            head.version = .http1_0  // which has no chunks: the end of the connection ends the body
            head.headers.replaceOrAdd(name: "connection", value: "close")
        }
        current?.response = .streaming
        return head
    }

    func write(_ bytes: ByteBuffer, exchange id: UInt64, done: @escaping Completion) {
        guard let context = valid(id, .streaming) else { return done(.failure(outOfOrder)) }
        if current?.head.method != .HEAD, bytes.readableBytes > 0 {
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        }
        gate.pass(context.channel, done)
    }

    func end(exchange id: UInt64, done: @escaping Completion) {
        guard let context = valid(id, .streaming) else { return done(.failure(outOfOrder)) }
        finishResponse(context)
        done(.success(()))
    }

    func markLongRunning(exchange id: UInt64) {
        guard current?.id == id else { return }
        current?.isLongRunning = true
        if isDraining { current?.task?.cancel() }
    }

    var outOfOrder: HTTPTransportError { context == nil ? .connectionClosed : .responseOutOfOrder }

    private func responseHead(_ response: HTTPResponse) -> HTTPResponseHead {
        var head = HTTPResponseHead(response)
        if !connection.isHTTP2, current?.keepAlive == false {
            head.headers.replaceOrAdd(name: "connection", value: "close")
        }
        return head
    }

    func finishResponse(_ context: ChannelHandlerContext) {
        guard let exchange = current else { return }
        current?.response = .ended
        current?.stream?.timer?.cancel()
        current?.stream = nil
        let closes = !exchange.keepAlive || (connection.isHTTP2 && !exchange.requestEnded)
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: closes ? written : nil)
        gate.watch(context.channel)
        if closes {
            let channel = context.channel
            if exchange.requestEnded || connection.isHTTP2 {
                written.futureResult.whenComplete { _ in channel.close(promise: nil) }
            } else {
                lingeringClose(context)
            }
            return
        }
        written.succeed()
        if exchange.requestEnded { next(context) } else { lingeringClose(context) }
    }

    /// Reads on for a moment so that the answer to an unread body is not lost in a reset, then closes unless the body
    /// has ended meanwhile and the connection can go on.
    private func lingeringClose(_ context: ChannelHandlerContext) {
        isPaused = false
        resumeReadIfPossible()
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        let id = current?.id
        context.eventLoop.scheduleTask(in: .seconds(1)) {
            if bound.value.current?.id == id { bound.value.context?.close(promise: nil) }
        }
    }

    /// Goes on to the next request once the client has taken the last response.
    private func next(_ context: ChannelHandlerContext) {
        guard current?.response == .ended, current?.requestEnded == true else { return }
        guard current?.keepAlive == true, !(isDraining && queue.isEmpty && !connection.isHTTP2) else {
            context.close(promise: nil)
            return
        }
        guard context.channel.isWritable else { return }  // channelWritabilityChanged comes back here
        current = nil
        lastActivity = .now()
        while let part = queue.first, current?.requestEnded != true {
            queue.removeFirst()
            take(part, context)
        }
        resumeReadIfPossible()
    }

    /// The handler's task is over.
    private func returned(_ failure: (any Error)?, exchange id: UInt64) {
        guard let context, let current, current.id == id else { return }
        switch current.response {
        case .none:
            connection.logger.error(
                "request failed without an answer",
                metadata: ["path": "\(current.head.uri)", "error": "\(failure.map { "\($0)" } ?? "none")"])
            respond(
                HTTPResponse(status: .internalServerError), body: ByteBuffer(string: "internal error\n"), exchange: id)
        case .streaming:
            if failure == nil { finishResponse(context) } else { context.close(promise: nil) }
        case .ended: break
        }
    }

    // MARK: - Upgrade

    func upgrade(_ response: HTTPResponse, exchange id: UInt64) throws -> ByteTunnel {
        guard let context = valid(id, .none), let exchange = current, exchange.isUpgrade, !connection.isHTTP2 else {
            throw HTTPTransportError.upgradeNotPossible
        }
        let pipeline = context.pipeline.syncOperations
        context.write(wrapOutboundOut(.head(HTTPResponseHead(response))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        let tunnelHandler = ByteTunnelHandler(stallTimeout: connection.stallTimeout)
        let tunnel = ByteTunnel(handler: tunnelHandler, channel: context.channel)
        try pipeline.addHandler(tunnelHandler)
        current = nil
        // In this order: what the decoder has left goes to the tunnel, not to this handler.
        pipeline.removeHandler(self, promise: nil)
        if let encoder = try? pipeline.context(handlerType: HTTP1ResponseEncoder.self) {
            pipeline.removeHandler(context: encoder, promise: nil)
        }
        if let decoder = try? pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self) {
            pipeline.removeHandler(context: decoder, promise: nil)
        }
        return tunnel
    }

    // MARK: - Connection

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        gate.writabilityChanged(context.channel)
        if context.channel.isWritable, current?.response == .ended { next(context) }
        if context.channel.isWritable, let current, current.stream != nil { pump(exchange: current.id) }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        close()
        context.fireChannelInactive()
    }

    private func close() {
        gate.close()
        current?.body.finish(.failure(.connectionClosed))
        current?.task?.cancel()
        current?.stream?.end(.failure(HTTPTransportError.connectionClosed))
        current = nil
        queue.removeAll()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent {
            isDraining = true
            if current == nil, queue.isEmpty, !connection.isHTTP2 { context.close(promise: nil) }
            if current?.isLongRunning == true { current?.task?.cancel() }
            if !connection.isHTTP2 { current?.keepAlive = false }
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError, current == nil, !connection.isHTTP2 else {
            context.close(promise: nil)
            return
        }
        let isTooLong = (error as? HTTPParserError) == .headerOverflow
        let body = ByteBuffer(string: "bad request: \(error)\n")
        let head = HTTPResponseHead(
            version: .http1_1, status: isTooLong ? .requestHeaderFieldsTooLarge : .badRequest,
            headers: ["content-length": "\(body.readableBytes)", "content-type": "text/plain", "connection": "close"])
        let channel = context.channel
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: written)
        written.futureResult.whenComplete { _ in channel.close(promise: nil) }
    }

    private func scheduleIdleCheck(in delay: TimeAmount) {
        guard let context else { return }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        idleTimer = context.eventLoop.scheduleTask(in: delay) { bound.value.checkIdle() }
    }

    private func checkIdle() {
        guard let context else { return }
        let quiet = NIODeadline.now() - lastActivity
        let waitsForClient = current.map { !$0.requestEnded && !isPaused } ?? true
        if waitsForClient, quiet >= connection.idleTimeout {
            context.close(promise: nil)
        } else {
            scheduleIdleCheck(in: waitsForClient ? connection.idleTimeout - quiet : connection.idleTimeout)
        }
    }
}
