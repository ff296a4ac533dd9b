import HTTPTransport
import KubeSchema
import Synchronization

/// How many requests are served at once: beyond it, clients are told to try again, so that a burst of them cannot take
/// the memory and the time of those who are being served. Reads and writes are counted apart.
///
/// Not counted are requests that last (watches, followed logs, streams), and a request whose body is still on its way.
final class InFlightLimit: Sendable {
    enum Class: Sendable { case reading, writing }

    private struct Counts {
        var reading = 0
        var writing = 0
    }

    private let counts = Mutex(Counts())
    private let reading: Int
    private let writing: Int

    /// - Parameters:
    ///   - reading: Reads at once; 0 for any number.
    ///   - writing: Writes at once; 0 for any number.
    init(reading: Int, writing: Int) {
        self.reading = reading
        self.writing = writing
    }

    fileprivate func enter(_ kind: Class) -> Bool {
        counts.withLock { counts in
            switch kind {
            case .reading:
                guard reading == 0 || counts.reading < reading else { return false }
                counts.reading += 1
            case .writing:
                guard writing == 0 || counts.writing < writing else { return false }
                counts.writing += 1
            }
            return true
        }
    }

    fileprivate func leave(_ kind: Class) {
        counts.withLock { counts in
            switch kind {
            case .reading: counts.reading -= 1
            case .writing: counts.writing -= 1
            }
        }
    }
}

/// One request's place among those in flight. Given back when the request's task ends.
final class InFlightPlace: Sendable {
    private let limit: InFlightLimit
    private let kind: InFlightLimit.Class
    private let isHeld = Mutex(false)

    init(_ limit: InFlightLimit, _ kind: InFlightLimit.Class) {
        self.limit = limit
        self.kind = kind
    }

    deinit { if isHeld.withLock({ $0 }) { limit.leave(kind) } }

    /// Takes the place; does nothing when it has been taken already.
    ///
    /// - Throws: 429 with `Retry-After` when there is none.
    func take() throws(APIFailure) {
        let isRefused = isHeld.withLock { isHeld in
            if !isHeld { isHeld = limit.enter(kind) }
            return !isHeld
        }
        guard isRefused else { return }
        throw APIFailure(
            StatusDocument.failure(
                reason: .tooManyRequests, message: "Too many requests, please try again later.", retryAfterSeconds: 1),
            retryAfter: 1)
    }
}

extension APIRequest {
    /// Subresources whose answers may go on for ever.
    private static let streams: Set<String> = ["exec", "attach", "portforward", "proxy", "log"]

    /// Whether the request may last, so that its number says nothing of the load.
    var isLongRunning: Bool {
        target.isWatchPath || query.flag("watch") || target.subresource.map(Self.streams.contains) == true
    }
}
