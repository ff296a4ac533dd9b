package import HTTPTypes
package import NIOCore

/// Writes the response to one request, from any task.
///
/// Either ``respond(_:body:)``, or ``begin(_:)`` and any number of ``write(_:)`` and then ``end()``, or ``upgrade(_:)``.
package final class HTTPResponseWriter: Sendable {
    private let eventLoop: any EventLoop
    private let handler: NIOLoopBound<HTTPExchangeHandler>
    private let exchange: UInt64
    private let waker: LoopWaker

    init(handler: NIOLoopBound<HTTPExchangeHandler>, eventLoop: any EventLoop, exchange: UInt64, waker: LoopWaker) {
        self.handler = handler
        self.eventLoop = eventLoop
        self.exchange = exchange
        self.waker = waker
    }

    /// Writes a complete response. Sets `Content-Length`. Does not wait until the client has taken it: the next request
    /// of the connection does.
    package func respond(_ head: HTTPResponse, body: ByteBuffer = ByteBuffer()) {
        if eventLoop.inEventLoop { return handler.value.respond(head, body: body, exchange: exchange) }
        eventLoop.execute { [handler, exchange] in handler.value.respond(head, body: body, exchange: exchange) }
    }

    /// Begins a response of unknown length. Its head is sent at once.
    package func begin(_ head: HTTPResponse) async throws {
        try await perform { $0.begin(head, exchange: $1, done: $2) }
    }

    /// Writes a piece of the body and waits until the connection has room for more.
    ///
    /// - Throws: ``HTTPTransportError/connectionClosed`` when the client has gone or was cut off for stalling.
    package func write(_ bytes: ByteBuffer) async throws {
        try await perform { $0.write(bytes, exchange: $1, done: $2) }
    }

    /// Ends the response.
    package func end() async throws { try await perform { $0.end(exchange: $1, done: $2) } }

    /// Cuts a response that has begun and cannot be ended, so that the client does not take it for complete.
    package func abort() {
        eventLoop.execute { [handler, exchange] in handler.value.abort(exchange: exchange) }
    }

    /// Tells the response's source, once ``stream(_:from:)`` has been called, that there is more.
    package func signal() -> HTTPResponseSignal {
        HTTPResponseSignal(waker: waker, handler: handler, exchange: exchange)
    }

    /// Writes a whole response of unknown length, from a source that is asked whenever there is room. Returns when the
    /// response has ended, or has been cut off since its task was cancelled.
    ///
    /// - Throws: ``HTTPTransportError/connectionClosed`` when the client has gone or was cut off for stalling.
    package func stream(_ head: HTTPResponse, from source: any HTTPResponseSource) async throws {
        try await withTaskCancellationHandler {
            try await perform { $0.stream(head, from: source, exchange: $1, done: $2) }
        } onCancel: {
            eventLoop.execute { [handler, exchange] in handler.value.cancelStream(exchange: exchange) }
        }
    }

    /// Marks a response that may go on for ever, such as a watch: a server that is asked to stop cancels its task at once
    /// rather than wait for it.
    package func markLongRunning() {
        eventLoop.execute { [handler, exchange] in handler.value.markLongRunning(exchange: exchange) }
    }

    /// Answers with `head` (101, or 200 for CONNECT-like protocols) and takes the connection out of HTTP.
    ///
    /// The tunnel is the handler's from here on: it must outlive `respond(to:writer:)` only by being closed there.
    /// - Throws: ``HTTPTransportError/upgradeNotPossible`` on HTTP/2 and where the client has not asked for it.
    package func upgrade(_ head: HTTPResponse) async throws -> ByteTunnel {
        try await withCheckedThrowingContinuation { continuation in
            eventLoop.execute { [handler, exchange] in
                continuation.resume(with: Result { try handler.value.upgrade(head, exchange: exchange) })
            }
        }
    }

    typealias Completion = @Sendable (Result<Void, any Error>) -> Void

    private func perform(
        _ action: @escaping @Sendable (HTTPExchangeHandler, UInt64, @escaping Completion) -> Void
    ) async throws {
        try Task.checkCancellation()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            eventLoop.execute { [handler, exchange] in
                action(handler.value, exchange) { continuation.resume(with: $0) }
            }
        }
    }
}
