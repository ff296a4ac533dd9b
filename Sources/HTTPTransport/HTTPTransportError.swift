/// Why an HTTP server, a request or a tunnel did not come about.
package enum HTTPTransportError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The server could not listen. The message names address and port and says what to do.
    case cannotListen(String)
    /// A certificate, key or CA file could not be used.
    case badCredentials(String)
    /// The request's body is larger than `limit` bytes.
    case bodyTooLarge(limit: Int)
    /// The peer went away before the exchange was over.
    case connectionClosed
    /// This exchange cannot become a tunnel: it is HTTP/2, or the client did not ask for an upgrade.
    case upgradeNotPossible
    /// The response has begun or ended already; it cannot be begun again or continued.
    case responseOutOfOrder
    /// The other end of a tunnel could not be reached.
    case unreachable(String)
    /// The other end answered something that is no HTTP response.
    case malformedResponse(String)

    package var description: String {
        switch self {
        case .cannotListen(let message), .badCredentials(let message), .unreachable(let message): message
        case .bodyTooLarge(let limit): "the request's body is larger than \(limit) bytes"
        case .connectionClosed: "the connection was closed by the peer"
        case .upgradeNotPossible: "the connection cannot be upgraded"
        case .responseOutOfOrder: "the response has been begun or ended already"
        case .malformedResponse(let message): "malformed response: \(message)"
        }
    }
}
