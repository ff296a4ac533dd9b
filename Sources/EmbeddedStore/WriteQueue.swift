import ClusterStore
import GRDB
import Logging
import Synchronization

/// The one writer of a store: all writes that wait are done in one transaction of the database, with one sync.
final class WriteQueue: Sendable {
    /// One write: does its part of a database transaction, and is told how it went once that is durable.
    struct Job: Sendable {
        /// Whether a store without space refuses it.
        let mayGrow: Bool
        /// Throws a `StoreError` before it changed anything if the write is refused; other errors undo all jobs.
        let apply: @Sendable (inout TransactionApplier) throws -> Void
        let finish: @Sendable (StoreError?) -> Void
    }

    /// What a commit changed.
    struct Commit: Sendable {
        let events: [StoreEvent]
        let revision: Int64
    }

    /// Keeps one transaction short enough that the first job in it does not wait for long.
    private static let jobsPerCommit = 512

    private struct State {
        var jobs: [Job] = []
        var isClosed = false
    }

    private let pool: DatabasePool
    private let space: SpaceGuard
    private let metrics: StoreMetrics
    private let logger: Logger
    private let state = Mutex(State())
    private let wake: AsyncStream<Void>
    private let trigger: AsyncStream<Void>.Continuation

    init(pool: DatabasePool, space: SpaceGuard, metrics: StoreMetrics, logger: Logger) {
        self.pool = pool
        self.space = space
        self.metrics = metrics
        self.logger = logger
        (wake, trigger) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Does one write; `then` is called once it is on disk or refused, by any thread.
    func submit<Answer: Sendable>(
        mayGrow: Bool, _ body: @escaping @Sendable (inout TransactionApplier) throws -> Answer,
        then: @escaping @Sendable (Result<Answer, StoreError>) -> Void
    ) {
        let box = AnswerBox<Answer>()
        let job = Job(
            mayGrow: mayGrow,
            apply: { applier in
                let value = try body(&applier)
                box.value.withLock { $0 = value }
            },
            finish: { failure in
                if let failure { return then(.failure(failure)) }
                then(
                    box.value.withLock { $0 }.map { .success($0) } ?? .failure(.unavailable("the write gave no answer"))
                )
            })
        let isAccepted = state.withLock { state in
            if !state.isClosed { state.jobs.append(job) }
            return !state.isClosed
        }
        if isAccepted { trigger.yield() } else { then(.failure(.unavailable("the store is closed"))) }
    }

    /// Does one write. Returns once it is on disk.
    func perform<Answer: Sendable>(
        mayGrow: Bool = false, _ body: @escaping @Sendable (inout TransactionApplier) throws -> Answer
    ) async throws(StoreError) -> Answer {
        let result: Result<Answer, StoreError> = await withCheckedContinuation { continuation in
            submit(mayGrow: mayGrow, body) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    private final class AnswerBox<Answer: Sendable>: Sendable {
        let value = Mutex<Answer?>(nil)
    }

    /// Writes until cancelled, then does what is queued and refuses the rest.
    ///
    /// - Parameters:
    ///   - readsPrevious: Whether events should have the values that puts replace.
    ///   - publish: Gets each commit before its writers hear of it.
    func run(
        readsPrevious: @escaping @Sendable () -> Bool, publish: @escaping @Sendable (Commit) -> Void
    ) async {
        let audience = Audience(readsPrevious: readsPrevious, publish: publish)
        for await _ in wake { await drain(audience) }
        state.withLock { $0.isClosed = true }
        // What is queued is still written: the task is cancelled, so the work moves to one that is not.
        await Task.detached { await self.drain(audience) }.value
    }

    private struct Audience: Sendable {
        let readsPrevious: @Sendable () -> Bool
        let publish: @Sendable (Commit) -> Void
    }

    private func drain(_ audience: Audience) async {
        while true {
            var jobs = state.withLock { state in
                let jobs = Array(state.jobs.prefix(Self.jobsPerCommit))
                state.jobs.removeFirst(jobs.count)
                return jobs
            }
            guard !jobs.isEmpty else { return }
            refuseGrowthIfFull(&jobs)
            do {
                try await commit(jobs, audience)
            } catch {
                guard let error = error as? DatabaseError, error.isOutOfSpace else {
                    fail(jobs, error)
                    continue
                }
                // What needs no space, deletions above all, gets a second chance: it has the reserve for itself.
                space.raise(because: "the disk is full")
                refuseGrowthIfFull(&jobs)
                do { try await commit(jobs, audience) } catch { fail(jobs, error) }
            }
        }
    }

    private func refuseGrowthIfFull(_ jobs: inout [Job]) {
        guard space.isRaised else { return }
        let refused = jobs.filter(\.mayGrow)
        jobs.removeAll(where: \.mayGrow)
        for job in refused { job.finish(.refused(EtcdErrorText.noSpace)) }
    }

    private func fail(_ jobs: [Job], _ error: any Error) {
        if let error = error as? DatabaseError, error.isOutOfSpace {
            for job in jobs { job.finish(.refused(EtcdErrorText.noSpace)) }
            return
        }
        logger.error("commit failed", metadata: ["error": "\(error)"])
        for job in jobs { job.finish(.unavailable("the store's database failed: \(error)")) }
    }

    /// Looks for space after a commit, whose writers must not be told that it failed because something here did.
    private static func look(after db: Database, _ space: SpaceGuard) {
        if space.wantsEmptyLog() { _ = try? Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        if let used = try? db.size().used { space.look(used: used) }
    }

    private func commit(_ jobs: [Job], _ audience: Audience) async throws {
        guard !jobs.isEmpty else { return }
        let metrics = self.metrics
        let space = self.space
        let (commit, refusals) = try await pool.writeWithoutTransaction { db in
            try db.beginTransaction(.immediate)
            do {
                var applier = try TransactionApplier(db, readsPrevious: audience.readsPrevious())
                var refusals: [StoreError?] = []
                for job in jobs {
                    do {
                        try job.apply(&applier)
                        refusals.append(nil)
                    } catch let error as StoreError {
                        refusals.append(error)
                    }
                }
                try applier.finish()
                let start = ContinuousClock.now
                try db.commit()
                metrics.committed(writes: jobs.count, taking: start.duration(to: .now))
                Self.look(after: db, space)
                return (Commit(events: applier.events, revision: applier.revision), refusals)
            } catch {
                // Some errors of SQLite end the transaction themselves.
                if db.isInsideTransaction { try db.rollback() }
                throw error
            }
        }
        audience.publish(commit)
        for (job, refusal) in zip(jobs, refusals) { job.finish(refusal) }
    }
}

extension DatabaseError {
    /// No room for what was to be written: on the disk, in its quota, or for the memory shared beside the log.
    var isOutOfSpace: Bool {
        resultCode == .SQLITE_FULL || extendedResultCode == .SQLITE_IOERR_SHMSIZE
    }
}
