package import ClusterStore
import Synchronization

/// An event as it is handed to any number of watchers, which share its encoded form.
package final class PublishedEvent: Sendable {
    /// With `previous` where that is known.
    package let event: StoreEvent
    /// About what the event takes in memory, in bytes.
    let weight: Int
    private let encodings = Mutex<(plain: [UInt8]?, full: [UInt8]?)>((nil, nil))

    init(_ event: StoreEvent) {
        self.event = event
        weight = 256 + event.keyValue.key.count * 2 + event.keyValue.value.count + (event.previous?.value.count ?? 0)
    }

    /// Whether there was a value before the change that the event does not have.
    var lacksPrevious: Bool { event.kind == .put && event.keyValue.version > 1 && event.previous == nil }

    /// The event encoded, with or without its `previous`; `encode` is called once for each.
    package func encoding(previous: Bool, _ encode: (StoreEvent) -> [UInt8]) -> [UInt8] {
        encodings.withLock { encodings in
            if let ready = previous ? encodings.full : encodings.plain { return ready }
            let bytes = encode(previous ? event : StoreEvent(event.kind, event.keyValue))
            if previous { encodings.full = bytes } else { encodings.plain = bytes }
            return bytes
        }
    }
}

/// All that one watch gets of one or more whole revisions.
package struct WatchDelivery: Sendable {
    /// Everything up to and including this revision has been delivered.
    package let revision: Int64
    /// Empty for a progress notification.
    package let events: [PublishedEvent]
}

/// One watcher's place in the store's history.
///
/// Deliveries wait here for their reader, up to a limit. A reader that falls behind it loses nothing: its queue is
/// dropped, and it goes on from history in the database, as slowly as it likes, until it has caught up. What it costs
/// others is the memory of one full queue.
package final class WatchCursor: Sendable {
    /// Bytes of events that wait for one reader in memory.
    static let weightLimit = 1 << 20

    package enum Step: Sendable {
        case delivery(WatchDelivery)
        /// ``EmbeddedStore/catchUp(_:)`` has what comes next.
        case behind
        case failed(StoreError)
        /// Nothing yet: the closure given will be called once there is.
        case waiting
    }

    private struct State {
        var queue: [WatchDelivery] = []
        /// Deliveries before this index are taken; they are dropped together so that taking one costs O(1).
        var taken = 0
        var weight = 0
        /// The first revision that the reader has not taken.
        var next: Int64
        var isBehind: Bool
        var failure: StoreError?
        var wake: (@Sendable () -> Void)?

        /// Drops what waits: the reader finds it in history.
        mutating func fallBehind() {
            queue = []
            taken = 0
            weight = 0
            isBehind = true
        }
    }

    package let request: WatchRequest
    private let state: Mutex<State>

    init(_ request: WatchRequest, next: Int64, isBehind: Bool) {
        self.request = request
        state = Mutex(State(next: next, isBehind: isBehind))
    }

    /// The first revision that the reader has not taken.
    var next: Int64 { state.withLock { $0.next } }

    /// Whether the reader must go on from history.
    var isBehind: Bool { state.withLock { $0.isBehind } }

    /// The revision up to which the reader has everything, given the one the store has published.
    package func delivered(published: Int64) -> Int64 {
        state.withLock { state in
            state.isBehind || state.taken < state.queue.count ? state.next - 1 : max(state.next - 1, published)
        }
    }

    /// Takes what comes next.
    ///
    /// - Parameter wake: Called once, by any thread, after ``Step/waiting`` was returned and there is more.
    package func take(orWake wake: @escaping @Sendable () -> Void) -> Step {
        state.withLock { state in
            if state.taken < state.queue.count {
                let delivery = state.queue[state.taken]
                state.taken += 1
                if state.taken == state.queue.count {
                    state.queue.removeAll(keepingCapacity: state.taken < 64)
                    state.taken = 0
                    state.weight = 0
                }
                state.next = max(state.next, delivery.revision + 1)
                return .delivery(delivery)
            }
            if let failure = state.failure { return .failed(failure) }
            if state.isBehind { return .behind }
            state.wake = wake
            return .waiting
        }
    }

    /// Forgets the closure that ``take(orWake:)`` was given, so that its reader may go away.
    package func forgetWake() { state.withLock { $0.wake = nil } }

    /// Adds a delivery, unless the reader is behind and will find it in history.
    ///
    /// - Parameter weight: Of its events together.
    /// - Returns: What to call to wake the reader.
    func offer(_ delivery: WatchDelivery, weight: Int) -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard !state.isBehind, state.failure == nil else { return nil }
            if state.weight + weight > Self.weightLimit, state.taken < state.queue.count {
                state.fallBehind()
            } else {
                state.queue.append(delivery)
                state.weight += weight
            }
            return state.wake.take()
        }
    }

    /// Sends the reader to history for what was just published. Returns what to call to wake it.
    func fallBehind() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard state.failure == nil else { return nil }
            state.fallBehind()
            return state.wake.take()
        }
    }

    /// Ends the watch once the reader has taken what waits. Returns what to call to wake it.
    func fail(_ error: StoreError) -> (@Sendable () -> Void)? {
        state.withLock { state in
            state.failure = state.failure ?? error
            return state.wake.take()
        }
    }

    /// Notes that history was read up to a revision.
    func advance(past revision: Int64) { state.withLock { $0.next = max($0.next, revision + 1) } }

    /// Lets deliveries in again.
    func goLive() { state.withLock { $0.isBehind = false } }
}
