/// One resource of the API in one version: its names, what may be done to it, and the schema of its objects.
///
/// A class, since requests hand it around much and it never changes.
package final class ResourceDefinition: Sendable {
    /// The API group, empty for the core group.
    package let group: String
    package let version: String
    /// The plural in paths, such as `pods`.
    package let resource: String
    package let singular: String
    package let kind: String
    package let isNamespaced: Bool
    package let shortNames: [String]
    package let categories: [String]
    package let verbs: [String]
    package let subresources: [SubresourceDefinition]
    /// The root of the objects' fields.
    package let message: MessageSchema
    /// The `apiVersion` under which objects are stored, where that is another one than this; see `VersionConversion`.
    package let storedAPIVersion: String?
    /// `v1`, or group and version such as `apps/v1`.
    package let apiVersion: String
    /// The resource as error messages name it: `pods`, or `deployments.apps`.
    package let qualifiedResource: String

    package init(
        group: String, version: String, resource: String, singular: String, kind: String, isNamespaced: Bool,
        shortNames: [String] = [], categories: [String] = [], verbs: [String],
        subresources: [SubresourceDefinition] = [], message: MessageSchema, storedAPIVersion: String? = nil
    ) {
        self.group = group
        self.version = version
        self.resource = resource
        self.singular = singular
        self.kind = kind
        self.isNamespaced = isNamespaced
        self.shortNames = shortNames
        self.categories = categories
        self.verbs = verbs
        self.subresources = subresources
        self.message = message
        self.storedAPIVersion = storedAPIVersion
        apiVersion = group.isEmpty ? version : "\(group)/\(version)"
        qualifiedResource = group.isEmpty ? resource : "\(resource).\(group)"
    }

    package func subresource(_ name: String) -> SubresourceDefinition? { subresources.first { $0.name == name } }

    /// Whether objects are kept, rather than answered and forgotten as reviews are.
    package var isStored: Bool { verbs.contains("get") }
}

/// A path below an object, such as `pods/x/log`.
package struct SubresourceDefinition: Sendable {
    package let name: String
    /// The kind of the documents that it takes and answers, which may belong to another group.
    package let kind: String
    package let group: String
    package let version: String
    package let verbs: [String]
    /// The schema of that kind; `nil` where the path carries no document (a log, a stream).
    package let message: MessageSchema?

    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }
}
