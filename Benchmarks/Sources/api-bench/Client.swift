import NIOCore
import Synchronization

/// One connection that makes requests one after another.
struct Client: Sendable {
    let channel: any Channel
    let handler: NIOLoopBound<ClientHandler>

    /// Makes requests of `work` until it has none left.
    func run(_ work: Work) -> EventLoopFuture<Void> {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.eventLoop.execute { [handler] in handler.value.begin(work, promise) }
        return promise.futureResult
    }

    /// Makes one request whose answer goes on for ever, and counts the lines in it.
    func watch(_ path: String, _ lines: LineCount) -> EventLoopFuture<Void> {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.eventLoop.execute { [handler] in handler.value.watch(path, lines, promise) }
        return promise.futureResult
    }
}

/// Requests that a number of connections make together, and what became of them.
final class Work: Sendable {
    private let next = Atomic<Int>(0)
    private let count: Int
    let expected: Int
    private let request: @Sendable (Int) -> [UInt8]
    /// How much of an answer is kept for ``text``.
    static let keptBytes = 4096
    private let results = Mutex((latencies: [Int64](), bytes: 0))
    private let kept = Mutex(ByteBuffer())

    /// - Parameter request: Makes the bytes of the request with a number below `count`.
    init(count: Int, expecting status: Int, _ request: @escaping @Sendable (Int) -> [UInt8]) {
        self.count = count
        expected = status
        self.request = request
    }

    func take() -> [UInt8]? {
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        return number < count ? request(number) : nil
    }

    /// Nanoseconds a request, and bytes of body received.
    func add(_ latencies: [Int64], bytes: Int) {
        results.withLock {
            $0.latencies += latencies
            $0.bytes += bytes
        }
    }

    /// Milliseconds that the given part of the requests took at most.
    func latency(_ part: Double) -> Double {
        let sorted = results.withLock { $0.latencies }.sorted()
        guard !sorted.isEmpty else { return 0 }
        return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]) / 1e6
    }

    func keep(_ piece: ByteBuffer) {
        kept.withLock {
            if $0.readableBytes < Self.keptBytes {
                $0.writeImmutableBuffer(
                    piece.getSlice(at: piece.readerIndex, length: min(piece.readableBytes, Self.keptBytes)) ?? piece)
            }
        }
    }

    /// The beginning of what was received.
    var text: String { kept.withLock { String(buffer: $0) } }

    var bytes: Int { results.withLock { $0.bytes } }
}

/// Lines that have come on any number of watches.
final class LineCount: Sendable {
    private let count = Atomic<Int>(0)
    private let newest = Atomic<UInt64>(0)

    func add(_ lines: Int) {
        count.wrappingAdd(lines, ordering: .relaxed)
        newest.store(NIODeadline.now().uptimeNanoseconds, ordering: .relaxed)
    }

    var value: Int { count.load(ordering: .relaxed) }
    /// When the newest of them came.
    var last: NIODeadline { .uptimeNanoseconds(newest.load(ordering: .relaxed)) }
}

/// The end of a connection's pipeline. Works without tasks and continuations, so that the generator costs little.
final class ClientHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Mode {
        case idle
        case requests(Work, EventLoopPromise<Void>)
        /// The promise is kept when the answer's head has come.
        case watch(LineCount, EventLoopPromise<Void>?)
    }

    private var mode = Mode.idle
    private var context: ChannelHandlerContext?
    private var parser = HTTPResponseParser()
    private var started = NIODeadline.now()
    private var latencies: [Int64] = []
    private var bytes = 0

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func begin(_ work: Work, _ promise: EventLoopPromise<Void>) {
        guard case .idle = mode, context != nil else { return promise.fail(BenchmarkError("the connection is closed")) }
        mode = .requests(work, promise)
        latencies = []
        bytes = 0
        send()
    }

    func watch(_ path: String, _ lines: LineCount, _ promise: EventLoopPromise<Void>) {
        guard let context else { return promise.fail(BenchmarkError("the connection is closed")) }
        mode = .watch(lines, promise)
        context.writeAndFlush(
            wrapOutboundOut(ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: bench\r\n\r\n")), promise: nil)
    }

    private func send() {
        guard case .requests(let work, let promise) = mode, let context else { return }
        guard let request = work.take() else {
            work.add(latencies, bytes: bytes)
            mode = .idle
            return promise.succeed()
        }
        started = .now()
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        var lines = 0
        var finished = 0
        do {
            try parser.feed(&buffer) { piece in
                bytes += piece.readableBytes
                switch mode {
                case .watch: lines += piece.readableBytesView.count { $0 == 0x0A }
                case .requests(let work, _): work.keep(piece)
                case .idle: break
                }
            } end: {
                finished += 1
            }
        } catch {
            return fail(error)
        }
        switch mode {
        case .idle: break
        case .watch(let count, let promise):
            if parser.status != 200 { return fail(BenchmarkError("a watch was answered with \(parser.status)")) }
            if let promise {
                mode = .watch(count, nil)
                promise.succeed()
            }
            if lines > 0 { count.add(lines) }
        case .requests(let work, _):
            guard finished > 0 else { return }
            guard parser.status == work.expected else {
                return fail(
                    BenchmarkError("expected \(work.expected), was answered \(parser.status): \(work.text.suffix(500))")
                )
            }
            latencies.append((NIODeadline.now() - started).nanoseconds)
            send()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error) }
    func channelInactive(context: ChannelHandlerContext) { fail(BenchmarkError("the server closed the connection")) }

    private func fail(_ error: any Error) {
        switch mode {
        case .requests(_, let promise): promise.fail(error)
        case .watch(_, let promise): promise?.fail(error)
        case .idle: break
        }
        mode = .idle
        context?.close(promise: nil)
    }
}
