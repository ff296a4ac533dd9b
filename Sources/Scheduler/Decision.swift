import KubeAPI

/// Where a pod goes.
enum Decision: Equatable, Sendable {
    case node(String)
    /// Kubernetes' message that counts the reasons.
    case unschedulable(String)
}

/// The cluster as the scheduler sees it. A value; decisions are a function of it and the pod.
struct ClusterState: Sendable {
    /// Holders of a wanted host port named in the message.
    static let namedHolders = 3

    private(set) var nodes: [String: NodeState] = [:]
    /// Where each counted pod is.
    private var places: [ObjectKey: String] = [:]
    var groups: Set<Group> = []

    func decide(_ pod: PodFacts) -> Decision {
        let existing = nodes.values.filter(\.exists)
        if existing.isEmpty { return .unschedulable("no nodes available to schedule pods") }
        var fitting: [NodeState] = []
        var reasons: [Obstacle: Int] = [:]
        var holders: [String] = []
        for node in existing.sorted(by: { $0.name < $1.name }) {
            let obstacles = node.obstacles(to: pod)
            if obstacles.isEmpty { fitting.append(node) }
            for obstacle in obstacles { reasons[obstacle, default: 0] += 1 }
            if obstacles.contains(.hostPorts) { holders += Self.holders(on: node, against: pod) }
        }
        guard !fitting.isEmpty else {
            let list = reasons.map { "\($0.value) \($0.key)" }.sorted().joined(separator: ", ")
            var message = "0/\(existing.count) nodes are available: \(list)."
            if !holders.isEmpty {
                let more = holders.count - Self.namedHolders
                message +=
                    " Host port " + holders.prefix(Self.namedHolders).joined(separator: ", ")
                    + (more > 0 ? " and \(more) more." : ".")
            }
            return .unschedulable(message)
        }
        let scores = Score.scores(pod, nodes: fitting, groups: groups.filter { $0.contains(pod) })
        // Of equals, the one with fewer pods, then by name, so that the same state always gives the same answer.
        let best = zip(fitting, scores).max { left, right in
            if abs(left.1 - right.1) > 1e-6 { return left.1 < right.1 }
            if left.0.pods.count != right.0.pods.count { return left.0.pods.count > right.0.pods.count }
            return left.0.name > right.0.name
        }
        return best.map { .node($0.0.name) } ?? .unschedulable("no nodes available to schedule pods")
    }

    private static func holders(on node: NodeState, against pod: PodFacts) -> [String] {
        node.pods.values.sorted { $0.key < $1.key }.flatMap { other in
            other.portConflicts(with: pod).map { "\($0.port)/\($0.proto) is held by \(other.key) on \(node.name)" }
        }
    }
}

extension ClusterState {
    /// - Returns: Whether a pod that didn't fit may fit now.
    mutating func update(_ node: Node) -> Bool {
        let name = node.metadata.name
        let old = nodes[name] ?? NodeState(name: name)
        nodes[name, default: old].update(node)
        return nodes[name]?.mayFitMore(than: old) ?? false
    }

    mutating func removeNode(_ name: String) {
        nodes[name]?.remove()
        if nodes[name]?.pods.isEmpty == true { nodes[name] = nil }
    }

    /// Counts the pod on its node, wherever it was counted before.
    mutating func place(_ pod: PodFacts, on node: String) {
        if let old = places[pod.key], old != node { nodes[old]?.removePod(pod.key) }
        places[pod.key] = node
        nodes[node, default: NodeState(name: node)].add(pod)
    }

    /// - Returns: Whether the pod was counted anywhere.
    mutating func removePod(_ key: ObjectKey) -> Bool {
        guard let node = places.removeValue(forKey: key) else { return false }
        nodes[node]?.removePod(key)
        if let state = nodes[node], !state.exists, state.pods.isEmpty { nodes[node] = nil }
        return true
    }

    func isPlaced(_ key: ObjectKey) -> Bool { places[key] != nil }
}
