import KubeAPI
import KubeSchema
import Logging

/// Deletes objects whose owners are gone, and sees to owners that are deleted in the foreground or leave their
/// dependents as orphans.
///
/// Pods and replication controllers are followed by their informers; the other kinds are swept in a while, and
/// whenever one of those has an owner of another kind.
final class OwnerCollector: Controller {
    /// Between two looks at every kind.
    static let sweepPeriod = Duration.seconds(120)

    enum Work: Hashable, Sendable {
        /// The pods and replication controllers of a namespace.
        case namespace(String)
        case everything
    }

    private let context: ControllerContext
    private let queue: WorkQueue<Work>

    init(_ context: ControllerContext, _ options: ControllerOptions) {
        self.context = context
        queue = WorkQueue(time: context.time)
        context.controllers.onChange { [queue] change in
            let metadata = change.object.metadata
            if case .deleted = change {
                queue.add(.namespace(metadata.namespace ?? ""))
            } else if metadata.isBeingDeleted {
                queue.add(.namespace(metadata.namespace ?? ""))
            }
        }
        context.pods.onChange { [queue] change in
            let metadata = change.object.metadata
            switch change {
            case .added where metadata.ownerReferences.isEmpty: break
            case .added, .deleted: queue.add(.namespace(metadata.namespace ?? ""))
            case .updated(let old, _):
                if old.metadata.ownerReferences != metadata.ownerReferences {
                    queue.add(.namespace(metadata.namespace ?? ""))
                }
            }
        }
    }

    func run() async {
        queue.add(.everything)
        await queue.process(logger: context.logger) { try await self.sync($0) }
    }

    private func sync(_ work: Work) async throws {
        switch work {
        case .namespace(let name):
            let pods = context.pods.snapshot(namespace: name).map {
                GarbagePlan.Item(resource: Pod.resource, metadata: $0.metadata)
            }
            let controllers = context.controllers.snapshot(namespace: name).map {
                GarbagePlan.Item(resource: ReplicationController.resource, metadata: $0.metadata)
            }
            let actions = GarbagePlan.actions(pods + controllers)
            if !actions.isEmpty { try await perform(actions, again: work) }
        case .everything:
            queue.add(.everything, after: Self.sweepPeriod)
            let discovery = try await Discovery(context.client)
            var items: [GarbagePlan.Item] = []
            for resource in discovery.deletable where resource.plural != "events" {
                items += try await context.client.list(resource).items.map {
                    GarbagePlan.Item(
                        resource: resource, metadata: ObjectMetadata(document: $0["metadata"] ?? .emptyObject))
                }
            }
            let actions = GarbagePlan.actions(items)
            if !actions.isEmpty { try await perform(actions, again: work, discovery: discovery) }
        }
    }

    private func perform(_ actions: [GarbagePlan.Action], again work: Work, discovery: Discovery? = nil) async throws {
        var known: [String: Bool] = [:]  // uid of an owner -> it exists
        var resources = discovery
        for action in actions {
            switch action {
            case .verifyOwners(let item):
                if resources == nil { resources = try await Discovery(context.client) }
                guard let resources else { return }
                try await verifyOwners(of: item, resources, &known)
            case .orphan(let owner, let dependents):
                for dependent in dependents {
                    let owners = dependent.metadata.ownerReferences.filter { $0.uid != owner.metadata.uid }
                    try await setOwners(owners, of: dependent)
                }
                try await removeFinalizer(GarbagePlan.orphanFinalizer, from: owner)
            case .foreground(let owner, let dependents):
                for dependent in dependents where !dependent.metadata.isBeingDeleted {
                    try await delete(dependent, propagation: "Foreground")
                }
                let blocking = dependents.contains { dependent in
                    dependent.metadata.ownerReferences.contains {
                        $0.uid == owner.metadata.uid && $0.blocksOwnerDeletion
                    }
                }
                if blocking {
                    queue.add(work, after: .seconds(1))
                } else {
                    try await removeFinalizer(GarbagePlan.foregroundFinalizer, from: owner)
                }
            }
        }
    }

    /// Deletes the object when none of its owners exists, as each of them confirms that it doesn't.
    private func verifyOwners(
        of item: GarbagePlan.Item, _ discovery: Discovery, _ known: inout [String: Bool]
    ) async throws {
        var present: [OwnerReference] = []
        for owner in item.metadata.ownerReferences {
            let exists: Bool
            if let cached = known[owner.uid] {
                exists = cached
            } else {
                exists = try await self.exists(owner, namespace: item.metadata.namespace, discovery)
                known[owner.uid] = exists
            }
            if exists { present.append(owner) }
        }
        if present.isEmpty {
            try await delete(item, propagation: "Background")
            context.logger.info(
                "deleted for want of its owner",
                metadata: [
                    "kind": "\(item.resource.kind)", "name": "\(item.metadata.namespace ?? "")/\(item.metadata.name)",
                ])
        } else if present.count < item.metadata.ownerReferences.count {
            try await setOwners(present, of: item)
        }
    }

    /// An owner of a kind that isn't served counts as present: nothing is known about it.
    private func exists(_ owner: OwnerReference, namespace: String?, _ discovery: Discovery) async throws -> Bool {
        guard let resource = discovery.resource(apiVersion: owner.apiVersion, kind: owner.kind) else { return true }
        let path = resource.path(namespace: resource.isNamespaced ? namespace : nil, name: owner.name)
        do {
            return try await context.client.transport.send(APIRequest(.get, path))["metadata", "uid"]?.string
                == owner.uid
        } catch {
            if error.isNotFound { return false }
            throw error
        }
    }

    private func delete(_ item: GarbagePlan.Item, propagation: String) async throws {
        do {
            try await context.client.delete(
                item.resource, name: item.metadata.name, namespace: item.metadata.namespace,
                options: DeleteOptions(propagationPolicy: propagation, uid: item.metadata.uid))
        } catch {
            if !error.isNotFound, !error.isConflict { throw error }
        }
    }

    private func setOwners(_ owners: [OwnerReference], of item: GarbagePlan.Item) async throws {
        try await change(item, ["ownerReferences": owners.isEmpty ? .null : owners.json])
    }

    private func removeFinalizer(_ finalizer: String, from item: GarbagePlan.Item) async throws {
        let rest = item.metadata.finalizers.filter { $0 != finalizer }
        try await change(item, ["finalizers": rest.isEmpty ? .null : rest.json])
    }

    private func change(_ item: GarbagePlan.Item, _ metadata: JSON) async throws {
        var metadata = metadata
        metadata["uid"] = .string(item.metadata.uid)
        metadata["resourceVersion"] = item.metadata.resourceVersion.map { .string($0) }
        do {
            _ = try await context.client.patch(
                item.resource, name: item.metadata.name, namespace: item.metadata.namespace,
                .merge(["metadata": metadata]))
        } catch {
            if !error.isNotFound { throw error }
        }
    }
}
