import KubeSchema

/// What is served, in both forms in which clients ask for it.
struct Discovery: Sendable {
    private let groups: [(name: String, version: String)]
    private let catalogue: ResourceCatalogue

    /// Groups whose only resources answer questions and store nothing.
    private static let reviewGroup = "authorization.k8s.io"

    init(_ catalogue: ResourceCatalogue) {
        self.catalogue = catalogue
        var groups: [(String, String)] = []
        for definition in catalogue.definitions where !definition.group.isEmpty {
            if !groups.contains(where: { $0.0 == definition.group && $0.1 == definition.version }) {
                groups.append((definition.group, definition.version))
            }
        }
        groups.append((Self.reviewGroup, "v1"))
        self.groups = groups
    }

    /// The document of `/api`, `/apis` or below them and its Content-Type; `nil` for a path that there is nothing at.
    func document(_ segments: [String], accept: String) -> (JSON, contentType: String)? {
        let json = "application/json"
        switch segments {
        case ["api"], ["apis"]:
            for version in ["v2", "v2beta1"]
            where accept.contains("g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList") {
                return (
                    aggregated(core: segments[0] == "api", version: version),
                    "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList"
                )
            }
            return (segments[0] == "api" ? apiVersions : groupList, json)
        case ["api", "v1"], ["apis", "v1"]: return (resources(group: "", version: "v1"), json)
        // Clients ask for versions other than v1 of the core group under /apis.
        case ["api", "v1beta1"], ["apis", "v1beta1"]: return (resources(group: "", version: "v1beta1"), json)
        default: break
        }
        guard segments.first == "apis", groups.contains(where: { $0.name == segments.dropFirst().first }) else {
            return nil
        }
        if segments.count == 2 { return (group(segments[1]), json) }
        guard segments.count == 3, groups.contains(where: { $0 == (segments[1], segments[2]) }) else { return nil }
        return (resources(group: segments[1], version: segments[2]), json)
    }

    private var apiVersions: JSON {
        [
            "kind": "APIVersions", "versions": ["v1", "v1beta1"],
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": ""]],
        ]
    }

    private var groupList: JSON {
        var names: [String] = []
        for (name, _) in groups where !names.contains(name) { names.append(name) }
        let list = names.map { name in
            var group = group(name)
            group["kind"] = nil
            group["apiVersion"] = nil
            return group
        }
        return ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(list)]
    }

    private func group(_ name: String) -> JSON {
        let versions = groups.filter { $0.name == name }.map { version -> JSON in
            ["groupVersion": .string("\(name)/\(version.version)"), "version": .string(version.version)]
        }
        return [
            "kind": "APIGroup", "apiVersion": "v1", "name": .string(name), "versions": .array(versions),
            "preferredVersion": versions.first ?? [:],
        ]
    }

    private func definitions(_ group: String, _ version: String) -> [ResourceDefinition] {
        if group.isEmpty, version == "v1beta1" {
            return definitions("", "v1").filter { V1Beta1.resources.contains($0.resource) }
        }
        return catalogue.definitions.filter { $0.group == group && $0.version == version }
    }

    private static func strings(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }

    private func resources(group: String, version: String) -> JSON {
        var list: [JSON] = []
        for definition in definitions(group, version) {
            var entry: JSON = [
                "name": .string(definition.resource), "singularName": .string(definition.singular),
                "namespaced": .bool(definition.isNamespaced), "kind": .string(definition.kind),
                "verbs": Self.strings(definition.verbs),
            ]
            if !definition.shortNames.isEmpty { entry["shortNames"] = Self.strings(definition.shortNames) }
            if !definition.categories.isEmpty { entry["categories"] = Self.strings(definition.categories) }
            list.append(entry)
            guard version != "v1beta1" else { continue }
            for subresource in definition.subresources {
                var entry: JSON = [
                    "name": .string("\(definition.resource)/\(subresource.name)"), "singularName": "",
                    "namespaced": .bool(definition.isNamespaced), "kind": .string(subresource.kind),
                    "verbs": Self.strings(subresource.verbs),
                ]
                if subresource.group != definition.group {
                    entry["group"] = .string(subresource.group)
                    entry["version"] = .string(subresource.version)
                }
                list.append(entry)
            }
        }
        if group == Self.reviewGroup { list.append(Self.review) }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"),
            "resources": .array(list),
        ]
    }

    private static let review: JSON = [
        "name": "selfsubjectaccessreviews", "singularName": "selfsubjectaccessreview", "namespaced": false,
        "kind": "SelfSubjectAccessReview", "verbs": ["create"],
    ]

    private func aggregated(core: Bool, version: String) -> JSON {
        var names: [String] = []
        if core { names = [""] } else { for (name, _) in groups where !names.contains(name) { names.append(name) } }
        let items = names.map { name -> JSON in
            let versions = core ? ["v1", "v1beta1"] : groups.filter { $0.name == name }.map(\.version)
            return [
                "metadata": name.isEmpty
                    ? ["creationTimestamp": .null] : ["name": .string(name), "creationTimestamp": .null],
                "versions": .array(
                    versions.map { version in
                        [
                            "version": .string(version), "freshness": "Current",
                            "resources": .array(aggregatedResources(name, version)),
                        ]
                    }),
            ]
        }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
            "items": .array(items),
        ]
    }

    private func aggregatedResources(_ group: String, _ version: String) -> [JSON] {
        var list = definitions(group, version).map { definition -> JSON in
            var entry: JSON = [
                "resource": .string(definition.resource),
                "responseKind": [
                    "group": .string(group), "version": .string(version), "kind": .string(definition.kind),
                ],
                "scope": definition.isNamespaced ? "Namespaced" : "Cluster",
                "singularResource": .string(definition.singular), "verbs": Self.strings(definition.verbs),
            ]
            if !definition.shortNames.isEmpty { entry["shortNames"] = Self.strings(definition.shortNames) }
            if !definition.categories.isEmpty { entry["categories"] = Self.strings(definition.categories) }
            guard version != "v1beta1", !definition.subresources.isEmpty else { return entry }
            entry["subresources"] = .array(
                definition.subresources.map { subresource in
                    [
                        "subresource": .string(subresource.name),
                        "responseKind": [
                            "group": .string(subresource.group), "version": .string(subresource.version),
                            "kind": .string(subresource.kind),
                        ],
                        "verbs": Self.strings(subresource.verbs),
                    ]
                })
            return entry
        }
        if group == Self.reviewGroup {
            list.append([
                "resource": "selfsubjectaccessreviews",
                "responseKind": ["group": .string(group), "version": "v1", "kind": "SelfSubjectAccessReview"],
                "scope": "Cluster", "singularResource": "selfsubjectaccessreview", "verbs": ["create"],
            ])
        }
        return list
    }
}
