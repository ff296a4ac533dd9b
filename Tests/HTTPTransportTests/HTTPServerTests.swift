import HTTPTransport
import HTTPTypes
import Logging
import NIOCore
import Synchronization
import Testing

/// Answers what the path asks for.
private final class TestHandler: HTTPHandler {
    /// Floods that have ended because their client was cut off.
    let floodsEnded = Atomic(0)

    func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        switch request.path {
        case "/hello": writer.respond(HTTPResponse(status: .ok), body: ByteBuffer(string: "hello \(request.query)"))
        case "/who":
            let peer = request.peer.map { "\($0.commonName) \($0.organizations.joined(separator: ","))" } ?? "nobody"
            writer.respond(HTTPResponse(status: .ok), body: ByteBuffer(string: peer))
        case "/echo":
            do {
                writer.respond(HTTPResponse(status: .ok), body: ByteBuffer(bytes: try await request.body.collect()))
            } catch HTTPTransportError.bodyTooLarge {
                writer.respond(HTTPResponse(status: .contentTooLarge), body: ByteBuffer(string: "too large"))
            }
        case "/stream":
            try await writer.begin(HTTPResponse(status: .ok))
            for number in 0..<100 { try await writer.write(ByteBuffer(string: "line \(number)\n")) }
            try await writer.end()
        case "/tunnel":
            do {
                let tunnel = try await writer.upgrade(
                    HTTPResponse(status: .switchingProtocols, headerFields: [.connection: "Upgrade", .upgrade: "echo"]))
                while let bytes = try await tunnel.read() { try await tunnel.write(bytes) }
                tunnel.close()
            } catch HTTPTransportError.upgradeNotPossible {
                writer.respond(HTTPResponse(status: .badRequest), body: ByteBuffer(string: "no upgrade"))
            }
        case "/forever":
            writer.markLongRunning()
            try await writer.begin(HTTPResponse(status: .ok))
            try await Task.sleep(for: .seconds(3600))
        case "/flood":
            try await writer.begin(HTTPResponse(status: .ok))
            defer { floodsEnded.add(1, ordering: .relaxed) }
            while true { try await writer.write(ByteBuffer(repeating: 0x61, count: 64 << 10)) }
        case "/throw": throw HTTPTransportError.connectionClosed
        default: writer.respond(HTTPResponse(status: .notFound))
        }
    }
}

private func withServer(
    tls: HTTPServerTLS? = nil, change: (inout HTTPServerConfiguration) -> Void = { _ in },
    handler: TestHandler = TestHandler(), _ body: @Sendable (Int) async throws -> Void
) async throws {
    var configuration = HTTPServerConfiguration(address: "127.0.0.1", port: 0, tls: tls)
    configuration.shutdownGrace = .milliseconds(500)
    change(&configuration)
    let server = HTTPServer(configuration: configuration, logger: Logger(label: "test"), handler: handler)
    try await server.listen()
    let port = try #require(server.boundPort)
    try await withThrowingTaskGroup { group in
        group.addTask { try await server.run() }
        try await body(port)
        group.cancelAll()
        do { try await group.waitForAll() } catch is CancellationError {}
    }
}

private func get(
    _ path: String, method: HTTPRequest.Method = .get, body: [UInt8] = [], port: Int, tls: HTTPClientTLS? = nil
)
    async throws -> (Int, String)
{
    let request = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
    let exchange = try await HTTPClientExchange.send(request, body: body, host: "127.0.0.1", port: port, tls: tls)
    let answer = try await exchange.collect(upTo: 1 << 24)
    return (exchange.response.status.code, String(decoding: answer, as: UTF8.self))
}

/// Reads until `count` bytes have come or the connection has ended.
private func read(_ count: Int, from tunnel: ByteTunnel) async throws -> String {
    var text: [UInt8] = []
    while text.count < count, let bytes = try await tunnel.read() { text.append(contentsOf: bytes.readableBytesView) }
    return String(decoding: text, as: UTF8.self)
}

@Suite(.timeLimit(.minutes(1))) struct HTTPServerTests {
    @Test func `a request is answered`() async throws {
        try await withServer { port in
            let answer = try await get("/hello?a=b", port: port)
            #expect(answer == (200, "hello a=b"))
        }
    }

    @Test func `a streamed response arrives in chunks and whole`() async throws {
        try await withServer { port in
            let (status, body) = try await get("/stream", port: port)
            #expect(status == 200)
            #expect(body == (0..<100).map { "line \($0)\n" }.joined())
        }
    }

    @Test func `a handler that throws is an internal error`() async throws {
        try await withServer { port in
            let (status, _) = try await get("/throw", port: port)
            #expect(status == 500)
        }
    }

    @Test func `requests sent ahead on one connection are answered in order`() async throws {
        try await withServer { port in
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            let requests = (0..<50).map { "GET /hello?\($0) HTTP/1.1\r\nHost: x\r\n\r\n" }.joined()
            try await tunnel.write(
                ByteBuffer(string: requests + "GET /hello?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
            let text = try await read(.max, from: tunnel)
            let bodies = text.split(separator: "hello ").dropFirst().map { $0.prefix { $0 != "H" } }
            #expect(bodies == (0..<50).map { "\($0)" } + ["last"])
        }
    }

    @Test func `a connection that has served requests becomes a tunnel, and no byte sent ahead is lost`() async throws {
        try await withServer { port in
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            try await tunnel.write(
                ByteBuffer(
                    string: "GET /hello?1 HTTP/1.1\r\nHost: x\r\n\r\nPOST /tunnel HTTP/1.1\r\nHost: x\r\n"
                        + "Connection: Upgrade\r\nUpgrade: echo\r\nContent-Length: 0\r\n\r\nsent ahead"))
            var text = ""
            while !text.hasSuffix("sent ahead") {
                let more = try await read(1, from: tunnel)
                try #require(!more.isEmpty)
                text += more
            }
            #expect(text.contains("hello 1") && text.contains("101 Switching Protocols"))
            try await tunnel.write(ByteBuffer(string: "and later"))
            #expect(try await read(9, from: tunnel) == "and later")
            tunnel.close()
        }
    }

    @Test func `a tunnel is refused to a request that asks for none`() async throws {
        try await withServer { port in
            let answer = try await get("/tunnel", port: port)
            #expect(answer == (400, "no upgrade"))
        }
    }

    @Test func `two tunnels are relayed`() async throws {
        try await withServer { port in
            let request = HTTPRequest(
                method: .post, scheme: nil, authority: nil, path: "/tunnel",
                headerFields: [.connection: "Upgrade", .upgrade: "echo"])
            let exchange = try await HTTPClientExchange.send(request, host: "127.0.0.1", port: port)
            #expect(exchange.response.status.code == 101)
            for size in [1, 1000, 1 << 20] {
                let sender = Task { try await exchange.tunnel.write(ByteBuffer(repeating: 0x62, count: size)) }
                #expect(try await read(size, from: exchange.tunnel).utf8.count == size)
                try await sender.value
            }
            exchange.tunnel.close()
        }
    }

    @Test(arguments: [0, 1, 65_536, 3 << 20]) func `a body comes back`(size: Int) async throws {
        try await withServer { port in
            let body = [UInt8](repeating: 0x63, count: size)
            let (status, text) = try await get("/echo", method: .post, body: body, port: port)
            #expect(status == 200 && text.utf8.count == size)
        }
    }

    @Test func `a body above the limit is refused, and the client can read the answer`() async throws {
        try await withServer { port in
            let body = [UInt8](repeating: 0x63, count: (3 << 20) + 1)
            let answer = try await get("/echo", method: .post, body: body, port: port)
            #expect(answer == (413, "too large"))
        }
    }

    @Test(arguments: ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"])
    func `what is no request is a 400`(bytes: String) async throws {
        try await withServer { port in
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            try await tunnel.write(ByteBuffer(string: bytes))
            #expect(try await read(.max, from: tunnel).hasPrefix("HTTP/1.1 400"))
        }
    }

    @Test func `a client that takes nothing is cut off`() async throws {
        let handler = TestHandler()
        try await withServer(change: { $0.stallTimeout = .milliseconds(100) }, handler: handler) { port in
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            try await tunnel.write(ByteBuffer(string: "GET /flood HTTP/1.1\r\nHost: x\r\n\r\n"))
            let deadline = ContinuousClock.now + .seconds(20)
            while handler.floodsEnded.load(ordering: .relaxed) == 0, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(handler.floodsEnded.load(ordering: .relaxed) == 1)
            tunnel.close()
        }
    }

    @Test func `an idle connection is closed`() async throws {
        try await withServer(change: { $0.idleTimeout = .milliseconds(100) }) { port in
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            #expect(try await tunnel.read() == nil)
        }
    }

    @Test func `a stopping server cancels what would go on for ever`() async throws {
        try await withServer { port in
            let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: port)
            try await tunnel.write(ByteBuffer(string: "GET /forever HTTP/1.1\r\nHost: x\r\n\r\n"))
            #expect(try await read(1, from: tunnel).hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func `a port that is taken is named, with what to do`() async throws {
        try await withServer { port in
            let second = HTTPServer(
                configuration: .init(address: "127.0.0.1", port: port), logger: Logger(label: "test"),
                handler: TestHandler())
            let error = await #expect(throws: HTTPTransportError.self) { try await second.listen() }
            #expect("\(error!)".contains("127.0.0.1:\(port)") && "\(error!)".contains("choose another port"))
        }
    }

    @Test func `a client certificate names the peer, none is nobody, and a foreign one is refused`() async throws {
        let credentials = try TestCredentials()
        let server = try credentials.issue(commonName: "server")
        let tls = try HTTPServerTLS(
            certificateChain: server.certificate, privateKey: server.key, clientCA: credentials.authority)
        try await withServer(tls: tls) { port in
            let client = try credentials.issue(commonName: "admin", organizations: ["system:masters", "staff"])
            let known = try HTTPClientTLS(
                certificateAuthority: credentials.authority, certificateChain: client.certificate,
                privateKey: client.key)
            let anonymous = try HTTPClientTLS(certificateAuthority: credentials.authority)
            #expect(try await get("/who", port: port, tls: known) == (200, "admin system:masters,staff"))
            #expect(try await get("/who", port: port, tls: anonymous) == (200, "nobody"))
            let stranger = try TestCredentials().issue(commonName: "admin")
            let foreign = try HTTPClientTLS(
                certificateAuthority: credentials.authority, certificateChain: stranger.certificate,
                privateKey: stranger.key)
            await #expect(throws: (any Error).self) { try await get("/who", port: port, tls: foreign) }
        }
    }
}
