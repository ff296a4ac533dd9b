import KubeSchema

extension Registry {
    /// What an apply patch asks for.
    struct Application: Sendable {
        /// Conformed to the schema with its zero values and nulls, as ``ApplyConfiguration`` reads it.
        var configuration: JSON
        var manager: FieldManager
        /// Takes over fields that other managers own.
        var force = false
    }

    /// Makes an object, or the part of it that a subresource stands for, what a configuration says, or creates it.
    func apply(
        _ application: Application, _ definition: ResourceDefinition, _ namespace: String?, _ name: String,
        part: Part = .main, dryRun: Bool = false
    ) async throws(APIFailure) -> (object: StoredObject, created: Bool) {
        let ignored = ignoredFields(definition, part)
        while true {
            do throws(APIFailure) {
                let result = try await update(definition, namespace, name, part: part, dryRun: dryRun) {
                    (current) throws(APIFailure) in
                    var live = current.document
                    live["metadata", "managedFields"] = nil
                    var managed = ManagedFields(current.document["metadata", "managedFields"])
                    return try merge(application, into: live, &managed, ignored, definition, part)
                }
                return (result.object, false)
            } catch  where error.reason == "NotFound" && part == .main {
                var managed = ManagedFields()
                if let uid = application.configuration["metadata", "uid"]?.string, !uid.isEmpty {
                    throw APIFailure(
                        StatusDocument.conflict(
                            definition, name: name,
                            "uid mismatch: the provided object specified uid \(uid), and no existing object was found"))
                }
                let object = try merge(application, into: nil, &managed, ignored, definition, part)
                do throws(APIFailure) {
                    return (try await create(object, definition, namespace: namespace, dryRun: dryRun), true)
                } catch  where error.reason == "AlreadyExists" {
                    continue  // somebody was faster: there is something to apply to now
                }
            }
        }
    }

    private func merge(
        _ application: Application, into live: JSON?, _ managed: inout ManagedFields, _ ignored: FieldSet,
        _ definition: ResourceDefinition, _ part: Part
    ) throws(APIFailure) -> JSON {
        let merged: JSON
        do throws(ApplyConflicts) {
            merged = try managed.apply(
                application.configuration, to: live, by: application.manager, force: application.force,
                ignoring: ignored, definition.message, now: now())
        } catch {
            throw APIFailure(
                StatusDocument.failure(reason: .conflict, message: error.message, causes: error.causes))
        }
        var object: JSON
        do throws(BodyError) {
            object = try RequestDecoder.conform(
                merged, kind: definition.kind, message: definition.message, validation: .ignore
            ).object
        } catch {
            throw APIFailure(error)
        }
        object["metadata", "managedFields"] = managed.document
        if part == .main { Defaults.apply(to: &object, definition) }
        return object
    }

    /// Fields that a write through `part` cannot change, so that nobody comes to own them by it.
    func ignoredFields(_ definition: ResourceDefinition, _ part: Part) -> FieldSet {
        var set = FieldSet.empty
        switch part {
        case .main: if definition.subresource("status") != nil { set.insert(["f:status"]) }
        case .status: set.insert(["f:spec"])
        case .finalize, .other: break
        }
        return set
    }

    /// Notes in a new version of an object who changed what. `manager` is `nil` for writes of the server's own, which
    /// nobody owns.
    func track(
        _ new: inout JSON, old: JSON?, _ manager: FieldManager?, _ definition: ResourceDefinition, _ part: Part
    ) {
        let given = new["metadata", "managedFields"]
        guard let manager else { return }
        let before = old?["metadata", "managedFields"]
        var managed = ManagedFields(part == .main && given != nil ? given : before)
        // A list of one empty entry is how a client says that it wants the owners forgotten.
        if managed.entries.isEmpty, given != [[:]] { managed = ManagedFields(before) }
        managed.noteUpdate(
            from: old, to: new, by: manager, ignoring: ignoredFields(definition, part), definition.message, now: now())
        new["metadata", "managedFields"] = managed.document
    }

    /// A write that changed nothing but the time at which it would have is no write.
    func forgetTimes(_ new: inout JSON, old: JSON) {
        let (before, after) = (old["metadata", "managedFields"], new["metadata", "managedFields"])
        guard before != after, ManagedFields.equalButForTimes(before, after) else { return }
        var candidate = new
        candidate["metadata", "managedFields"] = before
        candidate["metadata", "resourceVersion"] = old["metadata", "resourceVersion"]
        if candidate == old { new = candidate }
    }
}
