public import ClusterStore
import FoundationEssentials
import GRDB
public import Logging
public import ServiceLifecycle

/// A store in this process, on SQLite: one machine's alternative to an etcd cluster, with the same behaviour.
///
/// Writes that come together share one transaction and one sync; an acknowledged write survives `kill -9` and power
/// loss. Reads run beside the writer on snapshots. Works while ``run()`` runs.
public final class EmbeddedStore: ClusterStore, Service {
    /// Time between progress notifications to watches that asked for them. etcd's is 10 min.
    private static let progressInterval: Duration = .seconds(10)
    /// How late an expired lease may be noticed.
    private static let leaseGranularity: Duration = .milliseconds(500)
    /// The shortest lease etcd grants with its default election timeout.
    private static let minimumTimeToLive: Int64 = 2
    private static let maximumTimeToLive: Int64 = 9_000_000_000

    private let database: StoreDatabase
    private let writes: WriteQueue
    private let hub: WatchHub
    private let deadlines: LeaseDeadlines
    private let clock: StoreClock
    private let logger: Logger
    private let sweeps: AsyncStream<Void>
    private let sweep: AsyncStream<Void>.Continuation

    /// Opens the store, making the file and its directory if they are missing.
    ///
    /// - Parameter path: The database file; `-wal`, `-shm` and `.lock` files stand beside it.
    /// - Throws: ``StoreError/refused(_:)`` when the file cannot be used or another process has it open.
    public convenience init(path: String, logger: Logger) throws(StoreError) {
        try self.init(path: path, clock: .continuous, logger: logger)
    }

    package init(path: String, clock: StoreClock, logger: Logger) throws(StoreError) {
        self.clock = clock
        self.logger = logger
        database = try StoreDatabase(path: path)
        deadlines = LeaseDeadlines(clock: clock)
        let revision: Int64
        do {
            revision = try database.pool.read { try $0.counter("revision") }
            let leases = try database.pool.read { try Row.fetchAll($0, sql: "SELECT id, ttl FROM leases") }
            for lease in leases { deadlines.start(lease[0], timeToLive: lease[1]) }
        } catch {
            throw .refused("cannot read the store \(path): \(error)")
        }
        writes = WriteQueue(pool: database.pool, logger: logger)
        hub = WatchHub(pool: database.pool, revision: revision)
        (sweeps, sweep) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        sweep.yield()  // what an earlier process did not finish
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.writes.run { self.hub.publish($0, revision: $1) } }
                group.addTask { await self.expireLeases() }
                group.addTask { await self.sweepHistory() }
                group.addTask { await self.sendProgress() }
                await group.waitForAll()
            }
        }
        hub.close()
    }

    public func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse {
        guard !request.range.start.isEmpty else { throw .refused(EtcdErrorText.emptyKey) }
        return try await read { try RangeReader.read(request, in: $0, revision: $0.counter("revision")) }
    }

    public func transact(_ transaction: Transaction) async throws(StoreError) -> TransactionResponse {
        try await writes.perform { try $0.apply(transaction) }
    }

    public func compact(to revision: Int64) async throws(StoreError) {
        try await writes.perform { applier in
            let compacted = try applier.db.counter("compacted")
            if revision <= compacted { throw StoreError.compacted(oldest: compacted) }
            if revision > applier.revision { throw StoreError.futureRevision }
            try applier.db.setCounter("compacted", revision)
        }
        sweep.yield()
    }

    public func grantLease(timeToLive seconds: Int64, id: Int64) async throws(StoreError) -> StoreLease {
        guard seconds <= Self.maximumTimeToLive else { throw .refused(EtcdErrorText.leaseTooLarge) }
        let timeToLive = max(seconds, Self.minimumTimeToLive)
        let deadlines = self.deadlines
        let lease = try await writes.perform { applier in
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
        StoreWatch { [hub] in hub.watch(request) }
    }

    /// The database's size, without its log.
    package func size() async throws(StoreError) -> (total: Int64, used: Int64) {
        try await read { db in
            let page = try Int64.fetchOne(db, sql: "PRAGMA page_size") ?? 0
            let pages = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            let free = try Int64.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
            return (page * pages, page * (pages - free))
        }
    }

    private func read<Answer: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Answer
    ) async throws(StoreError) -> Answer {
        do {
            return try await database.pool.read(body)
        } catch let error as StoreError {
            throw error
        } catch {
            throw error is CancellationError ? .cancelled : .unavailable("the store's database: \(error)")
        }
    }
}

// MARK: - What runs by itself

extension EmbeddedStore {
    private func expireLeases() async {
        while !Task.isCancelled {
            for id in deadlines.expired() {
                do {
                    try await revokeLease(id)
                } catch {
                    logger.warning("a lease could not be ended", metadata: ["lease": "\(id)", "error": "\(error)"])
                }
            }
            let pause = deadlines.untilNext() ?? Self.leaseGranularity
            do { try await clock.sleep(min(max(pause, .milliseconds(1)), Self.leaseGranularity)) } catch { return }
        }
    }

    private func sweepHistory() async {
        for await _ in sweeps {
            var more = true
            while more, !Task.isCancelled {
                do {
                    more = try await database.pool.write { try Sweeper.sweep($0) }
                    try await database.pool.writeWithoutTransaction { try Sweeper.vacuum($0) }
                } catch {
                    if !(error is CancellationError) {
                        logger.warning("history could not be swept", metadata: ["error": "\(error)"])
                    }
                    more = false
                }
            }
        }
    }

    private func sendProgress() async {
        while !Task.isCancelled {
            do { try await Task.sleep(for: Self.progressInterval) } catch { return }
            hub.publishProgress()
        }
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
}
