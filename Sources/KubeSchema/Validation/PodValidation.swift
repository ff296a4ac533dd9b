import OrderedCollections

extension ObjectChecker {
    /// Checks a pod's spec, or that of a controller's template, whose pods must be restarted always.
    ///
    /// - Parameter owner: The kind of the controller whose template it is.
    mutating func podSpec(
        _ spec: JSON, at path: String, isTemplate: Bool, owner: String = "ReplicationController"
    ) {
        let volumes = self.volumes(spec["volumes"]?.array ?? [], at: "\(path).volumes")
        let containers = spec["containers"]?.array ?? []
        if containers.isEmpty { required("\(path).containers") }
        var names: Set<String> = []
        var hostPorts: Set<String> = []
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            for (index, container) in (spec[list]?.array ?? []).enumerated() {
                let containerPath = "\(path).\(list)[\(index)]"
                let name = container["name"]?.string ?? ""
                if !name.isEmpty, !names.insert(name).inserted { duplicate("\(containerPath).name", .string(name)) }
                self.container(container, at: containerPath, volumes: volumes, isInit: list == "initContainers")
                hostPortConflicts(container, at: containerPath, &hostPorts)
                if spec["hostNetwork"] == true { hostNetworkPorts(container, at: containerPath) }
            }
        }
        if isTemplate {
            choice("\(path).restartPolicy", spec["restartPolicy"], ["Always"])
            if spec["activeDeadlineSeconds"] != nil {
                forbidden(
                    "\(path).activeDeadlineSeconds", "activeDeadlineSeconds in \(owner) is not Supported")
            }
        } else {
            choice("\(path).restartPolicy", spec["restartPolicy"], ["Always", "OnFailure", "Never"])
        }
        choice(
            "\(path).dnsPolicy", spec["dnsPolicy"], ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"])
        nonNegative("\(path).terminationGracePeriodSeconds", spec["terminationGracePeriodSeconds"])
        if let deadline = spec["activeDeadlineSeconds"]?.integer, !(1...Int64(Int32.max)).contains(deadline) {
            invalid(
                "\(path).activeDeadlineSeconds", .integer(deadline), "must be between 1 and \(Int32.max), inclusive")
        }
        if !lenient {
            if let selector = spec["nodeSelector"] { labels(selector, at: "\(path).nodeSelector") }
            for (field, rule) in Self.nameRules {
                if let name = spec[field]?.string, !name.isEmpty { invalid("\(path).\(field)", name, rule(name)) }
            }
        }
        for (index, secret) in (spec["imagePullSecrets"]?.array ?? []).enumerated()
        where (secret["name"]?.string ?? "").isEmpty {
            required("\(path).imagePullSecrets[\(index)].name")
        }
        tolerations(spec["tolerations"]?.array ?? [], at: "\(path).tolerations")
    }

    private static let nameRules: [(String, @Sendable (String) -> [String])] = [
        ("serviceAccountName", { Names.dns1123Subdomain($0) }), ("nodeName", { Names.dns1123Subdomain($0) }),
        ("hostname", { Names.dns1123Label($0) }), ("subdomain", { Names.dns1123Label($0) }),
    ]

    /// Checks what an update of a pod may change: images, a shorter deadline, more tolerations.
    mutating func podUpdate(_ new: JSON, _ old: JSON) {
        let newSpec = new["spec"] ?? [:]
        var oldSpec = old["spec"] ?? [:]
        for list in ["containers", "initContainers"] {
            let containers = newSpec[list]?.array ?? []
            guard containers.count == oldSpec[list]?.array?.count ?? 0 else {
                forbidden("spec.\(list)", "pod updates may not add or remove containers")
                return
            }
            for (index, container) in containers.enumerated() where (container["image"]?.string ?? "").isEmpty {
                required("spec.\(list)[\(index)].image")
            }
            var index = 0
            oldSpec.changeEach(list) { container in
                container["image"] = containers[index]["image"]
                index += 1
            }
        }
        deadlineUpdate(newSpec["activeDeadlineSeconds"], oldSpec["activeDeadlineSeconds"])
        oldSpec["activeDeadlineSeconds"] = newSpec["activeDeadlineSeconds"]
        tolerationsUpdate(newSpec["tolerations"]?.array ?? [], oldSpec["tolerations"]?.array ?? [])
        oldSpec["tolerations"] = newSpec["tolerations"]
        if let seconds = oldSpec["terminationGracePeriodSeconds"]?.integer, seconds < 0,
            newSpec["terminationGracePeriodSeconds"] == 1
        {
            oldSpec["terminationGracePeriodSeconds"] = 1
        }
        if newSpec != oldSpec {
            forbidden(
                "spec",
                "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
                    + "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
                    + "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)")
        }
    }

    private mutating func deadlineUpdate(_ new: JSON?, _ old: JSON?) {
        guard let old = old?.integer else {
            if let new = new?.integer, new <= 0 {
                invalid("spec.activeDeadlineSeconds", .integer(new), "must be between 1 and \(Int32.max), inclusive")
            }
            return
        }
        guard let new = new?.integer else {
            return invalid("spec.activeDeadlineSeconds", .null, "must not update from a positive integer to nil value")
        }
        if new > old {
            invalid("spec.activeDeadlineSeconds", .integer(new), "must be less than or equal to previous value")
        }
    }

    private mutating func tolerationsUpdate(_ new: [JSON], _ old: [JSON]) {
        let withoutSeconds = { (toleration: JSON) -> JSON in
            var toleration = toleration
            toleration["tolerationSeconds"] = nil
            return toleration
        }
        let kept = new.map(withoutSeconds)
        if !old.allSatisfy({ kept.contains(withoutSeconds($0)) }) {
            forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
        }
        tolerations(new, at: "spec.tolerations")
    }

    private mutating func tolerations(_ tolerations: [JSON], at path: String) {
        for (index, toleration) in tolerations.enumerated() {
            let path = "\(path)[\(index)]"
            let key = toleration["key"]?.string ?? ""
            if !key.isEmpty, !lenient { invalid("\(path).key", key, Names.qualifiedName(key)) }
            let operation = toleration["operator"]?.string ?? ""
            if key.isEmpty, operation != "Exists" {
                invalid(
                    "\(path).operator", .string(operation),
                    "operator must be Exists when `key` is empty, which means \"match all values and all keys\"")
            }
            if operation == "Exists", !(toleration["value"]?.string ?? "").isEmpty {
                invalid("\(path).operator", toleration, "value must be empty when `operator` is 'Exists'")
            }
            choice("\(path).operator", toleration["operator"], ["Equal", "Exists"], isRequired: false)
            choice(
                "\(path).effect", toleration["effect"], ["NoSchedule", "PreferNoSchedule", "NoExecute"],
                isRequired: false)
            if toleration["tolerationSeconds"] != nil, toleration["effect"] != "NoExecute" {
                invalid(
                    "\(path).effect", toleration["effect"], "effect must be 'NoExecute' when `tolerationSeconds` is set"
                )
            }
        }
    }

    private mutating func hostPortConflicts(_ container: JSON, at path: String, _ taken: inout Set<String>) {
        for (index, port) in (container["ports"]?.array ?? []).enumerated() {
            guard let number = port["hostPort"]?.integer, number != 0 else { continue }
            let key = "\(port["protocol"]?.string ?? "TCP")/\(port["hostIP"]?.string ?? "")/\(number)"
            if !taken.insert(key).inserted { duplicate("\(path).ports[\(index)].hostPort", .string(key)) }
        }
    }

    private mutating func hostNetworkPorts(_ container: JSON, at path: String) {
        for (index, port) in (container["ports"]?.array ?? []).enumerated()
        where port["hostPort"] != port["containerPort"] {
            invalid(
                "\(path).ports[\(index)].containerPort", port["containerPort"],
                "must match `hostPort` when `hostNetwork` is true")
        }
    }
}
