import FoundationEssentials
package import KubeSchema
package import NIOSSL

/// What is wrong with a kubeconfig or another setting of the client.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    package var description: String
    package init(_ description: String) { self.description = description }
}

/// How a client proves who it is, beyond a TLS certificate.
package enum Authorization: Sendable, Equatable {
    case none
    case token(String)
    /// Read anew for each request, as such files are rotated.
    case tokenFile(String)
    case basic(user: String, password: String)

    func header() throws(APIError) -> String? {
        switch self {
        case .none: return nil
        case .token(let token): return "Bearer " + token
        case .tokenFile(let path):
            guard let bytes = try? Data(contentsOf: URL(filePath: path)) else {
                throw .unreachable("cannot read the token file \(path)")
            }
            return "Bearer " + String(decoding: bytes, as: UTF8.self).trimmed
        case .basic(let user, let password):
            return "Basic " + Data((user + ":" + password).utf8).base64EncodedString()
        }
    }
}

/// Where the API server is and how to speak to it.
package struct ClientConfiguration: Sendable {
    /// `scheme://host:port`, with a path prefix if there is one, without a slash at the end.
    package var server: String
    /// PEM. `nil`: the system's own roots.
    package var certificateAuthority: [UInt8]?
    /// PEM, leaf first.
    package var clientCertificate: [UInt8]?
    /// PEM.
    package var clientKey: [UInt8]?
    /// The server's certificate is not checked.
    package var isInsecure = false
    /// The name that the server's certificate has to carry, when it isn't the host's.
    package var tlsServerName: String?
    package var authorization = Authorization.none
    /// The namespace of the kubeconfig's context.
    package var namespace: String?

    /// - Throws: when `server` is no URL. `host:port` without a scheme is plain HTTP.
    package init(server: String) throws(ConfigurationError) {
        var server = server.trimmed
        if !server.contains("://") { server = "http://" + server }
        while server.hasSuffix("/") { server.removeLast() }
        guard let url = URL(string: server), let scheme = url.scheme, ["http", "https"].contains(scheme),
            let host = url.host(percentEncoded: false), !host.isEmpty
        else {
            throw ConfigurationError(
                "\"\(server)\" is no address of an API server: expected http://HOST:PORT, https://HOST:PORT or HOST:PORT"
            )
        }
        self.server = server
    }

    /// The host of the server's URL.
    package var host: String? { URL(string: server)?.host(percentEncoded: false) }

    /// `--master`: a URL, or `HOST:PORT` for plain HTTP.
    package static func master(_ address: String) throws(ConfigurationError) -> ClientConfiguration {
        try ClientConfiguration(server: address)
    }

    func makeTLSConfiguration() throws(ConfigurationError) -> TLSConfiguration {
        var tls = TLSConfiguration.makeClientConfiguration()
        do {
            if let certificateAuthority {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(certificateAuthority))
            }
        } catch {
            throw ConfigurationError("the certificate authority is no PEM certificate: \(error)")
        }
        do {
            if let clientCertificate {
                tls.certificateChain = try NIOSSLCertificate.fromPEMBytes(clientCertificate).map { .certificate($0) }
            }
            if let clientKey { tls.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: clientKey, format: .pem)) }
        } catch {
            throw ConfigurationError("the client certificate or its key is not PEM: \(error)")
        }
        if isInsecure { tls.certificateVerification = .none }
        return tls
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first.isWhitespace { text.removeFirst() }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text)
    }
}
