import KubeSchema

/// Namespaces: deleting one marks it and waits until a controller has emptied it and taken off the finalizer in `spec`.
struct NamespaceStrategy: ResourceStrategy {
    static let finalizer = "kubernetes"

    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) {
        object["status"] = ["phase": "Active"]
        var finalizers = object["spec", "finalizers"]?.array ?? []
        if !finalizers.contains(.string(Self.finalizer)) { finalizers.append(.string(Self.finalizer)) }
        object["spec", "finalizers"] = .array(finalizers)
    }

    func prepareForUpdate(_ new: inout JSON, old: JSON, _ context: StrategyContext) {
        new["spec"] = old["spec"]  // finalizers change through the finalize subresource only
    }

    func beginDeletion(_ object: JSON, _ options: DeleteOptions, _ context: StrategyContext) -> JSON? {
        guard !(object["spec", "finalizers"]?.array ?? []).isEmpty else { return nil }
        var object = object
        if object["metadata", "deletionTimestamp"] == nil {
            object["metadata", "deletionTimestamp"] = .string(context.now.rfc3339)
        }
        object["status", "phase"] = "Terminating"
        return object
    }
}
