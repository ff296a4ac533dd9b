import APIServer
import Addressing
import ClusterStore
import EmbeddedStore
import FoundationEssentials
import HTTPTransport
import HTTPTypes
import KubeSchema
import Logging
import NIOCore
import ServiceLifecycle
import Testing

/// A whole API server in this process, on a store in a temporary directory.
struct TestServer: Sendable {
    let port: Int

    struct Answer: Sendable {
        let code: Int
        let json: JSON
        let headers: HTTPFields
        subscript(path: String...) -> JSON? { json[path] }
    }

    /// Makes one request and reads the answer to its end.
    @discardableResult
    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, type: String? = "application/json",
        accept: String? = nil
    ) async throws -> Answer {
        var request = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
        if body != nil { request.headerFields[.contentType] = type }
        request.headerFields[.accept] = accept
        let exchange = try await HTTPClientExchange.send(
            request, body: body?.encoded() ?? [], host: "127.0.0.1", port: port)
        let bytes = try await exchange.collect(upTo: 1 << 26)
        let json = (try? JSON(parsing: bytes)) ?? .string(String(decoding: bytes, as: UTF8.self))
        return Answer(code: exchange.response.status.code, json: json, headers: exchange.response.headerFields)
    }

    /// The body of an answer as it came.
    func bytes(_ path: String, encoding: String? = nil, accept: String? = nil) async throws -> (
        body: [UInt8], headers: HTTPFields
    ) {
        var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
        request.headerFields[.acceptEncoding] = encoding
        request.headerFields[.accept] = accept
        let exchange = try await HTTPClientExchange.send(request, host: "127.0.0.1", port: port)
        return (try await exchange.collect(upTo: 1 << 26), exchange.response.headerFields)
    }

    /// Opens a watch and hands its events to `take` until that returns true.
    func watch(_ path: String, accept: String? = nil, until take: (JSON) -> Bool) async throws {
        var request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
        request.headerFields[.accept] = accept
        let exchange = try await HTTPClientExchange.send(request, host: "127.0.0.1", port: port)
        var line: [UInt8] = []
        struct Done: Error {}
        do {
            try await exchange.forEachChunk { chunk in
                for byte in chunk.readableBytesView {
                    guard byte == UInt8(ascii: "\n") else {
                        line.append(byte)
                        continue
                    }
                    if take(try JSON(parsing: line)) { throw Done() }
                    line = []
                }
            }
        } catch is Done {}
    }
}

/// Runs `body` against a server that is ready, and stops it.
///
/// - Parameters:
///   - revisions: Writes that the store has seen before the server starts.
///   - configure: Changes what the server is told.
func withServer(
    revisions: Int = 0, configure: (inout APIServerConfiguration) -> Void = { _ in },
    _ body: @Sendable (TestServer) async throws -> Void
) async throws {
    let directory = FileManager.default.temporaryDirectory.appending(path: "fjord-api-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    var logger = Logger(label: "test")
    logger.logLevel = .error
    let store = try EmbeddedStore(path: directory.appending(path: "store.db").path(), logger: logger)
    let prefix = try #require(IPv4Prefix("10.254.0.0/16"))
    var configuration = APIServerConfiguration(serviceNetwork: ServiceNetwork(prefix))
    configuration.advertised = ("10.240.0.10", 6443)
    configure(&configuration)
    let engine = APIEngine(configuration: configuration, store: store, logger: logger)
    var http = HTTPServerConfiguration(address: "127.0.0.1", port: 0)
    http.shutdownGrace = .milliseconds(200)
    http.runsHandlersOnEventLoops = true  // as the program does
    let server = HTTPServer(configuration: http, logger: logger, handler: engine)
    try await server.listen()
    let test = TestServer(port: try #require(server.boundPort))
    try await withThrowingTaskGroup { group in
        group.addTask { try await store.run() }
        for _ in 0..<revisions { try await store.put("/other", []) }
        group.addTask { try await engine.run() }
        group.addTask { try await server.run() }
        try await withDeadline("the server is ready") {
            try await test.call(.get, "/api/v1/namespaces/default/endpoints/kubernetes").code == 200
        }
        try await body(test)
        group.cancelAll()
        while let result = await group.nextResult() {
            if case .failure(let error) = result, !(error is CancellationError) { throw error }
        }
    }
}

/// Polls until `condition` holds.
func withDeadline(_ what: String, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("not within 20 s: \(what)")
}

let pods = "/api/v1/namespaces/default/pods"

func pod(_ name: String, labels: JSON = [:], image: String = "nginx") -> JSON {
    [
        "kind": "Pod", "apiVersion": "v1", "metadata": ["name": .string(name), "labels": labels],
        "spec": ["containers": [["name": "c", "image": .string(image)]]],
    ]
}
