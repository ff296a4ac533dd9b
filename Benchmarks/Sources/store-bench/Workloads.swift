import Foundation

/// Protobuf's wire format, as far as requests need it.
enum Wire {
    static func varint(_ value: Int) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(bytes.count) + bytes
    }

    /// How often a length-delimited field stands in a message.
    static func count(_ number: Int, in message: [UInt8]) -> Int {
        var position = 0
        var found = 0
        func varint() -> Int {
            var value = 0
            var shift = 0
            while position < message.count {
                let byte = message[position]
                position += 1
                value |= Int(byte & 0x7F) << shift
                if byte < 0x80 { break }
                shift += 7
            }
            return value
        }
        while position < message.count {
            let tag = varint()
            let content = varint()
            guard tag & 7 == 2 else { continue }
            position += content
            if tag >> 3 == number { found += 1 }
        }
        return found
    }
}

private func monotonicSeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

struct PutResult: Codable {
    var perSecond: Double
    var medianMilliseconds: Double
    var p99Milliseconds: Double
    var serverMicrosecondsEach: Double
}

/// Clients that each write one key after the other, waiting for every answer.
struct PutWorkload {
    let clients: Int
    let keys: Int
    let valueBytes: Int
    let seconds: Double

    func run(against server: Server) throws -> PutResult {
        let headers = HTTP2Connection.headers(path: "/etcdserverpb.KV/Put")
        let value = Wire.field(2, (0..<valueBytes).map { UInt8(truncatingIfNeeded: $0 &* 31) })
        var generator = SystemRandomNumberGenerator()
        var poller = Poller()
        var connections: [HTTP2Connection] = []
        var started = [Double](repeating: 0, count: clients)
        var isAnswered = [Bool](repeating: false, count: clients)
        func put(_ number: Int) throws {
            let key = Array("/registry/pods/default/pod-\(Int.random(in: 0..<keys, using: &generator))".utf8)
            started[number] = monotonicSeconds()
            isAnswered[number] = false
            _ = try connections[number].call(headers, Wire.field(1, key) + value)
        }
        for number in 0..<clients {
            connections.append(try HTTP2Connection(port: server.port))
            poller.add(connections[number])
        }
        for number in 0..<clients { try put(number) }
        let warm = monotonicSeconds() + 0.5
        let end = warm + seconds
        var latencies: [Double] = []
        var processor: Double?
        while true {
            let now = monotonicSeconds()
            if processor == nil, now >= warm { processor = server.processorSeconds() }
            if now >= end { break }
            for number in poller.wait(milliseconds: 1000) {
                for event in try connections[number].receive() {
                    switch event {
                    case .message: isAnswered[number] = true
                    case .end:
                        guard isAnswered[number] else { throw BenchError("a put failed") }
                        let now = monotonicSeconds()
                        if now >= warm { latencies.append(now - started[number]) }
                        try put(number)
                    }
                }
            }
        }
        let used = server.processorSeconds() - (processor ?? 0)
        latencies.sort()
        guard !latencies.isEmpty else { throw BenchError("no put was answered") }
        return PutResult(
            perSecond: Double(latencies.count) / seconds, medianMilliseconds: latencies[latencies.count / 2] * 1000,
            p99Milliseconds: latencies[latencies.count * 99 / 100] * 1000,
            serverMicrosecondsEach: used / Double(latencies.count) * 1e6)
    }
}

struct FanOutResult: Codable {
    var eventsPerSecond: Double
    var serverMicrosecondsEach: Double
    var residentMegabytes: Double
}

/// One key that changes as fast as one client can change it, and many watchers of it.
struct FanOutWorkload {
    let watchers: Int
    let changes: Int
    let valueBytes: Int

    func run(against server: Server) throws -> FanOutResult {
        var poller = Poller()
        let key = Array("/watched".utf8)
        var connections: [HTTP2Connection] = []
        let watch = HTTP2Connection.headers(path: "/etcdserverpb.Watch/Watch")
        for number in 0..<watchers {
            connections.append(try HTTP2Connection(port: server.port))
            poller.add(connections[number])
            _ = try connections[number].call(watch, Wire.field(1, Wire.field(1, key)), ends: false)
        }
        var created = Set<Int>()
        while created.count < watchers {
            for number in poller.wait(milliseconds: 1000) {
                for case .message in try connections[number].receive() { created.insert(number) }
            }
        }
        let writer = try HTTP2Connection(port: server.port)
        poller.add(writer)
        let headers = HTTP2Connection.headers(path: "/etcdserverpb.KV/Put")
        let message = Wire.field(1, key) + Wire.field(2, [UInt8](repeating: 7, count: valueBytes))
        var written = 0
        var delivered = 0
        let processor = server.processorSeconds()
        let start = monotonicSeconds()
        _ = try writer.call(headers, message)
        while delivered < watchers * changes {
            let ready = poller.wait(milliseconds: 10_000)
            guard !ready.isEmpty else { throw BenchError("\(delivered) of \(watchers * changes) events came") }
            for number in ready {
                let events = try (number == watchers ? writer : connections[number]).receive()
                for event in events {
                    switch event {
                    case .message(_, let bytes): if number < watchers { delivered += Wire.count(11, in: bytes) }
                    case .end:
                        written += 1
                        if written < changes { _ = try writer.call(headers, message) }
                    }
                }
            }
        }
        let time = monotonicSeconds() - start
        let used = server.processorSeconds() - processor
        return FanOutResult(
            eventsPerSecond: Double(delivered) / time, serverMicrosecondsEach: used / Double(delivered) * 1e6,
            residentMegabytes: Double(server.residentBytes()) / Double(1 << 20))
    }
}
