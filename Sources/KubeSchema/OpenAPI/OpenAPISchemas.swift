import OrderedCollections

/// Writes the messages of the schema as OpenAPI schemas.
struct OpenAPISchemas {
    enum Version { case v2, v3 }

    let version: Version
    private let table: SchemaTable
    /// The API's group and version by the facts' name of the group, for the kinds' extension.
    private let groups: [Substring: (group: String, version: String)]
    /// Types that are no messages and have a definition of their own.
    private static let time = "io.k8s.apimachinery.pkg.apis.meta.v1.Time"
    private static let microTime = "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"
    private static let duration = "io.k8s.apimachinery.pkg.apis.meta.v1.Duration"
    private static let fieldsV1 = "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"
    private static let quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity"
    private static let intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
    private static let rawExtension = "io.k8s.apimachinery.pkg.runtime.RawExtension"

    init(_ version: Version, _ catalogue: ResourceCatalogue, _ table: SchemaTable) {
        self.version = version
        self.table = table
        var groups: [Substring: (String, String)] = ["meta/v1": ("", "v1")]
        for definition in catalogue.definitions {
            groups[Self.facts(definition.message)] = (definition.group, definition.version)
        }
        self.groups = groups
    }

    /// The schemas of the messages and of all that they refer to, sorted by name.
    func definitions(reachableFrom roots: [MessageSchema]) -> JSON {
        var seen: Set<String> = []
        var pending = roots
        var result: [(String, JSON)] = []
        while let message = pending.popLast() {
            guard seen.insert(message.name).inserted else { continue }
            result.append((Self.name(message), schema(message)))
            for field in message.fields {
                if let next = field.type.message { pending.append(next) }
            }
        }
        result += scalars
        result.sort { $0.0 < $1.0 }
        return .object(JSONObject(uniqueKeysWithValues: result))
    }

    /// The name under which the API's own documents define a message.
    static func name(_ message: MessageSchema) -> String {
        let facts = Self.facts(message)
        let parts = facts.split(separator: "/")
        let prefix =
            switch parts[0] {
            case "meta": "io.k8s.apimachinery.pkg.apis.meta"
            case "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions"
            default: "io.k8s.api.\(parts[0])"
            }
        return "\(prefix).\(parts[1]).\(message.shortName)"
    }

    func reference(_ name: String) -> JSON {
        ["$ref": .string(version == .v2 ? "#/definitions/\(name)" : "#/components/schemas/\(name)")]
    }

    func reference(_ message: MessageSchema) -> JSON { reference(Self.name(message)) }

    /// The group of facts that a message is from, such as `core/v1`.
    private static func facts(_ message: MessageSchema) -> Substring { message.name.prefix { $0 != "." } }

    // MARK: - One message

    private func schema(_ message: MessageSchema) -> JSON {
        var properties = JSONObject()
        var required: [JSON] = []
        for field in message.fields.sorted(by: { $0.name < $1.name }) {
            properties[field.name] = property(field, of: message)
            // What may be left out is either optional by definition or omitted by its writers when empty.
            if field.isRequired, field.isAlwaysSerialized { required.append(.string(field.name)) }
        }
        var schema: JSONObject = [
            "description": .string(FieldDescriptions.text(message: message.name)), "type": "object",
        ]
        if !required.isEmpty { schema["required"] = .array(required) }
        if !properties.isEmpty { schema["properties"] = .object(properties) }
        if message.isTopLevel, let (group, version) = groups[Self.facts(message)] {
            schema["x-kubernetes-group-version-kind"] = [
                [
                    "group": .string(group), "kind": .string(String(message.shortName)),
                    "version": .string(version),
                ]
            ]
        }
        return .object(schema)
    }

    private func property(_ field: FieldSchema, of message: MessageSchema) -> JSON {
        var property = type(field.type)
        if version == .v3, let reference = property["$ref"] {
            // Beside a $ref nothing else counts in OpenAPI 3.0.
            property = ["allOf": [["$ref": reference]]]
        }
        property["description"] = .string(description(field, of: message))
        if let value = field.defaultValue { property["default"] = value }
        switch field.list {
        case .unspecified: break
        case .atomic:
            let isList = if case .array = field.type { true } else { false }
            property[isList ? "x-kubernetes-list-type" : "x-kubernetes-map-type"] = "atomic"
        case .set: property["x-kubernetes-list-type"] = "set"
        case .map(let keys):
            property["x-kubernetes-list-type"] = "map"
            property["x-kubernetes-list-map-keys"] = .array(keys.map { .string($0) })
        }
        if let key = field.patch.mergeKey { property["x-kubernetes-patch-merge-key"] = .string(key) }
        var strategies: [String] = []
        if field.patch.merges { strategies.append("merge") }
        if field.patch.retainsKeys { strategies.append("retainKeys") }
        if field.patch.replaces { strategies.append("replace") }
        if !strategies.isEmpty {
            property["x-kubernetes-patch-strategy"] = .string(strategies.joined(separator: ","))
        }
        return property
    }

    private func description(_ field: FieldSchema, of message: MessageSchema) -> String {
        var text = FieldDescriptions.text(message: message.name, field: field.name)
        if case .string(let values?) = field.type, (1...8).contains(values.count) {
            let names = values.map { $0.isEmpty ? "\"\"" : $0 }.joined(separator: ", ")
            text += text.isEmpty ? "Known values: \(names)." : " Known values: \(names)."
        }
        return text
    }

    private func type(_ type: FieldType) -> JSON {
        switch type {
        case .string: ["type": "string"]
        case .int32: ["type": "integer", "format": "int32"]
        case .int64: ["type": "integer", "format": "int64"]
        case .bool: ["type": "boolean"]
        case .double: ["type": "number", "format": "double"]
        case .bytes: ["type": "string", "format": "byte"]
        case .quantity: reference(Self.quantity)
        case .intOrString: reference(Self.intOrString)
        case .time: reference(Self.time)
        case .microTime: reference(Self.microTime)
        case .duration: reference(Self.duration)
        case .rawExtension: reference(Self.rawExtension)
        case .fieldsV1: reference(Self.fieldsV1)
        case .anyJSON: version == .v3 ? ["x-kubernetes-preserve-unknown-fields": true] : [:]
        case .message(let message): reference(message)
        case .array(let element): ["type": "array", "items": self.type(element)]
        case .map(let element): ["type": "object", "additionalProperties": self.type(element)]
        }
    }

    private var scalars: [(String, JSON)] {
        func text(_ description: String, format: String? = nil) -> JSON {
            var schema: JSON = ["description": .string(description), "type": "string"]
            if let format { schema["format"] = .string(format) }
            return schema
        }
        func object(_ description: String) -> JSON { ["description": .string(description), "type": "object"] }
        var quantity = text("An amount with a unit, such as 100m (thousandths), 2, 1.5Gi or 1e6.")
        var intOrString = text("A number or a text, such as 80 or http, 3 or 25%.", format: "int-or-string")
        if version == .v3 {
            quantity = [
                "description": quantity["description"] ?? "", "oneOf": [["type": "string"], ["type": "number"]],
            ]
            intOrString = [
                "description": intOrString["description"] ?? "", "format": "int-or-string",
                "oneOf": [["type": "integer"], ["type": "string"]],
            ]
        }
        return [
            (Self.time, text("A moment in UTC to the second, as in RFC 3339.", format: "date-time")),
            (Self.microTime, text("A moment in UTC to the microsecond, as in RFC 3339.", format: "date-time")),
            (Self.duration, text("A length of time, such as 1h30m or 500ms.")),
            (Self.fieldsV1, object("A set of fields, in the notation of managedFields.")),
            (Self.quantity, quantity), (Self.intOrString, intOrString),
            (Self.rawExtension, object("A document of any kind.")),
        ]
    }
}
