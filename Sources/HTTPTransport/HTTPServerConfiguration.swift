package import NIOSSL

/// Where an ``HTTPServer`` listens and what it allows.
package struct HTTPServerConfiguration: Sendable {
    /// An IP address, or the path of a socket when it begins with `/`.
    package var address: String
    /// 0 lets the system choose; ``HTTPServer/boundPort`` tells.
    package var port: Int
    /// `nil` serves plain HTTP/1.1.
    package var tls: HTTPServerTLS?
    /// Bytes of request body that ``HTTPBody/collect()`` takes: what a kube-apiserver takes.
    package var maximumBodyBytes = 3 << 20
    /// How long a connection may be without a request, and a request's head or body without a byte.
    package var idleTimeout: Duration = .seconds(180)
    /// How long a client may take for the TLS handshake.
    package var handshakeTimeout: Duration = .seconds(20)
    /// How long a client may refuse to take bytes of a response before it is cut off.
    package var stallTimeout: Duration = .seconds(30)
    /// How long requests may go on after the server has been asked to stop.
    package var shutdownGrace: Duration = .seconds(5)

    /// Whether handlers run on the event loops: saves small requests two changes of thread, but a handler that blocks or
    /// computes for long then holds up other connections.
    package var runsHandlersOnEventLoops = false

    package init(address: String, port: Int, tls: HTTPServerTLS? = nil) {
        self.address = address
        self.port = port
        self.tls = tls
    }
}

/// A server's certificate, and whose client certificates it knows.
package struct HTTPServerTLS: Sendable {
    let context: NIOSSLContext

    /// - Parameters:
    ///   - certificateChain: PEM; the server's own certificate first.
    ///   - privateKey: PEM.
    ///   - clientCA: PEM of the authorities whose client certificates are accepted. A client may still come without a
    ///     certificate; one with a certificate of another authority is refused in the handshake. `nil` asks for none.
    ///   - http2: Whether to offer HTTP/2 beside HTTP/1.1.
    /// - Throws: ``HTTPTransportError/badCredentials(_:)``.
    package init(
        certificateChain: [UInt8], privateKey: [UInt8], clientCA: [UInt8]? = nil, http2: Bool = true
    ) throws(HTTPTransportError) {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(certificateChain)
            let key = try NIOSSLPrivateKey(bytes: privateKey, format: .pem)
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = http2 ? ["h2", "http/1.1"] : ["http/1.1"]
            if let clientCA {
                configuration.certificateVerification = .optionalVerification
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(clientCA))
                configuration.sendCANameList = true
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .badCredentials("cannot use the TLS certificate and key: \(error)")
        }
    }

    package init(context: NIOSSLContext) { self.context = context }
}
