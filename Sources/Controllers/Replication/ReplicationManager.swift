import KubeAPI
import KubeSchema
import Logging

/// Keeps as many pods of each replication controller as it asks for.
final class ReplicationManager: Controller {
    /// Created or deleted in one go; the rest follows when these have been seen.
    static let burst = 250
    static let workers = 4
    /// Tries to create a pod whose creation got no answer.
    static let createAttempts = 3

    private let context: ControllerContext
    private let queue: WorkQueue<ObjectKey>
    private let expectations: Expectations

    init(_ context: ControllerContext, _ options: ControllerOptions) {
        self.context = context
        queue = WorkQueue(time: context.time)
        expectations = Expectations(time: context.time)
        context.controllers.onChange { [queue] in queue.add($0.object.key) }
        context.pods.onChange { [unowned self] in podChanged($0) }
    }

    func run() async {
        await queue.process(workers: Self.workers, logger: context.logger) { try await self.sync($0) }
    }

    private func podChanged(_ change: Change<Pod>) {
        let pod = change.object
        if let owner = owner(of: pod) {
            switch change {
            case .added, .updated: expectations.sawCreation(owner, name: pod.metadata.name)
            case .deleted: break
            }
            if !pod.isActive || Self.isDeletion(change) { expectations.sawDeletion(owner, uid: pod.metadata.uid) }
            queue.add(owner)
        }
        if let old = change.old, let owner = owner(of: old), owner != self.owner(of: pod) { queue.add(owner) }
        guard pod.metadata.controller == nil else { return }
        // An orphan: whoever selects it may take it over.
        let labels = pod.metadata.labels
        for controller in context.controllers.snapshot(namespace: pod.metadata.namespace ?? "") {
            let selector = controller.selector
            if !selector.isEmpty, selector.allSatisfy({ labels[$0.key] == $0.value }) { queue.add(controller.key) }
        }
    }

    private static func isDeletion(_ change: Change<Pod>) -> Bool { if case .deleted = change { true } else { false } }

    private func owner(of pod: Pod) -> ObjectKey? {
        guard let owner = pod.metadata.controller, owner.kind == ReplicationController.resource.kind else { return nil }
        return ObjectKey(namespace: pod.metadata.namespace ?? "", name: owner.name)
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let controller = context.controllers.get(key) else { return expectations.forget(key) }
        // Before the pods are read: what was outstanding and is no longer, is then among them.
        let isSettled = expectations.areMet(key)
        let plan = ReplicaPlan(controller, pods: context.pods.snapshot(namespace: key.namespace))
        for pod in plan.released { try await release(pod, from: controller) }
        if isSettled {
            for pod in plan.adopted { try await adopt(pod, by: controller) }
        }
        let pods = plan.mine + plan.adopted
        var failure: (any Error)?
        if !controller.metadata.isBeingDeleted, isSettled {
            do {
                try await scale(controller, pods: pods)
            } catch {
                failure = error  // after the status has been brought up to date
            }
        }
        try await report(controller, pods: pods)
        if let failure { throw failure }
    }

    private func scale(_ controller: ReplicationController, pods: [Pod]) async throws {
        let missing = controller.replicas - pods.count
        if missing > 0 { try await create(min(missing, Self.burst), of: controller) }
        if missing < 0 { try await delete(ReplicaPlan.victims(pods, count: min(-missing, Self.burst)), of: controller) }
    }

    /// One by one first, then in batches twice as large each, so that a template that is refused is refused once.
    private func create(_ count: Int, of controller: ReplicationController) async throws {
        let pods = (0..<count).map { _ in ReplicaPlan.pod(for: controller, suffix: Self.suffix()) }
        expectations.expect(controller.key, creations: pods.map(\.metadata.name))
        var rest = pods[...]
        var batch = 1
        while !rest.isEmpty {
            let failures = await withTaskGroup(of: (String, APIError?).self) { group in
                for pod in rest.prefix(batch) { group.addTask { (pod.metadata.name, await self.create(pod)) } }
                var failures: [String: APIError] = [:]
                for await (name, error) in group { failures[name] = error }
                return failures
            }
            for pod in rest.prefix(batch) where failures[pod.metadata.name] == nil {
                context.recorder.record(
                    controller, .normal, reason: "SuccessfulCreate", message: "Created pod: \(pod.metadata.name)")
            }
            for name in failures.keys { expectations.sawCreation(controller.key, name: name) }
            rest = rest.dropFirst(batch)
            batch *= 2
            if let error = failures.values.first {
                for pod in rest { expectations.sawCreation(controller.key, name: pod.metadata.name) }
                if error.isNamespaceTerminating { return }
                context.recorder.record(
                    controller, .warning, reason: "FailedCreate", message: "Error creating: \(error)")
                throw error
            }
        }
    }

    /// The name is ours, so that a creation whose answer was lost can be repeated without making a second pod.
    private func create(_ pod: Pod) async -> APIError? {
        for attempt in 1...Self.createAttempts {
            do {
                _ = try await context.client.create(pod)
                return nil
            } catch {
                if error.isAlreadyExists, attempt > 1 { return nil }
                guard error.isUnreachable, attempt < Self.createAttempts else { return error }
                try? await context.time.sleep(for: Backoff(cap: .seconds(5)).delay(failures: attempt))
            }
        }
        return nil
    }

    private func delete(_ pods: [Pod], of controller: ReplicationController) async throws {
        expectations.expect(controller.key, deletions: pods.map(\.metadata.uid))
        for (index, pod) in pods.enumerated() {
            do {
                try await context.client.delete(
                    Pod.self, name: pod.metadata.name, namespace: pod.metadata.namespace,
                    options: DeleteOptions(uid: pod.metadata.uid))
                context.recorder.record(
                    controller, .normal, reason: "SuccessfulDelete", message: "Deleted pod: \(pod.metadata.name)")
            } catch {
                expectations.sawDeletion(controller.key, uid: pod.metadata.uid)
                if error.isNotFound || error.isConflict { continue }
                for rest in pods[(index + 1)...] { expectations.sawDeletion(controller.key, uid: rest.metadata.uid) }
                context.recorder.record(
                    controller, .warning, reason: "FailedDelete", message: "Error deleting: \(error)")
                throw error
            }
        }
    }

    private func adopt(_ pod: Pod, by controller: ReplicationController) async throws {
        // The copy may be old: only a controller that still is there may take over anything.
        let live = try await context.client.get(
            ReplicationController.self, name: controller.metadata.name, namespace: controller.metadata.namespace)
        guard live.metadata.uid == controller.metadata.uid, !live.metadata.isBeingDeleted else { return }
        var changed = pod
        changed.metadata.ownerReferences.append(OwnerReference(controller: controller))
        try await write(changed)
    }

    private func release(_ pod: Pod, from controller: ReplicationController) async throws {
        var changed = pod
        changed.metadata.ownerReferences.removeAll { $0.uid == controller.metadata.uid }
        try await write(changed)
    }

    /// Guarded by uid and resourceVersion: another pod of that name, or a changed one, is left alone.
    private func write(_ pod: Pod) async throws {
        let metadata: JSON = [
            "uid": .string(pod.metadata.uid),
            "resourceVersion": pod.metadata.resourceVersion.map { .string($0) } ?? .null,
            "ownerReferences": pod.metadata.ownerReferences.json,
        ]
        do {
            _ = try await context.client.patch(
                Pod.self, name: pod.metadata.name, namespace: pod.metadata.namespace, .merge(["metadata": metadata]))
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    private func report(_ controller: ReplicationController, pods: [Pod]) async throws {
        let (status, nextChange) = ReplicaPlan.status(of: controller, pods: pods, now: context.time.now)
        if let nextChange { queue.add(controller.key, after: nextChange) }
        guard status != controller.status else { return }
        var changed = controller
        changed.status = status
        do {
            _ = try await context.client.updateStatus(changed)
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    /// Five characters without vowels and without those that look alike, as Kubernetes has them.
    private static func suffix() -> String {
        let alphabet = Array("bcdfghjklmnpqrstvwxz2456789")
        return String((0..<5).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }
}
