import NIOCore

/// Holds back writers while a channel has no room, and cuts off a peer that makes none for too long. Belongs to the
/// channel's event loop.
struct WriteGate {
    typealias Completion = HTTPResponseWriter.Completion

    private let stallTimeout: TimeAmount
    private var waiting: [Completion] = []
    private var timer: Scheduled<Void>?

    init(stallTimeout: TimeAmount) { self.stallTimeout = stallTimeout }

    /// Calls `done` at once, or when the channel has room again.
    mutating func pass(_ channel: any Channel, _ done: @escaping Completion) {
        if !channel.isActive {
            done(.failure(HTTPTransportError.connectionClosed))
        } else if channel.isWritable {
            done(.success(()))
        } else {
            waiting.append(done)
            watch(channel)
        }
    }

    /// Starts the clock for bytes that nobody waits for.
    mutating func watch(_ channel: any Channel) {
        guard !channel.isWritable, timer == nil else { return }
        timer = channel.eventLoop.scheduleTask(in: stallTimeout) { channel.close(promise: nil) }
    }

    mutating func writabilityChanged(_ channel: any Channel) {
        guard channel.isWritable else { return watch(channel) }
        release(.success(()))
    }

    mutating func close() { release(.failure(HTTPTransportError.connectionClosed)) }

    private mutating func release(_ result: Result<Void, any Error>) {
        timer?.cancel()
        timer = nil
        let ready = waiting
        waiting = []
        for done in ready { done(result) }
    }
}
