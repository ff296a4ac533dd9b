import OrderedCollections

/// The block of fields that every object of `v1beta1` begins with, and `v1`'s `metadata`.
extension V1Beta1 {
    static let commonNames: Set<String> = [
        "kind", "apiVersion", "id", "uid", "creationTimestamp", "selfLink", "resourceVersion", "namespace",
        "annotations", "generateName", "labels", "metadata",
    ]

    /// The `metadata` of a flat object. A `metadata` beside the flat fields gives what those leave out.
    static func metadataToV1(_ flat: JSON, _ repairs: inout Repairs) -> JSONObject {
        var result: JSONObject = [:]
        let beside = flat.member("metadata")
        let name = flat.member("id") ?? beside?.member("name")
        result["name"] = repairs.string(name.flatMap(nonEmpty), at: "id")
        for key in ["generateName", "namespace", "uid", "creationTimestamp"] {
            result[key] = (flat.member(key) ?? beside?.member(key)).flatMap(nonEmpty)
        }
        switch flat.member("resourceVersion") ?? beside?.member("resourceVersion") {
        case .integer(let version)?: if version != 0 { result["resourceVersion"] = .string("\(version)") }
        case .string(let version)?: if version != "", version != "0" { result["resourceVersion"] = .string(version) }
        case let other?: result["resourceVersion"] = other
        case nil: break
        }
        result["labels"] = repairs.strings(flat.member("labels") ?? beside?.member("labels"), at: "labels")
        var annotations = beside?.member("annotations")?.object ?? [:]
        switch repairs.strings(flat.member("annotations"), at: "annotations") {
        case .object(let own)?: annotations.merge(own) { $1 }
        case let other?:
            result["annotations"] = other
            return result
        case nil: break
        }
        if !annotations.isEmpty { result["annotations"] = .object(annotations) }
        return result
    }

    private static func nonEmpty(_ value: JSON) -> JSON? {
        if case .string("") = value { nil } else { value }
    }

    /// The common block of an object or list with this `v1` metadata. `creationTimestamp` is always there.
    static func common(metadata: JSON, kind: String, withLabels: Bool = false) -> JSONObject {
        var result: JSONObject = ["kind": .string(kind)]
        result["id"] = metadata.member("name")
        result["uid"] = metadata.member("uid")
        result["creationTimestamp"] = metadata["creationTimestamp"] ?? .null
        result["selfLink"] = metadata.member("selfLink")
        if let text = metadata.text("resourceVersion") {
            result["resourceVersion"] = Int64(text).map { .integer($0) } ?? .string(text)
        }
        result["apiVersion"] = "v1beta1"
        result["namespace"] = metadata.member("namespace")
        result["generateName"] = metadata.member("generateName")
        var annotations = metadata.member("annotations")?.object ?? [:]
        for own in [containerPortAnnotation, selectorAnnotation, portNamesAnnotation] { annotations[own] = .none }
        if !annotations.isEmpty { result["annotations"] = .object(annotations) }
        if withLabels { result["labels"] = metadata.filled("labels") }
        return result
    }

    static func annotate(_ metadata: inout JSONObject, _ name: String, _ value: String) {
        var annotations = metadata["annotations"]?.object ?? [:]
        annotations[name] = .string(value)
        metadata["annotations"] = .object(annotations)
    }
}
