/// A rule that a field of an object breaks, in the wording of Kubernetes.
package struct FieldError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        case required = "FieldValueRequired"
        case invalid = "FieldValueInvalid"
        case duplicate = "FieldValueDuplicate"
        case notSupported = "FieldValueNotSupported"
        case forbidden = "FieldValueForbidden"
        case notFound = "FieldValueNotFound"
        case tooLong = "FieldValueTooLong"
        case tooMany = "FieldValueTooMany"
        case typeInvalid = "FieldValueTypeInvalid"
        case internalError = "InternalError"

        var phrase: String {
            switch self {
            case .required: "Required value"
            case .invalid: "Invalid value"
            case .duplicate: "Duplicate value"
            case .notSupported: "Unsupported value"
            case .forbidden: "Forbidden"
            case .notFound: "Not found"
            case .tooLong: "Too long"
            case .tooMany: "Too many"
            case .typeInvalid: "Invalid value"
            case .internalError: "Internal error"
            }
        }
    }

    package let kind: Kind
    /// The path, such as `spec.containers[0].image`.
    package let field: String
    /// What was found; `nil` where the message says nothing of it (required, forbidden, too long).
    package let value: JSON?
    /// The rule; may be empty.
    package let detail: String

    package init(_ kind: Kind, _ field: String, value: JSON? = nil, _ detail: String = "") {
        self.kind = kind
        self.field = field
        self.value = value
        self.detail = detail
    }

    /// The message without the field.
    package var body: String {
        var text = kind.phrase
        if let value, kind != .required, kind != .forbidden, kind != .tooLong, kind != .internalError {
            text += ": \(value)"
        }
        return detail.isEmpty ? text : "\(text): \(detail)"
    }

    package var description: String { "\(field): \(body)" }

    /// The error as an entry of a Status' `details.causes`.
    package var cause: JSON {
        ["reason": .string(kind.rawValue), "message": .string(body), "field": .string(field)]
    }

    /// One message for all: the message itself if there is one, several in brackets, each only once.
    package static func aggregate(_ errors: [FieldError]) -> String {
        var messages: [String] = []
        for message in errors.map(\.description) where !messages.contains(message) { messages.append(message) }
        return messages.count == 1 ? messages[0] : "[\(messages.joined(separator: ", "))]"
    }

    /// A value that is none of the few that are supported.
    package static func notSupported(_ field: String, _ value: String, _ supported: [String]) -> FieldError {
        let list = supported.sorted().map { JSON.string($0).description }.joined(separator: ", ")
        return FieldError(.notSupported, field, value: .string(value), "supported values: \(list)")
    }
}
