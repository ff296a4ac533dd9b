import KubeAPI
import KubeSchema
import Logging

/// Writes the endpoints of each service that has a selector.
final class EndpointsController: Controller {
    static let workers = 4
    /// Tells our endpoints from those that somebody manages by hand.
    static let managedLabel = (key: "endpoints.kubernetes.io/managed-by", value: "endpoint-controller")

    private let context: ControllerContext
    private let queue: WorkQueue<ObjectKey>

    init(_ context: ControllerContext, _ options: ControllerOptions) {
        self.context = context
        queue = WorkQueue(time: context.time)
        context.services.onChange { [queue] in queue.add($0.object.key) }
        context.endpoints.onChange { [queue] in queue.add($0.object.key) }
        context.pods.onChange { [unowned self] in podChanged($0) }
    }

    func run() async {
        await queue.process(workers: Self.workers, logger: context.logger) { try await self.sync($0) }
    }

    private func podChanged(_ change: Change<Pod>) {
        let pod = change.object
        for service in context.services.snapshot(namespace: pod.metadata.namespace ?? "")
        where EndpointsBuilder.isSelected(pod, by: service)
            || change.old.map({ EndpointsBuilder.isSelected($0, by: service) }) == true
        {
            queue.add(service.key)
        }
    }

    private func sync(_ key: ObjectKey) async throws {
        let existing = context.endpoints.get(key)
        guard let service = context.services.get(key) else {
            try await removeEndpoints(existing)
            return
        }
        guard EndpointsBuilder.isManaged(service), !service.metadata.isBeingDeleted else { return }
        let pods = context.pods.snapshot(namespace: key.namespace).filter {
            EndpointsBuilder.isSelected($0, by: service)
        }
        let subsets = EndpointsBuilder.subsets(of: service, pods: pods)
        var endpoints = existing ?? Endpoints(name: key.name, namespace: key.namespace)
        var labels = service.metadata.labels
        labels[Self.managedLabel.key] = Self.managedLabel.value
        if existing != nil, endpoints.subsets == subsets, endpoints.metadata.labels == labels { return }
        endpoints.subsets = subsets
        endpoints.metadata.labels = labels
        do {
            if existing == nil {
                _ = try await context.client.create(endpoints)
            } else {
                _ = try await context.client.update(endpoints)
            }
        } catch {
            // Gone or in the way: the informer will tell, and the key comes again.
            if !error.isNotFound, !error.isNamespaceTerminating { throw error }
        }
    }

    /// Endpoints without a service may be somebody's own: only ours go, after a fresh look confirmed that the service
    /// is gone.
    private func removeEndpoints(_ endpoints: Endpoints?) async throws {
        guard let endpoints, endpoints.metadata.labels[Self.managedLabel.key] == Self.managedLabel.value else { return }
        do {
            _ = try await context.client.get(
                Service.self, name: endpoints.metadata.name, namespace: endpoints.metadata.namespace)
            return
        } catch {
            if !error.isNotFound { throw error }
        }
        do {
            try await context.client.delete(
                Endpoints.self, name: endpoints.metadata.name, namespace: endpoints.metadata.namespace,
                options: DeleteOptions(uid: endpoints.metadata.uid))
        } catch {
            if !error.isNotFound, !error.isConflict { throw error }
        }
    }
}
