package import NIOCore
import Synchronization

/// Where a streamed response takes its bytes from: asked whenever the client has room for more, so that nothing is made
/// for a client that does not read.
package protocol HTTPResponseSource: AnyObject, Sendable {
    /// The next piece. Called on the connection's event loop, never twice at once; must not block.
    func next() -> HTTPResponsePiece
    /// Whether a response that is cancelled, as when the server stops, counts as complete. A list that was cut short
    /// must not look like one; a watch may end at any time.
    var mayEndEarly: Bool { get }
}

package enum HTTPResponsePiece: Sendable {
    /// Some of the body; a good size is ``HTTPResponseSource/pieceBytes``.
    case bytes(ByteBuffer)
    /// Nothing for now: ask again after ``HTTPResponseSignal/wake()``, or at `until` if that comes first.
    case wait(until: NIODeadline?)
    case end
}

extension HTTPResponseSource {
    /// Large enough to make a system call worth while, small enough that a loop's other connections don't wait.
    package static var pieceBytes: Int { 128 << 10 }
}

/// Tells a streamed response that its source has more. One per response; may be called from anywhere, as often as one
/// likes, before the response has begun and after it has ended.
package final class HTTPResponseSignal: Sendable {
    private let isSet = Atomic<Bool>(false)
    private let waker: LoopWaker
    private let handler: NIOLoopBound<HTTPExchangeHandler>
    private let exchange: UInt64

    init(waker: LoopWaker, handler: NIOLoopBound<HTTPExchangeHandler>, exchange: UInt64) {
        self.waker = waker
        self.handler = handler
        self.exchange = exchange
    }

    package func wake() {
        if !isSet.exchange(true, ordering: .acquiringAndReleasing) { waker.add(self) }
    }

    /// On the event loop. What comes from here on needs another delivery.
    func deliver() {
        isSet.store(false, ordering: .sequentiallyConsistent)
        handler.value.pump(exchange: exchange)
    }
}

/// Wakes the streamed responses of one event loop, all that are due together.
///
/// A write costs the same for one event as for ten: encryption of a record and a system call. So a round of waking is
/// followed by a pause in proportion to what the round cost; what comes meanwhile goes out together. With few or quiet
/// watches the pause is too short to notice, and with many the loop keeps time for requests.
final class LoopWaker: Sendable {
    /// The longest that an event waits for company.
    static let longestPause: TimeAmount = .milliseconds(10)
    /// Waking takes at most one part in so many of the loop's time, while the longest pause allows it.
    static let pauseFactor: Int64 = 6

    private struct State {
        var waiting: [HTTPResponseSignal] = []
        var notBefore = NIODeadline.uptimeNanoseconds(0)
    }

    private let eventLoop: any EventLoop
    private let state = Mutex(State())

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    func add(_ signal: HTTPResponseSignal) {
        let start = state.withLock { state -> NIODeadline? in
            state.waiting.append(signal)
            return state.waiting.count == 1 ? state.notBefore : nil
        }
        guard let start else { return }
        if start <= .now() {
            eventLoop.execute { [self] in round() }
        } else {
            eventLoop.scheduleTask(deadline: start) { [self] in round() }
        }
    }

    private func round() {
        let begin = NIODeadline.now()
        let due = state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
        for signal in due { signal.deliver() }
        let cost = NIODeadline.now() - begin
        let pause = TimeAmount.nanoseconds(min(cost.nanoseconds * Self.pauseFactor, Self.longestPause.nanoseconds))
        // A signal that came during the round has asked for the next one already, a little early.
        state.withLock { $0.notBefore = begin + pause }
    }
}
