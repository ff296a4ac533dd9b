import HTTPTransport
import NIOCore
import Synchronization

/// A list made of the bytes that the cache keeps of each object, as fast as the client takes them: memory for one piece,
/// whatever the length of the list.
final class ListStream: HTTPResponseSource {
    /// Shorter lists are sent in one piece with their length.
    static let smallestCount = 32

    private struct State {
        var next = 0
        var isDone = false
        var trailer = Gzip.Trailer()
    }

    private let head: ByteBuffer
    private let objects: [StoredObject]
    private let compresses: Bool
    private let state = Mutex(State())

    /// - Parameters:
    ///   - empty: The list without items, whose last two bytes end the items and the list.
    ///   - compresses: Whether the body is to be gzip.
    init(head empty: ByteBuffer, _ objects: [StoredObject], compresses: Bool = false) {
        head = empty.getSlice(at: empty.readerIndex, length: empty.readableBytes - 2) ?? empty
        self.objects = objects
        self.compresses = compresses
    }

    var mayEndEarly: Bool { false }

    func next() -> HTTPResponsePiece {
        state.withLock { state in
            guard !state.isDone else { return .end }
            var bytes = ByteBuffer()
            bytes.reserveCapacity(Self.pieceBytes + 8192)
            if compresses { compress(&state, into: &bytes) } else { copy(&state, into: &bytes) }
            return .bytes(bytes)
        }
    }

    private func copy(_ state: inout State, into bytes: inout ByteBuffer) {
        if state.next == 0 { bytes.writeImmutableBuffer(head) }
        while state.next < objects.count, bytes.readableBytes < Self.pieceBytes {
            if state.next > 0 { bytes.writeInteger(UInt8(ascii: ",")) }
            bytes.writeBytes(objects[state.next].encoded)
            state.next += 1
        }
        if state.next == objects.count {
            state.isDone = true
            bytes.writeStaticString("]}")
        }
    }

    private func compress(_ state: inout State, into bytes: inout ByteBuffer) {
        let deflater = Deflater()
        func add(_ part: Gzip.Part) {
            state.trailer.add(part)
            bytes.writeBytes(part.bytes)
        }
        if state.next == 0 {
            bytes.writeBytes(Gzip.header)
            add(deflater.part(head.readableBytesView))
        }
        // By uncompressed bytes, so that a turn takes as long as it may however little comes out.
        var consumed = 0
        while state.next < objects.count - 1, consumed < Self.pieceBytes * 4 {
            let object = objects[state.next]
            let known = object.compressed
            add(known ?? object.compress(with: deflater))
            // What has to be compressed counts for what it takes.
            consumed += known == nil ? object.encoded.count * 4 : object.encoded.count
            state.next += 1
        }
        guard state.next >= objects.count - 1 else { return }
        add(deflater.part((objects.last?.encoded ?? []) + Array("]}".utf8)))
        state.trailer.write(to: &bytes)
        state.isDone = true
    }
}
