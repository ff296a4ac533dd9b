import KubeSchema

extension Registry {
    /// Which part of an object a write may change.
    enum Part: Sendable, Equatable {
        case main, status
        /// `spec.finalizers` of a namespace.
        case finalize
    }

    /// Replaces an object, or the part of it that a subresource stands for.
    ///
    /// - Parameter compute: Makes the wanted document from the current version: a body, or a patch applied to it.
    func update(
        _ definition: ResourceDefinition, _ namespace: String?, _ name: String, part: Part = .main,
        dryRun: Bool = false,
        lenient: Bool = false, _ compute: (StoredObject) throws(APIFailure) -> JSON
    ) async throws(APIFailure) -> (object: StoredObject, removed: Bool) {
        let strategy = Strategies.of(definition)
        return try await change(definition, namespace, name, dryRun: dryRun) { (current, context) throws(APIFailure) in
            var new = try compute(current)
            let old = current.document
            try checkVersion(&new, current, definition)
            carryOverMetadata(&new, old, definition)
            switch part {
            case .main:
                if definition.subresource("status") != nil { new["status"] = old["status"] }
                strategy.prepareForUpdate(&new, old: old, context)
            case .status:
                var document = old
                document["status"] = new["status"]
                document["metadata"] = new["metadata"]
                new = document
            case .finalize:
                var document = old
                document["spec", "finalizers"] = new["spec", "finalizers"] ?? []
                new = document
            }
            if part == .main, strategy.countsGenerations {
                let changed = new["spec"] != old["spec"]
                new["metadata", "generation"] = .integer(
                    (old["metadata", "generation"]?.integer ?? 0) + (changed ? 1 : 0))
            }
            let errors =
                part == .main
                ? Validation.update(new: new, old: old, definition, lenient: lenient)
                : Validation.updateStatus(new: new, old: old, definition, lenient: lenient)
            try validate(errors, definition, new)
            if part == .main { try strategy.allocate(&new, old: old, context) }
            return isDone(new, definition, strategy, context) ? .remove : .store(new)
        }
    }

    /// The version that the client has seen must be the current one, if it says which.
    private func checkVersion(_ new: inout JSON, _ current: StoredObject, _ definition: ResourceDefinition)
        throws(APIFailure)
    {
        if let asked = new["metadata", "resourceVersion"]?.string, !asked.isEmpty, asked != "0",
            asked != String(current.revision)
        {
            throw .conflict(definition, current.name)
        }
        if let uid = new["metadata", "uid"]?.string, !uid.isEmpty, uid != current.uid {
            throw APIFailure(
                StatusDocument.conflict(
                    definition, name: current.name,
                    "Precondition failed: UID in precondition: \(uid), UID in object meta: \(current.uid)"))
        }
        if let name = new["metadata", "name"]?.string, !name.isEmpty, name != current.name {
            throw APIFailure(
                .badRequest, "the name of the object (\(name)) does not match the name on the URL (\(current.name))")
        }
    }

    /// What clients cannot change, and may leave out.
    private func carryOverMetadata(_ new: inout JSON, _ old: JSON, _ definition: ResourceDefinition) {
        let fields = [
            "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
            "generation",
            "generateName",
        ]
        for field in fields { new["metadata", field] = old["metadata", field] }
        new["metadata", "selfLink"] = nil
        new["kind"] = .string(definition.kind)
        new["apiVersion"] = .string(definition.apiVersion)
    }

    /// Whether a deletion that waited for finalizers can be completed.
    private func isDone(
        _ object: JSON, _ definition: ResourceDefinition, _ strategy: any ResourceStrategy, _ context: StrategyContext
    ) -> Bool {
        guard object["metadata", "deletionTimestamp"] != nil, (object["metadata", "finalizers"]?.array ?? []).isEmpty
        else {
            return false
        }
        if let grace = object["metadata", "deletionGracePeriodSeconds"]?.integer, grace > 0 { return false }
        var options = DeleteOptions()
        options.gracePeriodSeconds = 0
        return strategy.beginDeletion(object, options, context) == nil
    }

    /// Deletes an object, or begins to.
    ///
    /// - Returns: The object as it is now, and whether it is gone.
    func delete(
        _ definition: ResourceDefinition, _ namespace: String?, _ name: String, _ options: DeleteOptions
    ) async throws(APIFailure) -> (object: StoredObject, removed: Bool) {
        let strategy = Strategies.of(definition)
        let result = try await change(definition, namespace, name, dryRun: options.isDryRun) {
            (current, context) throws(APIFailure) in
            try options.checkPreconditions(current, definition)
            if var marked = strategy.beginDeletion(current.document, options, context) {
                countDeletion(&marked, current, strategy)
                return .store(marked)
            }
            guard !(current.document["metadata", "finalizers"]?.array ?? []).isEmpty else { return .remove }
            var marked = current.document
            if marked["metadata", "deletionTimestamp"] == nil {
                marked["metadata", "deletionTimestamp"] = .string(now().rfc3339)
            }
            marked["metadata", "deletionGracePeriodSeconds"] = 0
            countDeletion(&marked, current, strategy)
            return .store(marked)
        }
        if options.propagationPolicy == "Orphan", !options.isDryRun { await orphanDependents(of: result.object) }
        return result
    }

    private func countDeletion(_ marked: inout JSON, _ current: StoredObject, _ strategy: any ResourceStrategy) {
        guard strategy.countsGenerations, current.document["metadata", "deletionTimestamp"] == nil else { return }
        marked["metadata", "generation"] = .integer((marked["metadata", "generation"]?.integer ?? 0) + 1)
    }

    /// Takes the owner off its dependents, so that no collector removes them. A dependent that cannot be changed now
    /// is left to the collector.
    private func orphanDependents(of owner: StoredObject) async {
        func isOwner(_ reference: JSON) -> Bool { reference["uid"]?.string == owner.uid }
        for cache in caches.all {
            for dependent in cache.list(cache.prefix).objects {
                guard (dependent.document["metadata", "ownerReferences"]?.array ?? []).contains(where: isOwner) else {
                    continue
                }
                _ = try? await update(cache.definition, dependent.namespace, dependent.name, lenient: true) {
                    (current) throws(APIFailure) in
                    var document = current.document
                    let kept = (document["metadata", "ownerReferences"]?.array ?? []).filter { !isOwner($0) }
                    document["metadata", "ownerReferences"] = kept.isEmpty ? JSON?.none : .array(kept)
                    return document
                }
            }
        }
    }
}
