import GRPCCore
import Glibc
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Says in words why a connection did not come about, for the operator who has to mend it.
enum ConnectionFailure {
    /// The innermost cause: NIO wraps a refused connection in several layers, and TLS says only that a certificate did
    /// not please; then the certificate is fetched once more and looked at.
    static func reason(
        _ error: any Error, _ endpoint: GRPCEndpoint, _ configuration: GRPCTransportConfiguration
    ) async -> String {
        if let error = error as? NIOConnectionError {
            guard let first = error.connectionErrors.first else { return "\(error.host) has no address" }
            return await reason(first.error, endpoint, configuration)
        }
        if case .connectTimeout(let limit)? = error as? ChannelError {
            return "no answer within \(limit.nanoseconds / 1_000_000) ms"
        }
        let text = (error as? RPCError)?.message ?? "\(error)"
        guard configuration.tls != nil else { return text }
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            guard let certificate = await PeerCertificate.fetch(endpoint, configuration) else {
                return "its certificate is not trusted"
            }
            return PeerCertificate.fault(of: certificate, at: now())
        }
        if text.contains("WRONG_VERSION_NUMBER") { return "it does not speak TLS; perhaps it is an http:// endpoint" }
        if text.contains("CERTIFICATE_REQUIRED") { return "it wants a client certificate, and none was given" }
        if text.contains("ALERT_BAD_CERTIFICATE") || text.contains("ALERT_UNKNOWN_CA")
            || text.contains("ALERT_CERTIFICATE")
        {
            return "it does not accept our client certificate"
        }
        return text
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec)
    }
}

/// The certificate of a server that could not be trusted.
enum PeerCertificate {
    /// What is wrong with a certificate that was not accepted at a time (seconds since 1970).
    static func fault(of certificate: NIOSSLCertificate, at now: Int64) -> String {
        if Int64(certificate.notValidAfter) < now {
            return "its certificate expired on \(date(Int64(certificate.notValidAfter))); this node's clock says "
                + date(now)
        }
        if Int64(certificate.notValidBefore) > now {
            return "its certificate is valid only from \(date(Int64(certificate.notValidBefore))); this node's clock "
                + "says \(date(now))"
        }
        return "its certificate is not signed by the authority that we were told to trust"
    }

    /// Begins a TLS handshake, keeps the certificate and hangs up; nothing is sent to the server.
    static func fetch(
        _ endpoint: GRPCEndpoint, _ configuration: GRPCTransportConfiguration
    ) async -> NIOSSLCertificate? {
        guard case .tcp(let host, let port) = endpoint, let tls = configuration.tls,
            let context = try? NIOSSLContext(configuration: tls)
        else { return nil }
        let name = configuration.serverName ?? endpoint.tlsName
        let limit = TimeAmount(configuration.connectTimeout)
        let holder = Holder()
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(limit)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(
                            context: context, serverHostname: name,
                            customVerificationCallback: { certificates, promise in
                                holder.keep(certificates.first)
                                promise.succeed(NIOSSLVerificationResult.failed)
                            }))
                }
            }
        guard let channel = try? await bootstrap.connect(host: host, port: port).get() else { return nil }
        let deadline = channel.eventLoop.scheduleTask(in: limit) { channel.close(promise: nil) }
        defer { deadline.cancel() }
        try? await channel.closeFuture.get()
        return holder.certificate
    }

    /// What the callback saw.
    private final class Holder: Sendable {
        private let found = Mutex<NIOSSLCertificate?>(nil)
        var certificate: NIOSSLCertificate? { found.withLock { $0 } }
        func keep(_ certificate: NIOSSLCertificate?) { found.withLock { $0 = certificate } }
    }

    /// The day and time in UTC.
    private static func date(_ seconds: Int64) -> String {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday)) "
            + "\(two(parts.tm_hour)):\(two(parts.tm_min)) UTC"
    }
}
