import KubeSchema
import Synchronization

/// What is served, in both forms in which clients ask for it. Documents are made when first asked for and kept encoded.
final class Discovery: Sendable {
    struct Answer: Sendable {
        let body: [UInt8]
        let contentType: String
    }

    /// Groups with their versions, in the order of the catalogue; the core group is not among them.
    private let groups: [(name: String, versions: [String])]
    private let catalogue: ResourceCatalogue
    private let known = Mutex<[String: Answer]>([:])

    init(_ catalogue: ResourceCatalogue) {
        self.catalogue = catalogue
        var groups: [(name: String, versions: [String])] = []
        for definition in catalogue.definitions where !definition.group.isEmpty {
            if let index = groups.firstIndex(where: { $0.name == definition.group }) {
                if !groups[index].versions.contains(definition.version) {
                    groups[index].versions.append(definition.version)
                }
            } else {
                groups.append((definition.group, [definition.version]))
            }
        }
        self.groups = groups
    }

    /// Every path that has a document.
    var paths: [String] {
        ["/api", "/api/v1", "/api/v1beta1", "/apis"]
            + groups.flatMap { group in ["/apis/\(group.name)"] + group.versions.map { "/apis/\(group.name)/\($0)" } }
    }

    /// The document of `/api`, `/apis` or below them; `nil` for a path that there is nothing at.
    func answer(_ segments: [String], accept: String) -> Answer? {
        guard segments.count <= 3, segments.first == "api" || segments.first == "apis" else { return nil }
        let aggregation = segments.count == 1 ? Self.aggregation(accept) : nil
        let key = segments.joined(separator: "/") + (aggregation ?? "")
        if let answer = known.withLock({ $0[key] }) { return answer }
        guard let document = document(segments, aggregation) else { return nil }
        let type = aggregation.map { "application/json;g=apidiscovery.k8s.io;v=\($0);as=APIGroupDiscoveryList" }
        let answer = Answer(body: document.encoded(), contentType: type ?? "application/json")
        known.withLock { $0[key] = answer }
        return answer
    }

    /// The version of the aggregated form that the client prefers, `nil` when it did not ask for it.
    private static func aggregation(_ accept: String) -> String? {
        for type in accept.split(separator: ",") where type.contains("APIGroupDiscoveryList") {
            let parts = type.split(separator: ";").map { $0.filter { $0 != " " } }
            guard parts.contains("g=apidiscovery.k8s.io") else { continue }
            for version in ["v2", "v2beta1"] where parts.contains("v=\(version)") { return version }
        }
        return nil
    }

    private func document(_ segments: [String], _ aggregation: String?) -> JSON? {
        switch segments {
        case ["api"]: return aggregation.map { aggregated(core: true, version: $0) } ?? apiVersions
        case ["apis"]: return aggregation.map { aggregated(core: false, version: $0) } ?? groupList
        // Clients ask for versions other than v1 of the core group under /apis.
        case ["api", "v1"], ["apis", "v1"]: return resources(group: "", version: "v1")
        case ["api", "v1beta1"], ["apis", "v1beta1"]: return resources(group: "", version: "v1beta1")
        default: break
        }
        guard segments[0] == "apis", let group = groups.first(where: { $0.name == segments[1] }) else { return nil }
        if segments.count == 2 {
            var document = Self.document(of: group)
            document["kind"] = "APIGroup"
            document["apiVersion"] = "v1"
            return document
        }
        guard group.versions.contains(segments[2]) else { return nil }
        return resources(group: group.name, version: segments[2])
    }

    // MARK: - One document a path

    private var apiVersions: JSON {
        [
            "kind": "APIVersions", "versions": ["v1", "v1beta1"],
            "serverAddressByClientCIDRs": [["clientCIDR": "0.0.0.0/0", "serverAddress": ""]],
        ]
    }

    private var groupList: JSON {
        ["kind": "APIGroupList", "apiVersion": "v1", "groups": .array(groups.map(Self.document))]
    }

    private static func document(of group: (name: String, versions: [String])) -> JSON {
        let versions = group.versions.map { version -> JSON in
            ["groupVersion": .string("\(group.name)/\(version)"), "version": .string(version)]
        }
        return [
            "name": .string(group.name), "versions": .array(versions), "preferredVersion": versions.first ?? [:],
        ]
    }

    private func definitions(_ group: String, _ version: String) -> [ResourceDefinition] {
        if group.isEmpty, version == "v1beta1" {
            return definitions("", "v1").filter { V1Beta1.resources.contains($0.resource) }
        }
        return catalogue.definitions.filter { $0.group == group && $0.version == version }
    }

    private func resources(group: String, version: String) -> JSON {
        var list: [JSON] = []
        for definition in definitions(group, version) {
            var entry: JSON = [
                "name": .string(definition.resource), "singularName": .string(definition.singular),
                "namespaced": .bool(definition.isNamespaced), "kind": .string(definition.kind),
                "verbs": strings(definition.verbs),
            ]
            if !definition.shortNames.isEmpty { entry["shortNames"] = strings(definition.shortNames) }
            if !definition.categories.isEmpty { entry["categories"] = strings(definition.categories) }
            list.append(entry)
            guard version != "v1beta1" else { continue }
            for subresource in definition.subresources {
                var entry: JSON = [
                    "name": .string("\(definition.resource)/\(subresource.name)"), "singularName": "",
                    "namespaced": .bool(definition.isNamespaced), "kind": .string(subresource.kind),
                    "verbs": strings(subresource.verbs),
                ]
                if subresource.group != definition.group || subresource.version != definition.version {
                    entry["group"] = .string(subresource.group)
                    entry["version"] = .string(subresource.version)
                }
                list.append(entry)
            }
        }
        return [
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": .string(group.isEmpty ? version : "\(group)/\(version)"),
            "resources": .array(list),
        ]
    }

    // MARK: - All in one document

    private func aggregated(core: Bool, version: String) -> JSON {
        let groups = core ? [(name: "", versions: ["v1", "v1beta1"])] : groups
        let items = groups.map { group -> JSON in
            var metadata: JSON = ["creationTimestamp": .null]
            if !group.name.isEmpty { metadata["name"] = .string(group.name) }
            let versions = group.versions.map { version -> JSON in
                [
                    "version": .string(version), "freshness": "Current",
                    "resources": .array(definitions(group.name, version).map { Self.aggregated($0, version) }),
                ]
            }
            return ["metadata": metadata, "versions": .array(versions)]
        }
        return [
            "kind": "APIGroupDiscoveryList", "apiVersion": .string("apidiscovery.k8s.io/\(version)"), "metadata": [:],
            "items": .array(items),
        ]
    }

    private static func aggregated(_ definition: ResourceDefinition, _ version: String) -> JSON {
        var entry: JSON = [
            "resource": .string(definition.resource),
            "responseKind": kind(definition.group, version, definition.kind),
            "scope": definition.isNamespaced ? "Namespaced" : "Cluster",
            "singularResource": .string(definition.singular), "verbs": strings(definition.verbs),
        ]
        if !definition.shortNames.isEmpty { entry["shortNames"] = strings(definition.shortNames) }
        if !definition.categories.isEmpty { entry["categories"] = strings(definition.categories) }
        guard version != "v1beta1", !definition.subresources.isEmpty else { return entry }
        entry["subresources"] = .array(
            definition.subresources.map { subresource in
                [
                    "subresource": .string(subresource.name),
                    "responseKind": kind(subresource.group, subresource.version, subresource.kind),
                    "verbs": strings(subresource.verbs),
                ]
            })
        return entry
    }

    private static func kind(_ group: String, _ version: String, _ kind: String) -> JSON {
        ["group": .string(group), "version": .string(version), "kind": .string(kind)]
    }
}

private func strings(_ texts: [String]) -> JSON { .array(texts.map { .string($0) }) }
