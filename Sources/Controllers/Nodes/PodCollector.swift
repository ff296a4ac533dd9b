import KubeAPI
import KubeSchema
import Logging

/// Removes pods that nobody else will: those bound to a node that no longer exists, and those that were deleted before
/// they had a node.
final class PodCollector: Controller {
    /// How long a node has to be missing: it may only be about to register anew.
    static let quarantine = Duration.seconds(5)

    private let context: ControllerContext
    private let queue: WorkQueue<ObjectKey>

    init(_ context: ControllerContext, _ options: ControllerOptions) {
        self.context = context
        queue = WorkQueue(time: context.time)
        context.pods.onChange { [unowned self] change in
            if case .deleted = change { return }
            if isSuspect(change.object) { queue.add(change.object.key, after: Self.quarantine) }
        }
        context.nodes.onChange { [unowned self] change in
            guard case .deleted(let node) = change else { return }
            for pod in context.pods.snapshot where pod.spec.nodeName == node.metadata.name {
                queue.add(pod.key, after: Self.quarantine)
            }
        }
    }

    func run() async {
        for pod in context.pods.snapshot where isSuspect(pod) { queue.add(pod.key, after: Self.quarantine) }
        await queue.process(logger: context.logger) { try await self.sync($0) }
    }

    private func isSuspect(_ pod: Pod) -> Bool {
        guard let node = pod.spec.nodeName else { return pod.metadata.isBeingDeleted }
        return context.nodes.hasSynced && context.nodes.get(ObjectKey(name: node)) == nil
    }

    private func sync(_ key: ObjectKey) async throws {
        guard let pod = context.pods.get(key), isSuspect(pod) else { return }
        if let node = pod.spec.nodeName {
            do {
                _ = try await context.client.get(Node.self, name: node)
                return
            } catch {
                if !error.isNotFound { throw error }
            }
        }
        do {
            try await context.client.delete(
                Pod.self, name: key.name, namespace: key.namespace,
                options: DeleteOptions(gracePeriodSeconds: 0, uid: pod.metadata.uid))
            context.logger.info("removed a pod whose node is gone", metadata: ["pod": "\(key)"])
        } catch {
            if !error.isNotFound, !error.isConflict { throw error }
        }
    }
}
