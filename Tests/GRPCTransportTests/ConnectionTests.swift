import GRPCCore
import GRPCTransport
import Testing

/// Answers each message with itself; `fail` answers with a status.
private enum EchoService {
    static let echo = MethodDescriptor(
        fullyQualifiedService: "test.Echo", method: "Echo", type: .bidirectionalStreaming)
    static let fail = MethodDescriptor(fullyQualifiedService: "test.Echo", method: "Fail", type: .unary)

    static let methods: [String: GRPCMethod] = [
        "/test.Echo/Echo": .streaming { EchoStream($0) },
        "/test.Echo/Fail": .unary { _, reply in
            reply.fail(Status(code: .outOfRange, message: "größer als 100%"))
        },
    ]
}

private final class EchoStream: GRPCStreamReceiver {
    private let stream: GRPCServerStream
    init(_ stream: GRPCServerStream) { self.stream = stream }
    func receive(_ message: [UInt8]) { stream.send(message) }
    func receivedEnd() { stream.finish(Status(code: .ok, message: "")) }
    func becameWritable() {}
    func ended() {}
}

private struct Bytes: MessageSerializer, MessageDeserializer {
    func serialize<Result: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Result { Result(message) }
    func deserialize<Input: GRPCContiguousBytes>(_ bytes: Input) throws -> [UInt8] {
        bytes.withUnsafeBytes { Array($0) }
    }
}

private typealias Client = GRPCClient<GRPCClientTransport>

private func echo(_ client: Client, _ message: [UInt8]) async throws -> [[UInt8]] {
    try await client.bidirectionalStreaming(
        request: StreamingClientRequest { try await $0.write(message) }, descriptor: EchoService.echo,
        serializer: Bytes(), deserializer: Bytes(), options: .defaults
    ) { response in
        var messages: [[UInt8]] = []
        for try await message in response.messages { messages.append(message) }
        return messages
    }
}

private func withServer(
    _ endpoint: GRPCEndpoint, _ body: @escaping @Sendable (_ port: Int) async throws -> Void
) async throws {
    let server = GRPCListener(endpoint, methods: EchoService.methods)
    let port = try await server.bind()
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        try await body(port)
        server.shutDown()
        try await group.waitForAll()
    }
}

private func withClient(
    _ endpoints: [GRPCEndpoint], _ body: @escaping @Sendable (Client, GRPCClientTransport) async throws -> Void
) async throws {
    let transport = GRPCClientTransport(endpoints)
    let client = GRPCClient(transport: transport)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await client.runConnections() }
        try await body(client, transport)
        client.beginGracefulShutdown()
        try await group.waitForAll()
    }
}

struct ConnectionTests {
    @Test
    func manyCallsShareOneConnectionOverAUnixSocket() async throws {
        let path = "/tmp/fjord-grpc-\(UInt32.random(in: 0...UInt32.max)).sock"
        try await withServer(.unix(path)) { _ in
            try await withClient([.unix(path)]) { client, transport in
                for number in 0..<500 {
                    let byte = UInt8(number & 255)
                    let answer = try await echo(client, [byte])
                    #expect(answer == [[byte]])
                }
                #expect(transport.connectionsMade == 1)
            }
        }
    }

    @Test
    func messagesOfManyMegabytesPass() async throws {
        try await withServer(.tcp(host: "127.0.0.1", port: 0)) { port in
            try await withClient([.tcp(host: "127.0.0.1", port: port)]) { client, _ in
                let message = [UInt8](repeating: 5, count: 9 << 20)
                let answer = try await echo(client, message)
                #expect(answer == [message])
            }
        }
    }

    @Test
    func aStatusArrivesWithItsWords() async throws {
        try await withServer(.tcp(host: "127.0.0.1", port: 0)) { port in
            try await withClient([.tcp(host: "127.0.0.1", port: port)]) { client, _ in
                let error = await #expect(throws: RPCError.self) {
                    _ = try await client.unary(
                        request: ClientRequest(message: [1]), descriptor: EchoService.fail, serializer: Bytes(),
                        deserializer: Bytes(), options: .defaults
                    ) { try $0.message }
                }
                #expect(error?.code == .outOfRange)
                #expect(error?.message == "größer als 100%")
            }
        }
    }

    @Test
    func aDeadEndpointIsPassedOver() async throws {
        try await withServer(.tcp(host: "127.0.0.1", port: 0)) { port in
            let dead = GRPCEndpoint.unix("/tmp/fjord-grpc-nobody.sock")
            try await withClient([dead, .tcp(host: "127.0.0.1", port: port)]) { client, _ in
                let answer = try await echo(client, [1])
                #expect(answer == [[1]])
            }
        }
    }

    @Test
    func aCallWithoutAServerFailsAsUnavailable() async throws {
        try await withClient([.unix("/tmp/fjord-grpc-nobody.sock")]) { client, _ in
            let error = await #expect(throws: RPCError.self) { _ = try await echo(client, [1]) }
            #expect(error?.code == .unavailable)
        }
    }

    @Test
    func aDeadlineEndsACall() async throws {
        try await withServer(.tcp(host: "127.0.0.1", port: 0)) { port in
            try await withClient([.tcp(host: "127.0.0.1", port: port)]) { client, _ in
                var options = CallOptions.defaults
                options.timeout = .milliseconds(100)
                let error = await #expect(throws: RPCError.self) {
                    try await client.bidirectionalStreaming(
                        request: StreamingClientRequest { _ in try await Task.sleep(for: .seconds(3600)) },
                        descriptor: EchoService.echo, serializer: Bytes(), deserializer: Bytes(), options: options
                    ) { response in for try await _ in response.messages {} }
                }
                #expect(error?.code == .deadlineExceeded)
            }
        }
    }
}
