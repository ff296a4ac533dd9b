import ClusterStore
import GRDB
import Logging
import Synchronization

/// The one writer of a store: all writes that wait are done in one transaction of the database, with one sync.
final class WriteQueue: Sendable {
    /// One write: does its part of a database transaction, and is told how it went once that is durable.
    struct Job: Sendable {
        /// Throws a `StoreError` before it changed anything if the write is refused; other errors undo all jobs.
        let apply: @Sendable (inout TransactionApplier) throws -> Void
        let finish: @Sendable (StoreError?) -> Void
    }

    /// Keeps one transaction short enough that the first job in it does not wait for long.
    private static let jobsPerCommit = 512

    private struct State {
        var jobs: [Job] = []
        var isClosed = false
    }

    private let pool: DatabasePool
    private let logger: Logger
    private let state = Mutex(State())
    private let wake: AsyncStream<Void>
    private let trigger: AsyncStream<Void>.Continuation

    init(pool: DatabasePool, logger: Logger) {
        self.pool = pool
        self.logger = logger
        (wake, trigger) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Does one write. Returns once it is on disk.
    func perform<Answer: Sendable>(
        _ body: @escaping @Sendable (inout TransactionApplier) throws -> Answer
    ) async throws(StoreError) -> Answer {
        let box = AnswerBox<Answer>()
        let failure: StoreError? = await withCheckedContinuation { continuation in
            let job = Job(
                apply: { applier in
                    let value = try body(&applier)
                    box.value.withLock { $0 = value }
                },
                finish: { continuation.resume(returning: $0) })
            let accepted = state.withLock { state in
                guard !state.isClosed else { return false }
                state.jobs.append(job)
                return true
            }
            if accepted {
                trigger.yield()
            } else {
                continuation.resume(returning: .unavailable("the store is closed"))
            }
        }
        if let failure { throw failure }
        guard let value = box.value.withLock({ $0 }) else { throw .unavailable("the write gave no answer") }
        return value
    }

    private final class AnswerBox<Answer: Sendable>: Sendable {
        let value = Mutex<Answer?>(nil)
    }

    /// Writes until cancelled, then does what is queued and refuses the rest.
    ///
    /// - Parameter publish: Gets the events of each commit and the revision it reached, before its writers hear of it.
    func run(publish: @escaping @Sendable ([StoreEvent], Int64) -> Void) async {
        for await _ in wake { await drain(publish) }
        state.withLock { $0.isClosed = true }
        // What is queued is still written: the task is cancelled, so the work moves to one that is not.
        await Task.detached { await self.drain(publish) }.value
    }

    private func drain(_ publish: @escaping @Sendable ([StoreEvent], Int64) -> Void) async {
        while true {
            let jobs = state.withLock { state in
                let jobs = Array(state.jobs.prefix(Self.jobsPerCommit))
                state.jobs.removeFirst(jobs.count)
                return jobs
            }
            guard !jobs.isEmpty else { return }
            do {
                let (events, revision, refusals) = try await pool.write { db in
                    var applier = try TransactionApplier(db)
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
                    return (applier.events, applier.revision, refusals)
                }
                publish(events, revision)
                for (job, refusal) in zip(jobs, refusals) { job.finish(refusal) }
            } catch {
                logger.error("commit failed", metadata: ["error": "\(error)"])
                for job in jobs { job.finish(.unavailable("the store's database failed: \(error)")) }
            }
        }
    }
}
