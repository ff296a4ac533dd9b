/// The messages of a set of API groups, linked with each other.
package struct SchemaTable: Sendable {
    /// All groups that the project has facts for. Linked once, when first asked for.
    package static let builtin = SchemaTable(SchemaFacts.all)

    private let messages: [String: MessageSchema]

    /// The message called `name`, such as `core/v1.PodSpec`.
    package func message(_ name: String) -> MessageSchema? { messages[name] }
    package var names: [String] { messages.keys.sorted() }

    /// The message of a document that stands alone, by what it says of itself: `apps/v1` and `Deployment`.
    package func message(apiVersion: String, kind: String) -> MessageSchema? {
        let (group, version) = ResourceCatalogue.split(apiVersion: apiVersion)
        if group.isEmpty { return messages["core/\(version).\(kind)"] ?? messages["meta/\(version).\(kind)"] }
        // Facts name a group by its first word: `rbac` for `rbac.authorization.k8s.io`.
        return messages["\(group.prefix { $0 != "." })/\(version).\(kind)"]
    }

    init(_ facts: [(group: String, text: String)]) {
        var reader = SchemaFactsReader()
        for (group, text) in facts { reader.declare(group: group, text) }
        reader.link()
        messages = reader.messages
    }
}

/// Facts about the Kubernetes API in a notation of our own: one message or enumeration a line.
///
///     =Protocol SCTP TCP UDP
///     +Pod;metadata 1 @ObjectMeta;spec 2 .PodSpec
///
/// `=` begins an enumeration, whose words are quoted when they hold spaces; `+` a message that carries `kind` and
/// `apiVersion`. Fields are divided by semicolons: JSON name, protobuf number, type, flags. A field called `+` is a
/// message embedded under that number.
/// Types: `s` string (with the name of its enumeration, if any), `i` int32, `l` int64, `b` bool, `d` double, `y` bytes,
/// `q` quantity, `p` integer or string, `t` time, `u` time in microseconds, `D` duration, `r` raw extension, `F` field set,
/// `J` any JSON, `*x` list of x, `{x` map from string to x, `.M` message of this group, `@M` of meta/v1, `:g/v.M` of g/v.
/// Flags: `?` absent differs from zero, `!` written even when zero, `r` required, `A` atomic, `S` set, `K=a,b` list map
/// keys, `M` merged by strategic patches (`M=a` by key a), `R` retains keys, `P` replaced, `D=` default as JSON.
enum SchemaFacts {
    static var all: [(group: String, text: String)] {
        [
            ("meta/v1", metaV1), ("core/v1", coreV1), ("apps/v1", appsV1), ("batch/v1", batchV1),
            ("autoscaling/v1", autoscalingV1), ("autoscaling/v2", autoscalingV2), ("policy/v1", policyV1),
            ("rbac/v1", rbacV1), ("networking/v1", networkingV1), ("discovery/v1", discoveryV1),
            ("coordination/v1", coordinationV1), ("events/v1", eventsV1), ("storage/v1", storageV1),
            ("scheduling/v1", schedulingV1), ("authentication/v1", authenticationV1),
            ("authorization/v1", authorizationV1), ("admissionregistration/v1", admissionregistrationV1),
            ("admission/v1", admissionV1), ("certificates/v1", certificatesV1), ("node/v1", nodeV1),
            ("apidiscovery/v2", apidiscoveryV2), ("apiextensions/v1", apiextensionsV1),
            ("metrics/v1beta1", metricsV1beta1),
        ]
    }
}

/// Turns facts into linked messages. Facts are the project's own, so that an error in them is a bug and stops the program.
struct SchemaFactsReader {
    private(set) var messages: [String: MessageSchema] = [:]
    private var enumerations: [String: [String]] = [:]
    private var declarations: [String: (group: String, fields: [Bytes])] = [:]
    private var completed: Set<String> = []

    /// Slices of the facts as bytes: comparing characters instead would take most of the time of linking.
    private typealias Bytes = Substring.UTF8View

    /// Notes what a group declares, so that messages may refer to others in any order.
    mutating func declare(group: String, _ text: String) {
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            if line.first == UInt8(ascii: "=") {
                let words = Self.words(line.dropFirst())
                enumerations["\(group).\(words[0])"] = Array(words.dropFirst())
                continue
            }
            let isTopLevel = line.first == UInt8(ascii: "+")
            let parts = (isTopLevel ? line.dropFirst() : line).split(separator: UInt8(ascii: ";"))
            let name = "\(group).\(Substring(parts[0]))"
            messages[name] = MessageSchema(name: name, isTopLevel: isTopLevel)
            declarations[name] = (group, Array(parts.dropFirst()))
        }
    }

    /// Divides at spaces; quotes hold together a word with spaces, or with nothing, in it.
    private static func words(_ text: Bytes) -> [String] {
        var words: [String] = []
        var rest = text
        while let first = rest.first {
            if first == UInt8(ascii: " ") {
                rest = rest.dropFirst()
                continue
            }
            let isQuoted = first == UInt8(ascii: "\"")
            if isQuoted { rest = rest.dropFirst() }
            let word = rest.prefix { $0 != (isQuoted ? UInt8(ascii: "\"") : UInt8(ascii: " ")) }
            words.append(String(Substring(word)))
            rest = rest.dropFirst(word.count + 1)
        }
        return words
    }

    mutating func link() {
        for name in declarations.keys { complete(name) }
    }

    private mutating func complete(_ name: String) {
        guard completed.insert(name).inserted, let message = messages[name], let declaration = declarations[name] else {
            return
        }
        var fields: [FieldSchema] = []
        var embedded: [MessageSchema.Embedded] = []
        if message.isTopLevel {
            fields.append(FieldSchema(name: "kind", number: 0, type: .string(values: nil)))
            fields.append(FieldSchema(name: "apiVersion", number: 0, type: .string(values: nil)))
        }
        for text in declaration.fields {
            let words = text.split(separator: UInt8(ascii: " "))
            guard let number = Int(Substring(words[1])) else {
                preconditionFailure("facts of \(name): no number in '\(Substring(text))'")
            }
            if words[0].first == UInt8(ascii: "+") {
                let part = reference(words[2].dropFirst(), in: declaration.group)
                complete(part.name)
                embedded.append(.init(number: number, message: part))
            } else {
                var field = FieldSchema(
                    name: String(Substring(words[0])), number: number, type: type(words[2], in: declaration.group))
                for flag in words.dropFirst(3) { Self.apply(flag, to: &field) }
                fields.append(field)
            }
        }
        message.complete(fields: fields, embedded: embedded)
    }

    private func type(_ text: Bytes, in group: String) -> FieldType {
        let rest = text.dropFirst()
        switch text.first {
        case UInt8(ascii: "s"):
            guard !rest.isEmpty else { return .string(values: nil) }
            let name = Substring(rest)
            return .string(values: enumerations[rest.contains(UInt8(ascii: ".")) ? String(name) : "\(group).\(name)"])
        case UInt8(ascii: "i"): return .int32
        case UInt8(ascii: "l"): return .int64
        case UInt8(ascii: "b"): return .bool
        case UInt8(ascii: "d"): return .double
        case UInt8(ascii: "y"): return .bytes
        case UInt8(ascii: "q"): return .quantity
        case UInt8(ascii: "p"): return .intOrString
        case UInt8(ascii: "t"): return .time
        case UInt8(ascii: "u"): return .microTime
        case UInt8(ascii: "D"): return .duration
        case UInt8(ascii: "r"): return .rawExtension
        case UInt8(ascii: "F"): return .fieldsV1
        case UInt8(ascii: "J"): return .anyJSON
        case UInt8(ascii: "*"): return .array(type(rest, in: group))
        case UInt8(ascii: "{"): return .map(type(rest, in: group))
        case UInt8(ascii: "."): return .message(reference(rest, in: group))
        case UInt8(ascii: "@"): return .message(reference(rest, in: "meta/v1"))
        case UInt8(ascii: ":"): return .message(reference(rest, in: nil))
        default: preconditionFailure("facts of \(group): no type '\(Substring(text))'")
        }
    }

    private func reference(_ name: Bytes, in group: String?) -> MessageSchema {
        let full = group.map { "\($0).\(Substring(name))" } ?? String(Substring(name))
        guard let message = messages[full] else { preconditionFailure("facts refer to \(full), which is not declared") }
        return message
    }

    private static func apply(_ flag: Bytes, to field: inout FieldSchema) {
        let value = flag.dropFirst(2)
        switch flag.first {
        case UInt8(ascii: "?"): field.isPointer = true
        case UInt8(ascii: "!"): field.isAlwaysSerialized = true
        case UInt8(ascii: "r"): field.isRequired = true
        case UInt8(ascii: "A"): field.list = .atomic
        case UInt8(ascii: "S"): field.list = .set
        case UInt8(ascii: "K"):
            field.list = .map(keys: value.split(separator: UInt8(ascii: ",")).map { String(Substring($0)) })
        case UInt8(ascii: "M"):
            field.patch.merges = true
            if !value.isEmpty { field.patch.mergeKey = String(Substring(value)) }
        case UInt8(ascii: "R"): field.patch.retainsKeys = true
        case UInt8(ascii: "P"): field.patch.replaces = true
        case UInt8(ascii: "D"): field.defaultValue = try? JSON(parsing: Array(value))
        default: preconditionFailure("facts: no flag '\(Substring(flag))'")
        }
    }
}
