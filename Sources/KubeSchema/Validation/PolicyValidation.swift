import OrderedCollections

/// Budgets, roles, autoscalers.
extension ObjectChecker {
    mutating func disruptionBudget(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        if spec["minAvailable"] != nil, spec["maxUnavailable"] != nil {
            invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
        }
        intOrPercent("spec.minAvailable", spec["minAvailable"], limit: 100)
        intOrPercent("spec.maxUnavailable", spec["maxUnavailable"], limit: 100)
        choice(
            "spec.unhealthyPodEvictionPolicy", spec["unhealthyPodEvictionPolicy"], ["AlwaysAllow", "IfHealthyBudget"],
            isRequired: false)
        if let selector = spec["selector"] { labelSelector(selector, at: "spec.selector") }
    }

    mutating func role(_ object: JSON, isNamespaced: Bool) {
        for (index, rule) in (object["rules"]?.array ?? []).enumerated() {
            let path = "rules[\(index)]"
            if (rule["verbs"]?.array ?? []).isEmpty {
                required("\(path).verbs", "verbs must contain at least one value")
            }
            let paths = rule["nonResourceURLs"]?.array ?? []
            let resources = rule["resources"]?.array ?? []
            let groups = rule["apiGroups"]?.array ?? []
            if !paths.isEmpty {
                if isNamespaced {
                    invalid(
                        "\(path).nonResourceURLs", .array(paths),
                        "namespaced rules cannot apply to non-resource URLs")
                }
                if !groups.isEmpty || !resources.isEmpty || !(rule["resourceNames"]?.array ?? []).isEmpty {
                    invalid(
                        "\(path).nonResourceURLs", .array(paths),
                        "rules cannot apply to both regular resources and non-resource URLs")
                }
                continue
            }
            if groups.isEmpty {
                required("\(path).apiGroups", "resource rules must supply at least one api group")
            }
            if resources.isEmpty { required("\(path).resources", "resource rules must supply at least one resource") }
        }
        if let aggregation = object["aggregationRule"] {
            let selectors = aggregation["clusterRoleSelectors"]?.array ?? []
            if selectors.isEmpty {
                required(
                    "aggregationRule.clusterRoleSelectors",
                    "at least one clusterRoleSelector required if aggregationRule is non-nil")
            }
            for (index, selector) in selectors.enumerated() {
                labelSelector(selector, at: "aggregationRule.clusterRoleSelectors[\(index)]")
            }
        }
    }

    mutating func roleBinding(_ object: JSON, isNamespaced: Bool) {
        let group = "rbac.authorization.k8s.io"
        let reference = object["roleRef"] ?? [:]
        choice("roleRef.apiGroup", reference["apiGroup"] ?? .string(group), [group])
        choice("roleRef.kind", reference["kind"] ?? "", isNamespaced ? ["ClusterRole", "Role"] : ["ClusterRole"])
        let role = reference["name"]?.string ?? ""
        if role.isEmpty { required("roleRef.name") } else { invalid("roleRef.name", role, Names.pathSegment(role)) }
        for (index, subject) in (object["subjects"]?.array ?? []).enumerated() {
            let path = "subjects[\(index)]"
            let name = subject["name"]?.string ?? ""
            if name.isEmpty { required("\(path).name") }
            let given = subject["apiGroup"]?.string ?? ""
            switch subject["kind"]?.string ?? "" {
            case "ServiceAccount":
                if !name.isEmpty { invalid("\(path).name", name, Names.dns1123Subdomain(name)) }
                if !given.isEmpty { notSupported("\(path).apiGroup", given, [""]) }
                if !isNamespaced, (subject["namespace"]?.string ?? "").isEmpty { required("\(path).namespace") }
            case "User", "Group":
                if !given.isEmpty, given != group { notSupported("\(path).apiGroup", given, [group]) }
            case let other: notSupported("\(path).kind", other, ["ServiceAccount", "User", "Group"])
            }
        }
    }

    mutating func roleBindingUpdate(_ new: JSON, _ old: JSON) {
        if new["roleRef"] != old["roleRef"] { invalid("roleRef", new["roleRef"], "cannot change roleRef") }
    }

    mutating func autoscaler(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        let least = spec["minReplicas"]?.integer ?? 1
        if least < 1 { invalid("spec.minReplicas", .integer(least), "must be greater than or equal to 1") }
        let most = spec["maxReplicas"]?.integer ?? 0
        if most < 1 {
            invalid("spec.maxReplicas", .integer(most), "must be greater than 0")
        } else if most < least {
            invalid("spec.maxReplicas", .integer(most), "must be greater than or equal to `minReplicas`")
        }
        for field in ["kind", "name"] {
            let text = spec["scaleTargetRef"]?[field]?.string ?? ""
            if text.isEmpty {
                required("spec.scaleTargetRef.\(field)")
            } else {
                invalid("spec.scaleTargetRef.\(field)", text, Names.pathSegment(text))
            }
        }
        let sources = [
            "Object": "object", "Pods": "pods", "Resource": "resource", "ContainerResource": "containerResource",
            "External": "external",
        ]
        for (index, metric) in (spec["metrics"]?.array ?? []).enumerated() {
            let path = "spec.metrics[\(index)]"
            let type = metric["type"]?.string ?? ""
            if type.isEmpty {
                required("\(path).type", "must specify a metric source type")
                continue
            }
            guard let field = sources[type] else {
                notSupported("\(path).type", type, Array(sources.keys))
                continue
            }
            guard let source = metric[field] else {
                required("\(path).\(field)", "must populate information for the given metric source")
                continue
            }
            for other in sources.values.sorted() where other != field && metric[other] != nil {
                forbidden("\(path).\(other)", "must populate the given metric source only")
            }
            metricTarget(source["target"] ?? [:], at: "\(path).\(field).target")
            if field.lowercased().hasSuffix("resource"), (source["name"]?.string ?? "").isEmpty {
                required("\(path).\(field).name", "must specify a resource name")
            }
        }
        for direction in ["scaleUp", "scaleDown"] {
            guard let rules = spec["behavior"]?[direction] else { continue }
            let path = "spec.behavior.\(direction)"
            if let seconds = rules["stabilizationWindowSeconds"]?.integer {
                if seconds < 0 {
                    invalid(
                        "\(path).stabilizationWindowSeconds", .integer(seconds), "must be greater than or equal to zero"
                    )
                } else if seconds > 3600 {
                    invalid(
                        "\(path).stabilizationWindowSeconds", .integer(seconds), "must be less than or equal to 3600")
                }
            }
            choice("\(path).selectPolicy", rules["selectPolicy"], ["Max", "Min", "Disabled"], isRequired: false)
        }
    }

    private mutating func metricTarget(_ target: JSON, at path: String) {
        choice("\(path).type", target["type"], ["Utilization", "Value", "AverageValue"])
        if let percent = target["averageUtilization"]?.integer, percent < 1 {
            invalid("\(path).averageUtilization", .integer(percent), "must be greater than 0")
        }
        for field in ["value", "averageValue"] {
            guard let amount = target[field]?.string, let quantity = ResourceQuantity(amount) else { continue }
            if quantity <= ResourceQuantity(0) { invalid("\(path).\(field)", .string(amount), "must be positive") }
        }
    }
}
