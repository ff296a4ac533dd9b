import NIOCore

/// A frame that breaks the rules, and the close code that says so (RFC 6455 section 7.4.1).
struct WebSocketError: Error, Equatable, CustomStringConvertible {
    let code: UInt16
    let description: String
}

/// Cuts the bytes of a client into WebSocket messages (RFC 6455).
struct WebSocketParser {
    enum Message: Equatable {
        /// Text or binary: the protocols of Kubernetes use them alike.
        case data(ByteBuffer)
        case ping(ByteBuffer)
        case close
    }

    /// Bytes of a message at most; clients send 32 KiB at a time.
    static let maximumMessageBytes = 1 << 20

    private var pending = ByteBuffer()
    /// A message of which more frames will come.
    private var partial: ByteBuffer?

    mutating func feed(_ bytes: ByteBuffer) {
        var bytes = bytes
        pending.discardReadBytes()
        pending.writeBuffer(&bytes)
    }

    /// The next message; `nil` until more bytes have come.
    mutating func next() throws(WebSocketError) -> Message? {
        while true {
            guard let (isFinal, opcode, payload) = try frame() else { return nil }
            switch opcode {
            case 0x0, 0x1, 0x2:
                guard (opcode == 0) == (partial != nil) else {
                    throw WebSocketError(
                        code: 1002, description: "a message begins inside another, or goes on from none")
                }
                var whole = partial ?? ByteBuffer()
                whole.writeImmutableBuffer(payload)
                guard whole.readableBytes <= Self.maximumMessageBytes else { throw Self.tooLarge }
                partial = isFinal ? nil : whole
                if isFinal { return .data(whole) }
            case 0x8: return .close
            case 0x9: return .ping(payload)
            case 0xA: continue
            default: throw WebSocketError(code: 1002, description: "unknown opcode \(opcode)")
            }
        }
    }

    private static let tooLarge = WebSocketError(
        code: 1009, description: "messages of more than \(maximumMessageBytes) bytes are not taken")

    private mutating func frame() throws(WebSocketError) -> (isFinal: Bool, opcode: UInt8, payload: ByteBuffer)? {
        let start = pending.readerIndex
        guard let first = pending.getInteger(at: start, as: UInt8.self),
            let second = pending.getInteger(at: start + 1, as: UInt8.self)
        else { return nil }
        guard first & 0x70 == 0 else { throw WebSocketError(code: 1002, description: "an extension was not agreed on") }
        guard second & 0x80 != 0 else { throw WebSocketError(code: 1002, description: "a client must mask its frames") }
        let (isFinal, opcode) = (first & 0x80 != 0, first & 0x0F)
        var length = Int(second & 0x7F)
        var at = start + 2
        if opcode >= 0x8, !isFinal || length > 125 {
            throw WebSocketError(code: 1002, description: "a control frame must be whole and short")
        }
        if length == 126 {
            guard let long = pending.getInteger(at: at, as: UInt16.self) else { return nil }
            (length, at) = (Int(long), at + 2)
        } else if length == 127 {
            guard let long = pending.getInteger(at: at, as: UInt64.self) else { return nil }
            guard long <= UInt64(Self.maximumMessageBytes) else { throw Self.tooLarge }
            (length, at) = (Int(long), at + 8)
        }
        guard let mask = pending.getInteger(at: at, as: UInt32.self),
            var payload = pending.getSlice(at: at + 4, length: length)
        else { return nil }
        pending.moveReaderIndex(to: at + 4 + length)
        Self.unmask(&payload, mask)
        return (isFinal, opcode, payload)
    }

    private static func unmask(_ payload: inout ByteBuffer, _ mask: UInt32) {
        let key = [UInt8(mask >> 24), UInt8(mask >> 16 & 0xFF), UInt8(mask >> 8 & 0xFF), UInt8(mask & 0xFF)]
        payload.withUnsafeMutableReadableBytes { bytes in
            for index in bytes.indices { bytes[index] ^= key[index & 3] }
        }
    }

    /// A frame of a server: whole and not masked.
    static func frame(opcode: UInt8, _ payload: ByteBuffer, channel: UInt8? = nil) -> ByteBuffer {
        let length = payload.readableBytes + (channel == nil ? 0 : 1)
        var frame = ByteBuffer()
        frame.reserveCapacity(length + 10)
        frame.writeInteger(0x80 | opcode)
        if length < 126 {
            frame.writeInteger(UInt8(length))
        } else if length <= 0xFFFF {
            frame.writeInteger(UInt8(126))
            frame.writeInteger(UInt16(length))
        } else {
            frame.writeInteger(UInt8(127))
            frame.writeInteger(UInt64(length))
        }
        if let channel { frame.writeInteger(channel) }
        frame.writeImmutableBuffer(payload)
        return frame
    }
}
