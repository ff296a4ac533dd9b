import OrderedCollections

/// Volumes and claims, classes, quotas, signing requests: the kinds of which little has to be said.
extension ObjectChecker {
    private static let accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]

    mutating func claim(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        accessModes(spec, at: "spec")
        if let selector = spec["selector"] { labelSelector(selector, at: "spec.selector") }
        amount(spec["resources"]?["requests"]?["storage"], at: "spec.resources[storage]")
        if let name = spec["storageClassName"]?.string, !name.isEmpty {
            invalid("spec.storageClassName", name, Names.dns1123Subdomain(name))
        }
        choice("spec.volumeMode", spec["volumeMode"], ["Block", "Filesystem"], isRequired: false)
    }

    mutating func claimUpdate(_ new: JSON, _ old: JSON) {
        var kept = new["spec"] ?? [:]
        let before = old["spec"] ?? [:]
        // The binder names the volume once.
        if before["volumeName"] == nil { kept["volumeName"] = nil }
        if before["storageClassName"] == nil { kept["storageClassName"] = nil }
        kept["volumeAttributesClassName"] = before["volumeAttributesClassName"]
        let isBound = old["status"]?["phase"] == "Bound"
        if isBound, let amount = before["resources"]?["requests"]?["storage"] {
            if let wanted = kept["resources"]?["requests"]?["storage"]?.string.flatMap(ResourceQuantity.init),
                let had = amount.string.flatMap(ResourceQuantity.init), wanted < had
            {
                forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
            }
            kept["resources", "requests", "storage"] = amount
        }
        if kept != before {
            forbidden(
                "spec",
                "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
            )
        }
    }

    mutating func volume(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        accessModes(spec, at: "spec")
        let capacity = spec["capacity"]?.object ?? [:]
        if capacity.isEmpty {
            required("spec.capacity")
        } else if capacity["storage"] == nil || capacity.count > 1 {
            notSupported("spec.capacity", capacity.keys.first ?? "", ["storage"])
        } else {
            amount(capacity["storage"], at: "spec.capacity[storage]")
        }
        choice(
            "spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"],
            ["Delete", "Recycle", "Retain"],
            isRequired: false)
        choice("spec.volumeMode", spec["volumeMode"], ["Block", "Filesystem"], isRequired: false)
        let common: Set<String> = [
            "capacity", "accessModes", "claimRef", "persistentVolumeReclaimPolicy", "storageClassName", "mountOptions",
            "volumeMode", "nodeAffinity", "volumeAttributesClassName",
        ]
        let sources = (spec.object ?? [:]).keys.filter { !common.contains($0) }
        if sources.isEmpty { required("spec", "must specify a volume type") }
        for source in sources.dropFirst() {
            forbidden("spec.\(source)", "may not specify more than 1 volume type")
        }
        if spec["local"] != nil, spec["nodeAffinity"]?["required"] == nil {
            required("spec.nodeAffinity", "Local volume requires node affinity")
        }
    }

    private mutating func accessModes(_ spec: JSON, at path: String) {
        let modes = spec["accessModes"]?.array ?? []
        if modes.isEmpty { required("\(path).accessModes", "at least 1 access mode is required") }
        for (index, mode) in modes.enumerated() {
            choice("\(path).accessModes[\(index)]", mode, Self.accessModes)
        }
        if modes.contains("ReadWriteOncePod"), modes.count > 1 {
            forbidden("\(path).accessModes", "may not use ReadWriteOncePod with other access modes")
        }
    }

    private mutating func amount(_ value: JSON?, at path: String) {
        guard let text = value?.string, let quantity = ResourceQuantity(text) else { return required(path) }
        if quantity <= ResourceQuantity(0) { invalid(path, value, "must be greater than zero") }
    }

    mutating func storageClass(_ object: JSON) {
        let provisioner = object["provisioner"]?.string ?? ""
        if provisioner.isEmpty {
            required("provisioner")
        } else {
            invalid("provisioner", provisioner, Names.qualifiedName(provisioner.lowercased()))
        }
        choice("reclaimPolicy", object["reclaimPolicy"], ["Delete", "Retain"], isRequired: false)
        choice("volumeBindingMode", object["volumeBindingMode"], ["Immediate", "WaitForFirstConsumer"])
    }

    mutating func storageClassUpdate(_ new: JSON, _ old: JSON) {
        for field in ["parameters", "provisioner", "reclaimPolicy"] where new[field] != old[field] {
            forbidden(field, "updates to \(field) are forbidden.")
        }
        if new["volumeBindingMode"] != old["volumeBindingMode"] {
            immutable("volumeBindingMode", new["volumeBindingMode"])
        }
    }

    mutating func priorityClass(_ object: JSON) {
        let highest: Int64 = 1_000_000_000
        let name = object["metadata"]?["name"]?.string ?? ""
        if name.hasPrefix("system-"), !["system-node-critical", "system-cluster-critical"].contains(name) {
            forbidden(
                "metadata.name", "priority class names with 'system-' prefix are reserved for system use only")
        } else if !name.hasPrefix("system-"), let value = object["value"]?.integer, value > highest {
            forbidden("value", "maximum allowed value of a user defined priority is \(highest)")
        }
        choice(
            "preemptionPolicy", object["preemptionPolicy"], ["Never", "PreemptLowerPriority"], isRequired: false)
    }

    mutating func priorityClassUpdate(_ new: JSON, _ old: JSON) {
        if new["value"] != old["value"] { forbidden("value", "may not be changed in an update.") }
        if new["preemptionPolicy"] != old["preemptionPolicy"] {
            forbidden("preemptionPolicy", "may not be changed in an update.")
        }
    }

    mutating func resourceQuota(_ object: JSON) {
        for (name, amount) in object["spec"]?["hard"]?.object ?? [:] {
            invalid("spec.hard[\(name)]", name, Names.qualifiedName(name))
            if let quantity = amount.string.flatMap(ResourceQuantity.init), quantity < ResourceQuantity(0) {
                invalid("spec.hard[\(name)]", amount, "must be greater than or equal to 0")
            }
        }
    }

    mutating func limitRange(_ object: JSON) {
        var types: Set<String> = []
        for (index, limit) in (object["spec"]?["limits"]?.array ?? []).enumerated() {
            let path = "spec.limits[\(index)]"
            let type = limit["type"]?.string ?? ""
            if type.isEmpty { required("\(path).type") }
            if !types.insert(type).inserted { duplicate("\(path).type", .string(type)) }
            for (name, least) in limit["min"]?.object ?? [:] {
                guard let low = least.string.flatMap(ResourceQuantity.init), let most = limit["max"]?[name]?.string,
                    let high = ResourceQuantity(most), low > high
                else { continue }
                invalid(
                    "\(path).min[\(name)]", least, "min value \(least.string ?? "") is greater than max value \(most)")
            }
        }
    }

    mutating func signingRequest(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        if (spec["request"]?.string ?? "").isEmpty { required("spec.request", "") }
        if (spec["usages"]?.array ?? []).isEmpty { required("spec.usages") }
        let signer = spec["signerName"]?.string ?? ""
        if signer.isEmpty {
            required("spec.signerName")
        } else if !signer.contains("/") {
            invalid(
                "spec.signerName", .string(signer),
                "must be a fully qualified domain and path of the form 'example.com/signer-name'")
        }
        if let seconds = spec["expirationSeconds"]?.integer, seconds < 600 {
            invalid(
                "spec.expirationSeconds", .integer(seconds),
                "may not specify a duration less than 600 seconds (10 minutes)")
        }
    }
}
