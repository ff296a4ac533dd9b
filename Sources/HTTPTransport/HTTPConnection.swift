import Logging
import NIOCore

/// What the requests of one connection have in common.
struct HTTPConnection: Sendable {
    var peer: PeerIdentity?
    var remoteAddress: String
    var isSecure: Bool
    var isHTTP2: Bool
    var maximumBodyBytes: Int
    var idleTimeout: TimeAmount
    var stallTimeout: TimeAmount
    var waker: LoopWaker
    /// Where handlers run; `nil` for Swift's own threads.
    var executor: EventLoopTaskExecutor?
    var logger: Logger
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
