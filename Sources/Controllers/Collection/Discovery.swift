import KubeAPI
import KubeSchema

/// The resources that the server serves.
struct Discovery: Sendable {
    struct Resource: Sendable, Hashable {
        var reference: ResourceReference
        var verbs: Set<String>
    }

    private(set) var resources: [Resource] = []

    /// Asks for the core group and for the preferred version of every other one.
    init(_ client: KubeClient) async throws(APIError) {
        var versions = [(group: "", version: "v1", path: "/api/v1")]
        let groups = try await client.transport.send(APIRequest(.get, "/apis"))
        for group in groups["groups"]?.array ?? [] {
            guard let name = group["name"]?.string, let version = group["preferredVersion", "version"]?.string else {
                continue
            }
            versions.append((name, version, "/apis/\(name)/\(version)"))
        }
        for (group, version, path) in versions {
            let list = try await client.transport.send(APIRequest(.get, path))
            for entry in list["resources"]?.array ?? [] {
                guard let name = entry["name"]?.string, !name.contains("/"), let kind = entry["kind"]?.string else {
                    continue
                }
                resources.append(
                    Resource(
                        reference: ResourceReference(
                            group: group, version: version, plural: name, kind: kind,
                            isNamespaced: entry["namespaced"]?.bool ?? true),
                        verbs: Set((entry["verbs"]?.array ?? []).compactMap(\.string))))
            }
        }
    }

    /// What can be listed and deleted object by object.
    var deletable: [ResourceReference] {
        resources.filter { $0.verbs.contains("list") && $0.verbs.contains("delete") }.map(\.reference)
    }

    /// The resource of a kind. Any version of the group will do.
    func resource(apiVersion: String, kind: String) -> ResourceReference? {
        let parts = apiVersion.split(separator: "/")
        let group = parts.count > 1 ? String(parts[0]) : ""
        return resources.first { $0.reference.group == group && $0.reference.kind == kind && $0.verbs.contains("get") }?
            .reference
    }
}
