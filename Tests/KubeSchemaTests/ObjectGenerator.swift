import OrderedCollections

@testable import KubeSchema

/// Makes documents of any kind out of the schema, the same ones for the same seed.
struct ObjectGenerator {
    private var state: UInt64
    /// How deep messages may be nested before fields with messages are left out.
    private static let depthLimit = 7

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func number(below limit: Int) -> Int { Int(next() % UInt64(limit)) }

    /// A document in the form in which the server keeps it: of an absent value nothing, of an empty one nothing either.
    mutating func object(_ message: MessageSchema, kind: String, apiVersion: String) -> JSON {
        var document = self.document(message, depth: 0)
        document["kind"] = .string(kind)
        document["apiVersion"] = .string(apiVersion)
        return document
    }

    private mutating func document(_ message: MessageSchema, depth: Int) -> JSON {
        var members = JSONObject()
        for field in message.fields where field.number > 0 || !["kind", "apiVersion"].contains(field.name) {
            if field.number == 0, !message.embedded.contains(where: { $0.message.field(field.name) != nil }) {
                continue
            }
            guard number(below: depth < 2 ? 2 : 5) == 0, let value = value(field.type, depth: depth) else { continue }
            members[field.name] = value
        }
        return .object(members)
    }

    private mutating func value(_ type: FieldType, depth: Int) -> JSON? {
        if depth >= Self.depthLimit, type.message != nil { return nil }
        switch type {
        case .string(let values):
            if let values = values?.filter({ !$0.isEmpty }), !values.isEmpty {
                return .string(values[number(below: values.count)])
            }
            return .string(text())
        case .int32: return .integer(Int64(Int32(truncatingIfNeeded: next()) | 1))
        case .int64: return .integer(Int64(bitPattern: next()) | 1)
        case .bool: return true
        case .double: return .double(Double(number(below: 1000)) + 0.5)
        case .bytes: return .string(Base64.encode((0...number(below: 200)).map { _ in UInt8(next() & 0xFF) }))
        case .quantity: return .string(["100m", "2", "1536Mi", "1e6", "0", "3Gi"][number(below: 6)])
        case .intOrString:
            return number(below: 2) == 0 ? .integer(Int64(number(below: 70_000))) : .string("\(number(below: 100))%")
        case .time: return .string(Timestamp(seconds: Int64(number(below: 4_000_000_000))).rfc3339)
        case .microTime:
            let time = Timestamp(
                seconds: Int64(number(below: 4_000_000_000)), nanoseconds: Int32(number(below: 999)) * 1000)
            return .string(time.rfc3339Microseconds)
        case .duration: return .string(GoDuration.text(nanoseconds: Int64(number(below: 1_000_000_000)) * 1000))
        case .rawExtension, .fieldsV1: return ["f:\(text())": ["deep": [1, "two", .null]]]
        case .anyJSON: return [.object(["a": .double(1.5)]), "b", false]
        case .message(let message): return document(message, depth: depth + 1)
        case .array(let element):
            let values = (0...number(below: 3)).compactMap { _ in value(element, depth: depth + 1) }
            return values.isEmpty ? nil : .array(values)
        case .map(let element):
            var members = JSONObject()
            for index in 0...number(below: 3) { members["k\(index)\(text())"] = value(element, depth: depth + 1) }
            return members.isEmpty ? nil : .object(members)
        }
    }

    private mutating func text() -> String {
        let alphabet = ["a", "nginx", "-", "0", "Z", "ü", "\"", "\\", "\n", "語", "🦀", " ", ".", "/", "\u{7F}"]
        return (0...number(below: 40)).map { _ in alphabet[number(below: alphabet.count)] }.joined()
    }
}
