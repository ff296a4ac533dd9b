package import KubeAPI
import KubeSchema
package import Logging
import ServiceLifecycle
import Synchronization

/// Binds pods to nodes: those of the scheduler `default-scheduler` that have no node yet.
///
/// A pod that fits nowhere gets a condition and an event that say why, and is tried again when nodes or pods change.
package final class SchedulerService: ServiceLifecycle.Service {
    package static let name = "default-scheduler"
    /// An unschedulable pod is tried again after this time even when nothing was seen to change.
    static let retryUnschedulable = Duration.seconds(60)

    private struct State {
        var cluster = ClusterState()
        /// Decided, not yet seen bound.
        var assumed: Set<ObjectKey> = []
        /// Tried and found to fit nowhere.
        var waiting: Set<ObjectKey> = []
    }

    private let client: KubeClient
    private let time: any TimeSource
    private let logger: Logger
    private let pods: Informer<Pod>
    private let nodes: Informer<Node>
    private let services: Informer<KubeAPI.Service>
    private let controllers: Informer<ReplicationController>
    private let recorder: EventRecorder
    private let queue: WorkQueue<ObjectKey>
    private let state = Mutex(State())

    package init(client: KubeClient, time: any TimeSource = SystemTime(), logger: Logger) {
        self.client = client
        self.time = time
        self.logger = logger
        pods = Informer(client: client, time: time, logger: logger)
        nodes = Informer(client: client, time: time, logger: logger)
        services = Informer(client: client, time: time, logger: logger)
        controllers = Informer(client: client, time: time, logger: logger)
        recorder = EventRecorder(client: client, component: Self.name, time: time, logger: logger)
        queue = WorkQueue(time: time)
        // The informers are owned by this object and call back only while `run` does.
        pods.onChange { [unowned self] in podChanged($0) }
        nodes.onChange { [unowned self] in nodeChanged($0) }
        services.onChange { [unowned self] _ in groupsChanged() }
        controllers.onChange { [unowned self] _ in groupsChanged() }
    }

    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.pods.run() }
            group.addTask { try await self.nodes.run() }
            group.addTask { try await self.services.run() }
            group.addTask { try await self.controllers.run() }
            group.addTask { try await self.recorder.run() }
            group.addTask {
                await cancelWhenGracefulShutdown {
                    // Until all is known, a node would look emptier than it is.
                    await self.pods.waitUntilSynced()
                    await self.nodes.waitUntilSynced()
                    await self.services.waitUntilSynced()
                    await self.controllers.waitUntilSynced()
                    if Task.isCancelled { return }
                    self.logger.info("scheduling", metadata: ["nodes": "\(self.nodes.snapshot.count)"])
                    await self.queue.process(workers: 1, logger: self.logger) { try await self.schedule($0) }
                }
            }
            try await group.waitForAll()
        }
    }

    private func schedule(_ key: ObjectKey) async throws {
        guard let pod = pods.get(key), Self.isOurs(pod) else { return }
        let facts = PodFacts(pod)
        let decision = state.withLock { state -> Decision? in
            if state.assumed.contains(key) { return nil }  // bound; the informer hasn't told yet
            let decision = state.cluster.decide(facts)
            switch decision {
            case .node(let node):
                state.cluster.place(facts, on: node)
                state.assumed.insert(key)
                state.waiting.remove(key)
            case .unschedulable:
                state.waiting.insert(key)
            }
            return decision
        }
        switch decision {
        case nil: return
        case .node(let node): try await bind(pod, to: node)
        case .unschedulable(let message):
            queue.add(key, after: Self.retryUnschedulable)
            try await explain(pod, message)
        }
    }

    private func bind(_ pod: Pod, to node: String) async throws {
        do {
            try await client.bind(pod: pod, to: node)
        } catch {
            state.withLock { state in
                // Another change may have told meanwhile that the pod is bound: then it stays counted.
                if state.assumed.remove(pod.key) != nil { _ = state.cluster.removePod(pod.key) }
            }
            if error.isNotFound { return }
            if !error.isUnreachable, !error.isConflict {
                recorder.record(
                    pod, .warning, reason: "FailedScheduling", message: "binding to \(node) was refused: \(error)")
            }
            throw error
        }
        logger.info("bound", metadata: ["pod": "\(pod.key)", "node": "\(node)"])
        recorder.record(
            pod, .normal, reason: "Scheduled", message: "Successfully assigned \(pod.key) to \(node)")
    }

    private func explain(_ pod: Pod, _ message: String) async throws {
        recorder.record(pod, .warning, reason: "FailedScheduling", message: message)
        let known = pod.status.condition("PodScheduled")
        if known?.status == "False", known?.message == message { return }
        logger.info("unschedulable: \(message)", metadata: ["pod": "\(pod.key)"])
        var pod = pod
        pod.status.set(
            Condition(type: "PodScheduled", status: "False", reason: "Unschedulable", message: message), now: time.now)
        do {
            _ = try await client.updateStatus(pod)
        } catch {
            // When it changed, the change has put it into the queue again.
            if !error.isNotFound, !error.isConflict { throw error }
        }
    }
}

extension SchedulerService {
    static func isOurs(_ pod: Pod) -> Bool {
        pod.spec.nodeName == nil && pod.spec.schedulerName == name && pod.isActive
    }

    private func podChanged(_ change: Change<Pod>) {
        let pod = change.object
        let key = pod.key
        let isGone = if case .deleted = change { true } else { pod.isTerminal }
        let mayFitMore = state.withLock { state -> Bool in
            if isGone {
                state.assumed.remove(key)
                state.waiting.remove(key)
                return state.cluster.removePod(key)
            }
            guard let node = pod.spec.nodeName else { return false }
            state.assumed.remove(key)
            state.waiting.remove(key)
            state.cluster.place(PodFacts(pod), on: node)
            return false
        }
        if mayFitMore { retryWaiting() }
        guard !isGone, Self.isOurs(pod) else { return }
        // A change that only this scheduler itself made is no reason to look again.
        if let old = change.old, old.spec == pod.spec, old.metadata.labels == pod.metadata.labels,
            state.withLock({ $0.waiting.contains(key) })
        {
            return
        }
        queue.add(key)
    }

    private func nodeChanged(_ change: Change<Node>) {
        let mayFitMore = state.withLock { state -> Bool in
            if case .deleted(let node) = change {
                state.cluster.removeNode(node.metadata.name)
                return true  // only the message changes
            }
            return state.cluster.update(change.object)
        }
        if mayFitMore { retryWaiting() }
    }

    private func groupsChanged() {
        var groups: Set<Group> = []
        for service in services.snapshot {
            groups.insert(Group(namespace: service.metadata.namespace ?? "", selector: service.selector ?? [:]))
        }
        for controller in controllers.snapshot {
            groups.insert(Group(namespace: controller.metadata.namespace ?? "", selector: controller.selector))
        }
        state.withLock { $0.cluster.groups = groups }
    }

    private func retryWaiting() {
        for key in state.withLock({ $0.waiting }) { queue.add(key) }
    }
}
