package import KubeAPI
package import KubeSchema
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualTime: TimeSource {
    private struct State {
        var uptime = Duration.seconds(1000)
        var sleepers: [Int: (deadline: Duration, continuation: CheckedContinuation<Void, Never>)] = [:]
        var next = 0
    }
    private let state = Mutex(State())

    package init() {}

    package var uptime: Duration { state.withLock { $0.uptime } }
    /// 2026-01-01 at uptime 1000 s.
    package var now: Timestamp { Timestamp(seconds: 1_767_225_600) + (uptime - .seconds(1000)) }

    package func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.uptime += duration
            let due = state.sleepers.filter { $0.value.deadline <= state.uptime }
            for id in due.keys { state.sleepers[id] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    package func sleep(until deadline: Duration) async throws {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.uptime >= deadline || Task.isCancelled { return true }
                    state.sleepers[id] = (deadline, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: id) }?.continuation.resume()
        }
        try Task.checkCancellation()
    }
}

/// What a test expected did not come in time.
package struct DeadlinePassed: Error, CustomStringConvertible {
    package var description: String
}

/// Asks again and again until `condition` holds; gives up after `seconds` of the machine's own clock.
package func eventually(
    _ what: String, seconds: Int = 20, _ condition: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    throw DeadlinePassed(description: "not within \(seconds) s: \(what)")
}
