import Addressing
import Glibc
import KubeAPI
import KubeSchema
import LinuxKit
import Logging
import Testing

@testable import ServiceProxy

/// Real connections through the kernel's nftables. Needs root, `ip`, `socat` and `conntrack`.
@Suite(.serialized, .enabled(if: getuid() == 0, "network namespaces need root"))
struct ServiceProxyIntegrationTests {
    @Test func `a service is reached on its address whatever happens to its endpoints`() async throws {
        let network = try ProxyNetwork(port: 8080)
        defer { network.remove() }
        #expect(await eventually { network.ask("10.244.2.2:8080").hasPrefix("first") })
        #expect(await eventually { network.ask("10.244.3.2:8080").hasPrefix("second") })

        let table = ServiceTable(
            nftables: Nftables(namespace: network.node), clusterPrefix: IPv4Prefix("10.244.0.0/16"),
            logger: Logger(label: "test"))
        var web = Service(name: "web", namespace: "default")
        web.document["spec"] = [
            "clusterIP": "10.254.0.50", "externalIPs": ["192.0.2.50"],
            "ports": [
                ["name": "t", "port": 80, "protocol": "TCP", "nodePort": 30080],
                ["name": "u", "port": 80, "protocol": "UDP"],
            ],
        ]
        func serve(_ addresses: [String]) async throws {
            let key = ObjectKey(namespace: "default", name: "web")
            try await table.apply(services: [web], endpoints: [key: endpoints(addresses)])
        }
        func answers(_ address: String, from pod: String = "client") -> Set<String> {
            Set((0..<24).map { _ in String(network.ask(address, from: pod).prefix { $0 != " " && $0 != "\n" }) })
        }

        // Nothing behind it yet: refused at once, for pods and for the node itself.
        try await serve([])
        #expect(network.failure("10.254.0.50:80").contains("refused"))
        #expect(network.failure("10.254.0.50:80", from: "node").contains("refused"))
        #expect(network.failure("10.244.1.1:30080").contains("refused"))

        // Both endpoints get their share, on the portal address, the external one and the node port.
        try await serve(["10.244.2.2", "10.244.3.2"])
        #expect(answers("10.254.0.50:80") == ["first", "second"])
        #expect(answers("192.0.2.50:80") == ["first", "second"])
        #expect(answers("10.244.1.1:30080") == ["first", "second"])
        #expect(answers("10.254.0.50:80", from: "node") == ["first", "second"])

        // A pod keeps its own address towards another pod; what the node sends has one that leads back.
        #expect(network.ask("10.254.0.50:80").hasSuffix("10.244.1.2\n"))
        #expect(network.ask("10.254.0.50:80", from: "node").contains(" 10.244."))

        // A pod that comes back to itself sees the node's address and gets its answer.
        try await serve(["10.244.2.2"])
        #expect(network.ask("10.254.0.50:80", from: "first") == "first 10.244.2.1\n")

        // An endpoint that leaves gets nothing new, and its UDP conversations move.
        #expect(answers("10.254.0.50:80") == ["first"])
        #expect(network.askDatagram("10.254.0.50:80", sourcePort: 5555).hasPrefix("first"))
        try await serve(["10.244.3.2"])
        #expect(answers("10.254.0.50:80") == ["second"])
        #expect(network.askDatagram("10.254.0.50:80", sourcePort: 5555).hasPrefix("second"))

        // A table that somebody flushed comes back with the next round.
        try shell("ip netns exec \(network.prefix)-node nft flush ruleset")
        try await serve(["10.244.3.2"])
        #expect(answers("10.254.0.50:80") == ["second"])

        // A client keeps its endpoint where the service says so, and finds another when that goes.
        web.document["spec", "sessionAffinity"] = "ClientIP"
        try await serve(["10.244.2.2", "10.244.3.2"])
        let kept = answers("10.254.0.50:80")
        #expect(kept.count == 1)
        try await serve(kept == ["first"] ? ["10.244.3.2"] : ["10.244.2.2"])
        #expect(answers("10.254.0.50:80") == (kept == ["first"] ? ["second"] : ["first"]))

        // No service, no rules, and nothing at all after the clean-up.
        try await table.apply(services: [], endpoints: [:])
        #expect(!output("ip netns exec \(network.prefix)-node nft list ruleset").contains("10.254.0.50"))
        try await ServiceProxy.cleanUp(namespace: network.node)
        #expect(!output("ip netns exec \(network.prefix)-node nft list ruleset").contains("fjord-proxy"))
    }

    @Test func `thousands of services are one transaction, and a change to one of them is a small one`() async throws {
        let node = NetworkNamespace.named("proxyt\(getpid() % 10_000)-many")
        try node.create()
        defer { try? node.delete() }
        var services: [Service] = []
        var behind: [ObjectKey: Endpoints] = [:]
        for index in 0..<2000 {
            var service = Service(name: "s\(index)", namespace: "default")
            service.document["spec"] = [
                "clusterIP": .string("10.254.\(index / 250).\(index % 250 + 1)"), "ports": [["name": "t", "port": 80]],
            ]
            services.append(service)
            behind[service.key] = endpoints(["10.244.\(index / 250).\(index % 250 + 1)"])
        }
        let table = ServiceTable(
            nftables: Nftables(namespace: node), clusterPrefix: nil, logger: Logger(label: "test"))
        try await table.apply(services: services, endpoints: behind)
        behind[services[7].key] = endpoints(["10.244.9.9"])
        try await table.apply(services: services, endpoints: behind)
        let list = output("nsenter --net=\(node.path) nft list table ip fjord-proxy")
        #expect(list.contains("10.254.7.250 . tcp . 80 : goto service/default/s1999/tcp/80"))
        #expect(list.contains("10.244.9.9 . 8080"))
    }

    @Test func `a proxy follows the API server`() async throws {
        let node = NetworkNamespace.named("proxyt\(getpid() % 10_000)-follow")
        try node.create()
        defer { try? node.delete() }
        let server = ServerInMemory()
        let logger = Logger(label: "test")
        let proxy = ServiceProxy(
            client: KubeClient(transport: server, logger: logger), clusterPrefix: nil, namespace: node, logger: logger)
        let running = Task { try await proxy.run() }
        func rules() -> String { output("nsenter --net=\(node.path) nft list ruleset") }
        #expect(await eventually { rules().contains("10.254.0.7 . tcp . 80 }") }, "refused while nothing is behind it")
        #expect(await eventually { proxy.isHealthy })
        server.send(
            [
                "type": "ADDED",
                "object": [
                    "metadata": ["name": "web", "namespace": "default", "resourceVersion": "2"],
                    "subsets": [["addresses": [["ip": "10.244.1.2"]], "ports": [["port": 8000]]]],
                ],
            ])
        #expect(await eventually { rules().contains("10.254.0.7 . tcp . 80 : goto service/default/web/tcp/80") })
        running.cancel()
        _ = await running.result
        #expect(rules().contains("10.254.0.7"), "the rules stay when the proxy ends")
    }

    private func endpoints(_ addresses: [String]) -> Endpoints {
        var endpoints = Endpoints(name: "web", namespace: "default")
        endpoints.document["subsets"] = [
            [
                "addresses": .array(addresses.map { ["ip": .string($0)] }),
                "ports": [
                    ["name": "t", "port": 8080, "protocol": "TCP"], ["name": "u", "port": 8080, "protocol": "UDP"],
                ],
            ]
        ]
        return endpoints
    }
}

/// An API server with one service, and endpoints that a test sends.
private final class ServerInMemory: APITransport {
    private let events = AsyncStream.makeStream(of: JSON.self)

    func send(_ event: JSON) { events.continuation.yield(event) }

    func send(_ request: APIRequest) async throws(APIError) -> JSON {
        let service: JSON = [
            "metadata": ["name": "web", "namespace": "default", "resourceVersion": "1"],
            "spec": ["clusterIP": "10.254.0.7", "ports": [["port": 80]]],
        ]
        return [
            "metadata": ["resourceVersion": "1"], "items": request.path.hasSuffix("/services") ? [service] : [],
        ]
    }

    func stream(
        _ request: APIRequest, _ receive: @Sendable (JSON) async throws(APIError) -> Bool
    ) async throws(APIError) {
        guard request.path.hasSuffix("/endpoints") else {
            try? await Task.sleep(for: .seconds(3600))
            return
        }
        for await event in events.stream { guard try await receive(event) else { return } }
    }
}
