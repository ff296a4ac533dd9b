import OrderedCollections

/// What a lenient reader had to mend, a line each for the client's `Warning` headers.
struct Repairs {
    private(set) var warnings: [String] = []

    mutating func note(_ warning: String) {
        if !warnings.contains(warning) { warnings.append(warning) }
    }

    /// Names the members of `object` that have no meaning at `path`.
    mutating func unknown(in object: JSON?, at path: String, known: Set<String>) {
        for key in (object?.object ?? [:]).keys where !known.contains(key) {
            note("unknown field \(path.isEmpty ? key : "\(path).\(key)") is ignored")
        }
    }

    /// A whole number, also when it was written as a string of digits. Anything else is returned as it is, for the
    /// type check of `v1` to name.
    mutating func number(_ value: JSON?, at path: String) -> JSON? {
        guard case .string(let text)? = value, let number = Int64(text) else { return value }
        note("\(path): the string \"\(text)\" is taken as a number")
        return .integer(number)
    }

    /// A string, also when a number or a boolean was written.
    mutating func string(_ value: JSON?, at path: String) -> JSON? {
        let text: String
        switch value {
        case .integer(let number)?: text = "\(number)"
        case .double(let number)?: text = "\(number)"
        case .bool(let flag)?: text = "\(flag)"
        default: return value
        }
        note("\(path): \(text) is taken as the string \"\(text)\"")
        return .string(text)
    }

    /// A map of strings to strings, numbers and booleans mended.
    mutating func strings(_ value: JSON?, at path: String) -> JSON? {
        guard case .object(var members)? = value else { return value }
        for (key, member) in members { members[key] = string(member, at: "\(path).\(key)") }
        return .object(members)
    }
}

extension JSON {
    /// The member `key`, unless it is absent or `null`.
    func member(_ key: String) -> JSON? {
        guard let value = self[key], !value.isNull else { return nil }
        return value
    }

    /// The member `key` if it is a string with something in it.
    func text(_ key: String) -> String? {
        guard let text = self[key]?.string, !text.isEmpty else { return nil }
        return text
    }

    /// The member `key` if it is an object or a list with something in it.
    func filled(_ key: String) -> JSON? {
        switch self[key] {
        case .object(let members)?: members.isEmpty ? nil : self[key]
        case .array(let elements)?: elements.isEmpty ? nil : self[key]
        default: nil
        }
    }

    var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .double: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
