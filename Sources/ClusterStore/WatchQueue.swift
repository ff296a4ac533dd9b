import Synchronization

/// What a store has for one watch and its reader has not yet taken: batches in order, then perhaps an error.
///
/// One reader at a time. The queue is not bounded: a store never waits for a watcher.
package final class WatchQueue: Sendable {
    private struct State {
        var batches: [WatchBatch] = []
        /// Batches before this index are taken; they are dropped together so that taking one costs O(1).
        var taken = 0
        var failure: StoreError?
        var reader: CheckedContinuation<Result<WatchBatch, StoreError>, Never>?
    }

    private let state = Mutex(State())

    package init() {}

    /// Adds a batch; ignored after ``fail(_:)``.
    package func push(_ batch: WatchBatch) {
        let reader = state.withLock { state -> CheckedContinuation<Result<WatchBatch, StoreError>, Never>? in
            guard state.failure == nil else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.batches.append(batch)
            return nil
        }
        reader?.resume(returning: .success(batch))
    }

    /// Ends the watch once the reader has taken what is queued. The first error counts.
    package func fail(_ error: StoreError) {
        let reader = state.withLock { state -> CheckedContinuation<Result<WatchBatch, StoreError>, Never>? in
            guard state.failure == nil else { return nil }
            state.failure = error
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: .failure(error))
    }

    /// Waits for the next batch.
    ///
    /// - Throws: What ``fail(_:)`` was given, or ``StoreError/cancelled`` when the reading task is cancelled.
    package func next() async throws(StoreError) -> WatchBatch {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready: Result<WatchBatch, StoreError>? = state.withLock { state in
                    if state.taken < state.batches.count {
                        let batch = state.batches[state.taken]
                        state.taken += 1
                        if state.taken == state.batches.count || state.taken == 1024 {
                            state.batches.removeFirst(state.taken)
                            state.taken = 0
                        }
                        return .success(batch)
                    }
                    if let failure = state.failure { return .failure(failure) }
                    if Task.isCancelled { return .failure(.cancelled) }
                    precondition(state.reader == nil, "a watch has one reader")
                    state.reader = continuation
                    return nil
                }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }?.resume(returning: .failure(.cancelled))
        }
        return try result.get()
    }
}

/// Runs a closure when the last reference goes away: the end of a watch whose iterator is dropped.
package final class WatchToken: Sendable {
    private let end: @Sendable () -> Void

    package init(_ end: @escaping @Sendable () -> Void) { self.end = end }

    deinit { end() }
}
