import OrderedCollections

/// The kinds of apps/v1: a selector that stays, a template that it matches, and how a new template takes over.
extension ObjectChecker {
    mutating func deployment(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        counts(spec, at: "spec", ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"])
        selectorAndTemplate(spec, owner: "deployment", kind: "Deployment")
        let strategy = spec["strategy"] ?? [:]
        choice("spec.strategy.type", strategy["type"], ["Recreate", "RollingUpdate"])
        if strategy["type"] == "Recreate", strategy["rollingUpdate"] != nil {
            forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
        }
        if strategy["type"] == "RollingUpdate" {
            rollingUpdate(
                strategy["rollingUpdate"] ?? [:], at: "spec.strategy.rollingUpdate",
                bothZero: "may not be 0 when `maxSurge` is 0")
        }
        if let deadline = spec["progressDeadlineSeconds"]?.integer,
            deadline <= spec["minReadySeconds"]?.integer ?? 0
        {
            invalid("spec.progressDeadlineSeconds", .integer(deadline), "must be greater than minReadySeconds")
        }
    }

    mutating func replicaSet(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        counts(spec, at: "spec", ["replicas", "minReadySeconds"])
        selectorAndTemplate(spec, owner: "deployment", kind: "ReplicaSet")
    }

    mutating func daemonSet(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        counts(spec, at: "spec", ["minReadySeconds", "revisionHistoryLimit"])
        selectorAndTemplate(spec, owner: "daemonset", kind: "DaemonSet")
        let strategy = spec["updateStrategy"] ?? [:]
        choice("spec.updateStrategy.type", strategy["type"], ["OnDelete", "RollingUpdate"])
        if strategy["type"] == "RollingUpdate" {
            rollingUpdate(
                strategy["rollingUpdate"] ?? [:], at: "spec.updateStrategy.rollingUpdate",
                bothZero: "cannot be 0 when maxSurge is 0")
        }
    }

    mutating func statefulSet(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        counts(spec, at: "spec", ["replicas", "minReadySeconds", "revisionHistoryLimit"])
        choice("spec.podManagementPolicy", spec["podManagementPolicy"], ["OrderedReady", "Parallel"])
        let strategy = spec["updateStrategy"] ?? [:]
        choice("spec.updateStrategy.type", strategy["type"], ["OnDelete", "RollingUpdate"])
        if strategy["type"] == "OnDelete", strategy["rollingUpdate"] != nil {
            invalid(
                "spec.updateStrategy.rollingUpdate", strategy["rollingUpdate"],
                "only allowed for updateStrategy 'RollingUpdate'")
        }
        nonNegative("spec.updateStrategy.rollingUpdate.partition", strategy["rollingUpdate"]?["partition"])
        nonNegative("spec.ordinals.start", spec["ordinals"]?["start"])
        if let policy = spec["persistentVolumeClaimRetentionPolicy"] {
            for field in ["whenDeleted", "whenScaled"] {
                choice("spec.persistentVolumeClaimRetentionPolicy.\(field)", policy[field], ["Retain", "Delete"])
            }
        }
        selectorAndTemplate(spec, owner: "statefulset", kind: "StatefulSet")
    }

    mutating func statefulSetUpdate(_ new: JSON, _ old: JSON) {
        let mutable = [
            "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
        ]
        var kept = new["spec"] ?? [:]
        for field in mutable { kept[field] = old["spec"]?[field] }
        if kept != old["spec"] ?? [:] {
            forbidden(
                "spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
                    + "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
            )
        }
    }

    mutating func selectorUpdate(_ new: JSON, _ old: JSON) {
        if new["spec"]?["selector"] != old["spec"]?["selector"] { immutable("spec.selector", new["spec"]?["selector"]) }
    }

    // MARK: - Parts

    mutating func counts(_ spec: JSON, at path: String, _ fields: [String]) {
        for field in fields { nonNegative("\(path).\(field)", spec[field]) }
    }

    /// - Parameter owner: What the message about an empty selector calls the kind.
    private mutating func selectorAndTemplate(_ spec: JSON, owner: String, kind: String) {
        var selector: LabelSelector?
        if let given = spec["selector"] {
            labelSelector(given, at: "spec.selector")
            if given.selectsEverything {
                invalid("spec.selector", given, "empty selector is invalid for \(owner)")
            } else {
                selector = try? LabelSelector(given)
            }
        } else {
            required("spec.selector")
        }
        guard let template = spec["template"], template.object?.isEmpty == false else {
            return required("spec.template")
        }
        templateLabels(template, selector)
        podTemplate(template, at: "spec.template", kind: kind)
    }

    mutating func templateLabels(_ template: JSON, _ selector: LabelSelector?) {
        guard let selector, !selector.matches(template["metadata"]?["labels"]?.stringMap ?? [:]) else { return }
        invalid(
            "spec.template.metadata.labels", template["metadata"]?["labels"] ?? .object([:]),
            "`selector` does not match template `labels`")
    }

    /// The template of pods that are to run for ever.
    mutating func podTemplate(_ template: JSON, at path: String, kind: String) {
        commonMetadata(template["metadata"] ?? [:], at: "\(path).metadata")
        let spec = template["spec"] ?? [:]
        podSpec(spec, at: "\(path).spec", isTemplate: true, owner: kind)
    }

    /// A selector of meta/v1 as a document.
    mutating func labelSelector(_ selector: JSON, at path: String) {
        if let labels = selector["matchLabels"], !lenient { self.labels(labels, at: "\(path).matchLabels") }
        for (index, requirement) in (selector["matchExpressions"]?.array ?? []).enumerated() {
            let path = "\(path).matchExpressions[\(index)]"
            let values = requirement["values"]?.array ?? []
            switch requirement["operator"]?.string ?? "" {
            case "In", "NotIn":
                if values.isEmpty {
                    required("\(path).values", "must be specified when `operator` is 'In' or 'NotIn'")
                }
            case "Exists", "DoesNotExist":
                if !values.isEmpty {
                    forbidden("\(path).values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
                }
            case let other: invalid("\(path).operator", .string(other), "not a valid selector operator")
            }
            let key = requirement["key"]?.string ?? ""
            invalid("\(path).key", key, Names.qualifiedName(key))
            for (index, value) in values.enumerated() {
                invalid("\(path).values[\(index)]", value.string ?? "", Names.labelValue(value.string ?? ""))
            }
        }
    }

    private mutating func rollingUpdate(_ parameters: JSON, at path: String, bothZero: String) {
        let unavailable = parameters["maxUnavailable"]
        let surge = parameters["maxSurge"]
        intOrPercent("\(path).maxUnavailable", unavailable, limit: 100)
        intOrPercent("\(path).maxSurge", surge)
        if unavailable?.isZeroAmount ?? true, surge?.isZeroAmount ?? true {
            invalid("\(path).maxUnavailable", unavailable ?? 0, bothZero)
        }
    }

    /// A number that is not negative, or a percentage.
    mutating func intOrPercent(_ path: String, _ value: JSON?, limit: Int64? = nil) {
        switch value {
        case .string(let text)?:
            guard let percent = value?.percentage else {
                return invalid(
                    path, .string(text),
                    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
                        + "regex used for validation is '[0-9]+%')")
            }
            if let limit, percent > limit { invalid(path, .string(text), "must not be greater than \(limit)%") }
        case let value?: nonNegative(path, value)
        case nil: break
        }
    }
}

extension JSON {
    /// Whether a selector of meta/v1 has no requirement.
    var selectsEverything: Bool {
        (self["matchLabels"]?.object ?? [:]).isEmpty && (self["matchExpressions"]?.array ?? []).isEmpty
    }

    /// The number in front of a percent sign.
    var percentage: Int64? {
        guard let text = string, text.hasSuffix("%"), text.utf8.count > 1,
            text.utf8.dropLast().allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { return nil }
        return Int64(text.dropLast())
    }

    fileprivate var isZeroAmount: Bool { integer == 0 || percentage == 0 }
}
