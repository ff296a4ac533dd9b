package import NIOCore

/// The body of a message as it arrives. Can be read once, by one task; reading slowly slows the sender down.
package struct HTTPBody: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    let buffer: InboundBuffer
    let contentLength: Int?
    let limit: Int

    package func makeAsyncIterator() -> Iterator { Iterator(buffer: buffer) }

    package struct Iterator: AsyncIteratorProtocol {
        let buffer: InboundBuffer
        package mutating func next() async throws -> ByteBuffer? { try await buffer.next() }
        package mutating func next(isolation actor: isolated (any Actor)?) async throws -> ByteBuffer? {
            try await buffer.next()
        }
    }

    /// Reads the whole body.
    ///
    /// - Parameter limit: Bytes at most; the server's ``HTTPServerConfiguration/maximumBodyBytes`` by default.
    /// - Throws: ``HTTPTransportError/bodyTooLarge(limit:)``, at once when the announced length is too large.
    package func collect(upTo limit: Int? = nil) async throws -> [UInt8] {
        let limit = limit ?? self.limit
        if let contentLength, contentLength > limit { throw HTTPTransportError.bodyTooLarge(limit: limit) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(contentLength ?? 0)
        while let chunk = try await buffer.next() {
            guard bytes.count + chunk.readableBytes <= limit else {
                throw HTTPTransportError.bodyTooLarge(limit: limit)
            }
            bytes.append(contentsOf: chunk.readableBytesView)
        }
        return bytes
    }
}
