import OrderedCollections

extension JSON {
    /// The document as YAML in block style, members sorted by name, as Kubernetes' own servers write it.
    package func yaml() -> [UInt8] {
        var text: [UInt8] = []
        YAMLEncoder.append(self, indentation: 0, isInline: false, to: &text)
        return text
    }
}

private enum YAMLEncoder {
    /// - Parameter isInline: Whether something stands on the line already, `key:` or `-`.
    static func append(_ value: JSON, indentation: Int, isInline: Bool, to text: inout [UInt8]) {
        switch value {
        case .object(let members) where !members.isEmpty:
            for (index, (key, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 || !isInline { text.append(contentsOf: repeatElement(0x20, count: indentation)) }
                append(string: key, to: &text)
                text.append(UInt8(ascii: ":"))
                nest(value, indentation: indentation, to: &text)
            }
        case .array(let elements) where !elements.isEmpty:
            for (index, element) in elements.enumerated() {
                if index > 0 || !isInline { text.append(contentsOf: repeatElement(0x20, count: indentation)) }
                text.append(UInt8(ascii: "-"))
                text.append(0x20)
                append(element, indentation: indentation + 2, isInline: true, to: &text)
            }
        case .string(let string):
            append(string: string, to: &text)
            text.append(UInt8(ascii: "\n"))
        default:
            value.encoded(into: &text)
            text.append(UInt8(ascii: "\n"))
        }
    }

    /// The value of a member: on the same line if it is short, below it otherwise. Lists keep the member's column.
    private static func nest(_ value: JSON, indentation: Int, to text: inout [UInt8]) {
        switch value {
        case .object(let members) where !members.isEmpty:
            text.append(UInt8(ascii: "\n"))
            append(value, indentation: indentation + 2, isInline: false, to: &text)
        case .array(let elements) where !elements.isEmpty:
            text.append(UInt8(ascii: "\n"))
            append(value, indentation: indentation, isInline: false, to: &text)
        default:
            text.append(0x20)
            append(value, indentation: indentation, isInline: true, to: &text)
        }
    }

    private static func append(string: String, to text: inout [UInt8]) {
        if isPlain(string) { text.append(contentsOf: string.utf8) } else { text.append(quoted: string) }
    }

    /// Whether any reader takes the text for this string without quotes: words of letters and a few marks that begin
    /// with a letter and are none of YAML's names for other things.
    private static func isPlain(_ string: String) -> Bool {
        guard let first = string.utf8.first, isLetter(first) else { return false }
        let marks: Set<UInt8> = [
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: "_"),
        ]
        guard string.utf8.allSatisfy({ isLetter($0) || 0x30...0x39 ~= $0 || marks.contains($0) }) else { return false }
        return !["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(string.lowercased())
    }

    private static func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= byte | 0x20 }
}
