import KubeAPI
import KubeSchema

/// When each node last gave a sign of life, by our own clock: the clocks of nodes are not trusted, only that what they
/// write changes. Pure.
struct NodeHealth: Sendable {
    struct Heartbeat: Hashable, Sendable {
        /// Of the condition Ready in the node's status.
        var status: Timestamp?
        /// Of the node's lease.
        var lease: Timestamp?
    }

    private struct Record {
        var heartbeat: Heartbeat
        /// When `heartbeat` was first seen to be what it is.
        var seen: Duration
    }

    let gracePeriod: Duration
    private var records: [String: Record] = [:]
    /// The last time that the API server could not be reached: silence before it says nothing about nodes, which may
    /// have tried in vain as we have.
    private var lastOutage: Duration?

    init(gracePeriod: Duration) { self.gracePeriod = gracePeriod }

    mutating func sawStatus(_ node: String, _ time: Timestamp?, uptime: Duration) {
        var heartbeat = records[node]?.heartbeat ?? Heartbeat()
        heartbeat.status = time
        note(node, heartbeat, uptime: uptime)
    }

    mutating func sawLease(_ node: String, _ time: Timestamp?, uptime: Duration) {
        var heartbeat = records[node]?.heartbeat ?? Heartbeat()
        heartbeat.lease = time
        note(node, heartbeat, uptime: uptime)
    }

    mutating func sawOutage(uptime: Duration) { lastOutage = uptime }

    mutating func forget(_ node: String) { records[node] = nil }

    /// How long the node may stay silent from now on before it counts as gone; zero or less when that time is over.
    func remaining(_ node: String, uptime: Duration) -> Duration {
        let seen = max(records[node]?.seen ?? uptime, lastOutage ?? .zero)
        return gracePeriod - (uptime - seen)
    }

    func isSilent(_ node: String, uptime: Duration) -> Bool {
        records[node] != nil && remaining(node, uptime: uptime) <= .zero
    }

    private mutating func note(_ node: String, _ heartbeat: Heartbeat, uptime: Duration) {
        if let record = records[node], record.heartbeat == heartbeat { return }
        records[node] = Record(heartbeat: heartbeat, seen: uptime)
    }
}

/// Whether and when a pod leaves a node that can't be reached. Pure.
enum Eviction {
    /// With more than half of the nodes gone it is rather we who are cut off, and the rest couldn't carry all pods
    /// anyway: nothing is evicted.
    static func isHeld(down: Int, total: Int) -> Bool { down * 2 > total }

    /// How long the pod bears the taint, counted from when it was set; `nil` for ever.
    ///
    /// - Parameter standard: for a pod that says nothing about the taint.
    static func tolerance(of pod: Pod, for taint: Taint, standard: Duration) -> Duration? {
        let matching = pod.spec.tolerations.filter { $0.tolerates(taint) }
        if matching.isEmpty { return standard }
        let limits = matching.compactMap(\.tolerationSeconds)
        guard let shortest = limits.min() else { return nil }
        return .seconds(max(0, shortest))
    }
}

extension Taint {
    static let unreachableKey = "node.kubernetes.io/unreachable"
    static let notReadyKey = "node.kubernetes.io/not-ready"
    static let unschedulableKey = "node.kubernetes.io/unschedulable"

    /// The taints that the node should have by its condition, beside those that others gave it.
    ///
    /// A node that is reachable but says itself that it isn't ready takes no new pods and keeps what it has: its
    /// kubelet is there and looks after them.
    static func expected(for node: Node, now: Timestamp) -> [Taint] {
        var wanted: [(key: String, effect: String)] = []
        switch node.status.condition("Ready")?.status {
        case "True": break
        case "Unknown": wanted = [(unreachableKey, "NoSchedule"), (unreachableKey, "NoExecute")]
        default: wanted = [(notReadyKey, "NoSchedule")]
        }
        if node.isUnschedulable { wanted.append((unschedulableKey, "NoSchedule")) }
        let ours: Set = [unreachableKey, notReadyKey, unschedulableKey]
        let foreign = node.taints.filter { !ours.contains($0.taintKey) }
        return foreign
            + wanted.map { key, effect in
                node.taints.first { $0.taintKey == key && $0.effect == effect }
                    ?? Taint(key: key, effect: effect, timeAdded: now)
            }
    }
}
