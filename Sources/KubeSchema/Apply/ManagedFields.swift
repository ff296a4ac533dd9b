import OrderedCollections

/// Who writes an object, as `managedFields` names him.
package struct FieldManager: Hashable, Sendable {
    package enum Operation: String, Sendable { case apply = "Apply", update = "Update" }

    package let name: String
    package let operation: Operation
    /// The subresource written through, empty for the object itself.
    package let subresource: String
    /// The version in which the fields are named. An applier has one entry whatever version it used last.
    package let apiVersion: String

    package init(_ name: String, _ operation: Operation, apiVersion: String, subresource: String = "") {
        self.name = name
        self.operation = operation
        self.apiVersion = apiVersion
        self.subresource = subresource
    }

    package static func == (left: FieldManager, right: FieldManager) -> Bool {
        left.name == right.name && left.operation == right.operation && left.subresource == right.subresource
            && (left.operation == .apply || left.apiVersion == right.apiVersion)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(operation)
        hasher.combine(subresource)
    }

    /// The manager as conflicts name it.
    package var description: String {
        var text = JSON.string(name).description
        if !subresource.isEmpty { text += " with subresource \(JSON.string(subresource))" }
        return operation == .update ? "\(text) using \(apiVersion)" : text
    }
}

/// The owners of an object's fields: `metadata.managedFields` in a form to compute with.
package struct ManagedFields: Equatable, Sendable {
    package struct Entry: Equatable, Sendable {
        package var fields: FieldSet
        /// When the manager last changed something.
        package var time: Timestamp?
    }

    package var entries: [FieldManager: Entry] = [:]

    package init() {}

    /// Reads `metadata.managedFields`; an entry of a form that is not known is left out.
    package init(_ managedFields: JSON?) {
        for entry in managedFields?.array ?? [] {
            guard let operation = entry["operation"]?.string.flatMap(FieldManager.Operation.init(rawValue:)),
                entry["fieldsType"] == "FieldsV1", let fields = FieldSet(fieldsV1: entry["fieldsV1"] ?? [:])
            else { continue }
            let manager = FieldManager(
                entry["manager"]?.string ?? "", operation, apiVersion: entry["apiVersion"]?.string ?? "",
                subresource: entry["subresource"]?.string ?? "")
            entries[manager] = Entry(fields: fields, time: entry["time"]?.string.flatMap(Timestamp.init(rfc3339:)))
        }
    }

    /// The value of `metadata.managedFields`; `nil` when nobody owns anything.
    package var document: JSON? {
        if entries.isEmpty { return nil }
        let sorted = entries.sorted { left, right in
            let (l, r) = (left.key, right.key)
            if l.operation != r.operation { return l.operation.rawValue < r.operation.rawValue }
            let (lTime, rTime) = (left.value.time?.seconds ?? 0, right.value.time?.seconds ?? 0)
            if lTime != rTime { return lTime < rTime }
            return (l.name, l.apiVersion, l.subresource) < (r.name, r.apiVersion, r.subresource)
        }
        return .array(
            sorted.map { manager, entry in
                var document: JSONObject = [
                    "manager": .string(manager.name), "operation": .string(manager.operation.rawValue),
                    "apiVersion": .string(manager.apiVersion),
                ]
                if let time = entry.time { document["time"] = .string(time.rfc3339) }
                document["fieldsType"] = "FieldsV1"
                document["fieldsV1"] = entry.fields.fieldsV1
                if !manager.subresource.isEmpty { document["subresource"] = .string(manager.subresource) }
                return .object(document)
            })
    }

    /// What clients cannot own: what the server sets, and what makes the object the one it is.
    static let unowned: FieldSet = {
        var set = FieldSet.empty
        for path in [["apiVersion"], ["kind"], ["metadata"]] { set.insert(path.map { "f:\($0)" }) }
        for field in [
            "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
            "resourceVersion",
        ] { set.insert(["f:metadata", "f:\(field)"]) }
        return set
    }()

    /// Whether two values of `metadata.managedFields` differ in times only.
    package static func equalButForTimes(_ left: JSON?, _ right: JSON?) -> Bool {
        guard let left = left?.array, let right = right?.array, left.count == right.count else {
            return left == nil && right == nil
        }
        // Times are part of the order, hence the search.
        let strip = { (entry: JSON) -> JSON in
            var entry = entry
            entry["time"] = nil
            return entry
        }
        let others = right.map(strip)
        return left.map(strip).allSatisfy { others.contains($0) }
    }
}

/// Fields that a manager wants to set otherwise than the managers that own them.
package struct ApplyConflicts: Error, Equatable, Sendable {
    package struct Conflict: Equatable, Sendable {
        package let manager: FieldManager
        package let path: [String]
    }

    package let conflicts: [Conflict]

    /// In the order of managers and paths, as Kubernetes reports them.
    init(_ fields: [FieldManager: FieldSet]) {
        conflicts =
            fields.sorted { ($0.key.description, $0.key.apiVersion) < ($1.key.description, $1.key.apiVersion) }
            .flatMap { manager, set in set.paths.map { Conflict(manager: manager, path: $0) } }
    }

    package var fields: FieldSet {
        conflicts.reduce(into: .empty) { $0.insert($1.path) }
    }

    package var message: String {
        if conflicts.count == 1 {
            let path = FieldSet.describe(conflicts[0].path)
            return "Apply failed with 1 conflict: conflict with \(conflicts[0].manager.description): \(path)"
        }
        let managers = OrderedDictionary(grouping: conflicts, by: { $0.manager.description })
        let parts = managers.map { manager, conflicts in
            "conflicts with \(manager):\n"
                + conflicts.map { "- \(FieldSet.describe($0.path))" }.joined(separator: "\n")
        }
        return "Apply failed with \(conflicts.count) conflicts: \(parts.joined(separator: "\n"))"
    }

    /// The entries of the Status' `details.causes`, from which kubectl makes its own text.
    package var causes: [JSON] {
        conflicts.map {
            [
                "reason": "FieldManagerConflict", "message": .string("conflict with \($0.manager.description)"),
                "field": .string(FieldSet.describe($0.path)),
            ]
        }
    }
}
