package import KubeSchema

/// Why a container cannot be configured: it refers to something that is not there. Shown as
/// `CreateContainerConfigError`.
package struct ContainerConfigurationError: Error, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Config maps and secrets as documents, however they are come by. `nil` means that there is none of that name.
package protocol ReferencedObjects: Sendable {
    func configMap(_ name: String, namespace: String) async throws(ContainerConfigurationError) -> JSON?
    func secret(_ name: String, namespace: String) async throws(ContainerConfigurationError) -> JSON?
}

/// What a pod may ask about itself beside its own document.
package struct PodFacts: Sendable {
    package var podIP: String, hostIP: String, nodeName: String
    /// Of the node, for limits that the container leaves open.
    package var allocatableCPUThousandths: Int64, allocatableMemoryBytes: Int64

    package init(
        podIP: String = "", hostIP: String = "", nodeName: String = "", allocatableCPUThousandths: Int64 = 0,
        allocatableMemoryBytes: Int64 = 0
    ) {
        self.podIP = podIP
        self.hostIP = hostIP
        self.nodeName = nodeName
        self.allocatableCPUThousandths = allocatableCPUThousandths
        self.allocatableMemoryBytes = allocatableMemoryBytes
    }
}

/// Makes a container's environment: service variables, then `envFrom`, then `env`, later ones winning.
package enum EnvironmentBuilder {
    package static func make(
        for container: ContainerSpecification, of pod: DesiredPod, services: [(name: String, value: String)],
        facts: PodFacts, objects: some ReferencedObjects
    ) async throws(ContainerConfigurationError) -> [(name: String, value: String)] {
        var environment = Environment()
        for (name, value) in services { environment.set(name, value) }
        for source in container.environmentFrom { try await add(source, of: pod, objects, to: &environment) }
        for entry in container.environment {
            guard let name = entry["name"]?.string else { continue }
            if let source = entry["valueFrom"], !source.isNull {
                if let value = try await value(of: source, container, pod, facts, objects) {
                    environment.set(name, value)
                }
            } else {
                environment.set(name, expand(entry["value"]?.string ?? "") { environment.values[$0] })
            }
        }
        return environment.order.map { ($0, environment.values[$0] ?? "") }
    }

    /// Replaces `$(NAME)` by the value of a known name and `$$` by `$`; an unknown name stays as it was written.
    package static func expand(_ text: String, _ lookUp: (String) -> String?) -> String {
        guard text.contains("$") else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest.removeFirst()
            } else if rest.first == "(", let end = rest.firstIndex(of: ")") {
                let name = rest[rest.index(after: rest.startIndex)..<end]
                result += lookUp(String(name)) ?? "$(\(name))"
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    /// Values by name, in the order in which the names first came up.
    private struct Environment {
        var order: [String] = []
        var values: [String: String] = [:]
        mutating func set(_ name: String, _ value: String) {
            if values.updateValue(value, forKey: name) == nil { order.append(name) }
        }
    }

    private static func add(
        _ source: JSON, of pod: DesiredPod, _ objects: some ReferencedObjects, to environment: inout Environment
    ) async throws(ContainerConfigurationError) {
        let prefix = source["prefix"]?.string ?? ""
        let namespace = pod.reference.namespace
        var data: [String: String] = [:]
        if let reference = source["configMapRef"], let name = reference["name"]?.string {
            let object = try await objects.configMap(name, namespace: namespace)
            if object == nil, reference["optional"]?.bool != true {
                throw ContainerConfigurationError("configmap \"\(name)\" not found")
            }
            data = object?["data"].stringMap ?? [:]
        } else if let reference = source["secretRef"], let name = reference["name"]?.string {
            let object = try await objects.secret(name, namespace: namespace)
            if object == nil, reference["optional"]?.bool != true {
                throw ContainerConfigurationError("secret \"\(name)\" not found")
            }
            data = (object.map(SecretData.bytes(of:)) ?? [:]).mapValues { String(decoding: $0, as: UTF8.self) }
        }
        for key in data.keys.sorted() { environment.set(prefix + key, data[key] ?? "") }
    }

    private static func value(
        of source: JSON, _ container: ContainerSpecification, _ pod: DesiredPod, _ facts: PodFacts,
        _ objects: some ReferencedObjects
    ) async throws(ContainerConfigurationError) -> String? {
        let namespace = pod.reference.namespace
        if let path = source["fieldRef", "fieldPath"]?.string {
            guard let value = DownwardFields.value(of: path, pod: pod, facts: facts) else {
                throw ContainerConfigurationError("fieldRef: unsupported fieldPath \(path)")
            }
            return value
        }
        if let reference = source["resourceFieldRef"] {
            return try DownwardFields.resource(reference, of: pod, defaultContainer: container, facts: facts)
        }
        if let reference = source["configMapKeyRef"] {
            let name = reference["name"]?.string ?? ""
            let key = reference["key"]?.string ?? ""
            let object = try await objects.configMap(name, namespace: namespace)
            if let value = object?["data", key]?.string { return value }
            if reference["optional"]?.bool == true { return nil }
            throw ContainerConfigurationError(
                object == nil
                    ? "configmap \"\(name)\" not found"
                    : "couldn't find key \(key) in ConfigMap \(namespace)/\(name)")
        }
        if let reference = source["secretKeyRef"] {
            let name = reference["name"]?.string ?? ""
            let key = reference["key"]?.string ?? ""
            let object = try await objects.secret(name, namespace: namespace)
            if let value = object.flatMap({ SecretData.bytes(of: $0)[key] }) {
                return String(decoding: value, as: UTF8.self)
            }
            if reference["optional"]?.bool == true { return nil }
            throw ContainerConfigurationError(
                object == nil
                    ? "secret \"\(name)\" not found" : "couldn't find key \(key) in Secret \(namespace)/\(name)")
        }
        throw ContainerConfigurationError("valueFrom names no source that is known here")
    }
}
