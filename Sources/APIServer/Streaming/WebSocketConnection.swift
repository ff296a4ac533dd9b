import Crypto
import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore

/// The server's end of a WebSocket. One task reads; any may write, each message whole.
final class WebSocketConnection: Sendable {
    private let tunnel: ByteTunnel

    private init(_ tunnel: ByteTunnel) { self.tunnel = tunnel }

    /// Whether a request asks for a WebSocket.
    static func isWanted(_ request: HTTPServerRequest) -> Bool {
        request.isUpgrade && request.head.headerFields[.upgrade]?.lowercased() == "websocket"
    }

    /// The subprotocols that a request offers, in its order.
    static func offered(_ request: HTTPServerRequest) -> [String] {
        request.head.headerFields[values: .secWebSocketProtocol].flatMap { $0.split(separator: ",") }
            .map { String($0.filter { $0 != " " }) }
    }

    /// Answers the handshake (RFC 6455 section 4.2.2).
    ///
    /// - Parameter subprotocol: One of the offered; empty for none.
    static func accept(_ request: HTTPServerRequest, subprotocol: String, _ writer: HTTPResponseWriter)
        async throws -> WebSocketConnection
    {
        let fields = request.head.headerFields
        guard request.head.method == .get, fields[.secWebSocketVersion] == "13",
            let key = fields[.secWebSocketKey], (try? Base64.decode(key))?.count == 16
        else {
            throw APIFailure(.badRequest, "the WebSocket handshake is not one of version 13 with a key of 16 bytes")
        }
        let digest = Insecure.SHA1.hash(data: Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8))
        var answer = HTTPResponse(status: .switchingProtocols)
        answer.headerFields[.upgrade] = "websocket"
        answer.headerFields[.connection] = "Upgrade"
        answer.headerFields[.secWebSocketAccept] = Base64.encode(Array(digest))
        if !subprotocol.isEmpty { answer.headerFields[.secWebSocketProtocol] = subprotocol }
        return WebSocketConnection(try await writer.upgrade(answer))
    }

    /// Hands each message to `take` until the client closes or goes away. Answers pings by itself; a client that breaks
    /// the rules is told so and left.
    func forEachMessage(_ take: (ByteBuffer) async throws -> Void) async throws {
        var parser = WebSocketParser()
        while let bytes = try await tunnel.read() {
            parser.feed(bytes)
            do {
                while let message = try parser.next() {
                    switch message {
                    case .data(let payload): try await take(payload)
                    case .ping(let payload): try await tunnel.write(WebSocketParser.frame(opcode: 0xA, payload))
                    case .close: return
                    }
                }
            } catch let error as WebSocketError {
                await close(error.code)
                throw error
            }
        }
    }

    /// Sends a binary message, its first byte being the channel where there is one.
    func send(_ payload: ByteBuffer, channel: UInt8? = nil) async throws {
        try await tunnel.write(WebSocketParser.frame(opcode: 0x2, payload, channel: channel))
    }

    /// Says goodbye and closes. May be called more than once.
    func close(_ code: UInt16 = 1000) async {
        try? await tunnel.write(WebSocketParser.frame(opcode: 0x8, ByteBuffer(integer: code)))
        tunnel.close()
    }
}
