import KubeSchema

/// A request that is answered with a `Status`.
struct APIFailure: Error {
    let status: JSON
    /// Seconds after which trying again makes sense.
    var retryAfter: Int?

    init(_ status: JSON, retryAfter: Int? = nil) {
        self.status = status
        self.retryAfter = retryAfter
    }

    init(_ reason: StatusReason, _ message: String) {
        self.init(StatusDocument.failure(reason: reason, message: message))
    }

    init(_ error: BodyError) { self.init(error.reason, error.message) }

    var code: Int { Int(status["code"]?.integer ?? 500) }
    var reason: String { status["reason"]?.string ?? "" }

    static func notFound(_ definition: ResourceDefinition, _ name: String) -> APIFailure {
        APIFailure(StatusDocument.notFound(definition, name: name))
    }

    static func conflict(_ definition: ResourceDefinition, _ name: String) -> APIFailure {
        APIFailure(StatusDocument.conflict(definition, name: name))
    }

    static func unknownPath() -> APIFailure {
        APIFailure(.notFound, "the server could not find the requested resource")
    }

    static func methodNotAllowed() -> APIFailure {
        APIFailure(.methodNotAllowed, "the server does not allow this method on the requested resource")
    }

    static func notAcceptable() -> APIFailure {
        APIFailure(.notAcceptable, "only the following media types are accepted: \(ResponseForm.mediaTypes)")
    }

    static func expired(_ asked: Int64, oldest: Int64) -> APIFailure {
        APIFailure(StatusDocument.expired("too old resource version: \(asked) (\(oldest))"))
    }

    /// The store did not answer: nothing is known to be lost, and the client should ask again.
    static func store(_ why: String) -> APIFailure {
        APIFailure(
            StatusDocument.failure(
                reason: .serviceUnavailable, message: "the cluster's store is not available, try again: \(why)",
                retryAfterSeconds: 1),
            retryAfter: 1)
    }
}
