import KubeSchema

/// The resource, or part of one, that a path below `/api` or `/apis` names.
struct RequestTarget: Sendable {
    /// Whether bodies and answers are `v1beta1`, and of which path form.
    enum Edge: Sendable, Equatable {
        case none
        /// `resource` is the segment of the path (`minions`); `modern` is today's `/namespaces/<ns>/…` form, whose
        /// answers carry a `metadata`.
        case v1beta1(resource: String, modern: Bool)
    }

    /// The resource in the form in which it is stored.
    var definition: ResourceDefinition
    /// The resource in the version that the path names, which bodies and answers are of (`v1beta1` aside).
    var served: ResourceDefinition
    /// `nil` for cluster-wide resources and for all namespaces.
    var namespace: String?
    var name: String?
    var subresource: String?
    /// What stands behind the subresource, as in `nodes/x/proxy/stats/summary`.
    var rest: [String]
    /// Whether the path itself asks for a watch, in the form of 2015.
    var isWatchPath: Bool
    var edge: Edge

    /// Reads a path that has been split at its slashes and decoded; `nil` when no served resource has it.
    init?(_ segments: [String], query: QueryItems, catalogue: ResourceCatalogue) {
        var rest = segments[...]
        var group = ""
        guard let root = rest.popFirst(), root == "api" || root == "apis" else { return nil }
        if root == "apis" {
            guard let name = rest.popFirst() else { return nil }
            group = name
        }
        guard let version = rest.popFirst() else { return nil }
        let isWatchPath = rest.first == "watch"
        if isWatchPath { rest.removeFirst() }
        if group.isEmpty, version == "v1beta1" {
            guard let historic = Self.historic(rest, query: query, catalogue: catalogue, isWatchPath: isWatchPath)
            else {
                return nil
            }
            self = historic
            return
        }
        var namespace: String?
        // /namespaces/x alone, and its own subresources, are the namespace itself.
        if rest.first == "namespaces", rest.count >= 3, !["status", "finalize"].contains(rest[rest.startIndex + 2]) {
            namespace = rest[rest.startIndex + 1]
            rest = rest.dropFirst(2)
        }
        guard let resource = rest.popFirst(),
            let definition = catalogue.resource(group: group, version: version, resource: resource),
            namespace == nil || definition.isNamespaced
        else { return nil }
        let name = rest.popFirst()
        let subresource = rest.popFirst()
        self.init(
            definition: catalogue.stored(definition), namespace: namespace, name: name, subresource: subresource,
            rest: Array(rest), isWatchPath: isWatchPath)
        served = definition
    }

    private init(
        definition: ResourceDefinition, namespace: String?, name: String?, subresource: String?, rest: [String],
        isWatchPath: Bool, edge: Edge = .none
    ) {
        self.definition = definition
        served = definition
        self.namespace = namespace
        self.name = name
        self.subresource = subresource
        self.rest = rest
        self.isWatchPath = isWatchPath
        self.edge = edge
    }

    private static func historic(
        _ segments: ArraySlice<String>, query: QueryItems, catalogue: ResourceCatalogue, isWatchPath: Bool
    ) -> RequestTarget? {
        var rest = segments
        var namespace = query["namespace"]
        var modern = false
        if rest.first == "ns" || (rest.first == "namespaces" && rest.count >= 3), rest.count >= 2 {
            modern = rest.first == "namespaces"
            namespace = rest[rest.startIndex + 1]
            rest = rest.dropFirst(2)
        }
        guard let segment = rest.popFirst(), let resource = V1Beta1.resource(segment: segment),
            let definition = catalogue.resource(group: "", version: "v1", resource: resource)
        else { return nil }
        var name = rest.popFirst()
        let subresource = rest.popFirst()
        if isWatchPath, name != nil {
            name = nil  // the watch of one object was a watch of its namespace's collection
            namespace = namespace ?? "default"
        }
        // One object without a namespace is in `default`; a list without one is of all namespaces.
        let settled = definition.isNamespaced ? namespace ?? (name == nil ? nil : "default") : nil
        return RequestTarget(
            definition: definition, namespace: settled, name: name, subresource: subresource, rest: Array(rest),
            isWatchPath: isWatchPath, edge: .v1beta1(resource: segment, modern: modern))
    }
}
