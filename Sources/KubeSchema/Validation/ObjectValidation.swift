import OrderedCollections

extension ObjectChecker {
    /// What the data of a ConfigMap or Secret may amount to.
    static let dataBytes = 1024 * 1024

    mutating func replicationController(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        nonNegative("spec.replicas", spec["replicas"])
        nonNegative("spec.minReadySeconds", spec["minReadySeconds"])
        let selector = spec["selector"]?.stringMap ?? [:]
        if selector.isEmpty { required("spec.selector") }
        guard let template = spec["template"] else { return required("spec.template") }
        let labels = template["metadata"]?["labels"]?.stringMap ?? [:]
        if !selector.isEmpty, !LabelSelector(matchLabels: selector).matches(labels) {
            invalid(
                "spec.template.metadata.labels", template["metadata"]?["labels"] ?? .object([:]),
                "`selector` does not match template `labels`")
        }
        commonMetadata(template["metadata"] ?? [:], at: "spec.template.metadata")
        podSpec(template["spec"] ?? [:], at: "spec.template.spec", isTemplate: true)
    }

    mutating func configMap(_ object: JSON) {
        var bytes = 0
        for field in ["data", "binaryData"] {
            for (key, value) in object[field]?.object ?? [:] {
                invalid("\(field)[\(key)]", key, Names.configMapKey(key))
                if field == "data", object["binaryData"]?[key] != nil {
                    invalid("data[\(key)]", .string(key), "duplicate of key present in binaryData")
                }
                bytes += value.string?.utf8.count ?? 0
            }
        }
        if bytes > Self.dataBytes { tooLong("", bytes: Self.dataBytes) }
    }

    mutating func secret(_ object: JSON) {
        var bytes = 0
        for (key, value) in object["data"]?.object ?? [:] {
            invalid("data[\(key)]", key, Names.configMapKey(key))
            bytes += (value.string?.utf8.count ?? 0) / 4 * 3
        }
        if bytes > Self.dataBytes { tooLong("data", bytes: Self.dataBytes) }
        let keys: [String]
        switch object["type"]?.string {
        case "kubernetes.io/dockerconfigjson": keys = [".dockerconfigjson"]
        case "kubernetes.io/dockercfg": keys = [".dockercfg"]
        case "kubernetes.io/ssh-auth": keys = ["ssh-privatekey"]
        case "kubernetes.io/tls": keys = ["tls.crt", "tls.key"]
        case "kubernetes.io/service-account-token":
            keys = []
            if (object["metadata"]?["annotations"]?["kubernetes.io/service-account.name"]?.string ?? "").isEmpty {
                required("metadata.annotations[kubernetes.io/service-account.name]")
            }
        default: keys = []
        }
        for key in keys where object["data"]?[key] == nil { required("data[\(key)]") }
    }

    /// Data marked immutable stays, and so does the mark.
    mutating func dataImmutability(_ new: JSON, _ old: JSON, _ fields: [String]) {
        guard old["immutable"] == true else { return }
        if new["immutable"] != true { forbidden("immutable", "field is immutable when `immutable` is set") }
        for field in fields where new[field] != old[field] {
            forbidden(field, "field is immutable when `immutable` is set")
        }
    }

    mutating func node(_ object: JSON) {
        var taints: Set<String> = []
        for (index, taint) in (object["spec"]?["taints"]?.array ?? []).enumerated() {
            let path = "spec.taints[\(index)]"
            let key = taint["key"]?.string ?? ""
            if key.isEmpty { required("\(path).key") } else { invalid("\(path).key", key, Names.qualifiedName(key)) }
            let value = taint["value"]?.string ?? ""
            invalid("\(path).value", value, Names.labelValue(value))
            choice("\(path).effect", taint["effect"], ["NoSchedule", "PreferNoSchedule", "NoExecute"])
            if !taints.insert("\(key):\(taint["effect"]?.string ?? "")").inserted { duplicate(path, taint) }
        }
        for list in ["capacity", "allocatable"] {
            for (name, amount) in object["status"]?[list]?.object ?? [:] {
                if let quantity = amount.string.flatMap(ResourceQuantity.init), quantity < ResourceQuantity(0) {
                    invalid("status.\(list)[\(name)]", amount, "must be greater than or equal to 0")
                }
            }
        }
    }

    mutating func nodeUpdate(_ new: JSON, _ old: JSON) {
        if let range = old["spec"]?["podCIDR"], range != "", new["spec"]?["podCIDR"] != range {
            forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid")
        }
        if let provider = old["spec"]?["providerID"], provider != "", new["spec"]?["providerID"] != provider {
            forbidden("spec.providerID", "node updates may not change providerID except from \"\" to valid")
        }
    }

    mutating func event(_ object: JSON) {
        let involved = object["involvedObject"]?["namespace"]?.string ?? ""
        let namespace = object["metadata"]?["namespace"]?.string ?? ""
        // Events about objects without a namespace live in `default`.
        if involved.isEmpty ? namespace != "default" && namespace != "kube-system" : involved != namespace {
            invalid("involvedObject.namespace", .string(involved), "does not match event.namespace")
        }
    }

    mutating func binding(_ object: JSON) {
        let kind = object["target"]?["kind"]?.string ?? ""
        if !kind.isEmpty, kind != "Node" { notSupported("target.kind", kind, ["Node", "<empty>"]) }
        if (object["target"]?["name"]?.string ?? "").isEmpty { required("target.name") }
    }

    mutating func lease(_ object: JSON) {
        if let seconds = object["spec"]?["leaseDurationSeconds"]?.integer, seconds <= 0 {
            invalid("spec.leaseDurationSeconds", .integer(seconds), "must be greater than 0")
        }
        nonNegative("spec.leaseTransitions", object["spec"]?["leaseTransitions"])
    }
}
