import OrderedCollections

extension ObjectChecker {
    mutating func container(_ container: JSON, at path: String, volumes: Set<String>, isInit: Bool) {
        let name = container["name"]?.string ?? ""
        if name.isEmpty {
            required("\(path).name")
        } else if !lenient {
            invalid("\(path).name", name, Names.dns1123Label(name))
        }
        let image = container["image"]?.string ?? ""
        if image.isEmpty {
            required("\(path).image")
        } else if image.utf8.first.map(Self.isSpace) == true || image.utf8.last.map(Self.isSpace) == true {
            invalid("\(path).image", .string(image), "must not have leading or trailing whitespace")
        }
        choice("\(path).imagePullPolicy", container["imagePullPolicy"], ["Always", "IfNotPresent", "Never"])
        choice(
            "\(path).terminationMessagePolicy", container["terminationMessagePolicy"],
            ["File", "FallbackToLogsOnError"])
        ports(container["ports"]?.array ?? [], at: "\(path).ports")
        environment(container["env"]?.array ?? [], at: "\(path).env")
        environmentSources(container["envFrom"]?.array ?? [], at: "\(path).envFrom")
        mounts(container["volumeMounts"]?.array ?? [], at: "\(path).volumeMounts", volumes: volumes)
        resources(container["resources"] ?? [:], at: "\(path).resources")
        let restartsAlways = container["restartPolicy"] == "Always"
        for field in ["livenessProbe", "readinessProbe", "startupProbe"] {
            guard let probe = container[field] else { continue }
            if isInit, !restartsAlways {
                forbidden("\(path).\(field)", "may not be set for init containers without restartPolicy=Always")
            }
            self.probe(probe, at: "\(path).\(field)", mustSucceedOnce: field != "readinessProbe")
        }
        if let lifecycle = container["lifecycle"] {
            for hook in ["postStart", "preStop"] {
                if let handler = lifecycle[hook] {
                    self.handler(handler, at: "\(path).lifecycle.\(hook)", others: ["sleep"])
                }
            }
        }
    }

    private mutating func ports(_ ports: [JSON], at path: String) {
        var names: Set<String> = []
        for (index, port) in ports.enumerated() {
            let path = "\(path)[\(index)]"
            if let name = port["name"]?.string, !name.isEmpty {
                if !lenient { invalid("\(path).name", name, Names.portName(name)) }
                if !names.insert(name).inserted { duplicate("\(path).name", .string(name)) }
            }
            if (port["containerPort"]?.integer ?? 0) == 0 {
                required("\(path).containerPort")
            } else {
                self.port("\(path).containerPort", port["containerPort"])
            }
            if let hostPort = port["hostPort"], hostPort != 0 { self.port("\(path).hostPort", hostPort) }
            choice("\(path).protocol", port["protocol"], ["TCP", "UDP", "SCTP"])
            if let address = port["hostIP"]?.string, !address.isEmpty, !IPText.isAddress(address) {
                invalid("\(path).hostIP", .string(address), IPText.rule)
            }
        }
    }

    private mutating func environment(_ variables: [JSON], at path: String) {
        for (index, variable) in variables.enumerated() {
            let path = "\(path)[\(index)]"
            let name = variable["name"]?.string ?? ""
            if name.isEmpty {
                required("\(path).name")
            } else {
                invalid("\(path).name", name, Names.environmentVariable(name))
            }
            guard let source = variable["valueFrom"] else { continue }
            let kinds = (source.object ?? [:]).keys.filter { $0 != "null" }
            if kinds.isEmpty {
                invalid(
                    "\(path).valueFrom", "",
                    "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
                )
            } else if !(variable["value"]?.string ?? "").isEmpty {
                invalid("\(path).valueFrom", "", "may not be specified when `value` is not empty")
            } else if kinds.count > 1 {
                invalid("\(path).valueFrom", "", "may not have more than one field specified at a time")
            }
            for kind in ["configMapKeyRef", "secretKeyRef"] {
                guard let reference = source[kind] else { continue }
                if (reference["name"]?.string ?? "").isEmpty { required("\(path).valueFrom.\(kind).name") }
                let key = reference["key"]?.string ?? ""
                if key.isEmpty {
                    required("\(path).valueFrom.\(kind).key")
                } else {
                    invalid("\(path).valueFrom.\(kind).key", key, Names.configMapKey(key))
                }
            }
            if let reference = source["fieldRef"] { fieldReference(reference, at: "\(path).valueFrom.fieldRef") }
            if let reference = source["resourceFieldRef"], (reference["resource"]?.string ?? "").isEmpty {
                required("\(path).valueFrom.resourceFieldRef.resource")
            }
        }
    }

    private mutating func fieldReference(_ reference: JSON, at path: String) {
        let field = reference["fieldPath"]?.string ?? ""
        if field.isEmpty { return required("\(path).fieldPath") }
        let known = [
            "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName",
            "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
        ]
        let subscripted =
            ["metadata.labels['", "metadata.annotations['"].contains { field.hasPrefix($0) } && field.hasSuffix("']")
        if !subscripted, !known.contains(field) { notSupported("\(path).fieldPath", field, known) }
    }

    private mutating func environmentSources(_ sources: [JSON], at path: String) {
        for (index, source) in sources.enumerated() {
            let path = "\(path)[\(index)]"
            let kinds = ["configMapRef", "secretRef"].filter { source[$0] != nil }
            if kinds.isEmpty { invalid(path, "", "must specify one of: `configMapRef` or `secretRef`") }
            if kinds.count > 1 { invalid(path, "", "may not have more than one field specified at a time") }
            for kind in kinds where (source[kind]?["name"]?.string ?? "").isEmpty { required("\(path).\(kind).name") }
        }
    }

    private mutating func mounts(_ mounts: [JSON], at path: String, volumes: Set<String>) {
        var points: Set<String> = []
        for (index, mount) in mounts.enumerated() {
            let path = "\(path)[\(index)]"
            let name = mount["name"]?.string ?? ""
            if name.isEmpty {
                required("\(path).name")
            } else if !volumes.contains(name) {
                notFound("\(path).name", .string(name))
            }
            let point = mount["mountPath"]?.string ?? ""
            if point.isEmpty {
                required("\(path).mountPath")
            } else if !points.insert(point).inserted {
                invalid("\(path).mountPath", .string(point), "must be unique")
            }
            if let part = mount["subPath"]?.string, !part.isEmpty { relative(part, at: "\(path).subPath") }
        }
    }

    mutating func resources(_ resources: JSON, at path: String) {
        for list in ["limits", "requests"] {
            for (name, amount) in resources[list]?.object ?? [:] {
                let path = "\(path).\(list)[\(name)]"
                if !Self.isStandardResource(name), !name.contains("/") {
                    invalid(path, .string(name), "must be a standard resource type or fully qualified")
                    invalid(path, .string(name), "must be a standard resource for containers")
                } else {
                    invalid(path, name, Names.qualifiedName(name))
                }
                if let quantity = amount.string.flatMap(ResourceQuantity.init), quantity < ResourceQuantity(0) {
                    invalid(path, amount, "must be greater than or equal to 0")
                }
            }
        }
        for (name, amount) in resources["requests"]?.object ?? [:] {
            guard let limitText = resources["limits"]?[name]?.string, let limit = ResourceQuantity(limitText),
                let request = amount.string.flatMap(ResourceQuantity.init)
            else { continue }
            if request > limit {
                invalid("\(path).requests", amount, "must be less than or equal to \(name) limit of \(limitText)")
            }
        }
    }

    private static func isStandardResource(_ name: String) -> Bool {
        ["cpu", "memory", "ephemeral-storage"].contains(name) || name.hasPrefix("hugepages-")
    }

    private mutating func probe(_ probe: JSON, at path: String, mustSucceedOnce: Bool) {
        handler(probe, at: path, others: ["grpc"])
        for field in ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"]
        {
            nonNegative("\(path).\(field)", probe[field])
        }
        if mustSucceedOnce, let times = probe["successThreshold"], times != 1 {
            invalid("\(path).successThreshold", times, "must be 1")
        }
    }

    private mutating func handler(_ handler: JSON, at path: String, others: [String]) {
        let kinds = (["exec", "httpGet", "tcpSocket"] + others).filter { handler[$0] != nil }
        if kinds.isEmpty { required(path, "must specify a handler type") }
        for kind in kinds.dropFirst() { forbidden("\(path).\(kind)", "may not specify more than 1 handler type") }
        if let exec = handler["exec"], (exec["command"]?.array ?? []).isEmpty { required("\(path).exec.command") }
        if let get = handler["httpGet"] {
            if (get["path"]?.string ?? "").isEmpty { required("\(path).httpGet.path") }
            portReference("\(path).httpGet.port", get["port"])
            choice("\(path).httpGet.scheme", get["scheme"], ["HTTP", "HTTPS"])
        }
        if let socket = handler["tcpSocket"] { portReference("\(path).tcpSocket.port", socket["port"]) }
        if let grpc = handler["grpc"] { port("\(path).grpc.port", grpc["port"]) }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
