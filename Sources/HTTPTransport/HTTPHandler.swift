package import HTTPTypes

/// What an ``HTTPServer`` serves.
package protocol HTTPHandler: Sendable {
    /// Answers one request through `writer`.
    ///
    /// Runs in a task of its own, which is cancelled when the client goes away or the server's grace is over. A response
    /// that is not ended on return is ended then; an error before its head becomes a plain 500, an error later cuts the
    /// connection (or the HTTP/2 stream), so that the client can tell.
    func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws
}

/// A request as it came in.
package struct HTTPServerRequest: Sendable {
    package var head: HTTPRequest
    package var body: HTTPBody
    /// Who the client's verified certificate says it is; `nil` without a certificate.
    package var peer: PeerIdentity?
    /// The client's address without the port; empty for a Unix socket.
    package var remoteAddress: String
    /// Whether the connection is encrypted.
    package var isSecure: Bool
    /// Whether ``HTTPResponseWriter/upgrade(_:)`` is possible: HTTP/1.1 with `Connection: Upgrade`.
    package var isUpgrade: Bool

    /// The path without the query.
    package var path: Substring { split.path }
    /// What stands behind the first `?`, still encoded; empty without one.
    package var query: Substring { split.query }

    private var split: (path: Substring, query: Substring) {
        let target = head.path ?? "/"
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (target[...], "") }
        return (target[..<mark], target[target.utf8.index(after: mark)...])
    }
}

/// A client as its certificate names it, in the way of Kubernetes: common name is the user, organizations are groups.
package struct PeerIdentity: Sendable, Equatable {
    package var commonName: String
    package var organizations: [String]

    package init(commonName: String, organizations: [String] = []) {
        self.commonName = commonName
        self.organizations = organizations
    }
}
