import KubeAPI
import KubeSchema
import Logging

/// Gives every namespace the service account `default`.
final class ServiceAccountController: Controller {
    private let context: ControllerContext
    private let queue: WorkQueue<String>

    init(_ context: ControllerContext, _ options: ControllerOptions) {
        self.context = context
        queue = WorkQueue(time: context.time)
        context.namespaces.onChange { [queue] in queue.add($0.object.metadata.name) }
        context.serviceAccounts.onChange { [queue] change in
            if case .deleted(let account) = change { queue.add(account.metadata.namespace ?? "") }
        }
    }

    func run() async { await queue.process(logger: context.logger) { try await self.sync($0) } }

    private func sync(_ name: String) async throws {
        guard let namespace = context.namespaces.get(ObjectKey(name: name)), !namespace.metadata.isBeingDeleted,
            namespace.phase != "Terminating",
            context.serviceAccounts.get(ObjectKey(namespace: name, name: "default")) == nil
        else { return }
        do {
            _ = try await context.client.create(ServiceAccount(name: "default", namespace: name))
        } catch {
            if !error.isAlreadyExists, !error.isNotFound, !error.isNamespaceTerminating { throw error }
        }
    }
}
