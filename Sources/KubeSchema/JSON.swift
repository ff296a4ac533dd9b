public import OrderedCollections

/// The members of a JSON object, in the order in which they were written.
public typealias JSONObject = OrderedDictionary<String, JSON>

/// A JSON document or a part of one (RFC 8259), the form in which every API object passes through the project.
///
/// Numbers without fraction or exponent that fit 64 bits are integers, all others doubles. Objects compare equal
/// whatever the order of their members.
public enum JSON: Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    case double(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)
}

extension JSON {
    public var string: String? { if case .string(let value) = self { value } else { nil } }
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    public var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    public var isNull: Bool { if case .null = self { true } else { false } }

    /// The number as an integer, also of a double without a fraction.
    public var integer: Int64? {
        switch self {
        case .integer(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    /// The member `key` of an object; `nil` when there is none or this is no object. Setting `nil` removes it; setting
    /// a member of anything that is no object makes it one.
    public subscript(key: String) -> JSON? {
        get { if case .object(let members) = self { members[key] } else { nil } }
        set {
            var members: JSONObject = if case .object(let members) = self { members } else { [:] }
            self = .null  // gives up this reference, so that the write below does not copy
            members[key] = newValue
            self = .object(members)
        }
    }

    /// The member at the end of a path of keys. Setting makes the objects on the way; setting `nil` makes none.
    public subscript(path: [String]) -> JSON? {
        get { path.reduce(Optional(self)) { $0?[$1] } }
        set {
            guard let first = path.first else {
                if let newValue { self = newValue }
                return
            }
            guard path.count > 1 else {
                self[first] = newValue
                return
            }
            var child = self[first] ?? .null
            if newValue == nil, child.object == nil { return }
            self[first] = nil == self[first] ? nil : .null
            child[Array(path.dropFirst())] = newValue
            self[first] = child
        }
    }

    public subscript(path: String...) -> JSON? {
        get { self[path] }
        set { self[path] = newValue }
    }
}

extension JSON: Hashable {
    public static func == (left: JSON, right: JSON) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let l), .bool(let r)): l == r
        case (.integer(let l), .integer(let r)): l == r
        case (.double(let l), .double(let r)): l == r
        case (.integer(let l), .double(let r)), (.double(let r), .integer(let l)): Double(l) == r
        case (.string(let l), .string(let r)): l == r
        case (.array(let l), .array(let r)): l == r
        case (.object(let l), .object(let r)): l.count == r.count && l.allSatisfy { r[$0.key] == $0.value }
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .integer(let value): hasher.combine(Double(value))
        case .double(let value): hasher.combine(value)
        case .string(let value): hasher.combine(value)
        case .array(let values): hasher.combine(values)
        case .object(let members): hasher.combine(members.count)
        }
    }
}

extension JSON: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSON)...) {
        self = .object(JSONObject(elements, uniquingKeysWith: { $1 }))
    }
}
