import OrderedCollections

/// Tables, the form in which kubectl asks for what it prints: columns and cells per kind, made by the server.
package enum TableRenderer {
    /// What each row carries of the object that it shows: the query parameter `includeObject`.
    package enum Inclusion: String, Sendable {
        case none = "None"
        case metadata = "Metadata"
        case object = "Object"
    }

    /// Returns the `Table` (meta.k8s.io/v1) of a list, a single object, or the object of a watch event.
    ///
    /// - Parameters:
    ///   - items: Objects of one kind, in `v1` form.
    ///   - include: What the rows carry of them.
    ///   - now: Seconds since 1970, for the ages.
    ///   - resourceVersion: That of the list; a watch starts from it.
    ///   - columns: False for the second and later events of a watch, whose reader knows the columns.
    package static func table(
        items: [JSON], definition: ResourceDefinition, include: Inclusion, now: Int64, resourceVersion: String?,
        columns: Bool = true
    ) -> JSON {
        let layout = TableLayout.of(group: definition.group, resource: definition.resource)
        var metadata: JSONObject = [:]
        metadata["resourceVersion"] = resourceVersion.map { .string($0) }
        let rows = items.map { item in
            var row: JSONObject = ["cells": .array(layout.cells(item, now))]
            if let condition = layout.condition(item) { row["conditions"] = [condition] }
            switch include {
            case .none: break
            case .metadata:
                row["object"] = [
                    "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
                    "metadata": item["metadata"] ?? [:],
                ]
            case .object: row["object"] = item
            }
            return JSON.object(row)
        }
        return [
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": .object(metadata),
            "columnDefinitions": columns ? .array(layout.columns.map(\.document)) : .null,
            "rows": .array(rows),
        ]
    }
}

/// One column of a table.
struct TableColumn: Sendable {
    let name: String
    /// OpenAPI's name of the cells' type.
    var type = "string"
    /// 0 is always shown, 1 in wide output only.
    var priority: Int64 = 0
    let description: String

    static func text(_ name: String, _ description: String) -> TableColumn {
        TableColumn(name: name, description: description)
    }
    static func number(_ name: String, _ description: String) -> TableColumn {
        TableColumn(name: name, type: "integer", description: description)
    }
    static func flag(_ name: String, _ description: String) -> TableColumn {
        TableColumn(name: name, type: "boolean", description: description)
    }
    /// Shown in wide output only.
    static func wide(_ name: String, _ description: String) -> TableColumn {
        TableColumn(name: name, priority: 1, description: description)
    }
    static let name = text("Name", "The object's name, unique within its namespace.")
    static let age = text("Age", "The time since the object was created.")
    static let createdAt = TableColumn(
        name: "Created At", type: "date", description: "When the object was created, in UTC.")

    var document: JSON {
        [
            "name": .string(name), "type": .string(type), "format": name == "Name" ? "name" : "",
            "description": .string(description), "priority": .integer(priority),
        ]
    }
}

/// How the objects of one kind become rows.
struct TableLayout: Sendable {
    let columns: [TableColumn]
    /// The cells of an object, one a column; the second argument is the present, in seconds since 1970.
    let cells: @Sendable (JSON, Int64) -> [JSON]
    var condition: @Sendable (JSON) -> JSON? = { _ in nil }

    /// The layout of a resource; name and age for one that has none of its own.
    static func of(group: String, resource: String) -> TableLayout {
        all[group.isEmpty ? resource : "\(group)/\(resource)"] ?? generic
    }

    private static let all: [String: TableLayout] = {
        var all: [String: TableLayout] = core
        all.merge(workloads) { $1 }
        all.merge(network) { $1 }
        all.merge(storage) { $1 }
        all.merge(access) { $1 }
        all.merge(policies) { $1 }
        return all
    }()

    private static let core: [String: TableLayout] = [
        "pods": pods, "nodes": nodes, "services": services, "replicationcontrollers": replicationControllers,
        "endpoints": endpoints, "events": events, "namespaces": namespaces, "secrets": secrets,
        "configmaps": configMaps, "serviceaccounts": serviceAccounts, "coordination.k8s.io/leases": leases,
        "events.k8s.io/events": events, "limitranges": plain, "rbac.authorization.k8s.io/roles": plain,
        "rbac.authorization.k8s.io/clusterroles": plain,
    ]

    /// What kube-apiserver shows of its own kinds that it has no columns for.
    private static let plain = TableLayout(columns: [.name, .createdAt]) { object, _ in
        [object.nameCell, .string(object.cell("metadata", "creationTimestamp"))]
    }

    static let generic = TableLayout(columns: [.name, .age]) { object, now in [object.nameCell, object.age(now)] }
}

extension JSON {
    /// The string at the end of a path of keys, `""` where there is none.
    func cell(_ path: String...) -> String { self[path]?.string ?? "" }

    var nameCell: JSON { .string(cell("metadata", "name")) }

    func age(_ now: Int64) -> JSON { .string(HumanDuration.since(self["metadata", "creationTimestamp"], now: now)) }

    /// The elements of the list at the end of a path.
    func list(_ path: String...) -> [JSON] { self[path]?.array ?? [] }
}

/// `k=v` pairs sorted by key, `<none>` without any.
func labelCell(_ labels: JSON?) -> JSON {
    let pairs = (labels?.object ?? [:]).map { "\($0.key)=\($0.value.string ?? "")" }.sorted()
    return .string(pairs.isEmpty ? "<none>" : pairs.joined(separator: ","))
}

/// Up to `limit` of the words, and how many more there are.
func shortened(_ words: [String], limit: Int, separator: String = ",") -> String {
    let shown = words.prefix(limit).joined(separator: separator)
    return words.count > limit ? "\(shown) + \(words.count - limit) more..." : shown
}

/// A label selector (`matchLabels`, `matchExpressions`) as its text form, `<none>` without any requirement.
func selectorCell(_ selector: JSON?) -> JSON {
    var terms = (selector?["matchLabels"]?.object ?? [:]).map { ($0.key, "\($0.key)=\($0.value.string ?? "")") }
    for requirement in selector?["matchExpressions"]?.array ?? [] {
        let key = requirement.cell("key")
        let values = requirement.list("values").compactMap(\.string).sorted().joined(separator: ",")
        switch requirement.cell("operator") {
        case "In": terms.append((key, "\(key) in (\(values))"))
        case "NotIn": terms.append((key, "\(key) notin (\(values))"))
        case "DoesNotExist": terms.append((key, "!\(key)"))
        default: terms.append((key, key))
        }
    }
    return orNone(terms.sorted { $0.0 < $1.0 }.map(\.1).joined(separator: ","))
}

/// What `text` is, or `<none>`.
func orNone(_ text: String) -> JSON { .string(text.isEmpty ? "<none>" : text) }
