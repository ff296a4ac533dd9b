import NIOCore
import NIOHTTP2
public import NIOSSL

/// Limits and times of a gRPC connection, the same for both ends unless a comment says otherwise.
public struct GRPCTransportConfiguration: Sendable {
    /// TLS for the connection; `nil` for plain HTTP/2 with prior knowledge. ALPN is set to `h2`.
    public var tls: TLSConfiguration?
    /// The name the server's certificate is checked against where it is not the endpoint's host. Client only.
    public var serverName: String?
    /// `:authority` of requests; the endpoint's own for `nil`. Client only.
    public var authority: String?
    /// Largest message that is accepted, in bytes. etcd answers unpaged ranges with more than gRPC's usual 4 MiB.
    public var maximumMessageBytes = 256 << 20
    /// How long name resolution, connection, TLS and the server's first SETTINGS may take together. Client only.
    public var connectTimeout: Duration = .seconds(5)
    /// Time between PINGs on a connection with open streams; `nil` sends none. etcd ends connections of clients that
    /// ping more often than every 5 s. Client only.
    public var keepaliveInterval: Duration? = .seconds(20)
    /// How long a PING may stay unanswered before the connection is closed. Client only.
    public var keepaliveTimeout: Duration = .seconds(10)
    /// Pause after all endpoints failed once; doubles up to `maximumBackoff`, each pause jittered down to its half.
    public var initialBackoff: Duration = .milliseconds(100)
    public var maximumBackoff: Duration = .seconds(5)
    /// How long open calls may go on after a shutdown began.
    public var shutdownGrace: Duration = .seconds(2)

    public init() {}
}

extension NIOHTTP2Handler.Configuration {
    /// Settings for gRPC.
    ///
    /// grpc-go sends a PING with nearly every data frame (its bandwidth estimator), and a watch that is cancelled is a
    /// stream reset. NIOHTTP2's defaults end a connection after 200 of either in 30 s, so a busy client lived for 198
    /// calls. The limits here are still limits: 100,000 frames a second end the connection.
    static var grpc: Self {
        var configuration = Self()
        configuration.connection.controlFrameRateLimit.maximumCount = 10_000
        configuration.connection.controlFrameRateLimit.windowLength = .milliseconds(100)
        configuration.stream.streamResetFrameRateLimit.maximumCount = 10_000
        configuration.stream.streamResetFrameRateLimit.windowLength = .milliseconds(100)
        configuration.stream.streamErrorRateLimit.maximumCount = 10_000
        configuration.stream.streamErrorRateLimit.windowLength = .milliseconds(100)
        configuration.connection.maximumConnectionGlitches = 10_000
        configuration.connection.maximumSequentialEmptyDataFrames = 100
        configuration.connection.targetWindowSize = 8 << 20
        configuration.stream.targetWindowSize = 1 << 20
        configuration.stream.outboundBufferSizeHighWatermark = 256 << 10
        configuration.stream.outboundBufferSizeLowWatermark = 64 << 10
        configuration.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: 10_000),
            HTTP2Setting(parameter: .maxHeaderListSize, value: 64 << 10),
            HTTP2Setting(parameter: .maxFrameSize, value: 1 << 16),
        ]
        return configuration
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
