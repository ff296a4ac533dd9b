/// The resources that are served, by the names under which requests find them.
package struct ResourceCatalogue: Sendable {
    /// In the order in which discovery lists them.
    package let definitions: [ResourceDefinition]
    private let byResource: [Key: Int]
    private let byKind: [Key: Int]

    private struct Key: Hashable {
        let group: String, version: String, name: String
    }

    package init(_ definitions: [ResourceDefinition]) {
        self.definitions = definitions
        var byResource: [Key: Int] = [:]
        var byKind: [Key: Int] = [:]
        for (index, definition) in definitions.enumerated() {
            byResource[Key(group: definition.group, version: definition.version, name: definition.resource)] = index
            byKind[Key(group: definition.group, version: definition.version, name: definition.kind)] = index
        }
        self.byResource = byResource
        self.byKind = byKind
    }

    /// The resource that a path names, `group` being empty for the core group.
    package func resource(group: String, version: String, resource: String) -> ResourceDefinition? {
        byResource[Key(group: group, version: version, name: resource)].map { definitions[$0] }
    }

    package func resource(group: String, version: String, kind: String) -> ResourceDefinition? {
        byKind[Key(group: group, version: version, name: kind)].map { definitions[$0] }
    }

    /// The resource of a document, by its `apiVersion` and `kind`.
    package func resource(apiVersion: String, kind: String) -> ResourceDefinition? {
        let (group, version) = Self.split(apiVersion: apiVersion)
        return resource(group: group, version: version, kind: kind)
    }

    /// Divides `apps/v1` into group and version; the group of `v1` is empty.
    package static func split(apiVersion: String) -> (group: String, version: String) {
        guard let slash = apiVersion.utf8.firstIndex(of: UInt8(ascii: "/")) else { return ("", apiVersion) }
        return (String(apiVersion[..<slash]), String(apiVersion[apiVersion.index(after: slash)...]))
    }
}

extension ResourceCatalogue {
    /// What an API server of this project serves.
    package static let builtin = ResourceCatalogue([
        core("bindings", "Binding", verbs: ["create"]),
        core("configmaps", "ConfigMap", short: ["cm"]),
        core("endpoints", "Endpoints", short: ["ep"]),
        core("events", "Event", short: ["ev"]),
        core(
            "namespaces", "Namespace", short: ["ns"], namespaced: false,
            verbs: standardVerbs.filter { $0 != "deletecollection" }, [status("Namespace"), finalize]),
        core("nodes", "Node", short: ["no"], namespaced: false, [status("Node")]),
        core(
            "pods", "Pod", short: ["po"], categories: ["all"],
            [
                stream("attach", "PodAttachOptions"), subresource("binding", "Binding", ["create"]),
                subresource("eviction", "Eviction", group: "policy", ["create"]), stream("exec", "PodExecOptions"),
                subresource("log", "Pod", ["get"]), stream("portforward", "PodPortForwardOptions"), status("Pod"),
            ]),
        core(
            "replicationcontrollers", "ReplicationController", short: ["rc"], categories: ["all"],
            [scale, status("ReplicationController")]),
        core("secrets", "Secret"),
        core("serviceaccounts", "ServiceAccount", short: ["sa"]),
        core("services", "Service", short: ["svc"], categories: ["all"], [status("Service")]),
        define("coordination.k8s.io", "leases", "Lease", facts: "coordination/v1"),
    ])

    /// What clients may do with an ordinary resource.
    package static let standardVerbs = [
        "create", "delete", "deletecollection", "get", "list", "patch", "update", "watch",
    ]

    private static func core(
        _ resource: String, _ kind: String, short: [String] = [], categories: [String] = [], namespaced: Bool = true,
        verbs: [String] = standardVerbs, _ subresources: [SubresourceDefinition] = []
    ) -> ResourceDefinition {
        define(
            "", resource, kind, facts: "core/v1", short: short, categories: categories, namespaced: namespaced,
            verbs: verbs, subresources)
    }

    private static func define(
        _ group: String, _ resource: String, _ kind: String, facts: String, short: [String] = [],
        categories: [String] = [], namespaced: Bool = true, verbs: [String] = standardVerbs,
        _ subresources: [SubresourceDefinition] = []
    ) -> ResourceDefinition {
        guard let message = SchemaTable.builtin.message("\(facts).\(kind)") else {
            preconditionFailure("no facts about \(facts).\(kind)")
        }
        return ResourceDefinition(
            group: group, version: "v1", resource: resource, singular: kind.lowercased(), kind: kind,
            isNamespaced: namespaced, shortNames: short, categories: categories, verbs: verbs,
            subresources: subresources, message: message)
    }

    private static func subresource(
        _ name: String, _ kind: String, group: String = "", facts: String? = nil, _ verbs: [String]
    ) -> SubresourceDefinition {
        let facts = facts ?? (group.isEmpty ? "core/v1" : "\(group)/v1")
        return SubresourceDefinition(
            name: name, kind: kind, group: group, version: "v1", verbs: verbs,
            message: SchemaTable.builtin.message("\(facts).\(kind)"))
    }

    private static func status(_ kind: String) -> SubresourceDefinition {
        subresource("status", kind, ["get", "patch", "update"])
    }

    private static func stream(_ name: String, _ kind: String) -> SubresourceDefinition {
        subresource(name, kind, ["create", "get"])
    }

    private static var finalize: SubresourceDefinition { subresource("finalize", "Namespace", ["update"]) }
    private static var scale: SubresourceDefinition {
        subresource("scale", "Scale", group: "autoscaling", ["get", "patch", "update"])
    }
}
