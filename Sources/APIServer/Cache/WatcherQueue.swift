import Synchronization

/// The changes that one watch has still to send. Bounded: a watch that falls too far behind ends, and its client resumes
/// from the last version it saw or, when that is too old by then, is told so.
final class WatcherQueue: Sendable {
    static let limit = 8192

    private struct State {
        var events: [CacheEvent] = []
        var isOver = false
        var waiting: CheckedContinuation<Bool, Never>?
    }

    private let state = Mutex(State())
    /// Only keys with this prefix are of interest.
    private let prefix: String

    init(prefix: String) { self.prefix = prefix }

    func push(_ event: CacheEvent) {
        guard event.object.key.hasPrefix(prefix) else { return }
        add(event, limited: true)
    }

    /// What is there at the start is as much as it is; no limit applies to it.
    func pushInitial(_ event: CacheEvent) { add(event, limited: false) }

    private func add(_ event: CacheEvent, limited: Bool) {
        let waiting = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            guard !state.isOver else { return nil }
            if limited, state.events.count >= Self.limit {
                state.isOver = true
                state.events = []
            } else {
                state.events.append(event)
            }
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: true)
    }

    func end() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: true)
    }

    /// Wakes the reader so that it can look at the clock.
    func nudge() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(returning: true)
    }

    var isEmpty: Bool { state.withLock { $0.events.isEmpty } }

    /// Takes all that is queued, waiting when there is nothing; an empty batch after a nudge or cancellation, `nil` when
    /// the watch is over.
    func next() async -> [CacheEvent]? {
        await withTaskCancellationHandler {
            _ = await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let ready = state.withLock { state in
                    if !state.events.isEmpty || state.isOver || Task.isCancelled { return true }
                    state.waiting = continuation
                    return false
                }
                if ready { continuation.resume(returning: true) }
            }
        } onCancel: {
            nudge()
        }
        return state.withLock { state in
            if state.isOver, state.events.isEmpty { return nil }
            defer { state.events = [] }
            return state.events
        }
    }
}
