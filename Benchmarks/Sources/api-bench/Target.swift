import BenchmarkKit
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// What cannot be measured, and why.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A Kubernetes API: where it is and who we are to it.
struct Target: Sendable {
    let host: String
    let port: Int
    let tls: NIOSSLContext?

    /// - Parameter server: `https://HOST:PORT` or `http://HOST:PORT`.
    init(server: String, authority: [UInt8]?, certificate: [UInt8]?, key: [UInt8]?) throws {
        guard let url = URL(string: server), let host = url.host, ["http", "https"].contains(url.scheme) else {
            throw BenchmarkError("\"\(server)\" is no server; expected https://HOST:PORT or http://HOST:PORT")
        }
        self.host = host
        port = url.port ?? (url.scheme == "https" ? 443 : 80)
        guard url.scheme == "https" else {
            tls = nil
            return
        }
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.applicationProtocols = ["http/1.1"]
        // Names are not what is measured; a server under another address would fail for its certificate only.
        configuration.certificateVerification = authority == nil ? .none : .noHostnameVerification
        if let authority {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(authority))
        }
        if let certificate, let key {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(certificate).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem))
        }
        tls = try NIOSSLContext(configuration: configuration)
    }

    /// Reads the current context of a kubeconfig by way of `kubectl`, which knows all its forms.
    init(kubeconfig: String) throws {
        let text = try Command.run("kubectl --kubeconfig \(kubeconfig) config view --raw --minify --flatten -o json")
        guard let document = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any],
            let cluster = ((document["clusters"] as? [[String: Any]])?.first?["cluster"]) as? [String: Any],
            let server = cluster["server"] as? String
        else { throw BenchmarkError("\(kubeconfig) has no current context with a server") }
        let user = ((document["users"] as? [[String: Any]])?.first?["user"]) as? [String: Any] ?? [:]
        func data(_ value: Any?) -> [UInt8]? {
            (value as? String).flatMap { Data(base64Encoded: $0) }.map { Array($0) }
        }
        try self.init(
            server: server, authority: data(cluster["certificate-authority-data"]),
            certificate: data(user["client-certificate-data"]), key: data(user["client-key-data"]))
    }

    func connect(on eventLoop: any EventLoop) -> EventLoopFuture<Client> {
        ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(20))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 16384, maximum: 262144)
            )
            .channelInitializer { [tls] channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: tls, serverHostname: nil))
                    }
                    try channel.pipeline.syncOperations.addHandler(ClientHandler())
                }
            }
            .connect(host: host, port: port)
            .flatMapThrowing { channel in
                Client(
                    channel: channel,
                    handler: NIOLoopBound(
                        try channel.pipeline.syncOperations.handler(type: ClientHandler.self),
                        eventLoop: channel.eventLoop))
            }
    }
}
