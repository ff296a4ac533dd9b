import NIOCore
import NIOHTTP1

/// Writes responses in the form of HTTP/1.1 (RFC 9112), each flush as one buffer where it is small: one TLS record and
/// one system call. (NIO's own encoder writes head, chunk sizes and ends as buffers of their own.)
final class HTTP1ResponseEncoder: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = ByteBuffer

    /// Larger pieces of a body are passed on as they are instead of copied.
    static let copiedBytes = 16 << 10

    private var pending = ByteBuffer()
    private var isChunked = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head): encode(head, context)
        case .body(.byteBuffer(let bytes)): encode(bytes, context)
        case .body(.fileRegion(let region)): context.write(NIOAny(region), promise: nil)  // none of ours sends one
        case .end: if isChunked { append("0\r\n\r\n", context) }
        }
        if let promise {
            let bytes = pending
            pending = ByteBuffer()
            context.write(wrapOutboundOut(bytes), promise: promise)
        }
    }

    func flush(context: ChannelHandlerContext) {
        passOn(context)
        context.flush()
    }

    private func encode(_ head: HTTPResponseHead, _ context: ChannelHandlerContext) {
        if pending.capacity == 0 { pending = context.channel.allocator.buffer(capacity: 1024) }
        pending.writeStaticString("HTTP/1.1 ")
        pending.writeString(String(head.status.code))
        pending.writeStaticString(" ")
        pending.writeString(head.status.reasonPhrase)
        pending.writeStaticString("\r\n")
        var hasLength = false
        for (name, value) in head.headers {
            if !hasLength, name.utf8.count == 14, name.lowercased() == "content-length" { hasLength = true }
            pending.writeString(name)
            pending.writeStaticString(": ")
            pending.writeString(value)
            pending.writeStaticString("\r\n")
        }
        let code = head.status.code
        // Without a length, HTTP/1.0 reads to the end of the connection.
        isChunked = !hasLength && code >= 200 && code != 204 && code != 304 && head.version.minor > 0
        if isChunked { pending.writeStaticString("transfer-encoding: chunked\r\n") }
        pending.writeStaticString("\r\n")
    }

    private func encode(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard bytes.readableBytes > 0 else { return }
        if isChunked { append(String(bytes.readableBytes, radix: 16) + "\r\n", context) }
        if bytes.readableBytes <= Self.copiedBytes {
            if pending.capacity == 0 {
                pending = context.channel.allocator.buffer(capacity: bytes.readableBytes + 16)
            }
            pending.writeImmutableBuffer(bytes)
        } else {
            passOn(context)
            context.write(wrapOutboundOut(bytes), promise: nil)
        }
        if isChunked { append("\r\n", context) }
    }

    private func append(_ text: String, _ context: ChannelHandlerContext) {
        if pending.capacity == 0 { pending = context.channel.allocator.buffer(capacity: 64) }
        pending.writeString(text)
    }

    private func passOn(_ context: ChannelHandlerContext) {
        guard pending.readableBytes > 0 else { return }
        let bytes = pending
        pending = ByteBuffer()
        context.write(wrapOutboundOut(bytes), promise: nil)
    }
}
