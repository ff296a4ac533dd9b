import NIOSSL

/// How a client proves who it is and whom it believes.
package struct HTTPClientTLS: Sendable {
    let context: NIOSSLContext

    /// - Parameters:
    ///   - certificateAuthority: PEM; `nil` believes everybody, as kube-apiserver does with kubelets when it has no
    ///     `--kubelet-certificate-authority`.
    ///   - certificateChain: PEM of the client's own certificate, with `privateKey`; `nil` presents none.
    /// - Throws: ``HTTPTransportError/badCredentials(_:)``.
    package init(
        certificateAuthority: [UInt8]? = nil, certificateChain: [UInt8]? = nil, privateKey: [UInt8]? = nil
    ) throws(HTTPTransportError) {
        do {
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            if let certificateAuthority {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(certificateAuthority))
            } else {
                configuration.certificateVerification = .none
            }
            if let certificateChain, let privateKey {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(certificateChain).map {
                    .certificate($0)
                }
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: privateKey, format: .pem))
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw .badCredentials("cannot use the client's TLS certificate, key or authority: \(error)")
        }
    }
}
