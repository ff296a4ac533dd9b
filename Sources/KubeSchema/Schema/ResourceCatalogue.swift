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
    package static let builtin: ResourceCatalogue = {
        var reader = ResourceFactsReader(.builtin)
        return ResourceCatalogue(reader.definitions(ResourceFacts.all))
    }()

    /// The definition of the form in which objects of `definition` are stored: itself, unless it names another one.
    package func stored(_ definition: ResourceDefinition) -> ResourceDefinition {
        guard let version = definition.storedAPIVersion else { return definition }
        return resource(apiVersion: version, kind: definition.kind) ?? definition
    }
}
