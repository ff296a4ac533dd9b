import CZlib
import NIOCore

/// Makes gzip bodies (RFC 1952) of parts that were compressed one by one and may be used again.
///
/// A part ends on a byte and refers to nothing before its own beginning, so parts can stand one behind another in any
/// order; their checksums are combined without looking at the bytes. So a list costs the compression of what has changed
/// since the last one.
enum Gzip {
    /// Shorter bodies are not worth it. A kube-apiserver's limit too.
    static let smallestBody = 128 << 10

    static let header: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 255]  // deflate, no name, no time, fastest

    /// A compressed piece of a body, with what the trailer must know of it.
    final class Part: Sendable {
        let bytes: [UInt8]
        let length: Int
        fileprivate let checksum: UInt
        fileprivate let operation: UInt

        fileprivate init(bytes: [UInt8], length: Int, checksum: UInt) {
            self.bytes = bytes
            self.length = length
            self.checksum = checksum
            operation = crc32_combine_gen(length)
        }
    }

    /// What the end of a body says of all that came before.
    struct Trailer: Sendable {
        private var checksum: UInt = 0
        private var length = 0

        init() {}

        mutating func add(_ part: Part) {
            checksum = length == 0 ? part.checksum : crc32_combine_op(checksum, part.checksum, part.operation)
            length += part.length
        }

        /// The last, empty block and the trailer.
        func write(to buffer: inout ByteBuffer) {
            buffer.writeInteger(UInt16(0x0300))
            buffer.writeInteger(UInt32(truncatingIfNeeded: checksum), endianness: .little)
            buffer.writeInteger(UInt32(truncatingIfNeeded: length), endianness: .little)
        }
    }

    /// A whole body.
    static func encode(_ body: ByteBuffer) -> ByteBuffer {
        var result = ByteBuffer(bytes: header)
        var trailer = Trailer()
        let part = Deflater().part(body.readableBytesView)
        trailer.add(part)
        result.writeBytes(part.bytes)
        trailer.write(to: &result)
        return result
    }

    /// Whether a client takes gzip, by its Accept-Encoding (RFC 9110 section 12.5.3).
    static func isAccepted(_ header: String?) -> Bool {
        guard let header else { return false }
        for coding in header.split(separator: ",") {
            let parts = coding.split(separator: ";").map { $0.filter { $0 != " " }.lowercased() }
            guard parts.first == "gzip" || parts.first == "*" else { continue }
            return !parts.dropFirst().contains { $0.hasPrefix("q=") && (Double($0.dropFirst(2)) ?? 0) <= 0 }
        }
        return false
    }
}

/// A compressor, used again for part after part. Belongs to one thread at a time.
struct Deflater: ~Copyable {
    /// Level 1: a third of the time of the default, for a tenth more bytes.
    private static let level: CInt = 1

    /// On the heap, since zlib keeps pointers to it.
    private let stream: UnsafeMutablePointer<z_stream>

    init() {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // Raw deflate (negative bits): header and trailer are written for all parts together.
        let result = deflateInit2_(
            stream, Self.level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            CInt(MemoryLayout<z_stream>.size))
        precondition(result == Z_OK, "zlib cannot begin: out of memory, or of another version than its header")
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Compresses `bytes` into a part that can be decompressed without those before it.
    borrowing func part(_ bytes: some Collection<UInt8>) -> Gzip.Part {
        let stream = stream
        return bytes.withContiguousStorageIfAvailable { Self.part($0, stream) }
            ?? Array(bytes).withUnsafeBufferPointer { Self.part($0, stream) }
    }

    private static func part(
        _ bytes: UnsafeBufferPointer<UInt8>, _ stream: UnsafeMutablePointer<z_stream>
    ) -> Gzip.Part {
        deflateReset(stream)
        // Never too little: an empty block of five bytes comes behind what the bound allows for.
        let bound = Int(deflateBound(stream, UInt(bytes.count))) + 16
        let compressed = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bound) { buffer in
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            stream.pointee.avail_in = UInt32(bytes.count)
            stream.pointee.next_out = buffer.baseAddress
            stream.pointee.avail_out = UInt32(bound)
            deflate(stream, Z_SYNC_FLUSH)
            return Array(UnsafeBufferPointer(rebasing: buffer[..<(bound - Int(stream.pointee.avail_out))]))
        }
        let checksum = crc32(0, bytes.baseAddress, UInt32(bytes.count))
        return Gzip.Part(bytes: compressed, length: bytes.count, checksum: checksum)
    }
}
