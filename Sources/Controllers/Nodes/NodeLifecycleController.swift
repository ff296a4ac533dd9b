import KubeAPI
import KubeSchema
import Logging
import Synchronization

/// Notices nodes that fall silent, marks them and their pods, and removes the pods after their time.
///
/// Whatever is done to a node is decided on its current state, read from the API just before. Pods are removed without
/// grace: on a node that is gone nobody would ever confirm their end, and a node that comes back ends what it finds
/// running without a pod.
final class NodeLifecycleController: Controller {
    static let workers = 4
    /// How soon a node is looked at again while evictions are held.
    static let heldRetry = Duration.seconds(5)

    private let context: ControllerContext
    private let evictionTimeout: Duration
    private let queue: WorkQueue<String>
    private let health: Mutex<NodeHealth>
    /// When each node was found unreachable, by uptime. Kept from `timeAdded` after a restart of this process.
    private let unreachableSince = Mutex<[String: Duration]>([:])
    private let held = Mutex<Set<String>>([])

    init(_ context: ControllerContext, _ options: ControllerOptions) {
        self.context = context
        evictionTimeout = options.podEvictionTimeout
        queue = WorkQueue(time: context.time)
        health = Mutex(NodeHealth(gracePeriod: options.nodeMonitorGracePeriod))
        context.nodes.onChange { [unowned self] in nodeChanged($0) }
        context.nodeLeases.onChange { [unowned self] change in
            if case .deleted = change { return }
            let lease = change.object
            health.withLock {
                $0.sawLease(lease.metadata.name, lease.renewTime?.timestamp, uptime: context.time.uptime)
            }
            if change.old == nil { queue.add(lease.metadata.name) }
        }
        context.pods.onChange { [unowned self] change in
            // Pods that come to a node after it was found gone, or are deleted while it is.
            guard let node = change.object.spec.nodeName, unreachableSince.withLock({ $0[node] != nil }) else { return }
            queue.add(node)
        }
    }

    func run() async {
        for node in context.nodes.snapshot { queue.add(node.metadata.name) }
        await queue.process(workers: Self.workers, logger: context.logger) { try await self.sync($0) }
    }

    private func nodeChanged(_ change: Change<Node>) {
        let node = change.object
        let name = node.metadata.name
        if case .deleted = change {
            health.withLock { $0.forget(name) }
            unreachableSince.withLock { $0[name] = nil }
            held.withLock { _ = $0.remove(name) }
            return
        }
        health.withLock {
            $0.sawStatus(name, node.status.condition("Ready")?.lastHeartbeatTime, uptime: context.time.uptime)
        }
        let isQuiet = change.old.map { old in
            old.status.condition("Ready")?.status == node.status.condition("Ready")?.status
                && old.taints == node.taints && old.isUnschedulable == node.isUnschedulable
        }
        if isQuiet != true { queue.add(name) }
    }

    private func sync(_ name: String) async throws {
        guard let known = context.nodes.get(ObjectKey(name: name)) else { return }
        let remaining = health.withLock { $0.remaining(name, uptime: context.time.uptime) }
        if remaining > .zero {
            queue.add(name, after: remaining)
            let isFine =
                known.status.condition("Ready")?.status != "Unknown"
                && Taint.expected(for: known, now: context.time.now) == known.taints
            if isFine { return arrived(name) }
        }
        guard var node = try await currentNode(name) else { return }
        if remaining <= .zero, node.status.condition("Ready")?.status != "Unknown" {
            guard try await isReallySilent(name) else { return queue.add(name) }
            node = try await markUnknown(node)
        }
        try await setTaints(node)
        if node.status.condition("Ready")?.status != "Unknown" {
            arrived(name)
        } else if health.withLock({ $0.isSilent(name, uptime: context.time.uptime) }) {
            try await leave(node)
        }  // else it gives signs of life again, and its kubelet is about to say how it is
    }

    private func arrived(_ name: String) {
        unreachableSince.withLock { $0[name] = nil }
        held.withLock { _ = $0.remove(name) }
    }

    /// The node as it is now; `nil` when it is gone. Notes when the API server can't be asked.
    private func currentNode(_ name: String) async throws -> Node? {
        do {
            return try await context.client.get(Node.self, name: name)
        } catch {
            if error.isNotFound { return nil }
            if error.isUnreachable { health.withLock { $0.sawOutage(uptime: context.time.uptime) } }
            throw error
        }
    }

    /// Looks at the lease and the node themselves, as the informers may lag behind.
    private func isReallySilent(_ name: String) async throws -> Bool {
        do {
            let lease = try await context.client.get(
                Lease.self, name: name, namespace: ControllerContext.nodeLeaseNamespace)
            health.withLock { $0.sawLease(name, lease.renewTime?.timestamp, uptime: context.time.uptime) }
        } catch {
            if error.isUnreachable { health.withLock { $0.sawOutage(uptime: context.time.uptime) } }
            if !error.isNotFound { throw error }
        }
        guard let node = try await currentNode(name) else { return false }
        return health.withLock {
            $0.sawStatus(name, node.status.condition("Ready")?.lastHeartbeatTime, uptime: context.time.uptime)
            return $0.isSilent(name, uptime: context.time.uptime)
        }
    }

    private func markUnknown(_ node: Node) async throws -> Node {
        var node = node
        let now = context.time.now
        let types = Set(node.status.conditions.map(\.type)).union(["Ready"])
        for type in types.sorted() where ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"].contains(type) {
            var condition = node.status.condition(type) ?? Condition(type: type, status: "")
            condition.status = "Unknown"
            condition.reason = "NodeStatusUnknown"
            condition.message = "Kubelet stopped posting node status."
            node.status.set(condition, now: now)
        }
        let marked = try await context.client.updateStatus(node)
        let name = node.metadata.name
        context.logger.warning(
            "node fell silent; its pods are replaced after their tolerance", metadata: ["node": "\(name)"])
        var reference = node.reference
        reference.uid = name  // nodes' events carry the name as uid, which is what clients look for
        context.recorder.record(
            reference, .normal, reason: "NodeNotReady", message: "Node \(name) status is now: NodeNotReady")
        return marked
    }

    private func setTaints(_ node: Node) async throws {
        let expected = Taint.expected(for: node, now: context.time.now)
        guard expected != node.taints else { return }
        var changed = node
        changed.taints = expected
        do {
            _ = try await context.client.update(changed)
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    /// Deals with the pods of a node that is unreachable by its current state.
    private func leave(_ node: Node) async throws {
        let name = node.metadata.name
        let taint = Taint(key: Taint.unreachableKey, effect: "NoExecute")
        let since = unreachableSince.withLock { all in
            if let since = all[name] { return since }
            let added = node.taints.first { $0.taintKey == taint.taintKey && $0.effect == taint.effect }?.timeAdded
            let age = added.map { max(.zero, context.time.now - $0) } ?? .zero
            all[name] = context.time.uptime - age
            return context.time.uptime - age
        }
        let pods = context.pods.snapshot.filter { $0.spec.nodeName == name }
        for pod in pods where pod.isReady && !pod.isTerminal { try await markNotReady(pod) }
        var next: Duration?
        var due: [Pod] = []
        for pod in pods {
            guard
                let tolerance = pod.metadata.isBeingDeleted
                    ? evictionTimeout : Eviction.tolerance(of: pod, for: taint, standard: evictionTimeout)
            else { continue }
            let remaining = tolerance - (context.time.uptime - since)
            if remaining <= .zero { due.append(pod) } else { next = min(next ?? remaining, remaining) }
        }
        if !due.isEmpty, isHeld(node) {
            // What somebody deleted already goes all the same: only the confirmation is missing.
            due.removeAll { !$0.metadata.isBeingDeleted }
            next = min(next ?? Self.heldRetry, Self.heldRetry)
        }
        for pod in due { try await evict(pod, from: name) }
        if let next { queue.add(name, after: next) }
    }

    private func isHeld(_ node: Node) -> Bool {
        let nodes = context.nodes.snapshot
        let uptime = context.time.uptime
        let down = health.withLock { health in
            nodes.count {
                $0.status.condition("Ready")?.status == "Unknown" || health.isSilent($0.metadata.name, uptime: uptime)
            }
        }
        let isHeld = Eviction.isHeld(down: down, total: nodes.count)
        let name = node.metadata.name
        let isNew = held.withLock { isHeld ? $0.insert(name).inserted : $0.remove(name) != nil }
        if isHeld, isNew {
            let message =
                "\(down) of \(nodes.count) nodes are unreachable: no pods are evicted until half of the nodes are back"
            context.logger.warning("\(message)", metadata: ["node": "\(name)"])
            var reference = node.reference
            reference.uid = name
            context.recorder.record(reference, .warning, reason: "EvictionsHeld", message: message)
        }
        return isHeld
    }

    private func markNotReady(_ pod: Pod) async throws {
        var changed = pod
        changed.status.set(
            Condition(
                type: "Ready", status: "False", reason: "NodeNotReady",
                message: "the pod's node has stopped posting its status"), now: context.time.now)
        do {
            _ = try await context.client.updateStatus(changed)
        } catch {
            if !error.isNotFound { throw error }
            return
        }
        context.recorder.record(pod, .warning, reason: "NodeNotReady", message: "Node is not ready")
    }

    private func evict(_ pod: Pod, from name: String) async throws {
        // The last look before acting: a node that came back in the meantime keeps its pods.
        guard let node = try await currentNode(name), node.status.condition("Ready")?.status == "Unknown",
            health.withLock({ $0.isSilent(name, uptime: context.time.uptime) })
        else { return }
        do {
            try await context.client.delete(
                Pod.self, name: pod.metadata.name, namespace: pod.metadata.namespace,
                options: DeleteOptions(gracePeriodSeconds: 0, uid: pod.metadata.uid))
        } catch {
            if error.isNotFound || error.isConflict { return }
            throw error
        }
        context.logger.info("evicted from an unreachable node", metadata: ["pod": "\(pod.key)", "node": "\(name)"])
        context.recorder.record(
            pod, .normal, reason: "TaintManagerEviction", message: "Marking for deletion Pod \(pod.key)")
    }
}
