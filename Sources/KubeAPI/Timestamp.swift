import Glibc
package import KubeSchema

extension Timestamp {
    /// The system's wall clock.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    package static func - (left: Timestamp, right: Timestamp) -> Duration {
        .seconds(left.seconds - right.seconds) + .nanoseconds(Int64(left.nanoseconds) - Int64(right.nanoseconds))
    }

    package static func + (left: Timestamp, right: Duration) -> Timestamp {
        let (seconds, attoseconds) = right.components
        let nanoseconds = Int64(left.nanoseconds) + attoseconds / 1_000_000_000
        let carry: Int64 = nanoseconds >= 1_000_000_000 ? 1 : nanoseconds < 0 ? -1 : 0
        return Timestamp(
            seconds: left.seconds + seconds + carry, nanoseconds: Int32(nanoseconds - carry * 1_000_000_000))
    }
}

extension Timestamp: DocumentValue {
    package init?(json: JSON) {
        guard let text = json.string else { return nil }
        self.init(rfc3339: text)
    }
    /// With whole seconds, as `Time` is written.
    package var json: JSON { .string(rfc3339) }
}

/// A moment with microseconds, as leases and newer events write it.
package struct MicroTime: DocumentValue, Hashable {
    package var timestamp: Timestamp
    package init(_ timestamp: Timestamp) { self.timestamp = timestamp }
    package init?(json: JSON) {
        guard let timestamp = Timestamp(json: json) else { return nil }
        self.timestamp = timestamp
    }
    package var json: JSON { .string(timestamp.rfc3339Microseconds) }
}
