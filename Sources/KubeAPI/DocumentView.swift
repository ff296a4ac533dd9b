package import KubeSchema
import OrderedCollections

/// A value that has a place in a JSON document.
package protocol DocumentValue: Sendable {
    /// `nil` when `json` has another shape than the value needs.
    init?(json: JSON)
    var json: JSON { get }
}

/// A typed window on a JSON document. Only the members that are set through it change, so that what this project
/// doesn't know survives a read, a change and a write.
package protocol DocumentView: DocumentValue, Hashable {
    var document: JSON { get set }
    init(document: JSON)
}

extension DocumentView {
    package init?(json: JSON) {
        guard json.object != nil else { return nil }
        self.init(document: json)
    }

    package var json: JSON { document }

    /// An empty document.
    package init() { self.init(document: .emptyObject) }

    /// The value at the end of a path of keys; `nil` when it is absent, null or of another shape. Setting `nil` removes
    /// it.
    package subscript<Value: DocumentValue>(path: String...) -> Value? {
        get {
            guard let json = document[path], !json.isNull else { return nil }
            return Value(json: json)
        }
        set { document[path] = newValue?.json }
    }

    /// As the subscript above, with nothing and empty being the same: an empty list is not written.
    package subscript<Element: DocumentValue>(list path: String...) -> [Element] {
        get {
            guard let json = document[path] else { return [] }
            return [Element](json: json) ?? []
        }
        set { document[path] = newValue.isEmpty ? nil : newValue.json }
    }

    /// As the subscript above for a map from strings.
    package subscript<Element: DocumentValue>(map path: String...) -> [String: Element] {
        get {
            guard let json = document[path] else { return [:] }
            return [String: Element](json: json) ?? [:]
        }
        set { document[path] = newValue.isEmpty ? nil : newValue.json }
    }

    /// A view on the member at the end of a path; an empty one when there is none.
    package subscript<View: DocumentView>(view path: String...) -> View {
        get { View(document: document[path] ?? .emptyObject) }
        set { document[path] = newValue.document }
    }
}

extension JSON: DocumentValue {
    /// `{}`.
    package static let emptyObject = JSON.object([:])

    package init?(json: JSON) { self = json }
    package var json: JSON { self }
}

extension String: DocumentValue {
    package init?(json: JSON) {
        guard let value = json.string else { return nil }
        self = value
    }
    package var json: JSON { .string(self) }
}

extension Bool: DocumentValue {
    package init?(json: JSON) {
        guard let value = json.bool else { return nil }
        self = value
    }
    package var json: JSON { .bool(self) }
}

extension Int: DocumentValue {
    package init?(json: JSON) {
        guard let value = json.integer.flatMap(Int.init(exactly:)) else { return nil }
        self = value
    }
    package var json: JSON { .integer(Int64(self)) }
}

extension Int64: DocumentValue {
    package init?(json: JSON) {
        guard let value = json.integer else { return nil }
        self = value
    }
    package var json: JSON { .integer(self) }
}

extension Array: DocumentValue where Element: DocumentValue {
    /// Elements of another shape are left out.
    package init?(json: JSON) {
        guard let values = json.array else { return nil }
        self = values.compactMap { Element(json: $0) }
    }
    package var json: JSON { .array(map(\.json)) }
}

extension Dictionary: DocumentValue where Key == String, Value: DocumentValue {
    /// Members of another shape are left out.
    package init?(json: JSON) {
        guard let members = json.object else { return nil }
        self.init(minimumCapacity: members.count)
        for (key, value) in members { self[key] = Value(json: value) }
    }
    package var json: JSON {
        .object(JSONObject(uniqueKeysWithValues: sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
    }
}

/// A port or an amount that may be given as a number or by name.
package enum IntOrString: DocumentValue, Hashable, CustomStringConvertible {
    case integer(Int)
    case string(String)

    package init?(json: JSON) {
        if let value = Int(json: json) {
            self = .integer(value)
        } else if let value = json.string {
            self = .string(value)
        } else {
            return nil
        }
    }

    package var json: JSON {
        switch self {
        case .integer(let value): value.json
        case .string(let value): value.json
        }
    }

    package var description: String {
        switch self {
        case .integer(let value): String(value)
        case .string(let value): value
        }
    }
}
