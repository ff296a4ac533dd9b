package import Logging
import Synchronization

/// Keys that wait to be worked on. A key is in it at most once and is never worked on by two workers at a time: one
/// that is added meanwhile comes again afterwards.
package final class WorkQueue<Key: Hashable & Sendable>: Sendable {
    private struct State {
        var order: [Key] = []
        var head = 0
        /// In `order`, or to be put there when its worker is done.
        var dirty: Set<Key> = []
        var active: Set<Key> = []
        /// When each is due, by `TimeSource.uptime`.
        var delayed: [Key: Duration] = [:]
        var failures: [Key: Int] = [:]
        var waiters: [(id: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var nextWaiter = 0

        mutating func pop() -> Key? {
            guard head < order.count else { return nil }
            let key = order[head]
            head += 1
            if head > 64, head * 2 > order.count {
                order.removeFirst(head)
                head = 0
            }
            dirty.remove(key)
            active.insert(key)
            return key
        }

        /// Whether a worker should be woken.
        mutating func push(_ key: Key) -> Bool {
            guard dirty.insert(key).inserted, !active.contains(key) else { return false }
            order.append(key)
            return true
        }
    }

    private let time: any TimeSource
    private let backoff: Backoff
    private let state = Mutex(State())
    private let timer = Signal()

    package init(
        time: any TimeSource = SystemTime(), backoff: Backoff = Backoff(base: .milliseconds(50), cap: .seconds(30))
    ) {
        self.time = time
        self.backoff = backoff
    }

    /// Number of keys that are due.
    package var count: Int { state.withLock { $0.order.count - $0.head } }

    package func add(_ key: Key) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.push(key), !state.waiters.isEmpty else { return nil }
            return state.waiters.removeFirst().continuation
        }
        waiter?.resume()
    }

    /// Adds `key` after `delay`, or at an earlier time that it was to be added at already.
    ///
    /// Delays run only while `process` does.
    package func add(_ key: Key, after delay: Duration) {
        guard delay > .zero else { return add(key) }
        let due = time.uptime + delay
        let isEarliest = state.withLock { state in
            if let earlier = state.delayed[key], earlier <= due { return false }
            state.delayed[key] = due
            return true
        }
        if isEarliest { timer.notify() }
    }

    /// Adds `key` after a delay that grows with each failure since `forget`.
    package func addRateLimited(_ key: Key) {
        let failures = state.withLock { state in
            state.failures[key, default: 0] += 1
            return state.failures[key] ?? 1
        }
        add(key, after: backoff.delay(failures: failures))
    }

    /// Begins the key's delays anew.
    package func forget(_ key: Key) { state.withLock { _ = $0.failures.removeValue(forKey: key) } }

    /// The next key, which is the caller's until `done`; `nil` when the task is cancelled.
    package func next() async -> Key? {
        while !Task.isCancelled {
            if let key = state.withLock({ $0.pop() }) { return key }
            await waitForKey()
        }
        return nil
    }

    /// Gives the key back.
    package func done(_ key: Key) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.active.remove(key)
            guard state.dirty.contains(key) else { return nil }
            state.order.append(key)
            return state.waiters.isEmpty ? nil : state.waiters.removeFirst().continuation
        }
        waiter?.resume()
    }

    /// Calls `handler` for each key until the task is cancelled. A key whose handler throws is tried again later.
    package func process(
        workers: Int = 1, logger: Logger, _ handler: @escaping @Sendable (Key) async throws -> Void
    ) async {
        await withTaskGroup { group in
            group.addTask { await self.runTimer() }
            for _ in 0..<workers {
                group.addTask {
                    while let key = await self.next() {
                        do {
                            try await handler(key)
                            self.forget(key)
                        } catch {
                            if Task.isCancelled { return }
                            // Conflicts and an absent server are part of normal life; the latter is logged elsewhere.
                            let quiet = (error as? APIError).map { $0.isConflict || $0.isUnreachable } ?? false
                            logger.log(level: quiet ? .debug : .warning, "\(key): \(error); will be tried again")
                            self.addRateLimited(key)
                        }
                        self.done(key)
                    }
                }
            }
        }
    }

    /// Moves delayed keys that are due into the queue.
    private func runTimer() async {
        while !Task.isCancelled {
            let now = time.uptime
            let (due, next) = state.withLock { state -> ([Key], Duration?) in
                let due = state.delayed.filter { $0.value <= now }.map(\.key)
                for key in due { state.delayed[key] = nil }
                return (due, state.delayed.values.min())
            }
            for key in due { add(key) }
            guard let next else {
                await timer.wait()
                continue
            }
            await withTaskGroup { group in
                group.addTask { try? await self.time.sleep(until: next) }
                group.addTask { await self.timer.wait() }
                await group.next()
                group.cancelAll()
            }
        }
    }

    private func waitForKey() async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resumesNow = state.withLock { state in
                    if state.head < state.order.count || Task.isCancelled { return true }
                    state.waiters.append((id, continuation))
                    return false
                }
                if resumesNow { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index).continuation
            }
            waiter?.resume()
        }
    }
}
