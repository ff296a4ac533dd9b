import KubeAPI
import KubeSchema

/// A node as the scheduler sees it: what it offers and what is on it already.
struct NodeState: Sendable {
    /// Where the node names no limit for its pods.
    static let defaultMaximumPods = 110

    private(set) var name: String
    private(set) var labels: [String: String] = [:]
    private(set) var taints: [Taint] = []
    private(set) var isReady = false
    private(set) var isUnschedulable = false
    private(set) var allocatable = ResourceAmounts()
    private(set) var maximumPods = Self.defaultMaximumPods
    /// Names of the images that the node holds.
    private(set) var images: Set<String> = []
    /// The node exists: pods may be known before their node is.
    private(set) var exists = false

    private(set) var pods: [ObjectKey: PodFacts] = [:]
    private(set) var requested = ResourceAmounts()

    init(name: String) { self.name = name }

    /// Takes over what the node says of itself.
    mutating func update(_ node: Node) {
        exists = true
        let status = node.status
        labels = node.metadata.labels
        taints = node.taints
        isReady = node.isReady
        isUnschedulable = node.isUnschedulable
        allocatable = ResourceAmounts(status.allocatable)
        maximumPods =
            status.allocatable["pods"].flatMap(ResourceAmounts.quantity).map { Int(clamping: $0.value) }
            ?? Self.defaultMaximumPods
        images = Set(status.images.flatMap { $0["names"]?.array ?? [] }.compactMap(\.string))
    }

    mutating func remove() { exists = false }

    mutating func add(_ pod: PodFacts) {
        pods[pod.key] = pod
        recount()
    }

    mutating func removePod(_ key: ObjectKey) {
        guard pods.removeValue(forKey: key) != nil else { return }
        recount()
    }

    /// A difference that may make a pod fit that didn't.
    func mayFitMore(than old: NodeState) -> Bool {
        (isReady && !old.isReady) || (!isUnschedulable && old.isUnschedulable) || labels != old.labels
            || taints != old.taints || allocatable != old.allocatable || maximumPods != old.maximumPods
            || (exists && !old.exists)
    }

    /// Sums anew rather than subtracting, so that saturated sums don't stay wrong. A node holds some hundred pods.
    private mutating func recount() {
        requested = ResourceAmounts()
        for pod in pods.values { requested.add(pod.requests) }
    }
}
