import NIOCore
import Synchronization

/// The open connections and streams of a server, so that they can be ended.
final class ChannelRegistry: Sendable {
    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isStopping = false
        var emptied: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func add(_ channel: any Channel) {
        let id = ObjectIdentifier(channel)
        let stopping = state.withLock { state in
            state.channels[id] = channel
            return state.isStopping
        }
        channel.closeFuture.whenComplete { [self] _ in remove(id) }
        if stopping { channel.close(promise: nil) }
    }

    private func remove(_ id: ObjectIdentifier) {
        let emptied = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.channels[id] = nil
            guard state.channels.isEmpty else { return nil }
            defer { state.emptied = nil }
            return state.emptied
        }
        emptied?.resume()
    }

    /// Asks all to end and closes what has not ended in time.
    func stop(grace: Duration) async {
        let open = state.withLock { state in
            state.isStopping = true
            return Array(state.channels.values)
        }
        for channel in open { channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent()) }
        // Not a task of the caller's: a cancelled caller still waits for the connections to end.
        let deadline = Task { [self] in
            try? await Task.sleep(for: grace)
            for channel in state.withLock({ Array($0.channels.values) }) { channel.close(promise: nil) }
        }
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if !state.channels.isEmpty { state.emptied = continuation }
                return state.channels.isEmpty
            }
            if isEmpty { continuation.resume() }
        }
        deadline.cancel()
    }
}
