package import KubeSchema

/// Why a request to the API brought no answer of the expected kind.
package enum APIError: Error, Sendable, Equatable {
    /// The server refused, with a Status: its HTTP code, its machine-readable reason (`NotFound`, `Conflict`, …), its
    /// message and its details.
    case status(code: Int, reason: String, message: String, details: JSON?)
    /// No connection, or it broke, or no answer in time. Whether the server acted on the request is unknown.
    case unreachable(String)
    /// The answer is not what the API promises.
    case malformed(String)
    /// The task was cancelled.
    case cancelled
}

extension APIError {
    /// From a Status document, or from what else came with an HTTP code that is no success.
    package init(code: Int, body: [UInt8]) {
        guard let document = try? JSON(parsing: body), document["kind"]?.string == "Status" else {
            let text = String(decoding: body.prefix(300), as: UTF8.self)
            self = .status(code: code, reason: "", message: text.isEmpty ? "HTTP status \(code)" : text, details: nil)
            return
        }
        self.init(status: document, code: code)
    }

    /// - Parameter code: used when the document has none.
    package init(status document: JSON, code: Int = 500) {
        self = .status(
            code: document["code"]?.integer.flatMap(Int.init(exactly:)) ?? code,
            reason: document["reason"]?.string ?? "", message: document["message"]?.string ?? "",
            details: document["details"])
    }

    /// The HTTP code of the server's refusal.
    package var code: Int? { if case .status(let code, _, _, _) = self { code } else { nil } }
    package var reason: String? { if case .status(_, let reason, _, _) = self { reason } else { nil } }

    package var isNotFound: Bool { code == 404 }
    /// The object changed since it was read.
    package var isConflict: Bool { code == 409 && reason != "AlreadyExists" }
    package var isAlreadyExists: Bool { code == 409 && reason == "AlreadyExists" }
    /// The revision is no longer in the server's history.
    package var isExpired: Bool { code == 410 }
    package var isInvalid: Bool { code == 422 }
    package var isForbidden: Bool { code == 403 }
    package var isUnreachable: Bool { if case .unreachable = self { true } else { false } }
    /// The namespace of the object is being deleted.
    package var isNamespaceTerminating: Bool {
        guard case .status(403, _, _, let details) = self else { return false }
        return details?["causes"]?.array?.contains { $0["reason"]?.string == "NamespaceTerminating" } ?? false
    }
}

extension APIError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .status(let code, let reason, let message, _):
            reason.isEmpty ? "\(message) (\(code))" : "\(message) (\(code) \(reason))"
        case .unreachable(let cause): "API server unreachable: \(cause)"
        case .malformed(let what): "unexpected answer of the API server: \(what)"
        case .cancelled: "cancelled"
        }
    }
}
