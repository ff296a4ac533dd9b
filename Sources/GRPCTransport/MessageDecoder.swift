import GRPCCore
import NIOCore

/// Cuts a stream of DATA bytes into gRPC messages: one flag byte, four bytes of length (big endian), the message.
///
/// Source: gRPC over HTTP/2, "Length-Prefixed-Message".
struct MessageDecoder {
    static let prefixBytes = 5

    private let maximumMessageBytes: Int
    private var pending = ByteBuffer()

    init(maximumMessageBytes: Int) { self.maximumMessageBytes = maximumMessageBytes }

    /// Whether bytes of an unfinished message are waiting.
    var hasPartialMessage: Bool { pending.readableBytes > 0 }

    mutating func append(_ bytes: ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = bytes
        } else {
            var bytes = bytes
            pending.writeBuffer(&bytes)
        }
    }

    /// The next whole message, `nil` when more bytes are needed.
    mutating func next() throws(RPCError) -> [UInt8]? {
        let start = pending.readerIndex
        guard let flag = pending.getInteger(at: start, as: UInt8.self),
            let length = pending.getInteger(at: start + 1, as: UInt32.self)
        else { return nil }
        guard flag == 0 else {
            throw RPCError(
                code: .unimplemented, message: "a compressed message came, though no compression was offered")
        }
        guard Int(length) <= maximumMessageBytes else {
            throw RPCError(
                code: .resourceExhausted, message: "a message of \(length) bytes; the limit is \(maximumMessageBytes)")
        }
        guard pending.readableBytes >= Self.prefixBytes + Int(length) else { return nil }
        pending.moveReaderIndex(forwardBy: Self.prefixBytes)
        return pending.readBytes(length: Int(length))
    }

    /// One message with its prefix.
    static func frame(_ message: [UInt8], allocator: ByteBufferAllocator) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: prefixBytes + message.count)
        buffer.writeInteger(UInt8(0))
        buffer.writeInteger(UInt32(message.count))
        buffer.writeBytes(message)
        return buffer
    }
}
