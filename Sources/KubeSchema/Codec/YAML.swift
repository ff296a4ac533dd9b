import OrderedCollections
internal import Yams

/// Why a text is no YAML document that JSON could express.
package struct YAMLError: Error, Equatable, CustomStringConvertible {
    package let problem: String
    package var description: String { "invalid YAML: \(problem)" }
}

extension JSON {
    /// Parses one YAML document into what JSON can say; an empty one is `null`.
    ///
    /// Plain scalars are typed as Kubernetes does it (YAML 1.1: `yes` and `on` are true); quoted ones are strings.
    package init(yaml bytes: [UInt8]) throws(YAMLError) {
        var duplicates: [String] = []
        self = try JSON.parse(yaml: bytes, duplicates: &duplicates)
    }

    /// Parses like `init(yaml:)`. A member written twice is an error of the parser already, so that none is appended.
    static func parse(yaml bytes: [UInt8], duplicates: inout [String]) throws(YAMLError) -> JSON {
        let text: String
        do throws(UTF8.ValidationError) {
            text = String(copying: try UTF8Span(validating: bytes.span))
        } catch {
            throw YAMLError(problem: "not UTF-8 at byte \(error.byteOffsets.lowerBound)")
        }
        let depth = YAMLDepth.measure(bytes)
        guard depth <= JSON.depthLimit else { throw YAMLError(problem: "nested deeper than \(JSON.depthLimit) levels") }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw YAMLError(problem: "\(error)")
        }
        guard let root else { return .null }
        var converter = YAMLConverter(budget: 100_000 + 10 * bytes.count)
        return try converter.convert(root, depth: 0)
    }
}

/// Bounds how deep the YAML library, which recurses without a limit of its own, could have to go.
private enum YAMLDepth {
    /// The most brackets open at once plus the deepest indentation; an upper bound for text that is not nested by
    /// compact sequences (`- - - x`), whose dashes are counted too.
    static func measure(_ bytes: [UInt8]) -> Int {
        var brackets = 0
        var deepest = 0
        var indentation = 0
        var isIndenting = true
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"):
                isIndenting = true
                indentation = 0
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): brackets += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): brackets = max(0, brackets - 1)
            case UInt8(ascii: "-"), UInt8(ascii: "?"):
                if isIndenting { indentation += 1 }
                deepest = max(deepest, brackets + indentation)
                continue
            case UInt8(ascii: " "): continue
            default: break
            }
            isIndenting = false
            deepest = max(deepest, brackets)
        }
        return deepest
    }
}

/// Turns nodes into values. Aliases make a node appear many times, hence the budget.
private struct YAMLConverter {
    /// How many more nodes may be converted.
    var budget: Int

    mutating func convert(_ node: Node, depth: Int) throws(YAMLError) -> JSON {
        guard depth <= JSON.depthLimit else { throw YAMLError(problem: "nested deeper than \(JSON.depthLimit) levels") }
        budget -= 1
        guard budget > 0 else { throw YAMLError(problem: "aliases expand to too many nodes") }
        switch node {
        case .scalar(let scalar): return try Self.scalar(scalar)
        case .sequence(let sequence):
            var elements: [JSON] = []
            for element in sequence { elements.append(try convert(element, depth: depth + 1)) }
            return .array(elements)
        case .mapping(let mapping):
            var members = JSONObject()
            var merged: [JSON] = []
            for (key, value) in mapping {
                guard case .scalar(let name) = key else { throw YAMLError(problem: "a key that is no scalar") }
                let converted = try convert(value, depth: depth + 1)
                if name.string == "<<", name.style == .plain || name.style == .any {
                    merged += converted.array ?? [converted]
                } else {
                    members[name.string] = converted
                }
            }
            for source in merged {
                for (key, value) in source.object ?? [:] where members[key] == nil { members[key] = value }
            }
            return .object(members)
        case .alias: throw YAMLError(problem: "an alias that refers to nothing")
        }
    }

    private static func scalar(_ scalar: Node.Scalar) throws(YAMLError) -> JSON {
        let tag = scalar.tag.description
        if tag == "tag:yaml.org,2002:str" || tag == "tag:yaml.org,2002:binary" || tag == "!" {
            return .string(scalar.string)
        }
        guard scalar.style == .plain || scalar.style == .any else { return .string(scalar.string) }
        switch scalar.string {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON": return true
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF": return false
        default: return number(scalar.string) ?? .string(scalar.string)
        }
    }

    private static func number(_ text: String) -> JSON? {
        guard let first = text.utf8.first, first < 0x3A, text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        var digits = text.filter { $0 != "_" }
        let isNegative = digits.hasPrefix("-")
        if isNegative || digits.hasPrefix("+") { digits.removeFirst() }
        guard let leading = digits.utf8.first, 0x30...0x39 ~= leading || leading == 0x2E else { return nil }
        if digits == "0" { return 0 }
        let prefixes: [(String, Int)] = [("0x", 16), ("0X", 16), ("0b", 2), ("0o", 8), ("0", 8)]
        if let (prefix, radix) = prefixes.first(where: { digits.hasPrefix($0.0) }), !digits.contains(".") {
            if let value = Int64((isNegative ? "-" : "") + digits.dropFirst(prefix.count), radix: radix) {
                return .integer(value)
            }
            if prefix != "0" { return nil }
        }
        if let value = Int64((isNegative ? "-" : "") + digits) { return .integer(value) }
        guard digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 || [0x2E, 0x2B, 0x2D, 0x65, 0x45].contains($0) }),
            let value = Double((isNegative ? "-" : "") + digits), value.isFinite
        else { return nil }
        return .double(value)
    }
}
