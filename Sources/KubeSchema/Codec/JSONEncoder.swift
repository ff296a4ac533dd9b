import OrderedCollections

extension JSON {
    /// The document as JSON text in UTF-8, without white space, members in their order.
    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        encoded(into: &bytes)
        return bytes
    }

    /// Appends the document as `encoded()` would return it.
    ///
    /// A double that is no finite number becomes `null`, since JSON has no other word for it; none comes out of a parser.
    public func encoded(into bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append("null")
        case .bool(true): bytes.append("true")
        case .bool(false): bytes.append("false")
        case .integer(let value): bytes.append(decimal: value)
        case .double(let value):
            value.isFinite ? bytes.append(contentsOf: value.description.utf8) : bytes.append("null")
        case .string(let value): bytes.append(quoted: value)
        case .array(let elements):
            bytes.append(UInt8(ascii: "["))
            var isFirst = true
            for element in elements {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                element.encoded(into: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for (key, value) in members {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                bytes.append(quoted: key)
                bytes.append(UInt8(ascii: ":"))
                value.encoded(into: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

extension JSON: CustomStringConvertible {
    /// The document as JSON text.
    public var description: String { String(decoding: encoded(), as: UTF8.self) }
}

extension [UInt8] {
    fileprivate mutating func append(_ word: StaticString) {
        word.withUTF8Buffer { append(contentsOf: $0) }
    }

    fileprivate mutating func append(decimal value: Int64) {
        var magnitude = value.magnitude
        if magnitude < 10 {
            if value < 0 { append(UInt8(ascii: "-")) }
            append(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude))
            return
        }
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var first = 20
        repeat {
            first &-= 1
            digits[first] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: magnitude % 10)
            magnitude /= 10
        } while magnitude > 0
        if value < 0 { append(UInt8(ascii: "-")) }
        for i in first..<20 { append(digits[i]) }
    }

    /// Appends `string` in quotes, with escapes for quotes, backslashes and control characters only.
    package mutating func append(quoted string: String) {
        append(UInt8(ascii: "\""))
        var string = string
        string.withUTF8 { text in
            var written = 0
            for i in text.indices {
                let byte = text[i]
                if byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") { continue }
                append(contentsOf: text[written..<i])
                written = i &+ 1
                append(UInt8(ascii: "\\"))
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
                case 0x0A: append(UInt8(ascii: "n"))
                case 0x0D: append(UInt8(ascii: "r"))
                case 0x09: append(UInt8(ascii: "t"))
                default:
                    append("u00")
                    append(Self.hexadecimalDigit(byte >> 4))
                    append(Self.hexadecimalDigit(byte & 15))
                }
            }
            append(contentsOf: text[written...])
        }
        append(UInt8(ascii: "\""))
    }

    private static func hexadecimalDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }
}
