import KubeAPI
import KubeSchema
import Logging

/// Empties a namespace that is being deleted, whatever kinds of objects are in it, and then lets it go.
final class NamespaceController: Controller {
    static let workers = 2
    /// How soon a namespace whose objects take their time to end is looked at again.
    static let retry = Duration.seconds(1)
    /// Stands for the content of a namespace.
    static let finalizer = "kubernetes"

    private let context: ControllerContext
    private let queue: WorkQueue<String>

    init(_ context: ControllerContext, _ options: ControllerOptions) {
        self.context = context
        queue = WorkQueue(time: context.time)
        context.namespaces.onChange { [queue] change in
            if change.object.metadata.isBeingDeleted { queue.add(change.object.metadata.name) }
        }
    }

    func run() async {
        await queue.process(workers: Self.workers, logger: context.logger) { try await self.sync($0) }
    }

    private func sync(_ name: String) async throws {
        guard let known = context.namespaces.get(ObjectKey(name: name)), known.metadata.isBeingDeleted else { return }
        let namespace: Namespace
        do {
            namespace = try await context.client.get(Namespace.self, name: name)
        } catch {
            if error.isNotFound { return }
            throw error
        }
        guard namespace.metadata.uid == known.metadata.uid, namespace.metadata.isBeingDeleted,
            namespace.finalizers.contains(Self.finalizer)
        else { return }
        let discovery = try await Discovery(context.client)
        var remaining = 0
        for resource in discovery.deletable where resource.isNamespaced {
            remaining += try await empty(name, of: resource)
        }
        if remaining > 0 { return queue.add(name, after: Self.retry) }
        var emptied = namespace
        emptied.finalizers.removeAll { $0 == Self.finalizer }
        do {
            _ = try await context.client.put(emptied, subresource: "finalize")
            context.logger.info("namespace emptied", metadata: ["namespace": "\(name)"])
        } catch {
            if !error.isNotFound { throw error }
        }
    }

    /// Deletes what isn't being deleted yet.
    ///
    /// - Returns: The number of objects that were still there.
    private func empty(_ namespace: String, of resource: ResourceReference) async throws -> Int {
        let objects = try await context.client.list(resource, namespace: namespace).items
        for object in objects where object["metadata", "deletionTimestamp"]?.string == nil {
            guard let name = object["metadata", "name"]?.string else { continue }
            do {
                try await context.client.delete(
                    resource, name: name, namespace: namespace, options: DeleteOptions(propagationPolicy: "Background"))
            } catch {
                if !error.isNotFound, !error.isConflict { throw error }
            }
        }
        guard !objects.isEmpty else { return 0 }
        return try await context.client.list(resource, namespace: namespace).items.count
    }
}
