import OrderedCollections

/// Why bytes are no protobuf message of the expected kind.
package struct ProtobufError: Error, Equatable, CustomStringConvertible {
    package let problem: String
    package var description: String { "invalid protobuf: \(problem)" }
}

/// Decodes Kubernetes' protobuf form into the JSON document that says the same.
///
/// Source: the envelope of `k8s.io/apimachinery/pkg/runtime/serializer/protobuf` and protobuf's encoding
/// (https://protobuf.dev/programming-guides/encoding/). Zero values are kept as they come: `SchemaConformer` drops them.
package enum ProtobufDecoder {
    /// What an envelope begins with.
    package static let magic: [UInt8] = [0x6B, 0x38, 0x73, 0x00]  // "k8s" NUL

    /// Decodes an object in its envelope, whose kind and version become members of the document.
    package static func decode(envelope bytes: [UInt8], as message: MessageSchema) throws(ProtobufError) -> JSON {
        guard bytes.starts(with: magic) else {
            throw ProtobufError(problem: "the envelope does not begin with k8s and NUL")
        }
        var reader = ProtobufReader(bytes[magic.count...])
        var document: JSON = [:]
        var raw: ArraySlice<UInt8> = []
        while let field = try reader.next() {
            switch (field.number, field.value) {
            case (1, .bytes(let typeMeta)):
                var types = ProtobufReader(typeMeta)
                while let field = try types.next() {
                    guard case .bytes(let text) = field.value else { continue }
                    if field.number == 1 { document["apiVersion"] = .string(try string(text, "apiVersion")) }
                    if field.number == 2 { document["kind"] = .string(try string(text, "kind")) }
                }
            case (2, .bytes(let bytes)): raw = bytes
            case (3, .bytes(let encoding)) where !encoding.isEmpty:
                throw ProtobufError(
                    problem: "content encoding \(try string(encoding, "contentEncoding")) is not understood")
            default: break
            }
        }
        guard case .object(var members) = document else { return document }
        try decode(raw, message, into: &members, depth: 0)
        return .object(members)
    }

    private static func decode(
        _ bytes: ArraySlice<UInt8>, _ message: MessageSchema, into members: inout JSONObject, depth: Int
    ) throws(ProtobufError) {
        guard depth < JSON.depthLimit else {
            throw ProtobufError(problem: "nested deeper than \(JSON.depthLimit) levels")
        }
        var reader = ProtobufReader(bytes)
        while let wire = try reader.next() {
            guard let field = message.field(number: wire.number) else {
                if let part = message.embedded.first(where: { $0.number == wire.number }),
                    case .bytes(let bytes) = wire.value
                {
                    try decode(bytes, part.message, into: &members, depth: depth + 1)
                }
                continue
            }
            switch field.type {
            case .array(let element):
                var elements = members.removeValue(forKey: field.name)?.array ?? []
                if case .bytes(let packed) = wire.value, element.isPackable {
                    var packedReader = ProtobufReader(packed)
                    while let number = try packedReader.nextPacked(element) {
                        elements.append(try value(number, element, field.name, depth) ?? .null)
                    }
                } else {
                    elements.append(try value(wire.value, element, field.name, depth) ?? .null)
                }
                members[field.name] = .array(elements)
            case .map(let element):
                guard case .bytes(let entry) = wire.value else { throw mismatch(field.name) }
                var map = members.removeValue(forKey: field.name)?.object ?? [:]
                let (key, value) = try entryOf(entry, element, field.name, depth)
                map[key] = value
                members[field.name] = .object(map)
            default:
                if let value = try value(wire.value, field.type, field.name, depth) { members[field.name] = value }
            }
        }
    }

    private static func entryOf(
        _ bytes: ArraySlice<UInt8>, _ type: FieldType, _ name: String, _ depth: Int
    ) throws(ProtobufError) -> (String, JSON) {
        var key = ""
        var element: JSON?
        var reader = ProtobufReader(bytes)
        while let wire = try reader.next() {
            if wire.number == 1, case .bytes(let text) = wire.value { key = try string(text, name) }
            if wire.number == 2 {
                // A map of lists (`map<string, ExtraValue>`) wraps the list in a message whose field 1 repeats.
                if case .array(let inner) = type, case .bytes(let list) = wire.value {
                    var elements: [JSON] = []
                    var items = ProtobufReader(list)
                    while let item = try items.next() {
                        elements.append(try value(item.value, inner, name, depth) ?? .null)
                    }
                    element = .array(elements)
                } else {
                    element = try value(wire.value, type, name, depth)
                }
            }
        }
        return (key, element ?? .null)
    }

    /// One value; `nil` for a time that was never set.
    private static func value(
        _ wire: ProtobufReader.Value, _ type: FieldType, _ name: String, _ depth: Int
    ) throws(ProtobufError) -> JSON? {
        switch (type, wire) {
        case (.string, .bytes(let bytes)): return .string(try string(bytes, name))
        case (.int32, .varint(let number)): return .integer(Int64(Int32(truncatingIfNeeded: number)))
        case (.int64, .varint(let number)): return .integer(Int64(bitPattern: number))
        case (.bool, .varint(let number)): return .bool(number != 0)
        case (.double, .fixed64(let bits)): return .double(Double(bitPattern: bits))
        case (.bytes, .bytes(let bytes)): return .string(Base64.encode(bytes))
        case (.quantity, .bytes(let bytes)): return .string(try text(inField: 1, of: bytes, name) ?? "0")
        case (.intOrString, .bytes(let bytes)): return try intOrString(bytes, name)
        case (.time, .bytes(let bytes)): return try timestamp(bytes).map { .string($0.rfc3339) }
        case (.microTime, .bytes(let bytes)): return try timestamp(bytes).map { .string($0.rfc3339Microseconds) }
        case (.duration, .bytes(let bytes)):
            var reader = ProtobufReader(bytes)
            var nanoseconds: Int64 = 0
            while let wire = try reader.next() {
                if wire.number == 1, case .varint(let number) = wire.value { nanoseconds = Int64(bitPattern: number) }
            }
            return .string(GoDuration.text(nanoseconds: nanoseconds))
        case (.rawExtension, .bytes(let bytes)), (.fieldsV1, .bytes(let bytes)), (.anyJSON, .bytes(let bytes)):
            return try embeddedJSON(bytes, name)
        case (.message(let message), .bytes(let bytes)):
            var members = JSONObject()
            try decode(bytes, message, into: &members, depth: depth + 1)
            return .object(members)
        default: throw mismatch(name)
        }
    }

    private static func intOrString(_ bytes: ArraySlice<UInt8>, _ name: String) throws(ProtobufError) -> JSON {
        var reader = ProtobufReader(bytes)
        var isString = false
        var number: Int64 = 0
        var text = ""
        while let wire = try reader.next() {
            switch (wire.number, wire.value) {
            case (1, .varint(let type)): isString = type == 1
            case (2, .varint(let value)): number = Int64(Int32(truncatingIfNeeded: value))
            case (3, .bytes(let bytes)): text = try string(bytes, name)
            default: break
            }
        }
        return isString ? .string(text) : .integer(number)
    }

    private static func timestamp(_ bytes: ArraySlice<UInt8>) throws(ProtobufError) -> Timestamp? {
        if bytes.isEmpty { return nil }
        var time = Timestamp(seconds: 0)
        var reader = ProtobufReader(bytes)
        while let wire = try reader.next() {
            guard case .varint(let number) = wire.value else { continue }
            if wire.number == 1 { time.seconds = Int64(bitPattern: number) }
            if wire.number == 2 { time.nanoseconds = Int32(truncatingIfNeeded: number) }
        }
        // Go's zero time, the first second of year 1, stands for no time; outside of four-digit years nothing is a time.
        return (-62_135_596_799...253_402_300_799).contains(time.seconds) ? time : nil
    }

    private static func embeddedJSON(_ bytes: ArraySlice<UInt8>, _ name: String) throws(ProtobufError) -> JSON? {
        var reader = ProtobufReader(bytes)
        while let wire = try reader.next() {
            guard wire.number == 1, case .bytes(let raw) = wire.value, !raw.isEmpty else { continue }
            do throws(JSONSyntaxError) {
                return try JSON(parsing: Array(raw))
            } catch {
                throw ProtobufError(problem: "\(name) holds \(error)")
            }
        }
        return nil
    }

    private static func text(
        inField number: Int, of bytes: ArraySlice<UInt8>, _ name: String
    ) throws(ProtobufError) -> String? {
        var reader = ProtobufReader(bytes)
        var text: String?
        while let wire = try reader.next() {
            if wire.number == number, case .bytes(let bytes) = wire.value { text = try string(bytes, name) }
        }
        return text
    }

    private static func string(_ bytes: ArraySlice<UInt8>, _ name: String) throws(ProtobufError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ProtobufError(problem: "\(name) is not UTF-8")
        }
        return text
    }

    private static func mismatch(_ name: String) -> ProtobufError {
        ProtobufError(problem: "\(name) has the wire type of another kind of field")
    }
}

extension FieldType {
    fileprivate var isPackable: Bool {
        switch self {
        case .int32, .int64, .bool, .double: true
        default: false
        }
    }
}

/// Reads the fields of one message one after the other.
struct ProtobufReader {
    enum Value {
        case varint(UInt64), fixed64(UInt64), fixed32(UInt32)
        case bytes(ArraySlice<UInt8>)
    }

    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// The next field; `nil` at the end of the message.
    mutating func next() throws(ProtobufError) -> (number: Int, value: Value)? {
        if bytes.isEmpty { return nil }
        let tag = try varint()
        let number = Int(truncatingIfNeeded: tag >> 3)
        guard number > 0, number < 1 << 29 else { throw ProtobufError(problem: "field number \(tag >> 3)") }
        switch tag & 7 {
        case 0: return (number, .varint(try varint()))
        case 1: return (number, .fixed64(try fixed(8)))
        case 2:
            let count = try varint()
            guard count <= UInt64(bytes.count) else {
                throw ProtobufError(problem: "field \(number) of \(count) bytes where \(bytes.count) are left")
            }
            let value = bytes.prefix(Int(count))
            bytes = bytes.dropFirst(Int(count))
            return (number, .bytes(value))
        case 5: return (number, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw ProtobufError(problem: "field \(number) has wire type \(tag & 7), which Kubernetes does not use")
        }
    }

    /// The next number of a packed list; `nil` at its end.
    mutating func nextPacked(_ type: FieldType) throws(ProtobufError) -> Value? {
        if bytes.isEmpty { return nil }
        if case .double = type { return .fixed64(try fixed(8)) }
        return .varint(try varint())
    }

    private mutating func varint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
            if shift > 63 { throw ProtobufError(problem: "a number of more than 64 bits") }
        }
        throw ProtobufError(problem: "the message ends inside a number")
    }

    private mutating func fixed(_ count: Int) throws(ProtobufError) -> UInt64 {
        guard bytes.count >= count else { throw ProtobufError(problem: "the message ends inside a number") }
        var value: UInt64 = 0
        for (index, byte) in bytes.prefix(count).enumerated() { value |= UInt64(byte) << UInt64(8 * index) }
        bytes = bytes.dropFirst(count)
        return value
    }
}

/// Go's notation of a length of time, such as `1h0m0.5s`.
enum GoDuration {
    static func text(nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let total = nanoseconds.magnitude
        if total < 1000 { return "\(sign)\(total)ns" }
        if total < 1_000_000 { return "\(sign)\(decimal(total, per: 1000))µs" }
        if total < 1_000_000_000 { return "\(sign)\(decimal(total, per: 1_000_000))ms" }
        let minutes = total / 60_000_000_000
        var text = sign
        if minutes >= 60 { text += "\(minutes / 60)h" }
        if minutes > 0 { text += "\(minutes % 60)m" }
        return text + "\(decimal(total % 60_000_000_000, per: 1_000_000_000))s"
    }

    private static func decimal(_ value: UInt64, per unit: UInt64) -> String {
        let fraction = value % unit
        guard fraction != 0 else { return "\(value / unit)" }
        var digits = String(fraction)
        digits = String(repeating: "0", count: String(unit).utf8.count - 1 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(value / unit).\(digits)"
    }
}
