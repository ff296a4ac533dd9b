/// A condition on some fields of an object: `status.phase=Running,spec.nodeName!=n`.
package struct FieldSelector: Sendable, Equatable {
    package struct Requirement: Sendable, Equatable {
        package let field: String
        package let value: String
        package let isNegated: Bool
    }

    package let requirements: [Requirement]
    package static let everything = FieldSelector(requirements: [])

    package init(requirements: [Requirement]) { self.requirements = requirements }

    /// Reads a selector with `=`, `==` and `!=`; a backslash makes the following `\`, `,` or `=` part of a value.
    package init(parsing text: String) throws(SelectorError) {
        var requirements: [Requirement] = []
        for term in Self.split(text) where !term.isEmpty {
            guard let requirement = Self.requirement(term) else {
                throw SelectorError(description: "invalid selector: '\(text)'; can't understand '\(term)'")
            }
            requirements.append(requirement)
        }
        self.requirements = requirements
    }

    /// Whether all requirements hold; a field that the object does not have counts as empty.
    package func matches(_ value: (String) -> String?) -> Bool {
        requirements.allSatisfy { ((value($0.field) ?? "") == $0.value) != $0.isNegated }
    }

    package func matches(_ object: JSON, _ definition: ResourceDefinition) -> Bool {
        matches { Self.value(of: $0, in: object, definition) }
    }

    /// The value that a field must have if the object is to match; `nil` when the selector leaves it open.
    package func requiredValue(of field: String) -> String? {
        requirements.first { $0.field == field && !$0.isNegated }?.value
    }

    /// The error for the first field that objects of this resource cannot be selected by; `nil` when all are known.
    package func unsupportedField(for definition: ResourceDefinition) -> SelectorError? {
        for requirement in requirements where !Self.isSupported(requirement.field, definition) {
            return SelectorError(description: "field label not supported: \(requirement.field)")
        }
        return nil
    }

    private static func split(_ text: String) -> [String] {
        var terms: [String] = [""]
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if scalar == ",", !isEscaped {
                terms.append("")
                continue
            }
            terms[terms.count - 1].unicodeScalars.append(scalar)
            isEscaped = scalar == "\\" && !isEscaped
        }
        return terms
    }

    private static func requirement(_ term: String) -> Requirement? {
        let bytes = Array(term.utf8)
        for (index, byte) in bytes.enumerated() {
            let next = index + 1 < bytes.count ? bytes[index + 1] : 0
            let isNegated = byte == UInt8(ascii: "!") && next == UInt8(ascii: "=")
            guard isNegated || byte == UInt8(ascii: "=") else { continue }
            let width = isNegated || next == UInt8(ascii: "=") ? 2 : 1
            guard index > 0, let value = unescaped(bytes[(index + width)...]) else { return nil }
            return Requirement(
                field: String(decoding: bytes[..<index], as: UTF8.self), value: value, isNegated: isNegated)
        }
        return nil
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String? {
        var value: [UInt8] = []
        var isEscaped = false
        for byte in bytes {
            if isEscaped {
                guard [UInt8(ascii: "\\"), UInt8(ascii: ","), UInt8(ascii: "=")].contains(byte) else { return nil }
                value.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "=") {
                return nil
            } else {
                value.append(byte)
            }
        }
        return isEscaped ? nil : String(decoding: value, as: UTF8.self)
    }
}

extension FieldSelector: CustomStringConvertible {
    package var description: String {
        requirements.map { requirement in
            let value = requirement.value.unicodeScalars.map { ["\\", ",", "="].contains($0) ? "\\\($0)" : "\($0)" }
                .joined()
            return "\(requirement.field)\(requirement.isNegated ? "!=" : "=")\(value)"
        }.joined(separator: ",")
    }
}

extension FieldSelector {
    /// The value of a field by which objects can be selected; `nil` for others and where the object has none.
    package static func value(of field: String, in object: JSON, _ definition: ResourceDefinition) -> String? {
        guard isSupported(field, definition) else { return nil }
        switch (definition.kind, field) {
        case ("Event", "source"): return object["source"]?["component"]?.string ?? object["reportingComponent"]?.string
        case ("Pod", "spec.schedulerName"): return object["spec"]?["schedulerName"]?.string ?? "default-scheduler"
        case ("Pod", "status.podIPs"), ("Pod", "status.podIP"): return object["status"]?["podIP"]?.string
        case ("Service", "spec.type"): return object["spec"]?["type"]?.string ?? "ClusterIP"
        default: break
        }
        var value: JSON? = object
        for name in field.split(separator: ".") { value = value?[String(name)] }
        switch value {
        case .string(let text): return text
        case .bool(let flag): return flag ? "true" : "false"
        case .integer(let number): return String(number)
        default: return absent(field, definition)
        }
    }

    /// What an absent value of another type than string counts as.
    private static func absent(_ field: String, _ definition: ResourceDefinition) -> String? {
        switch (definition.kind, field) {
        case ("Pod", "spec.hostNetwork"), ("Node", "spec.unschedulable"): "false"
        case ("ReplicationController", "status.replicas"): "0"
        default: nil
        }
    }

    private static func isSupported(_ field: String, _ definition: ResourceDefinition) -> Bool {
        if field == "metadata.name" { return true }
        if field == "metadata.namespace" { return definition.isNamespaced || definition.kind == "Namespace" }
        return fields[definition.kind]?.contains(field) ?? false
    }

    private static let fields: [String: Set<String>] = [
        "Pod": [
            "spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
            "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName",
        ],
        "Node": ["spec.unschedulable"],
        "Namespace": ["status.phase"],
        "Secret": ["type"],
        "Service": ["spec.clusterIP", "spec.type"],
        "ReplicationController": ["status.replicas"],
        "Event": [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
            "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
            "reportingComponent", "source", "type",
        ],
    ]
}
