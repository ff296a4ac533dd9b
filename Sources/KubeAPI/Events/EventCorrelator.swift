import KubeSchema

/// Decides whether an event is new, counts an earlier one up or is one too many. No I/O.
struct EventCorrelator {
    enum Action: Equatable {
        case create(name: String)
        case count(name: String, count: Int)
    }

    /// Distinct events and objects remembered; the longest unused are forgotten first.
    static let memory = 4096
    /// Events about one object that may come at once, and how long it takes to earn another one.
    static let burst = 25.0
    static let refill = Duration.seconds(300)

    private struct Identity: Hashable {
        var object: ObjectReference
        var type: String
        var reason: String
        var message: String
    }
    private struct Seen {
        var name: String
        var count: Int
        var used: Duration
    }
    private struct Allowance {
        var tokens: Double
        var updated: Duration
    }

    private var seen: [Identity: Seen] = [:]
    private var allowances: [ObjectReference: Allowance] = [:]

    /// `nil`: drop it.
    mutating func take(_ pending: EventRecorder.Pending, uptime: Duration) -> Action? {
        let object = Self.stable(pending.object)
        guard spend(object, uptime: uptime) else { return nil }
        let identity = Identity(
            object: object, type: pending.type.rawValue, reason: pending.reason, message: pending.message)
        if var known = seen[identity] {
            known.count += 1
            known.used = uptime
            seen[identity] = known
            return .count(name: known.name, count: known.count)
        }
        let name = Self.name(pending)
        if seen.count >= Self.memory { forgetOldest() }
        seen[identity] = Seen(name: name, count: 1, used: uptime)
        return .create(name: name)
    }

    /// The event that was to be counted up is no longer there.
    mutating func restart(_ pending: EventRecorder.Pending) -> Action {
        let identity = Identity(
            object: Self.stable(pending.object), type: pending.type.rawValue, reason: pending.reason,
            message: pending.message)
        let name = Self.name(pending)
        seen[identity]?.name = name
        seen[identity]?.count = 1
        return .create(name: name)
    }

    /// Without the revision, which changes with everything that happens to the object.
    private static func stable(_ object: ObjectReference) -> ObjectReference {
        var object = object
        object.resourceVersion = nil
        return object
    }

    private static func name(_ pending: EventRecorder.Pending) -> String {
        let nanoseconds = UInt64(bitPattern: pending.time.seconds) &* 1_000_000_000 &+ UInt64(pending.time.nanoseconds)
        let suffix = String(nanoseconds &+ UInt64.random(in: 0..<1000), radix: 16)
        return (pending.object.name ?? "unknown").lowercased() + "." + suffix
    }

    private mutating func spend(_ object: ObjectReference, uptime: Duration) -> Bool {
        var allowance = allowances[object] ?? Allowance(tokens: Self.burst, updated: uptime)
        allowance.tokens = min(Self.burst, allowance.tokens + (uptime - allowance.updated) / Self.refill)
        allowance.updated = uptime
        defer {
            if allowances.count >= Self.memory, allowances[object] == nil { allowances.removeAll() }
            allowances[object] = allowance
        }
        guard allowance.tokens >= 1 else { return false }
        allowance.tokens -= 1
        return true
    }

    private mutating func forgetOldest() {
        let order = seen.values.map(\.used).sorted()
        let limit = order[order.count / 4]
        seen = seen.filter { $0.value.used > limit }
    }
}
