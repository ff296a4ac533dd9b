import OrderedCollections

/// The API of Kubernetes v0.8 to v0.10, `v1beta1`: flat objects that are read and written as the `v1` form that is
/// stored.
///
/// - Reading forgives what manifests of the time got wrong and says so in warnings: a misplaced pod template, strings
///   for numbers, missing kinds, older spellings, unknown fields.
/// - A PUT merges over the stored object: what `v1beta1` cannot express is kept, what it can express is replaced.
/// - Answers are flat objects on the paths of 2015 (`/api/v1beta1/pods?namespace=x`, `/api/v1beta1/ns/x/pods`); on the
///   path form that today's clients use (`/api/v1beta1/namespaces/x/pods`) the same object carries a `metadata` beside
///   the flat fields, without which those clients don't find its name.
package enum V1Beta1 {
    /// The plural resource names of `v1` that have a `v1beta1` form.
    package static let resources: Set<String> = [
        "pods", "replicationcontrollers", "services", "endpoints", "nodes", "events", "bindings", "namespaces",
    ]

    /// Names of the query parameters for label selectors: both spellings are taken under both versions.
    package static let labelSelectorParameters = ["labelSelector", "labels"]
    /// Names of the query parameters for field selectors.
    package static let fieldSelectorParameters = ["fieldSelector", "fields"]

    /// On a service whose `containerPort` was left out, with the value `first`: its target is the first container port
    /// of each pod, where `v1` would take the service's own port.
    package static let containerPortAnnotation = "v1beta1.fjord/container-port"
    /// On a service whose `selector` was `{}`, with the value `all`: it selects every pod of its namespace, where an
    /// empty selector selects none in `v1`.
    package static let selectorAnnotation = "v1beta1.fjord/selector"
    /// Port names longer than `v1` allows, as `short=original`, separated by commas.
    package static let portNamesAnnotation = "v1beta1.fjord/port-names"

    /// The `v1` resource that a path segment under `/api/v1beta1` names: `replicationControllers`, `minions`, …
    package static func resource(segment: String) -> String? {
        let name = segment.lowercased()
        if name == "minions" { return "nodes" }
        return resources.contains(name) ? name : nil
    }

    /// The path segment that a `v1` resource has under `/api/v1beta1`.
    package static func segment(resource: String) -> String {
        resource == "replicationcontrollers" ? "replicationControllers" : resource
    }

    /// The kind of one object as this version calls it; `minions` answers as `Minion`, `nodes` as `Node`.
    package static func kind(resource: String) -> String? {
        switch resource {
        case "pods": "Pod"
        case "replicationcontrollers", "replicationControllers": "ReplicationController"
        case "services": "Service"
        case "endpoints": "Endpoints"
        case "minions": "Minion"
        case "nodes": "Node"
        case "events": "Event"
        case "bindings": "Binding"
        case "namespaces": "Namespace"
        default: nil
        }
    }
}

/// Why a body cannot be read as `v1beta1`.
package enum ConversionError: Error, Equatable, CustomStringConvertible {
    /// The body is not an object of this version and kind at all: 400.
    case malformed(String)
    /// One field has a value that nothing can be made of: 422.
    case invalid(field: String, detail: String)

    package var description: String {
        switch self {
        case .malformed(let detail): detail
        case .invalid(let field, let detail): "\(field): \(detail)"
        }
    }
}

extension V1Beta1 {
    /// Converts the body of a POST or, with `stored`, of a PUT into the `v1` object to create or store.
    ///
    /// A POST's `currentState` is ignored, as it was. A PUT keeps of `stored` all that this version cannot express, its
    /// status and the node it is bound to; `resourceVersion` is the body's, and absent when the body has none
    /// (an unconditional write).
    ///
    /// - Parameters:
    ///   - object: The body; `kind` and `apiVersion` may be absent.
    ///   - resource: The resource of the path: `pods`, `minions`, `replicationControllers`, …
    ///   - stored: The stored `v1` object that a PUT replaces.
    /// - Returns: The `v1` object and a line for each value that had to be repaired or was ignored.
    /// - Throws: `ConversionError` if the body is of another kind or version, or contradicts itself.
    package static func toV1(
        _ object: JSON, resource: String, mergingOver stored: JSON?
    ) throws(ConversionError) -> (object: JSON, warnings: [String]) {
        var repairs = Repairs()
        var new = try convert(object, resource: resource, repairs: &repairs)
        let name = Self.resource(segment: resource)
        guard let stored else {
            if name == "pods" {
                new["status"] = .none
                new["spec", "nodeName"] = .none
            } else if name == "replicationcontrollers" || name == "services" {
                new["status"] = .none
            }
            return (new, repairs.warnings)
        }
        var ignored = Repairs()
        let seen = fromV1(stored, resource: resource, selfLink: nil)
        let base = try convert(seen, resource: resource, repairs: &ignored)
        var merged = ThreeWayMerge.merge(stored: stored, base: base, new: new)
        if name != "nodes" { merged["status"] = stored["status"] }
        if name == "pods" { merged["spec", "nodeName"] = stored["spec", "nodeName"] }
        for key in ["name", "namespace", "uid", "creationTimestamp"] {
            merged["metadata", key] = new["metadata", key] ?? stored["metadata", key]
        }
        merged["metadata", "resourceVersion"] = new["metadata", "resourceVersion"]
        return (merged, repairs.warnings)
    }

    /// Converts an object of this version faithfully, its observed state included.
    static func convert(
        _ object: JSON, resource: String, repairs: inout Repairs
    ) throws(ConversionError) -> JSON {
        guard case .object = object else {
            throw .malformed("expected a JSON object, found \(object.typeName)")
        }
        guard let name = self.resource(segment: resource), let kind = kind(resource: name) else {
            throw .malformed("the resource \(resource) has no v1beta1 form: use /api/v1")
        }
        try check(object, resource: name, kind: kind)
        return switch name {
        case "pods": try podToV1(object, &repairs)
        case "replicationcontrollers": try controllerToV1(object, &repairs)
        case "services": try serviceToV1(object, &repairs)
        case "endpoints": try endpointsToV1(object, &repairs)
        case "nodes": nodeToV1(object, &repairs)
        case "events": eventToV1(object, &repairs)
        case "bindings": bindingToV1(object, &repairs)
        default: namespaceToV1(object, &repairs)
        }
    }

    private static func check(_ object: JSON, resource: String, kind: String) throws(ConversionError) {
        if let found = object.text("kind"), found != kind, !(resource == "nodes" && found == "Minion") {
            throw .malformed(
                "the body's kind is \(found), but this path takes \(resource == "nodes" ? "Minion" : kind)")
        }
        if let version = object.text("apiVersion"), version != "v1beta1", version != "v1beta2" {
            throw .malformed("the body's apiVersion is \(version), but this path takes v1beta1")
        }
    }

    /// Converts a stored `v1` object, a list of them, or a `Status`, into this version.
    ///
    /// - Parameters:
    ///   - object: What `v1` would answer.
    ///   - resource: The resource of the request's path: `minions` gives kind `Minion`, `nodes` gives `Node`.
    ///   - selfLink: The path of the object or list.
    ///   - metadata: Adds a `metadata` with what today's clients look for; for their path form only.
    package static func fromV1(
        _ object: JSON, resource: String, selfLink: String?, metadata: Bool = false
    ) -> JSON {
        let kind = object.text("kind") ?? ""
        if kind == "Status" { return statusFromV1(object) }
        if kind.hasSuffix("List"), object.member("items") != nil || self.kind(resource: resource) != kind {
            return listFromV1(object, resource: resource, selfLink: selfLink, metadata: metadata)
        }
        let link = selfLink ?? object["metadata", "selfLink"]?.string
        var flat =
            switch self.resource(segment: resource) {
            case "pods": podFromV1(object)
            case "replicationcontrollers": controllerFromV1(object)
            case "services": serviceFromV1(object)
            case "endpoints": endpointsFromV1(object)
            case "nodes": nodeFromV1(object, kind: resource == "minions" ? "Minion" : "Node")
            case "events": eventFromV1(object)
            case "namespaces": namespaceFromV1(object)
            default: object
            }
        if let link { flat["selfLink"] = .string(link) }
        if metadata, let stored = object.member("metadata") {
            var part: JSONObject = [:]
            for key in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
                part[key] = stored.member(key)
            }
            flat["metadata"] = .object(part)
        }
        return flat
    }

    private static func listFromV1(_ list: JSON, resource: String, selfLink: String?, metadata: Bool) -> JSON {
        let kind = "\(kind(resource: resource) ?? "")List"
        let items = (list.member("items")?.array ?? []).map {
            fromV1($0, resource: resource, selfLink: nil, metadata: metadata)
        }
        var result = common(metadata: list.member("metadata") ?? [:], kind: kind)
        result["selfLink"] = selfLink.map { .string($0) }
        result["items"] = .array(items)
        if kind == "MinionList" { result["minions"] = .array(items) }
        if metadata { result["metadata"] = list.member("metadata") ?? [:] }
        return .object(result)
    }

    /// The objects of a list of this version: `items`, or a minion list's `minions` when that is empty.
    package static func items(of list: JSON) -> [JSON] {
        let items = list.member("items")?.array ?? []
        return items.isEmpty ? list.member("minions")?.array ?? [] : items
    }

    /// One event of a watch, its object (or the `Status` of an `ERROR`) in this version.
    package static func watchEvent(type: String, object: JSON, resource: String, metadata: Bool = false) -> JSON {
        ["type": .string(type), "object": fromV1(object, resource: resource, selfLink: nil, metadata: metadata)]
    }

    /// Rewrites a field selector of this version into `v1`'s names and values: `DesiredState.Host=` becomes
    /// `spec.nodeName=`. Names that `v1` has too, and unknown ones, stay.
    package static func fieldSelector(_ selector: String, resource: String) -> String {
        let terms = selector.split(separator: ",").map { term in
            guard let start = term.firstIndex(where: { $0 == "=" || $0 == "!" }) else { return String(term) }
            let name = String(term[..<start])
            let rest = term[start...]
            let sign = rest.prefix { $0 == "=" || $0 == "!" }
            let value = String(rest[sign.endIndex...])
            switch (name.lowercased(), self.resource(segment: resource)) {
            case ("id", _), ("name", _): return "metadata.name\(sign)\(value)"
            case ("namespace", _): return "metadata.namespace\(sign)\(value)"
            case ("desiredstate.host", "pods"), ("currentstate.host", "pods"), ("status.host", "pods"):
                return "spec.nodeName\(sign)\(value)"
            case ("desiredstate.status", "pods"), ("currentstate.status", "pods"), ("status.phase", "pods"):
                return "status.phase\(sign)\(phase(status: value))"
            default: return String(term)
            }
        }
        return terms.joined(separator: ",")
    }
}
