import HTTPTransport
import HTTPTypes
import Logging
import NIOCore
import Synchronization
import Testing

/// Numbers as lines, as many as are asked for and then as many as are announced; waits in between.
private final class NumberSource: HTTPResponseSource {
    private struct State {
        var next = 0
        var available: Int
    }
    private let state: Mutex<State>
    private let end: Int
    let mayEndEarly: Bool
    /// Pieces that have been asked for and were there.
    let pieces = Atomic(0)

    init(available: Int, end: Int, mayEndEarly: Bool = true) {
        state = Mutex(State(available: available))
        self.end = end
        self.mayEndEarly = mayEndEarly
    }

    func announce(_ signal: HTTPResponseSignal) {
        state.withLock { $0.available += 1 }
        signal.wake()
    }

    func next() -> HTTPResponsePiece {
        state.withLock { state in
            guard state.next < end else { return .end }
            guard state.next < state.available else { return .wait(until: nil) }
            var bytes = ByteBuffer()
            while state.next < state.available, bytes.readableBytes < 10_000 {
                bytes.writeString("\(state.next)\n")
                state.next += 1
            }
            pieces.add(1, ordering: .relaxed)
            return .bytes(bytes)
        }
    }
}

/// `/all?n` streams n numbers; `/told?n` streams them as they are announced, by another thread; `/endless` never ends
/// and has always more; `/list` neither, and may not be cut off unnoticed.
private final class SourceHandler: HTTPHandler {
    let ended = Atomic(0)

    func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        let count = Int(request.query) ?? 0
        let head = HTTPResponse(status: .ok)
        defer { ended.add(1, ordering: .relaxed) }
        switch request.path {
        case "/all": try await writer.stream(head, from: NumberSource(available: count, end: count))
        case "/told":
            let source = NumberSource(available: 0, end: count)
            let signal = writer.signal()
            let announcer = Task.detached { for _ in 0..<count { source.announce(signal) } }
            try await writer.stream(head, from: source)
            await announcer.value
        case "/quiet":
            writer.markLongRunning()
            try await writer.stream(head, from: NumberSource(available: 1, end: 2))
        case "/list":
            writer.markLongRunning()
            try await writer.stream(head, from: NumberSource(available: 1, end: 2, mayEndEarly: false))
        case "/endless": try await writer.stream(head, from: NumberSource(available: .max, end: .max))
        default: writer.respond(head, body: ByteBuffer(string: "ok"))
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct ResponseSourceTests {
    private func withServer(
        onLoops: Bool = true, stallTimeout: Duration = .seconds(30),
        _ body: (Int, SourceHandler, HTTPServer) async throws -> Void
    ) async throws {
        var configuration = HTTPServerConfiguration(address: "127.0.0.1", port: 0)
        configuration.runsHandlersOnEventLoops = onLoops
        configuration.stallTimeout = stallTimeout
        configuration.shutdownGrace = .milliseconds(500)
        let handler = SourceHandler()
        let server = HTTPServer(configuration: configuration, logger: Logger(label: "test"), handler: handler)
        try await server.listen()
        let port = try #require(server.boundPort)
        let running = Task { try await server.run() }
        do { try await body(port, handler, server) } catch { Issue.record("\(error)") }
        running.cancel()
        _ = await running.result
    }

    private func get(_ path: String, _ port: Int, _ method: HTTPRequest.Method = .get) async throws -> String {
        let exchange = try await HTTPClientExchange.send(
            HTTPRequest(method: method, scheme: nil, authority: nil, path: path), host: "127.0.0.1", port: port)
        return String(decoding: try await exchange.collect(upTo: 1 << 24), as: UTF8.self)
    }

    private static func numbers(_ count: Int) -> String { (0..<count).map { "\($0)\n" }.joined() }

    @Test(arguments: [true, false])
    func `a stream arrives whole, whatever its length and whoever says that there is more`(onLoops: Bool) async throws {
        try await withServer(onLoops: onLoops) { port, _, _ in
            for count in [0, 1, 100, 300_000] {
                let text = try await get("/all?\(count)", port)
                #expect(text == Self.numbers(count), "\(count) at once")
            }
            for count in [1, 5000] {
                let text = try await get("/told?\(count)", port)
                #expect(text == Self.numbers(count), "\(count) one by one")
            }
            let head = try await get("/all?5", port, .head)
            #expect(head == "")
        }
    }

    @Test func `HTTP 1.0 gets no chunks, and the end of the connection as the end`() async throws {
        try await withServer { port, _, _ in
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            try await tunnel.write(ByteBuffer(string: "GET /all?3 HTTP/1.0\r\n\r\n"))
            var answer = ByteBuffer()
            while let bytes = try await tunnel.read() { answer.writeImmutableBuffer(bytes) }
            let text = String(buffer: answer)
            #expect(text.hasSuffix("\r\n\r\n0\n1\n2\n") && !text.lowercased().contains("chunked"))
        }
    }

    @Test func `a client that does not read is cut off, and the others notice nothing`() async throws {
        try await withServer(stallTimeout: .milliseconds(300)) { port, handler, _ in
            var lazy: [ByteTunnel] = []
            for _ in 0..<4 {
                let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
                try await tunnel.write(ByteBuffer(string: "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"))
                lazy.append(tunnel)
            }
            while handler.ended.load(ordering: .relaxed) < 4 {
                let answer = try await get("/", port)
                #expect(answer == "ok")
            }
            for tunnel in lazy { tunnel.close() }
        }
    }

    @Test func `a server that stops ends a watch, and cuts a list`() async throws {
        for (path, isWhole) in [("/quiet", true), ("/list", false)] {
            var configuration = HTTPServerConfiguration(address: "127.0.0.1", port: 0)
            configuration.shutdownGrace = .seconds(5)
            let server = HTTPServer(
                configuration: configuration, logger: Logger(label: "test"), handler: SourceHandler())
            try await server.listen()
            let port = try #require(server.boundPort)
            let running = Task { try await server.run() }
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            try await tunnel.write(ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n"))
            var answer = ByteBuffer()
            while !String(buffer: answer).contains("0\n") {
                let more = try await tunnel.read()
                answer.writeImmutableBuffer(try #require(more))
            }
            running.cancel()
            while let bytes = try? await tunnel.read() { answer.writeImmutableBuffer(bytes) }
            #expect(String(buffer: answer).hasSuffix("\r\n0\r\n\r\n") == isWhole, "\(path)")
            tunnel.close()
            _ = await running.result
        }
    }

    @Test func `a header field of endless length is refused`() async throws {
        try await withServer { port, _, _ in
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            let field = "X-Long: \(String(repeating: "y", count: 200_000))\r\n"
            try? await tunnel.write(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\(field)\r\n"))
            let answer = try await tunnel.read().map { String(buffer: $0) } ?? ""
            #expect(answer.hasPrefix("HTTP/1.1 431 "))
            tunnel.close()
        }
    }

    @Test func `the time for a handshake is over with the handshake`() async throws {
        let credentials = try TestCredentials()
        let own = try credentials.issue(commonName: "server")
        let tls = try HTTPServerTLS(certificateChain: own.certificate, privateKey: own.key)
        var configuration = HTTPServerConfiguration(address: "127.0.0.1", port: 0, tls: tls)
        configuration.handshakeTimeout = .seconds(3)
        let server = HTTPServer(configuration: configuration, logger: Logger(label: "test"), handler: SourceHandler())
        try await server.listen()
        let port = try #require(server.boundPort)
        let running = Task { try await server.run() }
        let quick = try await Self.answered(port, try HTTPClientTLS(certificateAuthority: credentials.authority))
        // One that never begins is closed; by then the other is older than the limit.
        let silent = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
        let ended = try? await silent.read()
        #expect(ended == nil)
        try await quick.write(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
        let answer = try await quick.read()
        #expect(answer.map { String(buffer: $0) }?.hasPrefix("HTTP/1.1 200") == true)
        quick.close()
        running.cancel()
        _ = await running.result
    }

    /// A TLS connection that has had its first answer. On a busy machine a handshake may outlast the limit of this
    /// test: then there is another.
    private static func answered(_ port: Int, _ tls: HTTPClientTLS) async throws -> ByteTunnel {
        for _ in 0..<20 {
            guard let tunnel = try? await ByteTunnel.connect(host: "127.0.0.1", port: port, tls: tls) else { continue }
            try? await tunnel.write(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
            if let answer = try? await tunnel.read(), answer.readableBytes > 0 { return tunnel }
            tunnel.close()
        }
        throw NoHandshake()
    }

    private struct NoHandshake: Error {}
}
