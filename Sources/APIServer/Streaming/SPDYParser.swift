import NIOCore

/// Bytes that are no SPDY/3.1.
struct SPDYError: Error, Equatable, CustomStringConvertible {
    let description: String
}

/// The frames of SPDY/3.1 as the streaming servers of kubelets speak it: streams and their data. There is no flow control
/// in it, and header blocks are skipped, since what a server answers has none that matter.
///
/// Source: https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1/
struct SPDYParser {
    enum Frame: Equatable {
        case reply(stream: UInt32, isLast: Bool)
        case data(stream: UInt32, ByteBuffer, isLast: Bool)
        case reset(stream: UInt32, status: UInt32)
        case ping(UInt32)
        case goAway
        /// Settings, windows and the like.
        case other
    }

    /// Bytes of a frame at most: its length has 24 bits, but no server sends that much at once.
    static let maximumFrameBytes = 4 << 20

    private var pending = ByteBuffer()

    mutating func feed(_ bytes: ByteBuffer) {
        var bytes = bytes
        pending.discardReadBytes()
        pending.writeBuffer(&bytes)
    }

    /// The next frame; `nil` until more bytes have come.
    mutating func next() throws(SPDYError) -> Frame? {
        let start = pending.readerIndex
        guard let first = pending.getInteger(at: start, as: UInt32.self),
            let second = pending.getInteger(at: start + 4, as: UInt32.self)
        else { return nil }
        let (flags, length) = (UInt8(second >> 24), Int(second & 0xFF_FFFF))
        guard length <= Self.maximumFrameBytes else { throw SPDYError(description: "a frame of \(length) bytes") }
        guard var body = pending.getSlice(at: start + 8, length: length) else { return nil }
        pending.moveReaderIndex(to: start + 8 + length)
        let isLast = flags & 1 != 0
        guard first & 0x8000_0000 != 0 else { return .data(stream: first, body, isLast: isLast) }
        guard first >> 16 == 0x8003 else {
            throw SPDYError(description: "version \(first >> 16 & 0x7FFF) of SPDY, expected 3")
        }
        func stream() throws(SPDYError) -> UInt32 {
            guard let id = body.readInteger(as: UInt32.self) else { throw SPDYError(description: "a frame cut short") }
            return id & 0x7FFF_FFFF
        }
        switch first & 0xFFFF {
        case 2: return .reply(stream: try stream(), isLast: isLast)
        case 3: return .reset(stream: try stream(), status: body.readInteger(as: UInt32.self) ?? 0)
        case 6:
            guard let id = body.readInteger(as: UInt32.self) else { throw SPDYError(description: "a ping without id") }
            return .ping(id)
        case 7: return .goAway
        default: return .other
        }
    }

    // MARK: - Writing

    /// A new stream with header fields.
    ///
    /// The blocks of a connection are one zlib stream (RFC 1950), here made of stored blocks (RFC 1951 section 3.2.4),
    /// which every inflater takes: the few short fields are not worth a compressor.
    ///
    /// - Parameter isFirst: Whether it is the connection's first, which begins the zlib stream.
    static func open(stream: UInt32, _ fields: [(String, String)], isFirst: Bool) -> ByteBuffer {
        var block = ByteBuffer()
        block.writeInteger(UInt32(fields.count))
        for (name, value) in fields {
            block.writeInteger(UInt32(name.utf8.count))
            block.writeString(name)
            block.writeInteger(UInt32(value.utf8.count))
            block.writeString(value)
        }
        var body = ByteBuffer()
        body.writeInteger(stream)
        body.writeInteger(UInt32(0))
        body.writeInteger(UInt16(0))
        if isFirst { body.writeInteger(UInt16(0x7801)) }
        while block.readableBytes > 0, let part = block.readSlice(length: min(0xFFFF, block.readableBytes)) {
            body.writeInteger(UInt8(0))
            body.writeInteger(UInt16(part.readableBytes), endianness: .little)
            body.writeInteger(~UInt16(part.readableBytes), endianness: .little)
            body.writeImmutableBuffer(part)
        }
        // An empty stored block ends each header block, as a sync flush does: without it Go's inflater holds the fields
        // back until more comes.
        body.writeInteger(UInt8(0))
        body.writeInteger(UInt16(0), endianness: .little)
        body.writeInteger(UInt16(0xFFFF), endianness: .little)
        return control(1, body)
    }

    static func data(stream: UInt32, _ payload: ByteBuffer, isLast: Bool = false) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.reserveCapacity(payload.readableBytes + 8)
        frame.writeInteger(stream)
        frame.writeInteger(UInt32(isLast ? 1 : 0) << 24 | UInt32(payload.readableBytes))
        frame.writeImmutableBuffer(payload)
        return frame
    }

    static func ping(_ id: UInt32) -> ByteBuffer { control(6, ByteBuffer(integer: id)) }

    private static func control(_ type: UInt16, _ body: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        frame.writeInteger(UInt16(0x8003))
        frame.writeInteger(type)
        frame.writeInteger(UInt32(body.readableBytes))
        frame.writeImmutableBuffer(body)
        return frame
    }
}
