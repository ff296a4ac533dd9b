import HTTPTypes
import NIOCore
import NIOHTTP1

/// A response that takes its body from a source.
struct HTTPStream {
    let source: any HTTPResponseSource
    /// Told once how the response ended.
    let end: HTTPResponseWriter.Completion
    /// The source wants to be asked again at a time of its own.
    var timer: Scheduled<Void>?
}

extension HTTPExchangeHandler {
    /// Bytes written in one go before the loop's other connections get their turn.
    private static let bytesPerTurn = 1 << 20

    func stream(
        _ response: HTTPResponse, from source: any HTTPResponseSource, exchange id: UInt64, done: @escaping Completion
    ) {
        guard let context = valid(id, .none) else { return done(.failure(outOfOrder)) }
        let head = beginResponse(response)
        guard current?.head.method != .HEAD else {
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            finishResponse(context)
            return done(.success(()))
        }
        // Sent with the first piece if there is one, else at once, so that a quiet watch's client knows it has begun.
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        current?.stream = HTTPStream(source: source, end: done)
        pump(exchange: id, flushesHead: true)
    }

    /// Moves pieces from the source to the client for as long as there are any and the client takes them.
    func pump(exchange id: UInt64, flushesHead: Bool = false) {
        guard let context = valid(id, .streaming), let stream = current?.stream else { return }
        stream.timer?.cancel()
        current?.stream?.timer = nil
        var unflushed = flushesHead
        var written = 0
        while context.channel.isWritable {
            switch stream.source.next() {
            case .bytes(let bytes):
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
                unflushed = false
                written += bytes.readableBytes
                guard valid(id, .streaming) != nil else { return }  // the write found the connection closed
                if written >= Self.bytesPerTurn {
                    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
                    return context.eventLoop.execute { bound.value.pump(exchange: id) }
                }
            case .wait(let time):
                if unflushed { context.flush() }
                if let time {
                    let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
                    current?.stream?.timer = context.eventLoop.scheduleTask(deadline: time) {
                        bound.value.pump(exchange: id)
                    }
                }
                return
            case .end:
                finishResponse(context)
                return stream.end(.success(()))
            }
        }
        if unflushed { context.flush() }
        gate.watch(context.channel)
    }

    func abort(exchange id: UInt64) {
        if let context = valid(id, .streaming) { context.close(promise: nil) }
    }

    /// The task that waits for the stream was cancelled.
    func cancelStream(exchange id: UInt64) {
        guard let context = valid(id, .streaming), let stream = current?.stream else { return }
        if stream.source.mayEndEarly {
            finishResponse(context)
            stream.end(.success(()))
        } else {
            current?.stream?.timer?.cancel()
            current?.stream = nil
            stream.end(.failure(CancellationError()))
            context.close(promise: nil)
        }
    }
}
