/// A revisioned key-value store: etcd v3's data model, and all that the rest of the project knows of a store.
///
/// Every write gets the next revision of the whole store. Reads see one revision. A watch delivers each change after
/// a revision exactly once and in order, or fails with ``StoreError/compacted(oldest:)`` when history no longer reaches
/// that far back. Implementations: ``EtcdStore`` (gRPC to an etcd cluster) and `EmbeddedStore` (SQLite, in process).
///
/// Source: https://etcd.io/docs/v3.5/learning/api/ (names and semantics).
public protocol ClusterStore: Sendable {
    /// Reads keys in order.
    func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse

    /// Applies one of two lists of operations, atomically, by whether all comparisons hold.
    func transact(_ transaction: Transaction) async throws(StoreError) -> TransactionResponse

    /// Forgets history before `revision`; the current value of every key stays.
    func compact(to revision: Int64) async throws(StoreError)

    /// Makes a lease that ends `timeToLive` seconds after its last renewal, and with it the keys attached to it.
    ///
    /// - Parameter id: The lease's number, or 0 to let the store choose one.
    func grantLease(timeToLive seconds: Int64, id: Int64) async throws(StoreError) -> StoreLease

    /// Renews a lease. Returns its time to live in seconds.
    ///
    /// - Throws: ``StoreError/leaseNotFound(_:)`` when it has ended.
    func renewLease(_ id: Int64) async throws(StoreError) -> Int64

    /// Ends a lease and deletes its keys.
    func revokeLease(_ id: Int64) async throws(StoreError)

    /// Delivers changes to the keys of a range. The watch lives as long as its iterator; it survives reconnections by
    /// itself and ends only with an error: ``StoreError/compacted(oldest:)``, or cancellation of the reading task.
    func watch(_ request: WatchRequest) -> StoreWatch
}

/// A set of adjacent keys.
public struct KeyRange: Hashable, Sendable {
    /// The first key of the range.
    public var start: [UInt8]
    /// The first key behind the range; empty for the single key `start`; one zero byte for all keys from `start` on.
    public var end: [UInt8]

    public init(start: [UInt8], end: [UInt8]) {
        self.start = start
        self.end = end
    }

    public static func key(_ key: String) -> KeyRange { KeyRange(start: Array(key.utf8), end: []) }

    /// All keys that begin with `prefix`; every key for an empty one.
    public static func prefix(_ prefix: String) -> KeyRange {
        let start = Array(prefix.utf8)
        guard let cut = start.lastIndex(where: { $0 < 0xFF }) else {
            return KeyRange(start: start.isEmpty ? [0] : start, end: [0])
        }
        return KeyRange(start: start, end: Array(start[..<cut]) + [start[cut] + 1])
    }
}

/// One key with its value and history.
public struct KeyValue: Hashable, Sendable {
    public var key: [UInt8]
    public var value: [UInt8]
    /// The revision that created the key; changes when it is deleted and made again.
    public var createRevision: Int64
    /// The revision of the last write to the key.
    public var modRevision: Int64
    /// Writes since creation, 1 for a key just made; 0 marks a deletion in an event.
    public var version: Int64
    /// The lease that the key ends with, or 0.
    public var lease: Int64

    public init(
        key: [UInt8], value: [UInt8], createRevision: Int64 = 0, modRevision: Int64 = 0, version: Int64 = 0,
        lease: Int64 = 0
    ) {
        self.key = key
        self.value = value
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
        self.lease = lease
    }

    /// The key as text; bytes that are no UTF-8 become replacement characters.
    public var keyText: String { String(decoding: key, as: UTF8.self) }
}

/// A read of a range of keys.
public struct RangeRequest: Hashable, Sendable {
    public var range: KeyRange
    /// The revision to read at; 0 reads the newest.
    public var revision: Int64
    /// At most so many keys; 0 for all.
    public var limit: Int64
    /// Leaves values out of the answer.
    public var keysOnly: Bool
    /// Returns only the number of keys.
    public var countOnly: Bool

    public init(
        _ range: KeyRange, revision: Int64 = 0, limit: Int64 = 0, keysOnly: Bool = false, countOnly: Bool = false
    ) {
        self.range = range
        self.revision = revision
        self.limit = limit
        self.keysOnly = keysOnly
        self.countOnly = countOnly
    }
}

/// What a read found.
public struct RangeResponse: Hashable, Sendable {
    /// The store's revision when it answered.
    public var revision: Int64
    /// In key order.
    public var keyValues: [KeyValue]
    /// Keys in the range, whatever the limit was.
    public var count: Int64
    /// Whether the limit left keys out.
    public var more: Bool

    public init(revision: Int64, keyValues: [KeyValue], count: Int64, more: Bool) {
        self.revision = revision
        self.keyValues = keyValues
        self.count = count
        self.more = more
    }
}

/// A condition on one key.
public struct Comparison: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
        /// 0 for a key that does not exist.
        case version(Int64)
        /// 0 for a key that does not exist.
        case createRevision(Int64)
        /// 0 for a key that does not exist.
        case modRevision(Int64)
        case value([UInt8])
        case lease(Int64)
    }
    public enum Relation: Hashable, Sendable { case equal, greater, less, notEqual }

    public var key: [UInt8]
    public var relation: Relation
    public var target: Target

    public init(_ key: [UInt8], _ relation: Relation, _ target: Target) {
        self.key = key
        self.relation = relation
        self.target = target
    }
}

/// A write or read inside a transaction.
public enum StoreOperation: Hashable, Sendable {
    case put(key: [UInt8], value: [UInt8], lease: Int64 = 0)
    /// `previous` asks for the deleted keys in the answer.
    case delete(KeyRange, previous: Bool = false)
    case range(RangeRequest)
}

/// An atomic "if all of these hold, do this, else that".
public struct Transaction: Hashable, Sendable {
    public var comparisons: [Comparison]
    public var success: [StoreOperation]
    public var failure: [StoreOperation]

    public init(if comparisons: [Comparison] = [], then success: [StoreOperation], else failure: [StoreOperation] = [])
    {
        self.comparisons = comparisons
        self.success = success
        self.failure = failure
    }
}

/// What a transaction did.
public struct TransactionResponse: Hashable, Sendable {
    public enum Result: Hashable, Sendable {
        case put
        case delete(count: Int64, previous: [KeyValue])
        case range(RangeResponse)
    }

    /// Whether all comparisons held.
    public var succeeded: Bool
    /// The store's revision after the transaction; that of the writes if it wrote.
    public var revision: Int64
    /// One result an operation, in order.
    public var results: [Result]

    public init(succeeded: Bool, revision: Int64, results: [Result]) {
        self.succeeded = succeeded
        self.revision = revision
        self.results = results
    }
}

/// A lease as granted.
public struct StoreLease: Hashable, Sendable {
    public var id: Int64
    /// Seconds, at least what was asked for.
    public var timeToLive: Int64

    public init(id: Int64, timeToLive: Int64) {
        self.id = id
        self.timeToLive = timeToLive
    }
}

extension ClusterStore {
    /// Writes one key unconditionally. Returns the revision of the write.
    @discardableResult
    public func put(_ key: String, _ value: [UInt8], lease: Int64 = 0) async throws(StoreError) -> Int64 {
        try await transact(Transaction(then: [.put(key: Array(key.utf8), value: value, lease: lease)])).revision
    }

    /// Reads one key; `nil` when it does not exist.
    public func get(_ key: String) async throws(StoreError) -> KeyValue? {
        try await range(RangeRequest(.key(key))).keyValues.first
    }

    /// Deletes a range. Returns how many keys were there.
    @discardableResult
    public func delete(_ range: KeyRange) async throws(StoreError) -> Int64 {
        let response = try await transact(Transaction(then: [.delete(range)]))
        guard case .delete(let count, _)? = response.results.first else { return 0 }
        return count
    }
}
