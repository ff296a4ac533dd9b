import ClusterStore
import FoundationEssentials

/// A range as etcd's clients ask for it: with orders and filters that the store itself does not know.
struct RangeQuery {
    private let message: Etcdserverpb_RangeRequest
    /// What to ask the store.
    let request: RangeRequest

    init(_ message: Etcdserverpb_RangeRequest) {
        self.message = message
        let isPlain = Self.isPlain(message)
        request = RangeRequest(
            KeyRange(start: [UInt8](message.key), end: [UInt8](message.rangeEnd)), revision: message.revision,
            limit: isPlain ? message.limit : 0, keysOnly: message.keysOnly && message.sortTarget != .value,
            countOnly: message.countOnly)
    }

    /// Whether the store's own order and limit give the answer.
    private static func isPlain(_ message: Etcdserverpb_RangeRequest) -> Bool {
        message.minModRevision == 0 && message.maxModRevision == 0 && message.minCreateRevision == 0
            && message.maxCreateRevision == 0 && message.sortTarget == .key && message.sortOrder != .descend
    }

    /// The answer, without a header.
    func message(_ answer: RangeResponse) -> Etcdserverpb_RangeResponse {
        var result = Etcdserverpb_RangeResponse()
        result.count = answer.count
        result.more = answer.more
        var keyValues = answer.keyValues
        if !Self.isPlain(message) {
            keyValues.removeAll { keyValue in
                (message.minModRevision != 0 && keyValue.modRevision < message.minModRevision)
                    || (message.maxModRevision != 0 && keyValue.modRevision > message.maxModRevision)
                    || (message.minCreateRevision != 0 && keyValue.createRevision < message.minCreateRevision)
                    || (message.maxCreateRevision != 0 && keyValue.createRevision > message.maxCreateRevision)
            }
            sort(&keyValues)
            if message.limit > 0, keyValues.count > message.limit {
                keyValues.removeLast(keyValues.count - Int(message.limit))
                result.more = true
            }
        }
        result.kvs = keyValues.map { keyValue in
            var kv = keyValue.message
            if message.keysOnly { kv.value = Data() }
            return kv
        }
        return result
    }

    private func sort(_ keyValues: inout [KeyValue]) {
        let descending = message.sortOrder == .descend
        func order(_ before: (KeyValue, KeyValue) -> Bool) {
            keyValues.sort { descending ? before($1, $0) : before($0, $1) }
        }
        switch message.sortTarget {
        case .version: order { $0.version < $1.version }
        case .create: order { $0.createRevision < $1.createRevision }
        case .mod: order { $0.modRevision < $1.modRevision }
        case .value: order { $0.value.lexicographicallyPrecedes($1.value) }
        default: order { $0.key.lexicographicallyPrecedes($1.key) }
        }
    }
}
