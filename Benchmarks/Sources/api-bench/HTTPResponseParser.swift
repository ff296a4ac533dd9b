import NIOCore

/// Cuts the bytes of an HTTP/1.1 connection into responses (RFC 9112), as cheaply as a load generator must: it looks only
/// at the status and at how the body is framed.
struct HTTPResponseParser {
    private enum State {
        case head
        case sized(Int)
        case chunkSize
        case chunk(Int)
        /// The line behind a chunk's data; after the last chunk it ends the response.
        case chunkEnd(isLast: Bool)
    }

    private var state = State.head
    private var pending = ByteBuffer()
    private(set) var status = 0

    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    /// Takes bytes in. Calls `body` for each piece of a body and `end` behind each response.
    mutating func feed(_ bytes: inout ByteBuffer, body: (ByteBuffer) -> Void, end: () -> Void) throws {
        if pending.readableBytes == 0 { pending = bytes } else { pending.writeBuffer(&bytes) }
        while try step(body, end) {}
        pending.discardReadBytes()
    }

    private mutating func step(_ body: (ByteBuffer) -> Void, _ end: () -> Void) throws -> Bool {
        switch state {
        case .head:
            guard let head = Self.take(&pending, through: "\r\n\r\n") else { return false }
            try begin(head)
            if case .sized(0) = state {
                state = .head
                end()
            }
        case .sized(let left):
            guard let piece = pending.readSlice(length: min(left, pending.readableBytes)), piece.readableBytes > 0
            else {
                return false
            }
            body(piece)
            state = .sized(left - piece.readableBytes)
            if left == piece.readableBytes {
                state = .head
                end()
            }
        case .chunkSize:
            guard let line = Self.take(&pending, through: "\r\n") else { return false }
            let digits = line.prefix { $0 != ";" && !$0.isWhitespace }
            guard let size = Int(digits, radix: 16) else { throw Malformed(description: "chunk size \"\(line)\"") }
            state = size == 0 ? .chunkEnd(isLast: true) : .chunk(size)
        case .chunk(let left):
            guard let piece = pending.readSlice(length: min(left, pending.readableBytes)), piece.readableBytes > 0
            else {
                return false
            }
            body(piece)
            state = left == piece.readableBytes ? .chunkEnd(isLast: false) : .chunk(left - piece.readableBytes)
        case .chunkEnd(let isLast):
            guard Self.take(&pending, through: "\r\n") != nil else { return false }
            state = isLast ? .head : .chunkSize
            if isLast { end() }
        }
        return true
    }

    private mutating func begin(_ head: String) throws {
        let lines = head.utf8.split(separator: 0x0A)
        guard let first = lines.first, first.count > 12, let code = Int(String(first.dropFirst(9).prefix(3)) ?? "")
        else {
            throw Malformed(description: "status line \"\(head.prefix(80))\"")
        }
        status = code
        state = .sized(0)
        for line in lines.dropFirst() {
            let text = String(decoding: line, as: UTF8.self).lowercased()
            if text.hasPrefix("content-length:") {
                state = .sized(Int(text.dropFirst(15).trimmed) ?? 0)
            } else if text.hasPrefix("transfer-encoding:"), text.contains("chunked") {
                state = .chunkSize
            }
        }
    }

    private static func take(_ buffer: inout ByteBuffer, through mark: StaticString) -> String? {
        let length = mark.utf8CodeUnitCount
        let found = buffer.withUnsafeReadableBytes { bytes -> Int? in
            var index = 0
            while index + length <= bytes.count {
                if (0..<length).allSatisfy({ bytes[index + $0] == mark.utf8Start[$0] }) { return index }
                index += 1
            }
            return nil
        }
        guard let found, let text = buffer.readString(length: found) else { return nil }
        buffer.moveReaderIndex(forwardBy: length)
        return text
    }
}

extension StringProtocol {
    var trimmed: String { String(drop(while: \.isWhitespace).prefix { !$0.isWhitespace }) }
}
