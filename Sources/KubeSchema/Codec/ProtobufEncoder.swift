import OrderedCollections

/// Writes documents in Kubernetes' protobuf form, with the field numbers of their schema.
///
/// What the schema does not know, or a value that is not of its field's type, is left out: documents that come from the
/// store were conformed to their schema when they were written. Empty lists and maps have no protobuf form.
///
/// Source: the envelope of `k8s.io/apimachinery/pkg/runtime/serializer/protobuf` and protobuf's encoding
/// (https://protobuf.dev/programming-guides/encoding/).
package enum ProtobufEncoder {
    /// The document in its envelope, which carries `kind` and `apiVersion`.
    package static func envelope(_ document: JSON, as message: MessageSchema) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        appendEnvelope(
            kind: document["kind"]?.string ?? "", apiVersion: document["apiVersion"]?.string ?? "", to: &bytes
        ) { bytes in append(document, message, to: &bytes) }
        return bytes
    }

    /// Appends an envelope around what `body` appends.
    package static func appendEnvelope(
        kind: String, apiVersion: String, to bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void
    ) {
        bytes.append(contentsOf: ProtobufDecoder.magic)
        bytes.append(field: 1) { types in
            types.append(field: 1, text: apiVersion)
            types.append(field: 2, text: kind)
        }
        bytes.append(field: 2, body)
        // Content encoding and type, which nobody sets and everybody writes.
        bytes.append(field: 3, text: "")
        bytes.append(field: 4, text: "")
    }

    /// Appends the fields of one message, without a length.
    package static func append(_ document: JSON, _ message: MessageSchema, to bytes: inout [UInt8]) {
        guard case .object(let members) = document else { return }
        append(members, message, to: &bytes)
    }

    /// Appends the fields of a list message: metadata under 1, each item under 2, as all lists have them.
    package static func appendList(
        metadata: JSON, items: some Sequence<JSON>, _ message: MessageSchema, to bytes: inout [UInt8]
    ) {
        if let listMeta { bytes.append(field: 1) { append(metadata, listMeta, to: &$0) } }
        for item in items { bytes.append(field: 2) { append(item, message, to: &$0) } }
    }

    private static let listMeta = SchemaTable.builtin.message("meta/v1.ListMeta")

    /// One event of a watch (`WatchEvent`: 1 type, 2 object {1 raw}) behind its length in four bytes, big endian.
    ///
    /// - Parameter object: The object in its envelope.
    package static func watchFrame(type: String, object: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0, 0]
        bytes.reserveCapacity(object.count + 32)
        bytes.append(field: 1, text: type)
        bytes.append(field: 2) { event in
            event.append(field: 1) { $0.append(contentsOf: object) }
        }
        let length = UInt32(truncatingIfNeeded: bytes.count - 4)
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * index)) }
        return bytes
    }

    private static func append(_ members: JSONObject, _ message: MessageSchema, to bytes: inout [UInt8]) {
        var hasForeign = false
        for (key, value) in members {
            guard let index = message.index(of: key) else { continue }
            guard index < message.ownCount else {
                hasForeign = true
                continue
            }
            let field = message.fields[index]
            if field.number > 0 { append(value, field.type, field.number, to: &bytes) }
        }
        guard hasForeign else { return }
        for part in message.embedded {
            // An embedded message takes of the members what it knows, and is left out if that is nothing.
            let start = bytes.count
            bytes.append(field: part.number) { append(members, part.message, to: &$0) }
            if bytes.count == start + 2 { bytes.removeLast(2) }
        }
    }

    private static func append(_ value: JSON, _ type: FieldType, _ number: Int, to bytes: inout [UInt8]) {
        switch (type, value) {
        case (.string, .string(let text)): bytes.append(field: number, text: text)
        case (.int32, .integer(let integer)), (.int64, .integer(let integer)):
            bytes.append(tag: number, wireType: 0)
            bytes.append(varint: UInt64(bitPattern: integer))
        case (.bool, .bool(let flag)):
            bytes.append(tag: number, wireType: 0)
            bytes.append(flag ? 1 : 0)
        case (.double, .integer(let integer)): bytes.append(field: number, double: Double(integer))
        case (.double, .double(let double)): bytes.append(field: number, double: double)
        case (.message(let message), .object(let members)):
            bytes.append(field: number) { append(members, message, to: &$0) }
        case (.array(let element), .array(let elements)):
            for value in elements { append(value, element, number, to: &bytes) }
        case (.map(let element), .object(let members)):
            for (key, value) in members {
                bytes.append(field: number) { entry in
                    entry.append(field: 1, text: key)
                    appendMapValue(value, element, to: &entry)
                }
            }
        default: appendScalarMessage(value, type, number, to: &bytes)
        }
    }

    private static func appendMapValue(_ value: JSON, _ type: FieldType, to entry: inout [UInt8]) {
        // A map of lists wraps each list in a message whose field 1 repeats.
        guard case .array(let element) = type, case .array(let elements) = value else {
            return append(value, type, 2, to: &entry)
        }
        entry.append(field: 2) { list in
            for value in elements { append(value, element, 1, to: &list) }
        }
    }

    /// Types that JSON writes as one value and protobuf as a message.
    private static func appendScalarMessage(
        _ value: JSON, _ type: FieldType, _ number: Int, to bytes: inout [UInt8]
    ) {
        switch (type, value) {
        case (.bytes, .string(let text)):
            guard let raw = try? Base64.decode(text) else { return }
            bytes.append(field: number) { $0.append(contentsOf: raw) }
        case (.quantity, .string(let text)):
            bytes.append(field: number) { $0.append(field: 1, text: text) }
        case (.intOrString, .integer(let integer)):
            bytes.append(field: number) { message in
                message.append(field: 1, varint: 0)
                message.append(field: 2, varint: UInt64(bitPattern: integer))
                message.append(field: 3, text: "")
            }
        case (.intOrString, .string(let text)):
            bytes.append(field: number) { message in
                message.append(field: 1, varint: 1)
                message.append(field: 2, varint: 0)
                message.append(field: 3, text: text)
            }
        case (.time, .string(let text)), (.microTime, .string(let text)):
            guard let time = Timestamp(rfc3339: text) else { return }
            bytes.append(field: number) { message in
                message.append(field: 1, varint: UInt64(bitPattern: time.seconds))
                message.append(field: 2, varint: UInt64(bitPattern: Int64(time.nanoseconds)))
            }
        case (.duration, .string(let text)):
            guard let nanoseconds = GoDuration.nanoseconds(text) else { return }
            bytes.append(field: number) { $0.append(field: 1, varint: UInt64(bitPattern: nanoseconds)) }
        case (.rawExtension, _), (.fieldsV1, _), (.anyJSON, _):
            bytes.append(field: number) { message in
                message.append(field: 1) { value.encoded(into: &$0) }
            }
        default: break
        }
    }
}

extension [UInt8] {
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(tag number: Int, wireType: UInt64) {
        append(varint: UInt64(truncatingIfNeeded: number) << 3 | wireType)
    }

    mutating func append(field number: Int, varint value: UInt64) {
        append(tag: number, wireType: 0)
        append(varint: value)
    }

    mutating func append(field number: Int, double value: Double) {
        append(tag: number, wireType: 1)
        Swift.withUnsafeBytes(of: value.bitPattern.littleEndian) { append(contentsOf: $0) }
    }

    mutating func append(field number: Int, text: String) {
        append(tag: number, wireType: 2)
        append(varint: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    /// Appends a field of bytes that `body` appends. Most are shorter than 128, so that one byte is set aside for the
    /// length; what is longer is moved.
    mutating func append(field number: Int, _ body: (inout [UInt8]) -> Void) {
        append(tag: number, wireType: 2)
        append(0)
        let start = count
        body(&self)
        let length = count - start
        if length < 0x80 {
            self[start - 1] = UInt8(truncatingIfNeeded: length)
            return
        }
        let needed = (70 - length.leadingZeroBitCount) / 7  // bytes of the length as a varint
        for _ in 1..<needed { append(0) }
        withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            (base + start + needed - 1).copyMemory(from: base + start, byteCount: length)
        }
        var rest = length
        for index in 0..<needed {
            self[start - 1 + index] = UInt8(truncatingIfNeeded: rest & 0x7F) | (index + 1 < needed ? 0x80 : 0)
            rest >>= 7
        }
    }
}

extension GoDuration {
    /// Reads Go's notation, such as `1h0m0.5s`; `nil` for anything else, or beyond 64 bits of nanoseconds.
    static func nanoseconds(_ text: String) -> Int64? {
        var rest = Substring(text)
        let isNegative = rest.hasPrefix("-")
        if isNegative || rest.hasPrefix("+") { rest.removeFirst() }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !("0"..."9").contains($0) && $0 != "." }
            rest = rest.dropFirst(unit.count)
            guard let amount = Double(digits) else { return nil }
            switch unit {
            case "h": total += amount * 3600e9
            case "m": total += amount * 60e9
            case "s": total += amount * 1e9
            case "ms": total += amount * 1e6
            case "us", "µs", "μs": total += amount * 1e3
            case "ns": total += amount
            default: return nil
            }
        }
        return Int64(exactly: (isNegative ? -total : total).rounded())
    }
}
