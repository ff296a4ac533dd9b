import AsyncHTTPClient
import Glibc
package import KubeSchema
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// Carries requests to an API server by HTTP/1.1.
///
/// Not HTTP/2: all watches of a component would hang on one connection, and one that died silently (the peer's machine
/// powered off) would go on being used for new requests. Here a request that isn't answered in time takes its
/// connection with it, and the next one makes a new connection.
package final class HTTPClientTransport: APITransport {
    /// Time for a request with one answer, connecting included.
    static let requestTimeout = TimeAmount.seconds(15)
    static let connectTimeout = TimeAmount.seconds(5)
    /// A stream whose server sends nothing at all for so long is given up. Bookmarks come every minute.
    static let streamIdleTimeout = TimeAmount.minutes(10)
    /// Watches hold a connection each; the client library's default of 8 would let them starve all other requests.
    static let connectionLimit = 256
    static let maximumAnswerBytes = 512 << 20
    /// A connection whose peer is gone without a word is noticed after about this many seconds: keep-alive probes, and
    /// the limit on unacknowledged data (TCP_USER_TIMEOUT).
    static let deadPeerSeconds = 20

    private let client: HTTPClient
    private let base: String
    private let authorization: Authorization
    private let userAgent: String

    /// - Parameter component: Names the caller in the User-Agent header.
    package init(configuration: ClientConfiguration, component: String) throws(ConfigurationError) {
        base = configuration.server
        authorization = configuration.authorization
        userAgent = component + "/fjord"
        var settings = HTTPClient.Configuration(
            tlsConfiguration: try configuration.makeTLSConfiguration(), redirectConfiguration: .disallow,
            timeout: .init(connect: Self.connectTimeout, read: Self.streamIdleTimeout),
            connectionPool: .init(
                idleTimeout: .seconds(90), concurrentHTTP1ConnectionsPerHostSoftLimit: Self.connectionLimit))
        settings.httpVersion = .http1Only
        settings.connectionPool.retryConnectionEstablishment = false  // callers have back-offs of their own
        if let name = configuration.tlsServerName, let host = configuration.host, host != name {
            settings.dnsOverride = [name: host]
        }
        settings.http1_1ConnectionDebugInitializer = { channel in
            // Not every channel type knows every option; a connection without them is still a good one.
            let options: [(ChannelOptions.Types.SocketOption, Int)] = [
                (.init(level: .socket, name: .so_keepalive), 1),
                (.init(level: .tcp, name: .init(rawValue: TCP_KEEPIDLE)), Self.deadPeerSeconds / 2),
                (.init(level: .tcp, name: .init(rawValue: TCP_KEEPINTVL)), Self.deadPeerSeconds / 4),
                (.init(level: .tcp, name: .init(rawValue: TCP_KEEPCNT)), 2),
                (.init(level: .tcp, name: .init(rawValue: TCP_USER_TIMEOUT)), Self.deadPeerSeconds * 1000),
            ]
            return EventLoopFuture.andAllComplete(
                options.map { channel.setOption($0.0, value: $0.1) }, on: channel.eventLoop)
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }

    deinit {
        client.shutdown { _ in }  // keeps the client alive until its connections are closed
    }

    package func send(_ request: APIRequest) async throws(APIError) -> JSON {
        let (code, body): (Int, [UInt8])
        do {
            let response = try await client.execute(prepared(request), timeout: Self.requestTimeout)
            let buffer = try await response.body.collect(upTo: Self.maximumAnswerBytes)
            (code, body) = (Int(response.status.code), Array(buffer.readableBytesView))
        } catch {
            throw Self.failure(error)
        }
        guard (200..<300).contains(code) else { throw APIError(code: code, body: body) }
        if body.isEmpty { return .emptyObject }
        do {
            return try JSON(parsing: body)
        } catch {
            throw .malformed("\(request.method.rawValue) \(request.path) answered with no JSON: \(error)")
        }
    }

    package func stream(
        _ request: APIRequest, _ receive: @Sendable (JSON) async throws(APIError) -> Bool
    ) async throws(APIError) {
        do {
            // No deadline for the whole: a stream lasts as long as the server likes.
            let response = try await client.execute(prepared(request), deadline: .distantFuture)
            let code = Int(response.status.code)
            guard (200..<300).contains(code) else {
                let body = try await response.body.collect(upTo: 1 << 20)
                throw APIError(code: code, body: Array(body.readableBytesView))
            }
            var splitter = LineSplitter()
            for try await chunk in response.body {
                for line in try splitter.append(chunk.readableBytesView) {
                    let document: JSON
                    do {
                        document = try JSON(parsing: line)
                    } catch {
                        throw APIError.malformed("a line of the stream is no JSON: \(error)")
                    }
                    if try await !receive(document) { return }
                }
            }
        } catch {
            throw Self.failure(error)
        }
    }

    private func prepared(_ request: APIRequest) throws(APIError) -> HTTPClientRequest {
        var prepared = HTTPClientRequest(url: base + request.target)
        prepared.method = .RAW(value: request.method.rawValue)
        prepared.headers.add(name: "Accept", value: "application/json")
        prepared.headers.add(name: "User-Agent", value: userAgent)
        if let header = try authorization.header() { prepared.headers.add(name: "Authorization", value: header) }
        if let contentType = request.contentType { prepared.headers.add(name: "Content-Type", value: contentType) }
        if let body = request.body { prepared.body = .bytes(body, length: .known(Int64(body.count))) }
        return prepared
    }

    private static func failure(_ error: any Error) -> APIError {
        switch error {
        case let error as APIError: error
        case is CancellationError: .cancelled
        case let error as HTTPClientError where error == .cancelled:
            Task.isCancelled ? .cancelled : .unreachable("\(error)")
        case let error as NIOConnectionError:
            .unreachable(error.connectionErrors.first.map { "\($0.error)" } ?? "\(error)")
        default: .unreachable("\(error)")
        }
    }
}
