import OrderedCollections

extension ObjectChecker {
    /// All annotations of an object together, keys and values.
    static let annotationBytes = 256 * 1024

    mutating func metadata(_ object: JSON, _ definition: ResourceDefinition) {
        let metadata = object["metadata"] ?? [:]
        let name = metadata["name"]?.string ?? ""
        if let prefix = metadata["generateName"]?.string, !prefix.isEmpty, !lenient {
            // A prefix may end in what a name may not: the suffix follows.
            let body = prefix.hasSuffix("-") || prefix.hasSuffix(".") ? prefix + "a" : prefix
            invalid("metadata.generateName", prefix, Self.nameProblems(body, definition))
        }
        if name.isEmpty {
            required("metadata.name", "name or generateName is required")
        } else {
            let problems = Names.pathSegment(name)
            invalid("metadata.name", name, problems)
            if problems.isEmpty, !lenient { invalid("metadata.name", name, Self.nameProblems(name, definition)) }
        }
        let namespace = metadata["namespace"]?.string ?? ""
        if definition.isNamespaced {
            if namespace.isEmpty {
                required("metadata.namespace")
            } else {
                invalid("metadata.namespace", namespace, Names.dns1123Label(namespace))
            }
        } else if !namespace.isEmpty {
            forbidden("metadata.namespace", "not allowed on this type")
        }
        nonNegative("metadata.generation", metadata["generation"])
        commonMetadata(metadata, at: "metadata")
        ownerReferences(metadata["ownerReferences"]?.array ?? [])
        for (index, finalizer) in (metadata["finalizers"]?.array ?? []).enumerated() {
            let text = finalizer.string ?? ""
            invalid("metadata.finalizers[\(index)]", text, Names.qualifiedName(text))
        }
    }

    /// Labels and annotations, which templates have as well.
    mutating func commonMetadata(_ metadata: JSON, at path: String) {
        if !lenient, let labels = metadata["labels"] { self.labels(labels, at: "\(path).labels") }
        guard case .object(let annotations) = metadata["annotations"] else { return }
        var bytes = 0
        for (key, value) in annotations {
            if !lenient { invalid("\(path).annotations", key, Names.qualifiedName(key.lowercased())) }
            bytes += key.utf8.count + (value.string?.utf8.count ?? 0)
        }
        if bytes > Self.annotationBytes { tooLong("\(path).annotations", bytes: Self.annotationBytes) }
    }

    mutating func labels(_ labels: JSON, at path: String) {
        for (key, value) in labels.object ?? [:] {
            invalid(path, key, Names.qualifiedName(key))
            let text = value.string ?? ""
            invalid(path, text, Names.labelValue(text))
        }
    }

    mutating func metadataUpdate(_ new: JSON, _ old: JSON, _ definition: ResourceDefinition) {
        metadata(new, definition)
        let newMetadata = new["metadata"] ?? [:]
        let oldMetadata = old["metadata"] ?? [:]
        for field in [
            "name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
        ]
        where newMetadata[field] != oldMetadata[field] {
            // The server fills these in itself, so that an absent value is no change.
            if newMetadata[field] != nil { immutable("metadata.\(field)", newMetadata[field]) }
        }
        if let generation = newMetadata["generation"]?.integer, generation < oldMetadata["generation"]?.integer ?? 0 {
            invalid("metadata.generation", .integer(generation), "must not be decremented")
        }
        if oldMetadata["deletionTimestamp"] != nil {
            let known = oldMetadata["finalizers"]?.array ?? []
            let added = (newMetadata["finalizers"]?.array ?? []).filter { !known.contains($0) }
            if !added.isEmpty {
                forbidden(
                    "metadata.finalizers",
                    "no new finalizers can be added if the object is being deleted, found new finalizers \(JSON.array(added))"
                )
            }
        }
    }

    private static func nameProblems(_ name: String, _ definition: ResourceDefinition) -> [String] {
        switch (definition.group, definition.kind) {
        case ("", "Namespace"): Names.dns1123Label(name)
        case ("", "Service"): Names.dns1035Label(name)
        // Names of roles may be paths of their own, such as system:node-proxier.
        case ("rbac.authorization.k8s.io", _): []
        default: Names.dns1123Subdomain(name)
        }
    }

    private mutating func ownerReferences(_ owners: [JSON]) {
        var controllers: [String] = []
        for (index, owner) in owners.enumerated() {
            let path = "metadata.ownerReferences[\(index)]"
            for field in ["apiVersion", "kind", "name", "uid"] where (owner[field]?.string ?? "").isEmpty {
                invalid(
                    "\(path).\(field)", owner[field], "\(field == "apiVersion" ? "version" : field) must not be empty")
            }
            if owner["controller"] == true { controllers.append(owner["kind"]?.string ?? "") }
        }
        if controllers.count > 1 {
            invalid(
                "metadata.ownerReferences", .array(owners),
                "Only one reference can have Controller set to true. Found \"true\" in references for "
                    + "\(controllers[0]) and \(controllers[1])")
        }
    }
}
