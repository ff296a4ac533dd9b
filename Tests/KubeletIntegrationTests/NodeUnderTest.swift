import HTTPTransport
import HTTPTypes
import KubeAPI
import KubeSchema
import Kubelet
import LinuxKit
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// A kubelet with its containerd, and the API server that it talks to.
final class NodeUnderTest: Sendable {
    static let name = "node-1"
    static let address = "10.240.0.11"
    static let cgroupRoot = "kubelet-test"
    let api: StubAPIServer
    private let port: Int

    private init(api: StubAPIServer, port: Int) {
        self.api = api
        self.port = port
    }

    /// Runs `body` beside an API server, which has `objects` already, and a kubelet whose node has become ready.
    static func with(
        objects: [String: JSON] = [:], _ body: @Sendable (NodeUnderTest) async throws -> Void
    ) async throws {
        let api = StubAPIServer()
        api.put("/api/v1/namespaces/default", ["metadata": ["name": "default"]])
        for (path, object) in objects { api.put(path, object) }
        let server = HTTPServer(
            configuration: HTTPServerConfiguration(address: "127.0.0.1", port: 0), logger: quiet, handler: api)
        try await server.listen()
        let node = NodeUnderTest(api: api, port: server.boundPort ?? 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            try await node.withKubelet {
                try await node.installImages()
                try await body(node)
            }
            group.cancelAll()
        }
    }

    static let quiet: Logger = {
        var logger = Logger(label: "kubelet")
        logger.logLevel = .info
        return logger
    }()

    /// Runs a kubelet while `body` does. Its pods live on.
    func withKubelet(_ body: @Sendable () async throws -> Void) async throws {
        var configuration = KubeletConfiguration(
            node: NodeSettings(name: Self.name, address: Self.address, root: "/var/lib/kubelet"))
        configuration.node.cgroupRoot = Self.cgroupRoot
        configuration.node.syncFrequency = .seconds(1)
        configuration.logLimits.maximumBytes = 64 << 10
        configuration.logLimits.maximumFiles = 3
        configuration.logLimits.interval = .milliseconds(200)
        let client = try KubeClient(
            configuration: .master("http://127.0.0.1:\(port)"), component: "kubelet", logger: Self.quiet)
        let kubelet = try await Kubelet(configuration: configuration, client: client, logger: Self.quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let services = ServiceGroup(services: kubelet.services, logger: Self.quiet)
            group.addTask { try await services.run() }
            let outcome: Result<Void, any Error>
            do {
                try await until("the node is ready") {
                    self.api.object("/api/v1/nodes/\(Self.name)")?["status", "conditions"]?.array?
                        .contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" } == true
                }
                try await body()
                outcome = .success(())
            } catch {
                outcome = .failure(error)
            }
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
            try outcome.get()
        }
    }

    private func installImages() async throws {
        if FileContents.exists("/run/images") { return }
        try await TestImages.install(socket: "/run/containerd/containerd.sock", directory: "/run/images")
    }

    // MARK: Pods

    static func path(_ name: String) -> String { "/api/v1/namespaces/default/pods/\(name)" }

    /// Creates a pod of this node. `spec` needs no more than containers.
    func create(_ name: String, _ spec: JSON, annotations: JSON = [:]) {
        var spec = spec
        spec["nodeName"] = .string(Self.name)
        if spec["terminationGracePeriodSeconds"] == nil { spec["terminationGracePeriodSeconds"] = 1 }
        api.put(
            Self.path(name),
            [
                "apiVersion": "v1", "kind": "Pod",
                "metadata": [
                    "name": .string(name), "namespace": "default", "labels": ["name": .string(name)],
                    "annotations": annotations,
                ],
                "spec": spec, "status": ["phase": "Pending"],
            ])
    }

    func pod(_ name: String) -> JSON? { api.object(Self.path(name)) }
    func status(_ name: String, _ index: Int = 0) -> JSON? { pod(name)?["status", "containerStatuses"]?.array?[index] }

    func isRunning(_ name: String) -> Bool {
        pod(name)?["status", "phase"]?.string == "Running"
            && pod(name)?["status", "conditions"]?.array?
                .contains { $0["type"]?.string == "Ready" && $0["status"]?.string == "True" } == true
    }

    func events(_ name: String) -> [String] {
        api.objects(under: "/api/v1/namespaces/default/events")
            .filter { $0["involvedObject", "name"]?.string == name }.compactMap { $0["reason"]?.string }
    }

    /// Deletes a pod and waits until it is gone.
    func remove(_ name: String) async throws {
        api.delete(Self.path(name))
        try await until("\(name) is gone") { self.pod(name) == nil }
    }

    // MARK: The kubelet's own server

    /// Reads lines until one is `last`, or the log has ended; calls `begun` when the first have come.
    func follow(_ path: String, to last: String, _ begun: () async throws -> Void) async throws -> [String] {
        let exchange = try await HTTPClientExchange.send(
            HTTPRequest(method: .get, scheme: nil, authority: nil, path: path), host: "127.0.0.1", port: 10250)
        defer { exchange.tunnel.close() }
        var text: [UInt8] = []
        struct Seen: Error {}
        do {
            try await exchange.forEachChunk { chunk in
                if text.isEmpty { try await begun() }
                text += chunk.readableBytesView
                if text.suffix(last.utf8.count + 2) == Array("\n\(last)\n".utf8)[...] { throw Seen() }
            }
        } catch is Seen {}
        return String(decoding: text, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    func get(_ path: String) async throws -> (status: Int, body: String) {
        let exchange = try await HTTPClientExchange.send(
            HTTPRequest(method: .get, scheme: nil, authority: nil, path: path), host: "127.0.0.1", port: 10250)
        return (
            exchange.response.status.code, String(decoding: try await exchange.collect(upTo: 1 << 20), as: UTF8.self)
        )
    }
}

/// Polls until `condition` holds; fails the test with what was waited for after a minute.
func until(
    _ what: String, within limit: Duration = .seconds(60), _ condition: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        if try await condition() { return }
        guard ContinuousClock.now < deadline else { throw TimedOut(what: what) }
        try await Task.sleep(for: .milliseconds(50))
    }
}

struct TimedOut: Error, CustomStringConvertible {
    let what: String
    var description: String { "gave up waiting until \(what)" }
}
