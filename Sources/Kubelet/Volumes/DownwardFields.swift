import KubeSchema

/// What a pod can learn about itself through environment variables and files.
enum DownwardFields {
    /// The value of `path`, such as `metadata.name` or `metadata.labels['app']`; `nil` when it is not to be had.
    static func value(of path: String, pod: DesiredPod, facts: PodFacts) -> String? {
        switch path {
        case "metadata.name": return pod.reference.name
        case "metadata.namespace": return pod.reference.namespace
        case "metadata.uid": return pod.reference.uid
        case "metadata.labels": return lines(pod.labels)
        case "metadata.annotations": return lines(pod.annotations)
        case "spec.nodeName": return facts.nodeName
        case "spec.serviceAccountName": return pod.spec["serviceAccountName"]?.string ?? ""
        case "status.podIP", "status.podIPs": return facts.podIP
        case "status.hostIP", "status.hostIPs": return facts.hostIP
        default: break
        }
        if let key = subscripted(path, "metadata.labels") { return pod.labels[key] ?? "" }
        if let key = subscripted(path, "metadata.annotations") { return pod.annotations[key] ?? "" }
        return nil
    }

    /// The value of a `resourceFieldRef`: a limit or request divided by its divisor, rounded up. A limit that the
    /// container leaves open is what the node has.
    static func resource(
        _ reference: JSON, of pod: DesiredPod, defaultContainer: ContainerSpecification?, facts: PodFacts
    ) throws(ContainerConfigurationError) -> String {
        let path = reference["resource"]?.string ?? ""
        let named = reference["containerName"]?.string
        let all = pod.containers + pod.initContainers
        guard let container = named.map({ name in all.first { $0.name == name } }) ?? defaultContainer else {
            throw ContainerConfigurationError("resourceFieldRef: no container \(named ?? "named")")
        }
        let divisorText = reference["divisor"]?.string ?? reference["divisor"]?.integer.map(String.init) ?? "1"
        let divisor = Quantity.value(divisorText).flatMap { $0 > 0 ? $0 : nil } ?? 1
        let open: [String: Double] = [
            "limits.cpu": Double(facts.allocatableCPUThousandths) / 1000,
            "limits.memory": Double(facts.allocatableMemoryBytes),
        ]
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[0] == "limits" || parts[0] == "requests" else {
            throw ContainerConfigurationError("resourceFieldRef: unsupported resource \(path)")
        }
        let given = parts[0] == "limits" ? container.limits[parts[1]] : container.requests[parts[1]]
        let value = given.flatMap(Quantity.value) ?? open[path] ?? 0
        return String(Int64((value / divisor).rounded(.up)))
    }

    /// `key="value"` a line, sorted, with the value escaped.
    private static func lines(_ map: [String: String]) -> String {
        map.keys.sorted().map { key in
            var value = "\""
            for scalar in (map[key] ?? "").unicodeScalars {
                switch scalar {
                case "\"": value += "\\\""
                case "\\": value += "\\\\"
                case "\n": value += "\\n"
                case "\t": value += "\\t"
                case "\r": value += "\\r"
                default: value.unicodeScalars.append(scalar)
                }
            }
            return "\(key)=\(value)\""
        }.joined(separator: "\n")
    }

    private static func subscripted(_ path: String, _ field: String) -> String? {
        guard path.hasPrefix(field + "['"), path.hasSuffix("']") else { return nil }
        return String(path.dropFirst(field.count + 2).dropLast(2))
    }
}
