public import ClusterStore
import Crypto
import FoundationEssentials
import GRDB
public import Logging
public import ServiceLifecycle

/// A store in this process, on SQLite: one machine's alternative to an etcd cluster, with the same behaviour.
///
/// Writes that come together share one transaction and one sync; an acknowledged write survives `kill -9` and power
/// loss. Reads run beside the writer on snapshots. Works while ``run()`` runs.
public final class EmbeddedStore: ClusterStore, Service {
    /// What can be chosen about a store.
    public struct Configuration: Sendable {
        public var compaction: AutoCompaction = .off
        /// Most bytes in use before puts are refused; `nil` for no limit but the disk.
        public var quota: Int64?

        public init() {}
    }

    /// The shortest lease etcd grants with its default election timeout.
    static let minimumTimeToLive: Int64 = 2
    private static let maximumTimeToLive: Int64 = 9_000_000_000

    /// The database's file.
    package let path: String
    package let metrics = StoreMetrics()
    let database: StoreDatabase
    let checkpointer: Checkpointer
    let writes: WriteQueue
    let hub: WatchHub
    let space: SpaceGuard
    let deadlines: LeaseDeadlines
    let configuration: Configuration
    let clock: StoreClock
    let logger: Logger
    /// Wakes the sweeper.
    let sweep: Bell
    /// Wakes the checkpointer.
    let committed: Bell

    /// Opens the store, making the file and its directory if they are missing.
    ///
    /// - Parameter path: The database file; `-wal`, `-shm` and `.lock` files stand beside it.
    /// - Throws: ``StoreError/refused(_:)`` when the file cannot be used or another process has it open.
    public convenience init(
        path: String, configuration: Configuration = .init(), logger: Logger
    ) throws(StoreError) {
        try self.init(path: path, configuration: configuration, clock: .continuous, logger: logger)
    }

    package init(
        path: String, configuration: Configuration = .init(), clock: StoreClock, logger: Logger
    ) throws(StoreError) {
        self.path = path
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        database = try StoreDatabase(path: path)
        deadlines = LeaseDeadlines(clock: clock)
        space = SpaceGuard(path: path, quota: configuration.quota, logger: logger)
        let revision: Int64
        do {
            checkpointer = try Checkpointer(pool: database.pool, path: path)
            revision = try database.pool.read { try $0.counter("revision") }
            let leases = try database.pool.read { try Row.fetchAll($0, sql: "SELECT id, ttl FROM leases") }
            for lease in leases { deadlines.start(lease[0], timeToLive: lease[1]) }
        } catch {
            throw .refused("cannot read the store \(path): \(error)")
        }
        writes = WriteQueue(pool: database.pool, space: space, metrics: metrics, logger: logger)
        hub = WatchHub(pool: database.pool, revision: revision)
        sweep = Bell()
        committed = Bell()
        sweep.ring()  // what an earlier process did not finish
    }

    public func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse {
        try await range(RangeQuery(request))
    }

    public func transact(_ transaction: Transaction) async throws(StoreError) -> TransactionResponse {
        TransactionResponse(try await apply(.transaction(Branches(transaction))))
    }

    public func compact(to revision: Int64) async throws(StoreError) {
        try await writes.perform { applier in
            let compacted = try applier.db.counter("compacted")
            if revision <= compacted { throw StoreError.compacted(oldest: compacted) }
            if revision > applier.revision { throw StoreError.futureRevision }
            try applier.db.setCounter("compacted", revision)
        }
        sweep.ring()
    }

    public func grantLease(timeToLive seconds: Int64, id: Int64) async throws(StoreError) -> StoreLease {
        guard seconds <= Self.maximumTimeToLive else { throw .refused(EtcdErrorText.leaseTooLarge) }
        let timeToLive = max(seconds, Self.minimumTimeToLive)
        let lease = try await writes.perform(mayGrow: true) { applier in
            func exists(_ id: Int64) throws -> Bool {
                let sql = "SELECT 1 FROM leases WHERE id = ?"
                return try Int64.fetchOne(applier.db.cachedStatement(sql: sql), arguments: [id]) != nil
            }
            var chosen = id
            if id == 0 {
                repeat { chosen = Int64.random(in: 1...Int64.max) } while try exists(chosen)
            } else if try exists(id) {
                throw StoreError.leaseExists(id)
            }
            try applier.db.run("INSERT INTO leases VALUES (?, ?)", [chosen, timeToLive])
            return StoreLease(id: chosen, timeToLive: timeToLive)
        }
        deadlines.start(lease.id, timeToLive: timeToLive)
        return lease
    }

    public func renewLease(_ id: Int64) async throws(StoreError) -> Int64 {
        guard let seconds = deadlines.renew(id) else { throw .leaseNotFound(id) }
        return seconds
    }

    public func revokeLease(_ id: Int64) async throws(StoreError) {
        // First here, so that whoever sees the keys gone cannot renew the lease any more.
        guard let timeToLive = deadlines.end(id) else { throw .leaseNotFound(id) }
        do {
            try await writes.perform { try $0.endLease(id) }
        } catch {
            deadlines.start(id, timeToLive: timeToLive)
            throw error
        }
    }

    public func watch(_ request: WatchRequest) -> StoreWatch {
        StoreWatch { [self] in
            let (cursor, token) = hub.watch(request)
            return { () async throws(StoreError) -> WatchBatch? in
                defer { withExtendedLifetime(token) {} }
                let delivery = try await self.next(cursor)
                return WatchBatch(
                    revision: delivery.revision,
                    events: delivery.events.map { published in
                        let event = published.event
                        return request.previous ? event : StoreEvent(event.kind, event.keyValue)
                    })
            }
        }
    }

    private func next(_ cursor: WatchCursor) async throws(StoreError) -> WatchDelivery {
        while true {
            let alarm = OneShot()
            switch cursor.take(orWake: { alarm.fire() }) {
            case .delivery(let delivery): return delivery
            case .failed(let error): throw error
            case .behind: if let page = try await hub.catchUp(cursor) { return page }
            case .waiting:
                await alarm.wait()
                if Task.isCancelled {
                    cursor.forgetWake()
                    throw .cancelled
                }
            }
        }
    }

    func read<Answer: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Answer
    ) async throws(StoreError) -> Answer {
        do {
            return try await database.pool.read(body)
        } catch {
            throw Self.storeError(error)
        }
    }

    static func storeError(_ error: any Error) -> StoreError {
        if let error = error as? StoreError { return error }
        return error is CancellationError ? .cancelled : .unavailable("the store's database: \(error)")
    }
}

// MARK: - What a server asks for

extension EmbeddedStore {
    /// The revision of the last write that was acknowledged.
    package var revision: Int64 { hub.published }

    /// Gives a lease its whole time again. Returns that time in seconds, `nil` when there is no such lease.
    package func renew(_ id: Int64) -> Int64? { deadlines.renew(id) }

    /// Why puts are refused, `nil` when they are not.
    package var alarm: String? { space.reason }

    /// Raises or ends the alarm by an operator's order.
    package func orderAlarm(raised: Bool) { space.order(raised: raised) }

    /// Most bytes in use, `nil` for no limit but the disk.
    package var quota: Int64? { space.quota }

    /// Watches, and those of them that have fallen behind what is kept in memory.
    package var watchers: (all: Int, behind: Int) { hub.counts }

    /// Applies one operation, all of it in one revision. `then` is called once it is durable or refused.
    package func apply(_ operation: Operation, then: @escaping @Sendable (Result<Applied, StoreError>) -> Void) {
        do throws(StoreError) {
            try operation.check()
        } catch {
            return then(.failure(error))
        }
        writes.submit(mayGrow: operation.mayGrow, { try $0.apply(operation) }, then: then)
    }

    /// Applies one operation, all of it in one revision.
    package func apply(_ operation: Operation) async throws(StoreError) -> Applied {
        try operation.check()
        return try await writes.perform(mayGrow: operation.mayGrow) { try $0.apply(operation) }
    }

    /// Reads keys, beside the writer.
    package func range(_ query: RangeQuery) async throws(StoreError) -> RangeResponse {
        try Operation.range(query).check()
        return try await read { try RangeReader.read(query, in: $0, revision: $0.counter("revision")) }
    }

    /// Reads keys, beside the writer. `then` is called by a thread of the database.
    package func range(_ query: RangeQuery, then: @escaping @Sendable (Result<RangeResponse, StoreError>) -> Void) {
        do throws(StoreError) {
            try Operation.range(query).check()
        } catch {
            return then(.failure(error))
        }
        database.pool.asyncRead { result in
            do {
                let db = try result.get()
                then(.success(try RangeReader.read(query, in: db, revision: db.counter("revision"))))
            } catch {
                then(.failure(Self.storeError(error)))
            }
        }
    }

    /// Begins a watch that lasts until the token goes away.
    package func startWatch(_ request: WatchRequest) -> (cursor: WatchCursor, token: WatchToken) { hub.watch(request) }

    /// Reads on for a watch that is behind. Returns `nil` where the page read had nothing for it.
    package func catchUp(_ cursor: WatchCursor) async throws(StoreError) -> WatchDelivery? {
        try await hub.catchUp(cursor)
    }

    /// A number that two stores with the same keys and values at a revision share; revision 0 is the newest.
    package func hash(at revision: Int64) async throws(StoreError) -> (hash: UInt32, compacted: Int64) {
        try await read { db in
            let request = RangeRequest(KeyRange(start: [0], end: [0]), revision: revision)
            let found = try RangeReader.read(RangeQuery(request), in: db, revision: db.counter("revision"))
            var digest = SHA256()
            for keyValue in found.keyValues {
                for number in [keyValue.createRevision, keyValue.modRevision, keyValue.version, keyValue.lease] {
                    withUnsafeBytes(of: number.littleEndian) { digest.update(bufferPointer: $0) }
                }
                for bytes in [keyValue.key, keyValue.value] {
                    withUnsafeBytes(of: Int64(bytes.count).littleEndian) { digest.update(bufferPointer: $0) }
                    digest.update(data: bytes)
                }
            }
            let hash = digest.finalize().prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            return (hash, try db.counter("compacted"))
        }
    }

    /// Keys that exist.
    package func keyCount() async throws(StoreError) -> Int64 {
        try await read { try Int64.fetchOne($0, sql: "SELECT count(*) FROM keys WHERE version > 0") ?? 0 }
    }
}

extension EmbeddedStore: StoreInspection {
    package func leases() async throws(StoreError) -> [Int64] { deadlines.all() }

    package func leaseStatus(_ id: Int64) async throws(StoreError) -> LeaseStatus {
        guard let (remaining, timeToLive) = deadlines.status(id) else { throw .leaseNotFound(id) }
        let keys = try await read { db in
            try Data.fetchAll(
                db, sql: "SELECT key FROM keys WHERE lease = ? AND lease <> 0 ORDER BY key", arguments: [id]
            )
            .map { [UInt8]($0) }
        }
        return LeaseStatus(remaining: remaining, timeToLive: timeToLive, keys: keys)
    }

    package func size() async throws(StoreError) -> (total: Int64, used: Int64) { try await read { try $0.size() } }
}
