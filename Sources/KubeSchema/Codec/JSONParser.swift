import OrderedCollections

/// Why bytes are no JSON document, and where.
public struct JSONSyntaxError: Error, Equatable, CustomStringConvertible {
    /// What was wrong, without the place.
    public let problem: String
    /// The byte at which it was noticed, counted from 0.
    public let offset: Int
    public var description: String { "invalid JSON at byte \(offset): \(problem)" }

    package init(problem: String, offset: Int) {
        self.problem = problem
        self.offset = offset
    }
}

extension JSON {
    /// How deep arrays and objects may be nested, in JSON, YAML and protobuf: several times what any API object needs,
    /// and little enough that recursion never meets the end of a thread's stack.
    package static let depthLimit = 256

    /// Parses one document (RFC 8259) that must be UTF-8 without a byte order mark; white space may surround it.
    ///
    /// A member written twice keeps its last value. A number beyond the range of doubles is an error.
    /// - Complexity: O(n); one allocation for each array, object and string longer than 15 bytes.
    public init(parsing bytes: [UInt8]) throws(JSONSyntaxError) {
        var duplicates: [String] = []
        self = try JSON.parse(bytes.span, duplicates: &duplicates)
    }

    /// Parses like `init(parsing:)` and appends the path of each member written twice, such as `spec.ports[0].name`.
    package static func parse(_ bytes: Span<UInt8>, duplicates: inout [String]) throws(JSONSyntaxError) -> JSON {
        var parser = JSONParser()
        defer { duplicates += parser.duplicates }
        parser.skipSpace(bytes)
        let value = try parser.value(bytes, depth: 0)
        parser.skipSpace(bytes)
        guard parser.position == bytes.count else {
            throw JSONSyntaxError(problem: "more follows the end of the document", offset: parser.position)
        }
        return value
    }
}

/// A recursive descent parser. The bytes are handed down rather than stored, since a span must not be kept.
struct JSONParser {
    private(set) var position = 0
    private(set) var duplicates: [String] = []

    mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position &+= 1
            default: return
            }
        }
    }

    mutating func value(_ bytes: Span<UInt8>, depth: Int) throws(JSONSyntaxError) -> JSON {
        guard position < bytes.count else { throw error("the document ends where a value should be") }
        switch bytes[position] {
        case UInt8(ascii: "{"): return try object(bytes, depth: depth)
        case UInt8(ascii: "["): return try array(bytes, depth: depth)
        case UInt8(ascii: "\""): return .string(try string(bytes))
        case UInt8(ascii: "t"): return try literal("true", .bool(true), bytes)
        case UInt8(ascii: "f"): return try literal("false", .bool(false), bytes)
        case UInt8(ascii: "n"): return try literal("null", .null, bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number(bytes)
        case let byte: throw error("\(name(of: byte)) where a value should begin")
        }
    }

    private mutating func object(_ bytes: Span<UInt8>, depth: Int) throws(JSONSyntaxError) -> JSON {
        guard depth < JSON.depthLimit else { throw tooDeep() }
        position &+= 1
        skipSpace(bytes)
        var members = JSONObject()
        if position < bytes.count, bytes[position] == UInt8(ascii: "}") {
            position &+= 1
            return .object(members)
        }
        while true {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw error("\(found(bytes)) where a member name in quotes should be")
            }
            let key = try string(bytes)
            skipSpace(bytes)
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else {
                throw error("\(found(bytes)) where a colon should follow the member name")
            }
            position &+= 1
            skipSpace(bytes)
            let known = duplicates.count
            let value = try value(bytes, depth: depth &+ 1)
            for i in known..<duplicates.count { duplicates[i] = Self.join(key, duplicates[i]) }
            if members.updateValue(value, forKey: key) != nil { duplicates.append(key) }
            skipSpace(bytes)
            guard position < bytes.count else { throw error("the document ends inside an object") }
            let byte = bytes[position]
            if byte == UInt8(ascii: ",") {
                position &+= 1
                skipSpace(bytes)
            } else if byte == UInt8(ascii: "}") {
                position &+= 1
                return .object(members)
            } else {
                throw error("\(name(of: byte)) after an object's member, where a comma or } should be")
            }
        }
    }

    private mutating func array(_ bytes: Span<UInt8>, depth: Int) throws(JSONSyntaxError) -> JSON {
        guard depth < JSON.depthLimit else { throw tooDeep() }
        position &+= 1
        skipSpace(bytes)
        var elements: [JSON] = []
        if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
            position &+= 1
            return .array(elements)
        }
        while true {
            let known = duplicates.count
            elements.append(try value(bytes, depth: depth &+ 1))
            for i in known..<duplicates.count { duplicates[i] = Self.join("[\(elements.count - 1)]", duplicates[i]) }
            skipSpace(bytes)
            guard position < bytes.count else { throw error("the document ends inside an array") }
            let byte = bytes[position]
            if byte == UInt8(ascii: ",") {
                position &+= 1
                skipSpace(bytes)
            } else if byte == UInt8(ascii: "]") {
                position &+= 1
                return .array(elements)
            } else {
                throw error("\(name(of: byte)) after an array's element, where a comma or ] should be")
            }
        }
    }

    /// Reads a string from its opening quote on and leaves the position behind the closing one.
    private mutating func string(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> String {
        let start = position &+ 1
        var end = start
        while end < bytes.count {
            let byte = bytes[end]
            if byte == UInt8(ascii: "\"") {
                position = end &+ 1
                return try text(bytes.extracting(start..<end), at: start)
            }
            if byte == UInt8(ascii: "\\") { return try escapedString(bytes, from: start, to: end) }
            if byte < 0x20 {
                throw JSONSyntaxError(problem: "a control character inside a string must be escaped", offset: end)
            }
            end &+= 1
        }
        throw JSONSyntaxError(problem: "a string that does not end", offset: start &- 1)
    }

    /// The rest of a string whose first backslash stands at `end`.
    private mutating func escapedString(
        _ bytes: Span<UInt8>, from start: Int, to end: Int
    ) throws(JSONSyntaxError) -> String {
        var unescaped: [UInt8] = []
        unescaped.reserveCapacity(end &- start &+ 32)
        for i in start..<end { unescaped.append(bytes[i]) }
        position = end
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position &+= 1
                return try text(unescaped.span, at: start)
            case UInt8(ascii: "\\"):
                try escape(bytes, into: &unescaped)
            case 0..<0x20:
                throw error("a control character inside a string must be escaped")
            default:
                unescaped.append(byte)
                position &+= 1
            }
        }
        throw JSONSyntaxError(problem: "a string that does not end", offset: start &- 1)
    }

    private mutating func escape(_ bytes: Span<UInt8>, into unescaped: inout [UInt8]) throws(JSONSyntaxError) {
        guard position &+ 1 < bytes.count else { throw error("the document ends inside a string") }
        let code = bytes[position &+ 1]
        position &+= 2
        switch code {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(code)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"):
            var scalar = UInt32(try hexadecimal(bytes))
            if scalar & 0xFC00 == 0xD800, position &+ 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position &+ 1] == UInt8(ascii: "u")
            {
                let first = position
                position &+= 2
                let low = UInt32(try hexadecimal(bytes))
                if low & 0xFC00 == 0xDC00 {
                    scalar = 0x10000 + ((scalar & 0x3FF) << 10 | low & 0x3FF)
                } else {
                    position = first
                }
            }
            // Half a surrogate pair has no UTF-8 form; Go's decoder puts U+FFFD in its place, and so do we.
            unescaped.append(contentsOf: UTF8.encode(Unicode.Scalar(scalar) ?? "\u{FFFD}")!)
        default:
            position &-= 1
            throw error("\(name(of: code)) after a backslash is no escape")
        }
    }

    private mutating func hexadecimal(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> UInt16 {
        guard position &+ 4 <= bytes.count else { throw error("the document ends inside a \\u escape") }
        var value: UInt16 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte &- UInt8(ascii: "A") &+ 10
            default: throw error("\(name(of: byte)) in a \\u escape, where a hexadecimal digit should be")
            }
            value = value << 4 | UInt16(digit)
            position &+= 1
        }
        return value
    }

    private func text(_ bytes: Span<UInt8>, at offset: Int) throws(JSONSyntaxError) -> String {
        do throws(UTF8.ValidationError) {
            return String(copying: try UTF8Span(validating: bytes))
        } catch {
            throw JSONSyntaxError(problem: "a string that is not UTF-8", offset: offset + error.byteOffsets.lowerBound)
        }
    }

    private mutating func number(_ bytes: Span<UInt8>) throws(JSONSyntaxError) -> JSON {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position &+= 1 }
        let firstDigit = position
        var magnitude: UInt64 = 0
        var overflows = false
        while position < bytes.count, case let digit = bytes[position] &- UInt8(ascii: "0"), digit < 10 {
            let (product, high) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            overflows = overflows || high || carry
            magnitude = sum
            position &+= 1
        }
        guard position > firstDigit else { throw error("\(found(bytes)) where a digit should be") }
        if bytes[firstDigit] == UInt8(ascii: "0"), position > firstDigit &+ 1 {
            throw JSONSyntaxError(problem: "a number with a leading zero", offset: start)
        }
        var isInteger = true
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            isInteger = false
            position &+= 1
            try digits(bytes)
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position &+= 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position &+= 1
            }
            try digits(bytes)
        }
        if isInteger, !overflows {
            if !isNegative, let value = Int64(exactly: magnitude) { return .integer(value) }
            if isNegative, magnitude <= UInt64(Int64.max) + 1 {
                return .integer(Int64(truncatingIfNeeded: 0 &- magnitude))
            }
        }
        guard let value = Double(try text(bytes.extracting(start..<position), at: start)), value.isFinite else {
            throw JSONSyntaxError(problem: "a number too big for a double", offset: start)
        }
        return .double(value)
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(JSONSyntaxError) {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position &+= 1 }
        guard position > start else { throw error("\(found(bytes)) where a digit should be") }
    }

    private mutating func literal(
        _ word: StaticString, _ value: JSON, _ bytes: Span<UInt8>
    ) throws(JSONSyntaxError) -> JSON {
        let count = word.utf8CodeUnitCount
        let matches =
            position &+ count <= bytes.count
            && word.withUTF8Buffer { expected in
                (0..<count).allSatisfy { bytes[position &+ $0] == expected[$0] }
            }
        guard matches else { throw error("a word that is not \(word)") }
        position &+= count
        return value
    }

    private static func join(_ outer: String, _ inner: String) -> String {
        inner.utf8.first == UInt8(ascii: "[") ? outer + inner : "\(outer).\(inner)"
    }

    private func error(_ problem: String) -> JSONSyntaxError { JSONSyntaxError(problem: problem, offset: position) }
    private func tooDeep() -> JSONSyntaxError { error("nested deeper than \(JSON.depthLimit) levels") }
    private func name(of byte: UInt8) -> String {
        0x21...0x7E ~= byte ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"
    }
    private func found(_ bytes: Span<UInt8>) -> String {
        position < bytes.count ? name(of: bytes[position]) : "the end of the document"
    }
}
