import KubeSchema

extension Registry {
    /// Which part of an object a write may change.
    enum Part: Sendable, Equatable {
        case main, status
        /// `spec.finalizers` of a namespace.
        case finalize
        /// What a subresource of one kind stands for: see ``Registry/takingOver(_:from:into:_:)``.
        case other(String)

        var changesSpec: Bool {
            switch self {
            case .main, .other: true
            case .status, .finalize: false
            }
        }

        /// The name in `managedFields`.
        var subresource: String {
            switch self {
            case .main: ""
            case .status: "status"
            case .finalize: "finalize"
            case .other(let name): name
            }
        }
    }

    /// Replaces an object, or the part of it that a subresource stands for.
    ///
    /// - Parameters:
    ///   - manager: Who writes, to be noted as the owner of what changes; `nil` takes `managedFields` as computed.
    ///   - compute: Makes the wanted document from the current version: a body, or a patch applied to it.
    func update(
        _ definition: ResourceDefinition, _ namespace: String?, _ name: String, part: Part = .main,
        by manager: FieldManager? = nil, dryRun: Bool = false, lenient: Bool = false,
        _ compute: (StoredObject) throws(APIFailure) -> JSON
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
            case .status:
                var document = old
                document["status"] = new["status"]
                document["metadata"] = new["metadata"]
                new = document
            case .finalize:
                var document = old
                document["spec", "finalizers"] = new["spec", "finalizers"] ?? []
                new = document
            case .other(let subresource):
                var document = try takingOver(subresource, from: new, into: old, definition)
                document["metadata", "managedFields"] = new["metadata", "managedFields"]
                new = document
            }
            track(&new, old: old, manager, definition, part)
            if part == .main { strategy.prepareForUpdate(&new, old: old, context) }
            if part.changesSpec, strategy.countsGenerations {
                let changed = differ(new, old, definition)
                new["metadata", "generation"] = .integer(
                    (old["metadata", "generation"]?.integer ?? 0) + (changed ? 1 : 0))
            }
            let errors =
                part == .main
                ? Validation.update(new: new, old: old, definition, lenient: lenient)
                : Validation.updateStatus(new: new, old: old, definition, lenient: lenient)
            try validate(errors, definition, new)
            if part == .main { try strategy.allocate(&new, old: old, context) }
            forgetTimes(&new, old: old)
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
    /// What its dependents are to become is noted as a finalizer, which the collector of owned objects takes off when it
    /// has done its part.
    ///
    /// - Returns: The object as it is now, and whether it is gone.
    func delete(
        _ definition: ResourceDefinition, _ namespace: String?, _ name: String, _ options: DeleteOptions
    ) async throws(APIFailure) -> (object: StoredObject, removed: Bool) {
        let strategy = Strategies.of(definition)
        return try await change(definition, namespace, name, dryRun: options.isDryRun) {
            (current, context) throws(APIFailure) in
            try options.checkPreconditions(current, definition)
            var document = current.document
            options.settleFinalizers(&document, strategy.defaultPropagation)
            if var marked = strategy.beginDeletion(document, options, context) {
                countDeletion(&marked, current, strategy)
                return .store(marked)
            }
            guard !(document["metadata", "finalizers"]?.array ?? []).isEmpty else { return .remove }
            if document["metadata", "deletionTimestamp"] == nil {
                document["metadata", "deletionTimestamp"] = .string(now().rfc3339)
            }
            document["metadata", "deletionGracePeriodSeconds"] = 0
            countDeletion(&document, current, strategy)
            return .store(document)
        }
    }

    private func countDeletion(_ marked: inout JSON, _ current: StoredObject, _ strategy: any ResourceStrategy) {
        guard strategy.countsGenerations, current.document["metadata", "deletionTimestamp"] == nil else { return }
        marked["metadata", "generation"] = .integer((marked["metadata", "generation"]?.integer ?? 0) + 1)
    }

    /// Whether what the object's author asks for differs, status and metadata aside.
    private func differ(_ new: JSON, _ old: JSON, _ definition: ResourceDefinition) -> Bool {
        if definition.message.field("spec") != nil { return new["spec"] != old["spec"] }
        var (new, old) = (new, old)
        for field in ["metadata", "status"] {
            new[field] = nil
            old[field] = nil
        }
        return new != old
    }
}
