import OrderedCollections

/// One container of a manifest and of a pod spec.
extension V1Beta1 {
    private static let containerNames: Set<String> = [
        "name", "image", "command", "entrypoint", "workingDir", "ports", "env", "cpu", "memory", "resources",
        "volumeMounts", "livenessProbe", "readinessProbe", "lifecycle", "terminationMessagePath", "privileged",
        "imagePullPolicy", "capabilities",
    ]

    static func containerToV1(
        _ container: JSON, at path: String, ports: inout PortNames, _ repairs: inout Repairs
    ) throws(ConversionError) -> JSON {
        repairs.unknown(in: container, at: path, known: containerNames)
        var result: JSONObject = [:]
        result["name"] = container.member("name")
        result["image"] = container.member("image")
        result["command"] = container.member("entrypoint")
        result["args"] = container.member("command")
        result["workingDir"] = container.member("workingDir")
        if let value = container.member("ports") {
            result["ports"] = try list(value, at: "\(path).ports") { port, path in
                portToV1(port, at: path, names: &ports, &repairs)
            }
        }
        if let value = container.member("env") {
            result["env"] = try list(value, at: "\(path).env") { variable, path in
                var entry: JSONObject = [:]
                entry["name"] = variable.member("name") ?? variable.member("key")
                entry["value"] = repairs.string(variable.member("value"), at: "\(path).value")
                repairs.unknown(in: variable, at: path, known: ["name", "key", "value"])
                return .object(entry)
            }
        }
        if let resources = resourcesToV1(container, at: path, &repairs) { result["resources"] = resources }
        if let value = container.member("volumeMounts") {
            result["volumeMounts"] = try list(value, at: "\(path).volumeMounts") { mount, path in
                var entry: JSONObject = [:]
                entry["name"] = mount.member("name")
                entry["readOnly"] = mount.member("readOnly")
                entry["mountPath"] = mount.member("mountPath") ?? mount.member("path")
                repairs.unknown(in: mount, at: path, known: ["name", "readOnly", "mountPath", "path", "mountType"])
                return .object(entry)
            }
        }
        for probe in ["livenessProbe", "readinessProbe"] {
            result[probe] = probeToV1(container.member(probe), at: "\(path).\(probe)", names: &ports, &repairs)
        }
        if let lifecycle = container.member("lifecycle") {
            var hooks: JSONObject = [:]
            for hook in ["postStart", "preStop"] {
                hooks[hook] = handlerToV1(
                    lifecycle.member(hook), at: "\(path).lifecycle.\(hook)", names: &ports, &repairs)
            }
            result["lifecycle"] = .object(hooks)
        }
        result["terminationMessagePath"] = container.text("terminationMessagePath").map { .string($0) }
        result["imagePullPolicy"] = pullPolicy(container, at: path, &repairs)
        var security: JSONObject = [:]
        security["privileged"] = container.member("privileged")
        security["capabilities"] = container.member("capabilities")
        if !security.isEmpty { result["securityContext"] = .object(security) }
        return .object(result)
    }

    /// Without a word `:latest` in the image, spelled out, an image that is there was not pulled again.
    private static func pullPolicy(_ container: JSON, at path: String, _ repairs: inout Repairs) -> JSON {
        guard let policy = container.text("imagePullPolicy") else {
            return container.text("image")?.hasSuffix(":latest") == true ? "Always" : "IfNotPresent"
        }
        if policy.hasPrefix("Pull") { return .string(String(policy.dropFirst(4))) }
        repairs.note("\(path).imagePullPolicy: Pull\(policy) is meant by \(policy)")
        return .string(policy)
    }

    private static func portToV1(
        _ port: JSON, at path: String, names: inout PortNames, _ repairs: inout Repairs
    ) -> JSON {
        repairs.unknown(in: port, at: path, known: ["name", "containerPort", "hostPort", "protocol", "hostIP"])
        var result: JSONObject = [:]
        result["name"] = port.text("name").map { .string(names.short($0)) }
        result["containerPort"] = repairs.number(port.member("containerPort"), at: "\(path).containerPort")
        let hostPort = repairs.number(port.member("hostPort"), at: "\(path).hostPort")
        result["hostPort"] = hostPort == .integer(0) ? nil : hostPort
        result["protocol"] = port.text("protocol").map { .string($0.uppercased()) }
        result["hostIP"] = port.text("hostIP").map { .string($0) }
        return .object(result)
    }

    /// `cpu` and `memory` as limits; the same in `resources` wins.
    private static func resourcesToV1(_ container: JSON, at path: String, _ repairs: inout Repairs) -> JSON? {
        var result = container.member("resources")?.object ?? [:]
        var limits = result["limits"]?.object ?? [:]
        if let cpu = repairs.number(container.member("cpu"), at: "\(path).cpu"), cpu != .integer(0),
            limits["cpu"] == .none
        {
            limits["cpu"] = cpu.integer.map { HistoricQuantity.cores(milli: $0) } ?? cpu
        }
        if let memory = repairs.number(container.member("memory"), at: "\(path).memory"), memory != .integer(0),
            limits["memory"] == .none
        {
            limits["memory"] = memory.integer.map { .string("\($0)") } ?? memory
        }
        if !limits.isEmpty { result["limits"] = .object(limits) }
        return result.isEmpty ? nil : .object(result)
    }

    private static func probeToV1(
        _ probe: JSON?, at path: String, names: inout PortNames, _ repairs: inout Repairs
    ) -> JSON? {
        guard let probe, var result = handlerToV1(probe, at: path, names: &names, &repairs)?.object else { return nil }
        guard !result.isEmpty else {
            repairs.note("\(path) names no check (httpGet, tcpSocket or exec) and is ignored")
            return nil
        }
        for key in ["initialDelaySeconds", "timeoutSeconds"] {
            result[key] = repairs.number(probe.member(key), at: "\(path).\(key)")
        }
        return .object(result)
    }

    private static func handlerToV1(
        _ handler: JSON?, at path: String, names: inout PortNames, _ repairs: inout Repairs
    ) -> JSON? {
        guard let handler else { return nil }
        var result: JSONObject = [:]
        result["exec"] = handler.member("exec")
        for kind in ["httpGet", "tcpSocket"] {
            guard case .object(var action)? = handler.member(kind) else { continue }
            var port = repairs.number(action["port"], at: "\(path).\(kind).port")
            if case .string(let name)? = port { port = .string(names.short(name)) }
            action["port"] = port
            if action["host"] == .string("") { action["host"] = .none }
            result[kind] = .object(action)
        }
        return .object(result)
    }

    // MARK: - From v1

    static func containerFromV1(_ container: JSON, ports: PortNames) -> JSON {
        var result: JSONObject = [:]
        result["name"] = container.member("name")
        result["image"] = container.member("image")
        result["entrypoint"] = container.filled("command")
        result["command"] = container.filled("args")
        result["workingDir"] = container.member("workingDir")
        if let list = container.filled("ports")?.array {
            result["ports"] = .array(
                list.map { port in
                    var entry = port.object ?? [:]
                    if let name = port.text("name") { entry["name"] = .string(ports.original(name)) }
                    return .object(entry)
                })
        }
        if let list = container.filled("env")?.array {
            result["env"] = .array(
                list.map { variable in
                    let name = variable.member("name") ?? ""
                    return ["name": name, "key": name, "value": variable.member("value") ?? ""]
                })
        }
        resourcesFromV1(container.member("resources"), into: &result)
        if let list = container.filled("volumeMounts")?.array {
            result["volumeMounts"] = .array(
                list.map { mount in
                    var entry: JSONObject = [:]
                    entry["name"] = mount.member("name")
                    entry["readOnly"] = mount.member("readOnly")
                    entry["mountPath"] = mount.member("mountPath")
                    entry["path"] = mount.member("mountPath")
                    return .object(entry)
                })
        }
        for key in ["livenessProbe", "readinessProbe"] {
            guard let probe = container.member(key) else { continue }
            var entry = handlerFromV1(probe, ports: ports)
            guard !entry.isEmpty else { continue }  // a kind of check that came later
            for key in ["initialDelaySeconds", "timeoutSeconds"] { entry[key] = probe.member(key) }
            result[key] = .object(entry)
        }
        if let lifecycle = container.member("lifecycle") {
            var hooks: JSONObject = [:]
            for hook in ["postStart", "preStop"] {
                if let value = lifecycle.member(hook) { hooks[hook] = .object(handlerFromV1(value, ports: ports)) }
            }
            result["lifecycle"] = .object(hooks)
        }
        result["terminationMessagePath"] = container.member("terminationMessagePath")
        result["imagePullPolicy"] = container.text("imagePullPolicy").map { .string("Pull\($0)") }
        result["privileged"] = container["securityContext", "privileged"]
        result["capabilities"] = container["securityContext", "capabilities"]
        return .object(result)
    }

    /// Numbers for what `cpu` and `memory` can say, `resources` for the rest only: otherwise an edit of the numbers
    /// would lose against it.
    private static func resourcesFromV1(_ resources: JSON?, into result: inout JSONObject) {
        var limits = resources?.member("limits")?.object ?? [:]
        var requests = resources?.member("requests")?.object ?? [:]
        for (name, amount) in requests where limits[name] == amount { requests[name] = .none }
        if let cpu = HistoricQuantity.milli(limits["cpu"]) {
            result["cpu"] = .integer(cpu)
            limits["cpu"] = .none
        }
        if let memory = HistoricQuantity.units(limits["memory"]) {
            result["memory"] = .integer(memory)
            limits["memory"] = .none
        }
        var rest: JSONObject = [:]
        if !limits.isEmpty { rest["limits"] = .object(limits) }
        if !requests.isEmpty { rest["requests"] = .object(requests) }
        if !rest.isEmpty { result["resources"] = .object(rest) }
    }

    private static func handlerFromV1(_ handler: JSON, ports: PortNames) -> JSONObject {
        var result: JSONObject = [:]
        result["exec"] = handler.member("exec")
        for (kind, names) in [("httpGet", ["path", "port", "host"]), ("tcpSocket", ["port"])] {
            guard let action = handler.member(kind) else { continue }
            var entry: JSONObject = [:]
            for name in names { entry[name] = action.member(name) }
            if let name = action["port"]?.string { entry["port"] = .string(ports.original(name)) }
            result[kind] = .object(entry)
        }
        return result
    }
}
