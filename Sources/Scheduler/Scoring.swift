import KubeAPI

/// The selectors that put pods into groups: those of services and replication controllers.
struct Group: Hashable, Sendable {
    var namespace: String
    var selector: [String: String]

    func contains(_ pod: PodFacts) -> Bool {
        !selector.isEmpty && pod.key.namespace == namespace && selector.allSatisfy { pod.labels[$0.key] == $0.value }
    }
}

/// How well a pod would stand on a node that it fits on. Each part is 0 ... 100, before its weight.
struct Score {
    /// Spreading weighs most: two replicas on one node are lost together.
    static let spreadWeight = 4.0
    static let leastRequestedWeight = 1.0
    static let preferenceWeight = 2.0
    static let taintWeight = 3.0
    static let imageWeight = 0.5
    /// A pod that asks for nothing counts as much as this in the balance of load (not in what fits).
    static let assumedMilliCPU: Int64 = 100
    static let assumedMemory: Int64 = 200 << 20

    /// - Parameter groups: those that the pod is in.
    /// - Returns: The score of each node of `nodes`, in their order.
    static func scores(_ pod: PodFacts, nodes: [NodeState], groups: [Group]) -> [Double] {
        let peers = nodes.map { node in
            node.pods.values.count { other in
                other.key.namespace == pod.key.namespace
                    && ((pod.controllerUID != nil && other.controllerUID == pod.controllerUID)
                        || groups.contains { $0.contains(other) })
            }
        }
        let mostPeers = peers.max() ?? 0
        let preferences = nodes.map { node in
            pod.affinity.preferred.reduce(0) { $1.term.matches(node) ? $0 + $1.weight : $0 }
        }
        let topPreference = max(1, preferences.max() ?? 0)
        return zip(nodes, zip(peers, preferences)).map { node, counts in
            let (peers, preference) = counts
            let spread = mostPeers == 0 ? 100 : 100 * Double(mostPeers - peers) / Double(mostPeers)
            let avoided = node.taints.contains { taint in
                taint.effect == "PreferNoSchedule" && !pod.tolerations.contains { $0.tolerates(taint) }
            }
            let images =
                pod.images.isEmpty
                ? 0 : Double(pod.images.count { node.images.contains($0) }) / Double(pod.images.count)
            return spreadWeight * spread + leastRequestedWeight * leastRequested(pod, on: node)
                + preferenceWeight * 100 * Double(preference) / Double(topPreference)
                + taintWeight * (avoided ? 0 : 100) + imageWeight * 100 * images
        }
    }

    /// The mean of the shares of CPU and memory that would stay free.
    private static func leastRequested(_ pod: PodFacts, on node: NodeState) -> Double {
        var cpu = max(pod.requests.milliCPU, assumedMilliCPU)
        var memory = max(pod.requests.memory, assumedMemory)
        for other in node.pods.values {
            cpu = cpu &+ max(other.requests.milliCPU, assumedMilliCPU)
            memory = memory &+ max(other.requests.memory, assumedMemory)
        }
        func free(_ used: Int64, of all: Int64) -> Double {
            all <= 0 || used >= all ? 0 : 100 * Double(all - used) / Double(all)
        }
        return (free(cpu, of: node.allocatable.milliCPU) + free(memory, of: node.allocatable.memory)) / 2
    }
}
