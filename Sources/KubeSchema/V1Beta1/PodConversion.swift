import OrderedCollections

/// Pods: `desiredState` and `currentState` are `v1`'s `spec` and `status`.
extension V1Beta1 {
    static func podToV1(_ flat: JSON, _ repairs: inout Repairs) throws(ConversionError) -> JSON {
        repairs.unknown(
            in: flat, at: "",
            known: commonNames.union(["desiredState", "currentState", "nodeSelector", "manifest", "containers"]))
        var ports = PortNames()
        var desired = flat.member("desiredState")
        if desired?.member("manifest") == nil, desired?.member("containers") == nil {
            // No state or an empty one: some wrote the manifest, or its containers, one level too high.
            if flat.member("manifest") != nil || flat.member("containers") != nil {
                repairs.note("the manifest belongs into desiredState.manifest: it is taken from the top level")
                var moved = desired?.object ?? [:]
                moved["manifest"] = flat.member("manifest") ?? ["containers": flat.member("containers") ?? []]
                desired = .object(moved)
            }
        }
        var spec = try stateToSpec(desired, at: "desiredState", ports: &ports, &repairs)
        spec["nodeSelector"] = repairs.strings(flat.member("nodeSelector"), at: "nodeSelector")
        var metadata = metadataToV1(flat, &repairs)
        if metadata["labels"] == .none, let labels = misplacedLabels(desired) {
            repairs.note("labels belong to the top level of the pod: they are taken from desiredState")
            metadata["labels"] = labels
        }
        if let names = ports.annotation { annotate(&metadata, portNamesAnnotation, names) }
        var result: JSON = ["apiVersion": "v1", "kind": "Pod", "metadata": .object(metadata)]
        if let current = flat.member("currentState") {
            spec["nodeName"] = current.text("host").map { .string($0) }
            let status = statusToV1(current)
            if !status.isEmpty { result["status"] = .object(status) }
        }
        result["spec"] = .object(spec)
        return result
    }

    static func misplacedLabels(_ state: JSON?) -> JSON? {
        state?.filled("labels") ?? state?.member("manifest")?.filled("labels")
    }

    /// The pod spec of a state that is wanted, that is, of a pod's or template's `desiredState`.
    static func stateToSpec(
        _ state: JSON?, at path: String, ports: inout PortNames, _ repairs: inout Repairs
    ) throws(ConversionError) -> JSONObject {
        guard let state else { return ["containers": []] }
        guard state.object != nil else {
            throw .malformed("\(path): expected an object, found \(state.typeName)")
        }
        let manifestNames: Set<String> = ["containers", "volumes", "restartPolicy", "restartpolicy", "dnsPolicy"]
        repairs.unknown(
            in: state, at: path,
            known: manifestNames.union([
                "manifest", "host", "status", "message", "hostIP", "podIP", "info", "labels", "Condition",
            ]))
        var manifest = state.member("manifest")
        if manifest == nil, state.member("containers") != nil {
            repairs.note("\(path).containers belongs into \(path).manifest: it is taken as the manifest's")
            manifest = .object((state.object ?? [:]).filter { manifestNames.contains($0.key) })
        }
        var spec = try manifestToSpec(manifest ?? [:], at: "\(path).manifest", ports: &ports, &repairs)
        if spec["restartPolicy"] == .none, let policy = state.member("restartpolicy") ?? state.member("restartPolicy") {
            repairs.note("\(path).restartPolicy belongs into \(path).manifest: it is taken as the manifest's")
            spec["restartPolicy"] = try restartPolicy(policy, at: "\(path).restartPolicy", &repairs)
        }
        if let host = state.text("host") { spec["affinity"] = pin(host) }
        return spec
    }

    /// A node by name that the scheduler still checks, as it did for `desiredState.host`.
    private static func pin(_ host: String) -> JSON {
        let term: JSON = ["matchFields": [["key": "metadata.name", "operator": "In", "values": [.string(host)]]]]
        return [
            "nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": ["nodeSelectorTerms": [term]]]
        ]
    }

    private static func pinned(_ spec: JSON?) -> String? {
        let terms = spec?[
            "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"]
        guard let terms = terms?.array, terms.count == 1, let fields = terms[0].member("matchFields")?.array,
            let field = fields.first, field.text("key") == "metadata.name", let values = field.member("values")?.array
        else { return nil }
        return values.count == 1 ? values[0].string : nil
    }

    static func podFromV1(_ object: JSON) -> JSON {
        let metadata = object.member("metadata") ?? [:]
        let spec = object.member("spec")
        var result = common(metadata: metadata, kind: "Pod", withLabels: true)
        let ports = PortNames(metadata: metadata)
        result["desiredState"] = stateFromSpec(spec, name: metadata.text("name"), ports: ports)
        var current: JSONObject = ["manifest": emptyManifest]
        let status = object.member("status")
        current["status"] = .string(self.status(phase: status?.text("phase") ?? ""))
        current["message"] = status?.member("message")
        current["host"] = spec?.member("nodeName")
        current["hostIP"] = status?.member("hostIP")
        current["podIP"] = status?.member("podIP")
        if let status, let info = infoFromV1(status) { current["info"] = info }
        let ready = status?.member("conditions")?.array?.first { $0.text("type") == "Ready" }
        if let ready {
            current["Condition"] = [["kind": "Ready", "status": .string(level(ready.text("status")))]]
        }
        result["currentState"] = .object(current)
        result["nodeSelector"] = spec?.filled("nodeSelector")
        return .object(result)
    }

    private static let emptyManifest: JSON = [
        "version": "", "id": "", "volumes": nil, "containers": nil, "restartPolicy": [:],
    ]

    static func stateFromSpec(_ spec: JSON?, name: String?, ports: PortNames) -> JSON {
        var state: JSONObject = ["manifest": manifestFromSpec(spec ?? [:], name: name, ports: ports)]
        state["host"] = pinned(spec).map { .string($0) }
        return .object(state)
    }

    // MARK: - Status

    private static let phases = [
        ("Waiting", "Pending"), ("Running", "Running"), ("Succeeded", "Succeeded"), ("Terminated", "Failed"),
        ("Unknown", "Unknown"), ("", ""),
    ]

    /// `v1`'s phase for a status of this version; what is unknown stays as it is.
    static func phase(status: String) -> String { phases.first { $0.0 == status }?.1 ?? status }
    static func status(phase: String) -> String { phases.first { $0.1 == phase }?.0 ?? phase }

    /// Conditions: `Full`, `None` and `Unknown` were `True`, `False` and `Unknown`.
    static func level(_ status: String?) -> String {
        switch status {
        case "True": "Full"
        case "False": "None"
        default: "Unknown"
        }
    }

    static func truth(_ level: String?) -> String {
        switch level {
        case "Full": "True"
        case "None": "False"
        default: "Unknown"
        }
    }

    private static func statusToV1(_ current: JSON) -> JSONObject {
        var status: JSONObject = [:]
        if let text = current.text("status") { status["phase"] = .string(phase(status: text)) }
        status["message"] = current.member("message")
        status["hostIP"] = current.text("hostIP").map { .string($0) }
        if let address = current.text("podIP") {
            status["podIP"] = .string(address)
            status["podIPs"] = [["ip": .string(address)]]
        }
        if let conditions = current.member("Condition")?.array {
            status["conditions"] = .array(
                conditions.map {
                    ["type": $0.member("kind") ?? "", "status": .string(truth($0.text("status")))]
                })
        }
        if let info = current.member("info")?.object {
            let containers = info.filter { $0.key != "net" && $0.key != "POD" }
            let statuses = containers.map { name, value in containerStatusToV1(name: name, value) }
            if !statuses.isEmpty { status["containerStatuses"] = .array(statuses) }
        }
        return status
    }

    private static func containerStatusToV1(name: String, _ value: JSON) -> JSON {
        var result: JSONObject = ["name": .string(name)]
        for key in ["ready", "restartCount", "image", "imageID", "containerID"] { result[key] = value.member(key) }
        if var state = value.member("state")?.object {
            if let ended = state.removeValue(forKey: "termination") { state["terminated"] = ended }
            result["state"] = .object(state)
        }
        return .object(result)
    }

    /// The map of container statuses, with the entry for the pod's own network container.
    private static func infoFromV1(_ status: JSON) -> JSON? {
        var info: JSONObject = [:]
        for container in status.member("containerStatuses")?.array ?? [] {
            guard let name = container.text("name") else { continue }
            var entry: JSONObject = [:]
            if var state = container.member("state")?.object {
                if let ended = state.removeValue(forKey: "terminated") { state["termination"] = ended }
                entry["state"] = .object(state)
            }
            for key in ["ready", "restartCount", "image", "imageID", "containerID"] {
                entry[key] = container.member(key)
            }
            info[name] = .object(entry)
        }
        if let address = status.member("podIP") {
            info["POD"] = ["state": ["running": [:]], "restartCount": 0, "podIP": address, "image": ""]
        }
        return info.isEmpty ? nil : .object(info)
    }
}
