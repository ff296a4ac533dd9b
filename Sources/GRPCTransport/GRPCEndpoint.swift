/// Where a gRPC server listens.
public enum GRPCEndpoint: Hashable, Sendable, CustomStringConvertible {
    case tcp(host: String, port: Int)
    /// The path of a socket, absolute or relative to the working directory.
    case unix(String)

    /// Parses `host:port`, `[::1]:port`, `http://host:port`, `https://host:port` or `unix:///path`.
    ///
    /// - Returns: `nil` for anything else, a port outside 1 to 65535 included.
    public init?(_ text: String) {
        if let path = text.removing(prefix: "unix://") ?? text.removing(prefix: "unix:") {
            guard !path.isEmpty else { return nil }
            self = .unix(path)
            return
        }
        var rest = text.removing(prefix: "http://") ?? text.removing(prefix: "https://") ?? text
        if rest.hasSuffix("/") { rest.removeLast() }
        guard let colon = rest.lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)...]),
            (1...65535).contains(port)
        else { return nil }
        var host = String(rest[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, !host.contains("/") else { return nil }
        self = .tcp(host: host, port: port)
    }

    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix://\(path)"
        }
    }

    /// What requests name as their authority: `localhost` over a unix socket, as containerd's own clients send it.
    var authority: String {
        switch self {
        case .tcp: description
        case .unix: "localhost"
        }
    }

    /// The name for SNI and certificate checks; `nil` for addresses, which SNI does not allow.
    var tlsName: String? {
        guard case .tcp(let host, _) = self, !host.contains(":"),
            host.contains(where: { !$0.isNumber && $0 != "." })
        else { return nil }
        return host
    }
}

extension String {
    fileprivate func removing(prefix: String) -> String? {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
    }
}
