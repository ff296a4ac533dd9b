/// What to watch.
public struct WatchRequest: Hashable, Sendable {
    public var range: KeyRange
    /// The first revision to deliver: the one behind the list it continues. 0 starts with the next change.
    public var startRevision: Int64
    /// Delivers each key's value before the change too.
    public var previous: Bool
    /// Sends an empty batch from time to time that says how far the store is, so that a quiet watch can be resumed
    /// from a revision that is not yet compacted.
    public var progress: Bool

    public init(_ range: KeyRange, from startRevision: Int64 = 0, previous: Bool = false, progress: Bool = false) {
        self.range = range
        self.startRevision = startRevision
        self.previous = previous
        self.progress = progress
    }
}

/// One change of one key.
public struct StoreEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable { case put, delete }

    public var kind: Kind
    /// The key after the change; of a deletion only the key and `modRevision`, the revision of the deletion.
    public var keyValue: KeyValue
    /// The key before the change, if asked for and not compacted.
    public var previous: KeyValue?

    public init(_ kind: Kind, _ keyValue: KeyValue, previous: KeyValue? = nil) {
        self.kind = kind
        self.keyValue = keyValue
        self.previous = previous
    }
}

/// Changes that belong together: all events of one or more whole revisions.
public struct WatchBatch: Hashable, Sendable {
    /// Everything up to and including this revision has been delivered.
    public var revision: Int64
    /// In the order of revisions; empty for a progress notification.
    public var events: [StoreEvent]

    public init(revision: Int64, events: [StoreEvent]) {
        self.revision = revision
        self.events = events
    }
}

/// The stream of a watch. Begins when it is first iterated, ends when its iterator goes away.
public struct StoreWatch: AsyncSequence, Sendable {
    public typealias Element = WatchBatch
    public typealias Failure = StoreError

    private let start: @Sendable () -> Iterator

    /// - Parameter start: Opens the watch and returns the function that waits for the next batch.
    public init(_ start: @escaping @Sendable () -> @Sendable () async throws(StoreError) -> WatchBatch?) {
        self.start = { Iterator(pull: start()) }
    }

    public func makeAsyncIterator() -> Iterator { start() }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let pull: @Sendable () async throws(StoreError) -> WatchBatch?

        public mutating func next() async throws(StoreError) -> WatchBatch? { try await pull() }

        public mutating func next(isolation actor: isolated (any Actor)?) async throws(StoreError) -> WatchBatch? {
            try await pull()
        }
    }
}
