import KubeSchema

/// What a list asks for: how new it must be, and how much of it.
struct ListOptions: Sendable {
    enum Version: Sendable, Equatable {
        /// As the store has it now.
        case newest
        /// As the cache has it, however old.
        case any
        case notOlderThan(Int64)
        /// Neither older nor newer.
        case exact(Int64)
    }

    var version = Version.newest
    /// Objects at most; 0 for all.
    var limit = 0
    var token: ContinueToken?

    init(_ query: QueryItems) throws(APIFailure) {
        limit = Int(min(try query.integer("limit") ?? 0, 1 << 31))
        guard limit >= 0 else { throw Self.invalid("limit: Invalid value: \(limit): must not be negative") }
        let text = query["resourceVersion"] ?? ""
        let asked = try query.integer("resourceVersion")
        let match = query["resourceVersionMatch"] ?? ""
        if let token = query["continue"], !token.isEmpty {
            guard match.isEmpty else {
                throw Self.invalid("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for continue")
            }
            guard asked == nil || asked == 0 else {
                throw APIFailure(.badRequest, "specifying resource version is not allowed when using continue")
            }
            self.token = try ContinueToken(token)
        }
        guard match.isEmpty || !text.isEmpty else {
            throw Self.invalid(
                "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")
        }
        switch (match, asked) {
        case ("", nil): version = .newest
        case ("", 0?), ("NotOlderThan", 0?): version = .any
        case ("", let asked?), ("NotOlderThan", let asked?): version = .notOlderThan(asked)
        case ("Exact", 0?):
            throw Self.invalid(
                "resourceVersionMatch: Forbidden: resourceVersionMatch \"Exact\" is forbidden for resourceVersion \"0\""
            )
        case ("Exact", let asked?): version = .exact(asked)
        default:
            throw Self.invalid(
                "resourceVersionMatch: Unsupported value: \"\(match)\": supported values: \"Exact\", \"NotOlderThan\"")
        }
    }

    private static func invalid(_ problem: String) -> APIFailure {
        APIFailure(.invalid, "ListOptions.meta.k8s.io \"\" is invalid: \(problem)")
    }
}
