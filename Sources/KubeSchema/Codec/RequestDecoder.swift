/// What to do about members that the schema does not know, or that are written twice.
package enum FieldValidation: String, Sendable {
    case strict = "Strict"
    case warn = "Warn"
    case ignore = "Ignore"
}

/// Why a request's body could not be read: the reason and message of the Status that answers it.
package struct BodyError: Error, Equatable, Sendable, CustomStringConvertible {
    /// `.badRequest` or `.unsupportedMediaType`.
    package let reason: StatusReason
    package let message: String
    package var description: String { message }

    package init(reason: StatusReason = .badRequest, _ message: String) {
        self.reason = reason
        self.message = message
    }
}
