import ClusterStore
import Synchronization

/// How far the caches have followed the store, and who waits for them.
final class StoreProgress: Sendable {
    private struct State {
        var waiting: [(revision: Int64, deadline: ContinuousClock.Instant, reader: CheckedContinuation<Bool, Never>)] =
            []
        var hasWatchman = false
    }

    private let reached = Atomic<Int64>(0)
    private let ready = Atomic<Bool>(false)
    private let state = Mutex(State())

    /// Everything up to this revision is in the caches.
    var revision: Int64 { reached.load(ordering: .acquiring) }
    /// Whether the store has been read once.
    var isReady: Bool { ready.load(ordering: .acquiring) }

    func advance(to revision: Int64) {
        let done = state.withLock { state -> [CheckedContinuation<Bool, Never>] in
            if revision > reached.load(ordering: .relaxed) { reached.store(revision, ordering: .releasing) }
            ready.store(true, ordering: .releasing)
            guard !state.waiting.isEmpty else { return [] }
            let done = state.waiting.filter { $0.revision <= revision }.map(\.reader)
            if !done.isEmpty { state.waiting.removeAll { $0.revision <= revision } }
            return done
        }
        for reader in done { reader.resume(returning: true) }
    }

    /// Waits until the caches have reached `revision`; `false` when they don't in time, give or take half a second.
    func wait(for revision: Int64, timeout: Duration) async -> Bool {
        if isReady, self.revision >= revision { return true }
        return await withCheckedContinuation { continuation in
            let (isReached, needsWatchman) = state.withLock { state in
                if isReady, self.revision >= revision { return (true, false) }
                state.waiting.append((revision, .now + timeout, continuation))
                defer { state.hasWatchman = true }
                return (false, !state.hasWatchman)
            }
            if isReached { continuation.resume(returning: true) }
            // One task looks after all deadlines, so that waiting, which is nearly always short, needs no timer.
            if needsWatchman { Task { [self] in await expire() } }
        }
    }

    private func expire() async {
        while true {
            try? await Task.sleep(for: .milliseconds(500))
            let (late, isDone) = state.withLock { state in
                let now = ContinuousClock.now
                let late = state.waiting.filter { $0.deadline <= now }.map(\.reader)
                state.waiting.removeAll { $0.deadline <= now }
                state.hasWatchman = !state.waiting.isEmpty
                return (late, state.waiting.isEmpty)
            }
            for reader in late { reader.resume(returning: false) }
            if isDone { return }
        }
    }
}

/// One read shared by all who ask before it begins; those who come while it runs share the next one, so that nobody gets
/// an answer older than his question.
final class SharedRead: Sendable {
    typealias Read = @Sendable () async throws(StoreError) -> Int64
    private typealias Reader = CheckedContinuation<Result<Int64, StoreError>, Never>
    private struct State {
        var waiting: [Reader] = []
        var isRunning = false
    }
    private let state = Mutex(State())
    private let read: Read

    init(_ read: @escaping Read) { self.read = read }

    func value() async throws(StoreError) -> Int64 {
        let result: Result<Int64, StoreError> = await withCheckedContinuation { continuation in
            let begins = state.withLock { state in
                state.waiting.append(continuation)
                defer { state.isRunning = true }
                return !state.isRunning
            }
            // Nobody's task in particular: a reader that is cancelled must not fail the others.
            if begins { Task { [self] in await readForAll() } }
        }
        return try result.get()
    }

    private func readForAll() async {
        while true {
            let readers = state.withLock { state -> [Reader] in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isRunning = false }
                return state.waiting
            }
            guard !readers.isEmpty else { return }
            let result: Result<Int64, StoreError>
            do throws(StoreError) { result = .success(try await read()) } catch { result = .failure(error) }
            for reader in readers { reader.resume(returning: result) }
        }
    }
}
