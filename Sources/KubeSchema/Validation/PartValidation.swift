import OrderedCollections

/// Rules for writes through subresources that stand for one part of an object.
extension Validation {
    /// Checks containers added to a running pod: those that are there stay as they are.
    package static func ephemeralContainers(new: JSON, old: JSON) -> [FieldError] {
        var checker = ObjectChecker(lenient: false)
        checker.podSpec(new["spec"] ?? [:], at: "spec", isTemplate: false)
        var errors = checker.errors.filter { $0.field.hasPrefix("spec.ephemeralContainers") }
        let wanted = new["spec"]?["ephemeralContainers"]?.array ?? []
        for container in old["spec"]?["ephemeralContainers"]?.array ?? [] {
            let name = container["name"]?.string ?? ""
            guard let same = wanted.first(where: { $0["name"] == container["name"] }) else {
                errors.append(
                    FieldError(
                        .forbidden, "spec.ephemeralContainers",
                        "existing ephemeral containers \(JSON.string(name)) may not be removed\n"))
                continue
            }
            if same != container {
                errors.append(
                    FieldError(
                        .forbidden, "spec.ephemeralContainers",
                        "existing ephemeral containers \(JSON.string(name)) may not be changed\n"))
            }
        }
        for (index, container) in wanted.enumerated() {
            let path = "spec.ephemeralContainers[\(index)]"
            for field in ["ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe"]
            where container[field] != nil {
                errors.append(
                    FieldError(.forbidden, "\(path).\(field)", "cannot be set for an Ephemeral Container"))
            }
            if let resources = container["resources"]?.object, !resources.isEmpty {
                errors.append(
                    FieldError(.forbidden, "\(path).resources", "cannot be set for an Ephemeral Container"))
            }
            if let target = container["targetContainerName"]?.string, !target.isEmpty {
                let names = ["containers", "initContainers"].flatMap { new["spec"]?[$0]?.array ?? [] }
                    .map { $0["name"] }
                if !names.contains(.string(target)) {
                    errors.append(FieldError(.notFound, "\(path).targetContainerName", value: .string(target)))
                }
            }
        }
        return errors
    }

    /// Checks new resources of a running pod's containers: processor time and memory may change.
    package static func resize(new: JSON, old: JSON) -> [FieldError] {
        var checker = ObjectChecker(lenient: false)
        checker.podSpec(new["spec"] ?? [:], at: "spec", isTemplate: false)
        var errors = checker.errors.filter { $0.field.contains("resources") }
        for list in ["containers", "initContainers"] {
            let before = old["spec"]?[list]?.array ?? []
            for (index, container) in (new["spec"]?[list]?.array ?? []).enumerated() where index < before.count {
                for kind in ["limits", "requests"] {
                    var (now, then) = (container["resources"]?[kind] ?? [:], before[index]["resources"]?[kind] ?? [:])
                    for resource in ["cpu", "memory"] {
                        now[resource] = nil
                        then[resource] = nil
                    }
                    if now != then {
                        errors.append(
                            FieldError(
                                .forbidden, "spec", "only cpu and memory resources for \(list) are mutable"))
                    }
                }
            }
        }
        return errors
    }

    /// Checks the decision about a signing request: it is approved or denied, once and for all.
    package static func approval(new: JSON, old: JSON) -> [FieldError] {
        func types(_ object: JSON) -> [String] {
            (object["status"]?["conditions"]?.array ?? []).compactMap { $0["type"]?.string }
        }
        let now = types(new)
        var errors: [FieldError] = []
        if now.contains("Approved"), now.contains("Denied") {
            errors.append(
                FieldError(
                    .invalid, "status.conditions", value: new["status"]?["conditions"],
                    "Approved and Denied conditions are mutually exclusive"))
        }
        for type in types(old) where ["Approved", "Denied", "Failed"].contains(type) && !now.contains(type) {
            errors.append(
                FieldError(
                    .forbidden, "status.conditions", "updates may not remove a condition of type \(JSON.string(type))"))
        }
        for (index, condition) in (new["status"]?["conditions"]?.array ?? []).enumerated() {
            let path = "status.conditions[\(index)]"
            if (condition["type"]?.string ?? "").isEmpty { errors.append(FieldError(.required, "\(path).type")) }
            let status = condition["status"]?.string ?? ""
            if status.isEmpty {
                errors.append(FieldError(.required, "\(path).status"))
            } else if ["Approved", "Denied", "Failed"].contains(condition["type"]?.string ?? ""), status != "True" {
                errors.append(.notSupported("\(path).status", status, ["True"]))
            }
        }
        return errors
    }
}
