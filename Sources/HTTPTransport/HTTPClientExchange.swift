package import HTTPTypes
package import NIOCore
import NIOPosix
import NIOSSL

extension ByteTunnel {
    /// Connects by TCP (and TLS).
    ///
    /// - Throws: ``HTTPTransportError/unreachable(_:)`` with host, port and cause.
    package static func connect(
        host: String, port: Int, tls: HTTPClientTLS? = nil, timeout: Duration = .seconds(10),
        stallTimeout: Duration = .seconds(300)
    ) async throws(HTTPTransportError) -> ByteTunnel {
        do {
            return try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(TimeAmount(timeout))
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        if let tls {
                            // An IP address cannot be a server name (RFC 6066 section 3); it is verified all the same.
                            let isName = (try? SocketAddress(ipAddress: host, port: port)) == nil
                            try pipeline.addHandler(
                                NIOSSLClientHandler(context: tls.context, serverHostname: isName ? host : nil))
                        }
                        let handler = ByteTunnelHandler(stallTimeout: TimeAmount(stallTimeout))
                        let tunnel = ByteTunnel(handler: handler, channel: channel)
                        try pipeline.addHandler(handler)
                        return tunnel
                    }
                }
        } catch {
            throw .unreachable("cannot connect to \(host):\(port): \(error)")
        }
    }
}

/// One HTTP/1.1 request on a connection of its own, for passing requests on: the response's body streams, and a response
/// that switches protocols leaves a tunnel.
package struct HTTPClientExchange: Sendable {
    static let maximumHeadBytes = 64 << 10

    /// The response's head.
    package let response: HTTPResponse
    /// The connection behind the head: the peer's bytes after `101 Switching Protocols`.
    package let tunnel: ByteTunnel
    private let isHead: Bool

    /// Sends a request and reads the response's head. `Host` is the request's authority, or host and port.
    ///
    /// - Throws: ``HTTPTransportError/unreachable(_:)``, ``HTTPTransportError/connectionClosed``,
    ///   ``HTTPTransportError/malformedResponse(_:)``.
    package static func send(
        _ request: HTTPRequest, body: [UInt8] = [], host: String, port: Int, tls: HTTPClientTLS? = nil
    ) async throws -> HTTPClientExchange {
        let tunnel = try await ByteTunnel.connect(host: host, port: port, tls: tls)
        do {
            var text =
                "\(request.method.rawValue) \(request.path ?? "/") HTTP/1.1\r\nHost: \(request.authority ?? "\(host):\(port)")\r\n"
            for field in request.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
            if request.headerFields[.connection] == nil { text += "Connection: close\r\n" }
            let announces = request.method != .get && request.method != .head
            if announces, request.headerFields[.contentLength] == nil { text += "Content-Length: \(body.count)\r\n" }
            text += "\r\n"
            var bytes = ByteBuffer(string: text)
            bytes.writeBytes(body)
            try await tunnel.write(bytes)
            var response = try await readHead(tunnel)
            while response.status.kind == .informational, response.status.code != 101 {
                response = try await readHead(tunnel)
            }
            return HTTPClientExchange(response: response, tunnel: tunnel, isHead: request.method == .head)
        } catch {
            tunnel.close()
            throw error
        }
    }

    private static func readHead(_ tunnel: ByteTunnel) async throws -> HTTPResponse {
        var collected = ByteBuffer()
        while true {
            let view = collected.readableBytesView
            if let end = endOfHead(view) {
                let text = String(decoding: view[..<end], as: UTF8.self)
                collected.moveReaderIndex(to: end)
                tunnel.unread(collected.slice())
                return try parse(text)
            }
            guard collected.readableBytes < maximumHeadBytes else {
                throw HTTPTransportError.malformedResponse("a head of more than \(maximumHeadBytes) bytes")
            }
            guard var more = try await tunnel.read() else { throw HTTPTransportError.connectionClosed }
            collected.writeBuffer(&more)
        }
    }

    private static func endOfHead(_ view: ByteBufferView) -> Int? {
        var line = view.startIndex
        while let newline = view[line...].firstIndex(of: 0x0A) {
            let length = newline - line
            if length == 0 || (length == 1 && view[line] == 0x0D) { return newline + 1 }
            line = newline + 1
        }
        return nil
    }

    private static func parse(_ head: String) throws(HTTPTransportError) -> HTTPResponse {
        let lines = head.split(whereSeparator: \.isNewline)
        let status = (lines.first ?? "").split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard status.count >= 2, status[0].hasPrefix("HTTP/1."), let code = Int(status[1]), (100...599).contains(code)
        else {
            throw .malformedResponse("status line \"\(lines.first ?? "")\"")
        }
        var fields = HTTPFields()
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), let name = HTTPField.Name(String(line[..<colon])) else {
                throw .malformedResponse("header line \"\(line)\"")
            }
            let value = line[line.index(after: colon)...]
            fields.append(HTTPField(name: name, value: String(value.drop(while: { $0 == " " || $0 == "\t" }))))
        }
        return HTTPResponse(
            status: HTTPResponse.Status(code: code, reasonPhrase: status.count > 2 ? String(status[2]) : ""),
            headerFields: fields)
    }

    /// Reads the body to its end, handing on each piece as it comes, and closes the connection.
    package func forEachChunk(_ body: (ByteBuffer) async throws -> Void) async throws {
        defer { tunnel.close() }
        guard !isHead, !response.status.forbidsBody else { return }
        if response.headerFields[.transferEncoding]?.lowercased().contains("chunked") == true {
            return try await readChunked(body)
        }
        var left = response.headerFields[.contentLength].flatMap { Int($0) }
        while left != 0, var bytes = try await tunnel.read() {
            if let announced = left {
                if bytes.readableBytes > announced, let slice = bytes.readSlice(length: announced) { bytes = slice }
                left = announced - bytes.readableBytes
            }
            try await body(bytes)
        }
        if let left, left > 0 { throw HTTPTransportError.connectionClosed }
    }

    /// Reads the whole body, at most `limit` bytes of it.
    package func collect(upTo limit: Int) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        try await forEachChunk { chunk in
            if bytes.count < limit { bytes.append(contentsOf: chunk.readableBytesView.prefix(limit - bytes.count)) }
        }
        return bytes
    }

    /// RFC 9112 section 7.1.
    private func readChunked(_ body: (ByteBuffer) async throws -> Void) async throws {
        var buffered = ByteBuffer()
        func more() async throws {
            guard var bytes = try await tunnel.read() else { throw HTTPTransportError.connectionClosed }
            if buffered.readableBytes == 0 { buffered = bytes } else { buffered.writeBuffer(&bytes) }
        }
        func line() async throws -> String {
            while true {
                let view = buffered.readableBytesView
                if let newline = view.firstIndex(of: 0x0A) {
                    let text = String(decoding: view[..<newline], as: UTF8.self)
                    buffered.moveReaderIndex(to: newline + 1)
                    return text.hasSuffix("\r") ? String(text.dropLast()) : text
                }
                guard buffered.readableBytes < Self.maximumHeadBytes else {
                    throw HTTPTransportError.malformedResponse(
                        "a chunk header of more than \(Self.maximumHeadBytes) bytes")
                }
                try await more()
            }
        }
        while true {
            let header = try await line()
            guard var left = Int(header.prefix { $0 != ";" && $0 != " " }, radix: 16), left >= 0 else {
                throw HTTPTransportError.malformedResponse("chunk size \"\(header)\"")
            }
            if left == 0 { return }
            while left > 0 {
                if buffered.readableBytes == 0 { try await more() }
                guard let piece = buffered.readSlice(length: Swift.min(left, buffered.readableBytes)) else { continue }
                left -= piece.readableBytes
                try await body(piece)
            }
            _ = try await line()
        }
    }
}
