import Foundation

/// As much of an HTTP/2 client as gRPC load needs: requests of fixed headers, answers told apart by their frames.
///
/// Headers of answers are not decoded. A call that failed has no DATA frame, which is how it is known.
final class HTTP2Connection {
    enum Event {
        /// One message of an answer.
        case message(stream: UInt32, [UInt8])
        /// An answer is complete.
        case end(stream: UInt32)
    }

    let descriptor: CInt
    private var nextStream: UInt32 = 1
    private var received: [UInt8] = []
    /// Bytes of messages that have not come whole yet, by stream.
    private var partial: [UInt32: [UInt8]] = [:]
    private var unacknowledged = 0
    private var scratch = [UInt8](repeating: 0, count: 256 << 10)

    private static let window = 1 << 30

    init(port: UInt16) throws {
        descriptor = try connectTo(port)
        var opening = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        // HEADER_TABLE_SIZE 0, INITIAL_WINDOW_SIZE as large as it goes.
        let settings: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 4]
        opening += Self.frame(4, 0, 0, settings + Self.big(UInt32(Self.window)))
        opening += Self.frame(8, 0, 0, Self.big(UInt32(Self.window)))
        try send(opening)
    }

    deinit { close(descriptor) }

    /// Opens a call with one message. Returns its stream.
    func call(_ headers: [UInt8], _ message: [UInt8], ends: Bool = true) throws -> UInt32 {
        let stream = nextStream
        nextStream += 2
        var body: [UInt8] = [0]
        body += Self.big(UInt32(message.count))
        body += message
        var frames = Self.frame(1, 4, stream, headers)
        frames += Self.frame(0, ends ? 1 : 0, stream, body)
        try send(frames)
        return stream
    }

    /// Reads what is there, at least something, and returns what it means.
    func receive() throws -> [Event] {
        let count = scratch.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count > 0 else { throw BenchError("the server closed a connection") }
        received += scratch[..<count]
        var events: [Event] = []
        var position = 0
        while received.count - position >= 9 {
            let length = Self.number(received[position..<(position + 3)])
            guard received.count - position >= 9 + length else { break }
            let type = received[position + 3]
            let flags = received[position + 4]
            let stream = UInt32(Self.number(received[(position + 5)..<(position + 9)]))
            let payload = received[(position + 9)..<(position + 9 + length)]
            try handle(type, flags, stream, payload, &events)
            position += 9 + length
        }
        received.removeFirst(position)
        return events
    }

    private func handle(
        _ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: ArraySlice<UInt8>, _ events: inout [Event]
    ) throws {
        switch type {
        case 0:
            unacknowledged += payload.count
            if unacknowledged > Self.window / 4 {
                try send(Self.frame(8, 0, 0, Self.big(UInt32(unacknowledged))))
                unacknowledged = 0
            }
            take(payload, stream, &events)
            if flags & 1 != 0 { events.append(.end(stream: stream)) }
        case 1: if flags & 1 != 0 { events.append(.end(stream: stream)) }
        case 3: throw BenchError("the server reset stream \(stream)")
        case 4: if flags & 1 == 0 { try send(Self.frame(4, 1, 0, [])) }
        case 6: if flags & 1 == 0 { try send(Self.frame(6, 1, 0, Array(payload))) }
        case 7:
            throw BenchError("the server ended a connection: \(String(decoding: payload.dropFirst(8), as: UTF8.self))")
        default: break
        }
    }

    /// Cuts messages out of DATA.
    private func take(_ payload: ArraySlice<UInt8>, _ stream: UInt32, _ events: inout [Event]) {
        var bytes = partial.removeValue(forKey: stream).map { $0[...] + payload } ?? payload
        while bytes.count >= 5 {
            let length = Self.number(bytes.dropFirst().prefix(4))
            guard bytes.count >= 5 + length else { break }
            events.append(.message(stream: stream, Array(bytes.dropFirst(5).prefix(length))))
            bytes = bytes.dropFirst(5 + length)
        }
        if !bytes.isEmpty { partial[stream] = Array(bytes) }
    }

    private func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + sent, bytes.count - sent) }
            guard count > 0 else { throw BenchError("write: \(String(cString: strerror(errno)))") }
            sent += count
        }
    }

    private static func frame(_ type: UInt8, _ flags: UInt8, _ stream: UInt32, _ payload: [UInt8]) -> [UInt8] {
        var bytes = big(UInt32(payload.count))
        bytes.removeFirst()  // lengths have 24 bits
        bytes += [type, flags]
        bytes += big(stream)
        bytes += payload
        return bytes
    }

    /// Bytes as a number, the most significant first.
    private static func number(_ bytes: ArraySlice<UInt8>) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    private static func big(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    /// The header block of a call: literals without indexing (RFC 7541 section 6.2.2), the same each time.
    static func headers(path: String) -> [UInt8] {
        let fields = [
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "127.0.0.1"),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ]
        var block: [UInt8] = []
        for (name, value) in fields {
            block.append(0)
            for text in [name, value] {
                block.append(UInt8(text.utf8.count))
                block += Array(text.utf8)
            }
        }
        return block
    }
}

/// Waits for any of many connections.
struct Poller {
    private var descriptors: [pollfd] = []

    /// Adds a connection under the next number, from 0 on.
    mutating func add(_ connection: HTTP2Connection) {
        descriptors.append(pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0))
    }

    /// Numbers of connections that have something to read; none after the time-out.
    mutating func wait(milliseconds: Int32) -> [Int] {
        let count = poll(&descriptors, nfds_t(descriptors.count), milliseconds)
        guard count > 0 else { return [] }
        return descriptors.indices.filter { descriptors[$0].revents != 0 }
    }
}
