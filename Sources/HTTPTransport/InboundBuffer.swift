import NIOCore
import Synchronization

/// Bytes on their way from an event loop to one reading task, bounded by asking the loop for more only when few are left.
final class InboundBuffer: Sendable {
    /// Above this the producer should stop reading from its socket.
    static let highWatermark = 256 << 10
    static let lowWatermark = 64 << 10

    private struct State {
        var chunks: [ByteBuffer] = []
        var next = 0  // chunks before it have been taken
        var bytes = 0
        var end: Result<Void, HTTPTransportError>?
        var waiting: CheckedContinuation<ByteBuffer?, any Error>?
        var isPaused = false
        var resume: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Sets what is called, from any thread, when the reader has made room after ``append(_:)`` had returned `false`.
    func onDemand(_ resume: @escaping @Sendable () -> Void) { state.withLock { $0.resume = resume } }

    /// Adds bytes. Returns whether the producer may go on.
    func append(_ chunk: ByteBuffer) -> Bool {
        guard chunk.readableBytes > 0 else { return state.withLock { !$0.isPaused } }
        let (waiting, goOn) = state.withLock { state -> (CheckedContinuation<ByteBuffer?, any Error>?, Bool) in
            guard state.end == nil else { return (nil, true) }  // closed by the reader: bytes are dropped
            if let waiting = state.waiting {
                state.waiting = nil
                return (waiting, true)
            }
            state.chunks.append(chunk)
            state.bytes += chunk.readableBytes
            if state.bytes >= Self.highWatermark { state.isPaused = true }
            return (nil, !state.isPaused)
        }
        waiting?.resume(returning: chunk)
        return goOn
    }

    /// Puts bytes that were taken too early back in front.
    func unread(_ chunk: ByteBuffer) {
        guard chunk.readableBytes > 0 else { return }
        state.withLock { state in
            state.chunks.insert(chunk, at: state.next)
            state.bytes += chunk.readableBytes
        }
    }

    func finish(_ result: Result<Void, HTTPTransportError> = .success(())) {
        let waiting = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
            if state.end == nil { state.end = result }
            defer { state.waiting = nil }
            return state.waiting
        }
        switch result {
        case .success: waiting?.resume(returning: nil)
        case .failure(let error): waiting?.resume(throwing: error)
        }
    }

    /// The next bytes; `nil` at the end. Called by one task at a time.
    func next() async throws -> ByteBuffer? {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<ByteBuffer?, any Error>) in
                take(continuation)
            }
        } onCancel: {
            let waiting = state.withLock { state -> CheckedContinuation<ByteBuffer?, any Error>? in
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume(throwing: CancellationError())
        }
    }

    private func take(_ continuation: CheckedContinuation<ByteBuffer?, any Error>) {
        enum Outcome {
            case wait
            case deliver(Result<ByteBuffer?, any Error>, resume: (@Sendable () -> Void)?)
        }
        let outcome = state.withLock { state -> Outcome in
            if state.next < state.chunks.count {
                let chunk = state.chunks[state.next]
                state.chunks[state.next] = ByteBuffer()
                state.next += 1
                state.bytes -= chunk.readableBytes
                if state.next == state.chunks.count {
                    state.chunks.removeAll(keepingCapacity: true)
                    state.next = 0
                }
                guard state.isPaused, state.bytes <= Self.lowWatermark else {
                    return .deliver(.success(chunk), resume: nil)
                }
                state.isPaused = false
                return .deliver(.success(chunk), resume: state.resume)
            }
            switch state.end {
            case .success?: return .deliver(.success(nil), resume: nil)
            case .failure(let error)?: return .deliver(.failure(error), resume: nil)
            case nil: break
            }
            // Asked under the lock: a cancellation that comes later finds the continuation.
            if Task.isCancelled { return .deliver(.failure(CancellationError()), resume: nil) }
            precondition(state.waiting == nil, "two tasks read from one stream")
            state.waiting = continuation
            return .wait
        }
        if case .deliver(let result, let resume) = outcome {
            resume?()
            continuation.resume(with: result)
        }
    }
}
