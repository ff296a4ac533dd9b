import KubeAPI
import KubeSchema

/// What a replication controller makes of the pods in its namespace. Pure.
struct ReplicaPlan {
    /// Owned and active.
    private(set) var mine: [Pod] = []
    /// Match, belong to nobody, and are to be taken over.
    private(set) var adopted: [Pod] = []
    /// Owned, active, and no longer matching: to be let go.
    private(set) var released: [Pod] = []

    init(_ controller: ReplicationController, pods: [Pod]) {
        let selector = controller.selector
        let isLeaving = controller.metadata.isBeingDeleted
        for pod in pods where pod.isActive {
            let labels = pod.metadata.labels
            let matches = !selector.isEmpty && selector.allSatisfy { labels[$0.key] == $0.value }
            if let owner = pod.metadata.controller {
                guard owner.uid == controller.metadata.uid else { continue }
                if matches || isLeaving { mine.append(pod) } else { released.append(pod) }
            } else if matches, !isLeaving {
                adopted.append(pod)
            }
        }
    }

    /// The `count` pods that are missed least: unscheduled before scheduled, pending before running, not ready before
    /// ready; then those that share their node with more of their kind; then the younger ones.
    static func victims(_ pods: [Pod], count: Int) -> [Pod] {
        guard count > 0 else { return [] }
        var perNode: [String: Int] = [:]
        for pod in pods { if let node = pod.spec.nodeName { perNode[node, default: 0] += 1 } }
        var rest = pods
        var victims: [Pod] = []
        while victims.count < count, !rest.isEmpty {
            // One at a time, as each one that goes changes how crowded its node is.
            let index = rest.indices.min { Self.rank(rest[$0], perNode) < Self.rank(rest[$1], perNode) } ?? 0
            let victim = rest.remove(at: index)
            if let node = victim.spec.nodeName { perNode[node, default: 1] -= 1 }
            victims.append(victim)
        }
        return victims
    }

    /// Less means sooner.
    private static func rank(_ pod: Pod, _ perNode: [String: Int]) -> (Int, Int, Int, Int64, String) {
        let phase =
            switch pod.status.phase {
            case "Running": 2
            case "Unknown": 1
            default: 0
            }
        let state = (pod.spec.nodeName == nil ? 0 : 100) + phase * 10 + (pod.isReady ? 1 : 0)
        let crowd = -(pod.spec.nodeName.flatMap { perNode[$0] } ?? 0)
        let restarts = -(pod.status.containerStatuses.map(\.restartCount).max() ?? 0)
        return (state, crowd, restarts, -(pod.metadata.creationTimestamp?.seconds ?? .max), pod.metadata.name)
    }

    /// A pod from the controller's template, named `<controller>-<suffix>`.
    static func pod(for controller: ReplicationController, suffix: String) -> Pod {
        let template = controller.template
        // A name from 2015 may hold capitals, which no pod's may; five characters and a dash are added below 63.
        let prefix = String(controller.metadata.name.lowercased().prefix(57)) + "-"
        var pod = Pod(name: prefix + suffix, namespace: controller.metadata.namespace)
        pod.metadata.generateName = prefix
        let metadata = ObjectMetadata(document: template["metadata"] ?? .emptyObject)
        pod.metadata.labels = metadata.labels
        pod.metadata.annotations = metadata.annotations
        pod.metadata.finalizers = metadata.finalizers
        pod.metadata.ownerReferences = [OwnerReference(controller: controller)]
        pod.document["spec"] = template["spec"] ?? .emptyObject
        return pod
    }

    static func status(
        of controller: ReplicationController, pods: [Pod], now: Timestamp
    ) -> (status: ReplicationControllerStatus, nextChange: Duration?) {
        var status = controller.status
        let templateLabels = ObjectMetadata(document: controller.template["metadata"] ?? .emptyObject).labels
        var nextChange: Duration?
        var available = 0
        for pod in pods where pod.isReady {
            let needed = Duration.seconds(controller.minReadySeconds)
            let readyFor = pod.status.condition("Ready")?.lastTransitionTime.map { now - $0 } ?? .zero
            if readyFor >= needed {
                available += 1
            } else {
                nextChange = min(nextChange ?? needed, needed - readyFor)
            }
        }
        status.replicas = pods.count
        status.fullyLabeledReplicas = pods.count { pod in
            let labels = pod.metadata.labels
            return templateLabels.allSatisfy { labels[$0.key] == $0.value }
        }
        status.readyReplicas = pods.count(where: \.isReady)
        status.availableReplicas = available
        if let generation = controller.metadata.generation { status.observedGeneration = generation }
        return (status, nextChange)
    }
}
