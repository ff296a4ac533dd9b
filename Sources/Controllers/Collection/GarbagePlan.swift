import KubeAPI
import KubeSchema

/// What ownership asks for, given objects and the owners that they name. Pure.
struct GarbagePlan {
    struct Item: Sendable {
        var resource: ResourceReference
        var metadata: ObjectMetadata
    }

    enum Action {
        /// All owners of the object may be gone, which has to be confirmed.
        case verifyOwners(Item)
        /// The owner leaves its dependents behind: their references to it are to be removed, then the finalizer.
        case orphan(owner: Item, dependents: [Item])
        /// The owner waits for its dependents: they are to be deleted, and the finalizer removed when none blocks.
        case foreground(owner: Item, dependents: [Item])
    }

    static let orphanFinalizer = "orphan"
    static let foregroundFinalizer = "foregroundDeletion"

    /// - Parameter items: What is known. An owner that isn't among them is not thereby gone.
    static func actions(_ items: [Item]) -> [Action] {
        var uids: Set<String> = []
        var dependents: [String: [Item]] = [:]
        for item in items {
            uids.insert(item.metadata.uid)
            for owner in item.metadata.ownerReferences { dependents[owner.uid, default: []].append(item) }
        }
        return items.compactMap { item in
            let metadata = item.metadata
            if metadata.isBeingDeleted {
                let finalizers = metadata.finalizers
                let mine = dependents[metadata.uid] ?? []
                if finalizers.contains(orphanFinalizer) { return .orphan(owner: item, dependents: mine) }
                if finalizers.contains(foregroundFinalizer) { return .foreground(owner: item, dependents: mine) }
                return nil
            }
            let owners = metadata.ownerReferences
            return owners.isEmpty || owners.allSatisfy({ uids.contains($0.uid) }) ? nil : .verifyOwners(item)
        }
    }
}
