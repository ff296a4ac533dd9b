import OrderedCollections

/// Why a request failed, in the API's own words; each goes with one HTTP status.
package enum StatusReason: String, Sendable, CaseIterable {
    case unauthorized = "Unauthorized"
    case forbidden = "Forbidden"
    case notFound = "NotFound"
    case alreadyExists = "AlreadyExists"
    case conflict = "Conflict"
    case gone = "Gone"
    case expired = "Expired"
    case invalid = "Invalid"
    case badRequest = "BadRequest"
    case methodNotAllowed = "MethodNotAllowed"
    case notAcceptable = "NotAcceptable"
    case requestEntityTooLarge = "RequestEntityTooLarge"
    case unsupportedMediaType = "UnsupportedMediaType"
    case tooManyRequests = "TooManyRequests"
    case internalError = "InternalError"
    case serviceUnavailable = "ServiceUnavailable"
    case timeout = "Timeout"

    package var code: Int {
        switch self {
        case .badRequest: 400
        case .unauthorized: 401
        case .forbidden: 403
        case .notFound: 404
        case .methodNotAllowed: 405
        case .notAcceptable: 406
        case .alreadyExists, .conflict: 409
        case .gone, .expired: 410
        case .requestEntityTooLarge: 413
        case .unsupportedMediaType: 415
        case .invalid: 422
        case .tooManyRequests: 429
        case .internalError: 500
        case .serviceUnavailable: 503
        case .timeout: 504
        }
    }
}

/// Makes the `Status` documents that answer a request that failed, or that has nothing else to say.
package enum StatusDocument {
    /// A failure. `code` defaults to that of the reason.
    package static func failure(
        code: Int? = nil, reason: StatusReason, message: String, group: String? = nil, kind: String? = nil,
        name: String? = nil, uid: String? = nil, causes: [JSON] = [], retryAfterSeconds: Int? = nil
    ) -> JSON {
        var status = head("Failure")
        status["message"] = .string(message)
        status["reason"] = .string(reason.rawValue)
        status["details"] = details(group, kind, name, uid, causes, retryAfterSeconds)
        status["code"] = .integer(Int64(code ?? reason.code))
        return status
    }

    /// A success without an object, such as that of a deletion.
    package static func success(
        code: Int = 200, message: String? = nil, group: String? = nil, kind: String? = nil, name: String? = nil,
        uid: String? = nil
    ) -> JSON {
        var status = head("Success")
        status["message"] = message.map { .string($0) }
        status["details"] = details(group, kind, name, uid, [], nil)
        status["code"] = code == 200 ? nil : .integer(Int64(code))
        return status
    }

    package static func notFound(_ definition: ResourceDefinition, name: String) -> JSON {
        failure(
            reason: .notFound, message: "\(definition.qualifiedResource) \"\(name)\" not found",
            group: definition.group, kind: definition.resource, name: name)
    }

    package static func alreadyExists(_ definition: ResourceDefinition, name: String) -> JSON {
        failure(
            reason: .alreadyExists, message: "\(definition.qualifiedResource) \"\(name)\" already exists",
            group: definition.group, kind: definition.resource, name: name)
    }

    /// A write that lost against another one, or whose precondition does not hold.
    package static func conflict(
        _ definition: ResourceDefinition, name: String,
        _ why: String = "the object has been modified; please apply your changes to the latest version and try again"
    ) -> JSON {
        failure(
            reason: .conflict,
            message: "Operation cannot be fulfilled on \(definition.qualifiedResource) \"\(name)\": \(why)",
            group: definition.group, kind: definition.resource, name: name)
    }

    package static func forbidden(_ definition: ResourceDefinition, name: String, _ why: String) -> JSON {
        failure(
            reason: .forbidden, message: "\(definition.qualifiedResource) \"\(name)\" is forbidden: \(why)",
            group: definition.group, kind: definition.resource, name: name)
    }

    /// An object that breaks rules: one message that names them all, and each as a cause.
    package static func invalid(_ definition: ResourceDefinition, name: String, _ errors: [FieldError]) -> JSON {
        failure(
            reason: .invalid,
            message: "\(definition.qualifiedKind) \"\(name)\" is invalid: \(FieldError.aggregate(errors))",
            group: definition.group, kind: definition.kind, name: name, causes: errors.map(\.cause))
    }

    /// The resource version that a list or watch asked for is older than what is still known.
    package static func expired(_ message: String) -> JSON { failure(reason: .expired, message: message) }

    package static func internalError(_ message: String) -> JSON {
        failure(
            reason: .internalError, message: "Internal error occurred: \(message)",
            causes: [["message": .string(message)]])
    }

    private static func head(_ status: JSON) -> JSON {
        ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": status]
    }

    private static func details(
        _ group: String?, _ kind: String?, _ name: String?, _ uid: String?, _ causes: [JSON], _ retryAfter: Int?
    ) -> JSON? {
        var details: JSON = [:]
        if let name, !name.isEmpty { details["name"] = .string(name) }
        if let group, !group.isEmpty { details["group"] = .string(group) }
        if let kind, !kind.isEmpty { details["kind"] = .string(kind) }
        if let uid, !uid.isEmpty { details["uid"] = .string(uid) }
        if !causes.isEmpty { details["causes"] = .array(causes) }
        if let retryAfter { details["retryAfterSeconds"] = .integer(Int64(retryAfter)) }
        return details.object?.isEmpty == false ? details : JSON?.none  // a bare nil would be a JSON null
    }
}

extension ResourceDefinition {
    /// The kind as error messages name it: `Pod`, or `Deployment.apps`.
    package var qualifiedKind: String { group.isEmpty ? kind : "\(kind).\(group)" }
}
