import Addressing
import KubeAPI
import KubeSchema
import Testing

@testable import Kubelet

private struct Objects: ReferencedObjects {
    var maps: [String: JSON] = [:], secrets: [String: JSON] = [:]
    func configMap(_ name: String, namespace: String) async throws(ContainerConfigurationError) -> JSON? { maps[name] }
    func secret(_ name: String, namespace: String) async throws(ContainerConfigurationError) -> JSON? { secrets[name] }
}

@Suite struct EnvironmentTests {
    @Test(arguments: [
        ("$(A)", "1"), ("x$(A)y$(B)", "x1y2"), ("$$(A)", "$(A)"), ("$(NONE)", "$(NONE)"), ("$A", "$A"), ("a$", "a$"),
        ("$(A", "$(A"), ("", ""),
    ])
    func `references to variables are replaced`(text: String, expected: String) {
        #expect(EnvironmentBuilder.expand(text) { ["A": "1", "B": "2"][$0] } == expected)
    }

    private func environment(_ container: JSON, _ objects: Objects = Objects()) async throws -> [String: String] {
        var container = container
        container["name"] = "a"
        container["image"] = "i"
        let pod = try Sample.pod(containers: [container])
        let made = try await EnvironmentBuilder.make(
            for: pod.containers[0], of: pod, services: [("S_SERVICE_HOST", "10.254.0.7")],
            facts: PodFacts(podIP: "10.244.1.2", hostIP: "10.240.0.11", nodeName: "node-1"), objects: objects)
        return Dictionary(made.map { ($0.name, $0.value) }) { $1 }
    }

    @Test func `later sources win, and see what came before`() async throws {
        let objects = Objects(
            maps: ["m": ["data": ["K": "map", "X": "map"]]], secrets: ["s": ["data": ["P": "cGFzcw=="]]])
        let made = try await environment(
            [
                "envFrom": [["configMapRef": ["name": "m"]], ["prefix": "Q_", "secretRef": ["name": "s"]]],
                "env": [
                    ["name": "X", "value": "own"], ["name": "URL", "value": "$(X)@$(S_SERVICE_HOST)"],
                    ["name": "POD", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]],
                    ["name": "IP", "valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]],
                    ["name": "L", "valueFrom": ["fieldRef": ["fieldPath": "metadata.labels['app']"]]],
                    ["name": "PW", "valueFrom": ["secretKeyRef": ["name": "s", "key": "P"]]],
                    ["name": "MAYBE", "valueFrom": ["configMapKeyRef": ["name": "no", "key": "k", "optional": true]]],
                ],
            ], objects)
        #expect(
            made == [
                "S_SERVICE_HOST": "10.254.0.7", "K": "map", "X": "own", "Q_P": "pass", "URL": "own@10.254.0.7",
                "POD": "p", "IP": "10.244.1.2", "L": "x", "PW": "pass",
            ])
    }

    @Test func `a reference to nothing is an error that names it`() async {
        await #expect(throws: ContainerConfigurationError("configmap \"no\" not found")) {
            try await environment([
                "env": [["name": "A", "valueFrom": ["configMapKeyRef": ["name": "no", "key": "k"]]]]
            ])
        }
        await #expect(throws: ContainerConfigurationError("secret \"no\" not found")) {
            try await environment(["envFrom": [["secretRef": ["name": "no"]]]])
        }
    }
}

@Suite struct ServiceVariablesTests {
    private func service(_ name: String, _ namespace: String, _ ip: String, _ ports: JSON) -> JSON {
        [
            "metadata": ["name": .string(name), "namespace": .string(namespace)],
            "spec": ["clusterIP": .string(ip), "ports": ports],
        ]
    }

    @Test func `a service is found by its name in capitals`() {
        let services = [
            service("redis-master", "default", "10.254.0.9", [["port": 6379, "protocol": "TCP"]]),
            service("kubernetes", "default", "10.254.0.1", [["name": "https", "port": 443, "protocol": "TCP"]]),
            service("headless", "default", "None", [["port": 1]]), service("other", "far", "10.254.0.8", [["port": 1]]),
        ]
        let made = ServiceVariables.make(services: services, namespace: "default").map { "\($0.name)=\($0.value)" }
        #expect(
            made == [
                "KUBERNETES_SERVICE_HOST=10.254.0.1", "KUBERNETES_SERVICE_PORT=443",
                "KUBERNETES_SERVICE_PORT_HTTPS=443",
                "KUBERNETES_PORT=tcp://10.254.0.1:443", "KUBERNETES_PORT_443_TCP=tcp://10.254.0.1:443",
                "KUBERNETES_PORT_443_TCP_PROTO=tcp", "KUBERNETES_PORT_443_TCP_PORT=443",
                "KUBERNETES_PORT_443_TCP_ADDR=10.254.0.1", "REDIS_MASTER_SERVICE_HOST=10.254.0.9",
                "REDIS_MASTER_SERVICE_PORT=6379", "REDIS_MASTER_PORT=tcp://10.254.0.9:6379",
                "REDIS_MASTER_PORT_6379_TCP=tcp://10.254.0.9:6379", "REDIS_MASTER_PORT_6379_TCP_PROTO=tcp",
                "REDIS_MASTER_PORT_6379_TCP_PORT=6379", "REDIS_MASTER_PORT_6379_TCP_ADDR=10.254.0.9",
            ])
    }

    @Test func `other namespaces see the API server's service only`() {
        let services = [
            service("kubernetes", "default", "10.254.0.1", [["port": 443]]),
            service("x", "default", "10.254.0.2", [["port": 1]]),
        ]
        let names = ServiceVariables.make(services: services, namespace: "far").map(\.name)
        #expect(names.contains("KUBERNETES_SERVICE_HOST") && !names.contains("X_SERVICE_HOST"))
    }
}

@Suite struct ConfigurationTests {
    @Test func `what a pod asks for reaches the runtime`() throws {
        let pod = try Sample.pod(containers: [
            [
                "name": "a", "image": "i:1", "command": ["run", "$(A)"],
                "ports": [["containerPort": 80, "hostPort": 8080], ["containerPort": 53, "protocol": "UDP"]],
                "resources": ["limits": ["cpu": "500m", "memory": "64Mi"], "requests": ["cpu": "250m"]],
                "securityContext": ["privileged": true, "runAsUser": 7, "capabilities": ["add": ["NET_ADMIN"]]],
            ]
        ])
        var settings = NodeSettings(name: "node-1", address: "10.240.0.11", root: "/r")
        settings.cgroupRoot = "/fjord/node-1"
        let sandbox = SandboxConfigurationBuilder.make(for: pod, attempt: 2, settings)
        #expect(sandbox.portMappings.map(\.hostPort) == [8080])
        #expect(sandbox.hostname == "p" && sandbox.metadata.attempt == 2)
        #expect(sandbox.linux.cgroupParent == "/fjord/node-1/kubepods/burstable/podu")
        #expect(sandbox.linux.securityContext.privileged)
        let builder = ContainerConfigurationBuilder(pod: pod, settings: settings)
        let config = try builder.make(
            pod.containers[0], attempt: 1, image: "sha256:1", imageUser: 0, environment: [("A", "x")], mounts: [])
        #expect(config.command == ["run", "x"] && config.logPath == "a/1.log")
        #expect(config.linux.resources.cpuShares == 256 && config.linux.resources.cpuQuota == 50_000)
        #expect(config.linux.resources.memoryLimitInBytes == 64 << 20)
        #expect(config.linux.securityContext.runAsUser.value == 7)
        settings.allowsPrivileged = false
        #expect(throws: ContainerConfigurationError.self) {
            try ContainerConfigurationBuilder(pod: pod, settings: settings).make(
                pod.containers[0], attempt: 1, image: "i", imageUser: 0, environment: [], mounts: [])
        }
    }

    @Test func `a pod on the node's network has no name of its own and no port mappings`() throws {
        let pod = try Sample.pod(
            containers: [["name": "a", "image": "i", "ports": [["containerPort": 80, "hostPort": 80]]]],
            spec: ["hostNetwork": true])
        let config = SandboxConfigurationBuilder.make(
            for: pod, attempt: 0, NodeSettings(name: "n", address: "1.2.3.4", root: "/r"))
        #expect(config.hostname.isEmpty && config.portMappings.isEmpty)
        #expect(config.linux.securityContext.namespaceOptions.network == .node)
    }

    @Test(
        arguments: [
            (["limits": ["cpu": "1", "memory": "1Gi"]], .guaranteed), (["requests": ["cpu": "1"]], .burstable),
            ([:], .bestEffort),
        ] as [(JSON, DesiredPod.QualityOfService)])
    func `resources decide the quality of service`(resources: JSON, quality: DesiredPod.QualityOfService) throws {
        #expect(
            try Sample.pod(containers: [["name": "a", "image": "i", "resources": resources]]).qualityOfService
                == quality)
    }

    @Test func `the overlay's lease becomes a network configuration`() throws {
        let lease = try OverlayLease(
            parsing:
                "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.3.1/24\nFLANNEL_MTU=1472\nFLANNEL_IPMASQ=true\n")
        #expect(lease.gateway == IPv4Address(10, 244, 3, 1))
        let bridge = CNIConfiguration.document(for: lease)["plugins"]?.array?[0]
        #expect(bridge?["mtu"] == 1472 && bridge?["ipMasq"] == false)
        #expect(bridge?["ipam", "ranges"]?.array?[0].array?[0]["subnet"] == "10.244.3.0/24")
    }

    @Test(arguments: [
        "", "FLANNEL_NETWORK=10.244.0.0/16", "FLANNEL_NETWORK=x\nFLANNEL_SUBNET=10.244.3.1/24\nFLANNEL_MTU=1",
    ])
    func `what is no lease is refused`(text: String) {
        #expect(throws: OverlayLease.FormatError.self) { try OverlayLease(parsing: text) }
    }

    @Test func `paths in containerd's configuration are quoted`() {
        var configuration = ContainerdConfiguration()
        configuration.root = "/a\"b\\c"
        #expect(configuration.toml.contains(#"root = "/a\"b\\c""#))
    }
}

@Suite struct LogTests {
    private let lines = """
        2026-11-23T17:47:40.000000001Z stdout F one
        2026-11-23T17:47:41.000000001Z stderr P tw
        2026-11-23T17:47:41.500000001Z stderr F o
        2026-11-23T17:47:42.000000001Z stdout F three

        """

    private func shown(_ query: [(name: String, value: String)]) throws -> String {
        let options = try ContainerLogOptions(query: query, now: Timestamp(rfc3339: "2026-11-23T17:47:43Z") ?? .now)
        var filter = ContainerLogFilter(options)
        var bytes = Array(lines.utf8)
        if let tail = options.tailLines { bytes = Array(bytes[LogTail.find(in: bytes, lastLines: tail).offset...]) }
        // One byte at a time: nothing may depend on how the file is cut up.
        return String(decoding: bytes.flatMap { byte in filter.feed([byte]) }, as: UTF8.self)
    }

    @Test(arguments: [
        ("follow", "false", "one\ntwo\nthree\n"), ("tailLines", "2", "two\nthree\n"), ("tailLines", "0", ""),
        ("tailLines", "9", "one\ntwo\nthree\n"), ("limitBytes", "5", "one\nt"), ("sinceSeconds", "1", "three\n"),
        ("sinceTime", "2026-11-23T17:47:41Z", "two\nthree\n"),
    ])
    func `a reader sees what it asked for`(name: String, value: String, expected: String) throws {
        #expect(try shown([(name, value)]) == expected)
    }

    @Test func `times are shown once a line`() throws {
        #expect(
            try shown([("timestamps", "true"), ("tailLines", "2")]).hasPrefix(
                "2026-11-23T17:47:41.000000001Z two\n2026"))
    }

    @Test(arguments: [("tailLines", "-1"), ("limitBytes", "x"), ("sinceTime", "yesterday"), ("follow", "perhaps")])
    func `a parameter that makes no sense is named`(name: String, value: String) {
        #expect(throws: BadRequest.self) { try shown([(name, value)]) }
    }

    @Test(arguments: ["", "x", "2026 stdout", "2026 stdin F x", "2026 stdout Q x"])
    func `what is no record is not shown`(text: String) { #expect(ContainerLogLine(Array(text.utf8)[...]) == nil) }
}

@Suite struct RequestTests {
    @Test func `paths and parameters are read, old names too`() throws {
        let query = RequestQuery.parse("command=sh&command=-c&command=echo%20a+b&input=1&output=1&error=1&tty=1")
        let request = try #require(try KubeletRequest(path: "/exec/ns/p/uid/c", query: query))
        var streams = StreamOptions()
        (streams.stdin, streams.stdout, streams.tty) = (true, true, true)
        #expect(
            request
                == .exec(.init(namespace: "ns", pod: "p", container: "c"), command: ["sh", "-c", "echo a b"], streams))
        #expect(
            try KubeletRequest(path: "/portForward/ns/p", query: [("port", "80")])
                == .portForward(namespace: "ns", pod: "p", ports: [80]))
        #expect(try KubeletRequest(path: "/x", query: []) == nil)
        #expect(throws: BadRequest.self) { try KubeletRequest(path: "/exec/ns/p/c", query: []) }
        #expect(throws: BadRequest.self) { try KubeletRequest(path: "/portForward/ns/p", query: [("port", "70000")]) }
    }

    @Test func `a probe's verdict changes at its threshold`() {
        var judge = ProbeJudge(successThreshold: 1, failureThreshold: 2, initial: .success)
        let changes = [false, false, false, true].map { judge.count(success: $0) }
        #expect(changes == [false, true, false, true])
        #expect(judge.verdict == .success)
    }
}

@Suite struct ProjectedVolumeTests {
    @Test func `items choose keys, paths and modes`() async throws {
        let pod = try Sample.pod()
        let objects = Objects(secrets: ["s": ["data": ["k": "djE=", "other": "eA=="]]])
        let volume: JSON = [
            "name": "v",
            "secret": ["secretName": "s", "defaultMode": 256, "items": [["key": "k", "path": "a/b", "mode": 420]]],
        ]
        let files = try await ProjectedVolume.files(of: volume, pod: pod, facts: PodFacts(), objects: objects)
        #expect(files == ["a/b": ProjectedFile(contents: Array("v1".utf8), mode: 0o644)])
    }

    @Test(arguments: ["../x", "/x", "a//b", ""])
    func `no path leads out of a volume`(path: String) async throws {
        let pod = try Sample.pod()
        let objects = Objects(maps: ["m": ["data": ["k": "v"]]])
        let volume: JSON = ["name": "v", "configMap": ["name": "m", "items": [["key": "k", "path": .string(path)]]]]
        await #expect(throws: ContainerConfigurationError.self) {
            try await ProjectedVolume.files(of: volume, pod: pod, facts: PodFacts(), objects: objects)
        }
    }

    @Test func `a missing optional object makes an empty volume`() async throws {
        let pod = try Sample.pod()
        let volume: JSON = ["name": "v", "configMap": ["name": "m", "optional": true]]
        #expect(try await ProjectedVolume.files(of: volume, pod: pod, facts: PodFacts(), objects: Objects()) == [:])
    }
}
