import HTTPTransport
import HTTPTypes
import KubeSchema
import Logging
import NIOCore
import Synchronization
import Testing

@testable import APIServer

/// A client's frame: masked, as it must be.
private func masked(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, mask: UInt32 = 0xA1B2_C3D4) -> ByteBuffer
{
    var frame = ByteBuffer()
    frame.writeInteger((isFinal ? 0x80 : 0) | opcode)
    switch payload.count {
    case ..<126: frame.writeInteger(0x80 | UInt8(payload.count))
    case ...0xFFFF:
        frame.writeInteger(UInt8(0x80 | 126))
        frame.writeInteger(UInt16(payload.count))
    default:
        frame.writeInteger(UInt8(0x80 | 127))
        frame.writeInteger(UInt64(payload.count))
    }
    frame.writeInteger(mask)
    for (index, byte) in payload.enumerated() {
        frame.writeInteger(byte ^ UInt8(truncatingIfNeeded: mask >> UInt32(24 - 8 * (index % 4))))
    }
    return frame
}

@Suite struct WebSocketParserTests {
    @Test(arguments: [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
    func `a message arrives whole however its bytes are cut`(length: Int) throws {
        let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        var frame = masked(0x2, payload)
        var parser = WebSocketParser()
        var random = SystemRandomNumberGenerator()
        while frame.readableBytes > 0 {
            #expect(try parser.next() == nil)
            let part = min(frame.readableBytes, Int.random(in: 1...max(1, length / 3 + 2), using: &random))
            let piece = frame.readSlice(length: part)
            parser.feed(try #require(piece))
        }
        #expect(try parser.next() == .data(ByteBuffer(bytes: payload)))
        #expect(try parser.next() == nil)
    }

    @Test func `fragments are put together, and controls come between them`() throws {
        var parser = WebSocketParser()
        parser.feed(masked(0x2, [1, 2], isFinal: false))
        parser.feed(masked(0x9, [9]))
        parser.feed(masked(0x0, [3]))
        parser.feed(masked(0x8, []))
        #expect(try parser.next() == .ping(ByteBuffer(bytes: [9])))
        #expect(try parser.next() == .data(ByteBuffer(bytes: [1, 2, 3])))
        #expect(try parser.next() == .close)
    }

    @Test(arguments: [
        ([0x82, 0x01, 0x00] as [UInt8], 1002, "not masked"), ([0xC2, 0x80, 0, 0, 0, 0], 1002, "an extension bit"),
        ([0x83, 0x80, 0, 0, 0, 0], 1002, "an opcode without meaning"),
        ([0x09, 0x80, 0, 0, 0, 0], 1002, "a ping in parts"),
        ([0x80, 0x80, 0, 0, 0, 0], 1002, "goes on from nothing"), ([0x89, 0xFE, 0, 200], 1002, "a long ping"),
        ([0x82, 0xFF, 0, 0, 0, 1, 0, 0, 0, 0], 1009, "4 GiB"), ([0x82, 0xFF, 0xFF, 0, 0, 1, 0, 0, 0, 0], 1009, "2^64"),
    ])
    func `what breaks the rules is refused with its code`(bytes: [UInt8], code: UInt16, why: String) {
        var parser = WebSocketParser()
        parser.feed(ByteBuffer(bytes: bytes))
        #expect(throws: (any Error).self) { try parser.next() }
        do { _ = try parser.next() } catch { #expect(error.code == code, "\(why)") }
    }

    @Test func `no bytes crash a parser`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            var (sockets, spdy) = (WebSocketParser(), SPDYParser())
            for _ in 0..<3 {
                var bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                    UInt8.random(in: 0...255, using: &random)
                }
                if Bool.random(using: &random), bytes.count > 8 { bytes.replaceSubrange(0..<4, with: [0x80, 3, 0, 2]) }
                sockets.feed(ByteBuffer(bytes: bytes))
                spdy.feed(ByteBuffer(bytes: bytes))
                do { while try sockets.next() != nil {} } catch {}
                do { while try spdy.next() != nil {} } catch {}
            }
        }
    }
}

@Suite(.timeLimit(.minutes(1))) struct StreamTranslatorTests {
    /// A kubelet whose containers echo what they are told on standard output, say how long it was on standard error,
    /// and end with status 3.
    private struct EchoKubelet: HTTPHandler {
        func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
            var head = HTTPResponse(status: .switchingProtocols)
            head.headerFields[.upgrade] = "SPDY/3.1"
            head.headerFields[.connection] = "Upgrade"
            let tunnel = try await writer.upgrade(head)
            var parser = SPDYParser()
            var (opened, count) = (0, 0)
            while let bytes = try await tunnel.read() {
                parser.feed(bytes)
                while let frame = try parser.next() {
                    switch frame {
                    case .other: opened += 1  // what a client opens is of no interest to a client's parser
                    case .data(3, let data, let isLast):
                        count += data.readableBytes
                        if data.readableBytes > 0 { try await tunnel.write(SPDYParser.data(stream: 5, data)) }
                        guard isLast else { continue }
                        let text = ByteBuffer(string: "\(count) bytes on \(opened) streams\n")
                        try await tunnel.write(SPDYParser.data(stream: 7, text, isLast: true))
                        try await tunnel.write(SPDYParser.data(stream: 5, ByteBuffer(), isLast: true))
                        let status = #"{"status":"Failure","reason":"NonZeroExitCode"}"#
                        try await tunnel.write(SPDYParser.data(stream: 1, ByteBuffer(string: status), isLast: true))
                    default: break
                    }
                }
            }
            tunnel.close()
        }
    }

    @Test func `a command over a WebSocket gets its input to the end, and gives its output and status`() async throws {
        let kubelet = HTTPServer(
            configuration: HTTPServerConfiguration(address: "127.0.0.1", port: 0), logger: Logger(label: "kubelet"),
            handler: EchoKubelet())
        try await kubelet.listen()
        let kubeletPort = try #require(kubelet.boundPort)
        try await withServer { server in
            try await withThrowingTaskGroup { group in
                group.addTask { try await kubelet.run() }
                try await server.call(
                    .post, "/api/v1/nodes",
                    ["kind": "Node", "apiVersion": "v1", "metadata": ["name": "n1"]])
                try await server.call(
                    .put, "/api/v1/nodes/n1/status",
                    [
                        "kind": "Node", "apiVersion": "v1", "metadata": ["name": "n1"],
                        "status": [
                            "addresses": [["type": "InternalIP", "address": "127.0.0.1"]],
                            "daemonEndpoints": ["kubeletEndpoint": ["Port": .integer(Int64(kubeletPort))]],
                        ],
                    ])
                var object = pod("p")
                object["spec", "nodeName"] = "n1"
                #expect(try await server.call(.post, pods, object).code == 201)

                // On a connection that has served a request before, as clients' pools do.
                let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: server.port)
                try await tunnel.write(ByteBuffer(string: "GET /version HTTP/1.1\r\nHost: x\r\n\r\n"))
                var seen = ByteBuffer()
                while !String(buffer: seen).contains("}") {
                    seen.writeImmutableBuffer(try #require(try await tunnel.read()))
                }
                try await tunnel.write(
                    ByteBuffer(
                        string: "GET \(pods)/p/exec?command=cat&stdin=true&stdout=true&stderr=true HTTP/1.1\r\n"
                            + "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                            + "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n"))
                seen = ByteBuffer()
                while !String(buffer: seen).contains("\r\n\r\n") {
                    seen.writeImmutableBuffer(try #require(try await tunnel.read()))
                }
                let text = String(buffer: seen)
                #expect(text.hasPrefix("HTTP/1.1 101"))
                #expect(text.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "RFC 6455's own example")
                let head = text.utf8.count - (text.components(after: "\r\n\r\n")?.utf8.count ?? 0)
                seen.moveReaderIndex(forwardBy: head)

                let input = [UInt8](repeating: 0x41, count: 100_000)
                for start in stride(from: 0, to: input.count, by: 30_000) {
                    try await tunnel.write(masked(0x2, [0] + input[start..<min(start + 30_000, input.count)]))
                }
                try await tunnel.write(masked(0x2, [255, 0]))
                var output: [UInt8: [UInt8]] = [:]
                var closed = false
                while !closed {
                    while let (opcode, payload) = Self.serverFrame(&seen) {
                        if opcode == 0x8 { closed = true }
                        if opcode == 0x2, let channel = payload.first {
                            output[channel, default: []] += payload.dropFirst()
                        }
                    }
                    guard !closed, let bytes = try await tunnel.read() else { break }
                    seen.writeImmutableBuffer(bytes)
                }
                tunnel.close()
                #expect(closed)
                #expect(output[1] == input)
                #expect(String(decoding: output[2] ?? [], as: UTF8.self) == "100000 bytes on 4 streams\n")
                #expect(try JSON(parsing: output[3] ?? [])["reason"] == "NonZeroExitCode")
                group.cancelAll()
            }
        }
    }

    private static func serverFrame(_ bytes: inout ByteBuffer) -> (UInt8, [UInt8])? {
        let start = bytes.readerIndex
        guard let first = bytes.getInteger(at: start, as: UInt8.self),
            let short = bytes.getInteger(at: start + 1, as: UInt8.self)
        else { return nil }
        var (at, length) = (start + 2, Int(short))
        if short == 126 {
            guard let long = bytes.getInteger(at: at, as: UInt16.self) else { return nil }
            (at, length) = (at + 2, Int(long))
        } else if short == 127 {
            guard let long = bytes.getInteger(at: at, as: UInt64.self) else { return nil }
            (at, length) = (at + 8, Int(long))
        }
        guard let payload = bytes.getBytes(at: at, length: length) else { return nil }
        bytes.moveReaderIndex(to: at + length)
        return (first & 0x0F, payload)
    }
}

extension String {
    fileprivate func components(after mark: String) -> String? {
        firstRange(of: mark).map { String(self[$0.upperBound...]) }
    }
}
