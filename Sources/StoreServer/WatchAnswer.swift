import ClusterStore
import SwiftProtobuf

/// A `WatchResponse`, put together from events that were encoded once for all watchers.
struct WatchAnswer {
    var revision: Int64
    var id: Int64
    var isCreated = false
    var isCanceled = false
    var compactRevision: Int64 = 0
    /// Also says that the watch is cancelled.
    var cancelReason: String?
    var isFragment = false
    /// Each an encoded `Event`.
    var events: [[UInt8]] = []

    init(revision: Int64, id: Int64) {
        self.revision = revision
        self.id = id
    }

    /// An event as it stands in any number of answers. Encoding a message without required fields cannot fail.
    static func encode(_ event: StoreEvent) -> [UInt8] { (try? event.message.serializedBytes()) ?? [] }

    /// The answer cut so that the events of each part take at most so many bytes, or are one.
    func parts(atMost limit: Int) -> [WatchAnswer] {
        guard events.reduce(0, { $0 + $1.count }) > limit else { return [self] }
        var parts: [WatchAnswer] = []
        var part = self
        part.events = []
        var size = 0
        for event in events {
            if size + event.count > limit, !part.events.isEmpty {
                part.isFragment = true
                parts.append(part)
                part.isFragment = false
                part.events = []
                size = 0
            }
            part.events.append(event)
            size += event.count
        }
        return parts + [part]
    }

    func encoded() -> [UInt8] {
        var writer = WireWriter()
        writer.reserve(64 + events.reduce(0) { $0 + $1.count + 8 })
        writer.message(1) { header in
            header.integer(1, Answers.clusterID)
            header.integer(2, Answers.memberID)
            header.integer(3, UInt64(bitPattern: revision))
            header.integer(4, Answers.term)
        }
        writer.integer(2, UInt64(bitPattern: id))
        writer.integer(3, isCreated ? 1 : 0)
        writer.integer(4, isCanceled || cancelReason != nil ? 1 : 0)
        writer.integer(5, UInt64(bitPattern: compactRevision))
        if let cancelReason { writer.bytes(6, Array(cancelReason.utf8)) }
        writer.integer(7, isFragment ? 1 : 0)
        for event in events { writer.bytes(11, event) }
        return writer.output
    }
}

/// Writes protobuf's wire format. Zero is left out, as proto3 has it.
struct WireWriter {
    private(set) var output: [UInt8] = []

    mutating func reserve(_ bytes: Int) { output.reserveCapacity(bytes) }

    mutating func integer(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        varint(field << 3)
        varint(value)
    }

    mutating func bytes(_ field: UInt64, _ bytes: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(bytes.count))
        output += bytes
    }

    mutating func message(_ field: UInt64, _ body: (inout WireWriter) -> Void) {
        var inner = WireWriter()
        body(&inner)
        bytes(field, inner.output)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        output.append(UInt8(rest))
    }
}
