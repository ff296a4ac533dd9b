import KubeAPI

/// Why a pod can't go to a node, in Kubernetes' words.
enum Obstacle: Hashable, Sendable, CustomStringConvertible {
    case notReady
    case unschedulable
    case taint(key: String, value: String)
    case affinity
    case hostPorts
    case tooManyPods
    case insufficient(String)

    var description: String {
        switch self {
        case .notReady: "node(s) were not ready"
        case .unschedulable: "node(s) were unschedulable"
        case .taint(let key, let value): "node(s) had untolerated taint {\(key): \(value)}"
        case .affinity: "node(s) didn't match Pod's node affinity/selector"
        case .hostPorts: "node(s) didn't have free ports for the requested pod ports"
        case .tooManyPods: "Too many pods"
        case .insufficient(let resource): "Insufficient \(resource)"
        }
    }
}

extension NodeState {
    /// What keeps the pod off this node: nothing, or all lacks of resources, or the first of the other reasons.
    func obstacles(to pod: PodFacts) -> [Obstacle] {
        let tolerates = { (taint: Taint) in pod.tolerations.contains { $0.tolerates(taint) } }
        if isUnschedulable, !tolerates(Taint(key: "node.kubernetes.io/unschedulable", effect: "NoSchedule")) {
            return [.unschedulable]
        }
        if let taint = taints.first(where: { $0.effect != "PreferNoSchedule" && !tolerates($0) }) {
            return [.taint(key: taint.taintKey, value: taint.value)]
        }
        if !isReady, !tolerates(Taint(key: "node.kubernetes.io/not-ready", effect: "NoSchedule")) { return [.notReady] }
        if !pod.nodeSelector.allSatisfy({ labels[$0.key] == $0.value }) || !pod.affinity.allows(self) {
            return [.affinity]
        }
        if !pod.hostPorts.isEmpty, pods.values.contains(where: { !$0.portConflicts(with: pod).isEmpty }) {
            return [.hostPorts]
        }
        var obstacles: [Obstacle] = []
        if pods.count + 1 > maximumPods { obstacles.append(.tooManyPods) }
        let wanted = pod.requests
        if wanted.milliCPU > 0, wanted.milliCPU > allocatable.milliCPU - requested.milliCPU {
            obstacles.append(.insufficient("cpu"))
        }
        if wanted.memory > 0, wanted.memory > allocatable.memory - requested.memory {
            obstacles.append(.insufficient("memory"))
        }
        for (name, amount) in wanted.others.sorted(by: { $0.key < $1.key })
        where amount > 0 && amount > (allocatable.others[name] ?? 0) - (requested.others[name] ?? 0) {
            obstacles.append(.insufficient(name))
        }
        return obstacles
    }
}

extension PodFacts {
    /// The host ports that this pod holds and the other one wants.
    func portConflicts(with other: PodFacts) -> [HostPort] {
        hostPorts.filter { mine in other.hostPorts.contains { $0.conflicts(with: mine) } }
    }
}
