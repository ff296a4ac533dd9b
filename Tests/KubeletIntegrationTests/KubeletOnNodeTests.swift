import Glibc
import HTTPTransport
import HTTPTypes
import KubeSchema
import LinuxKit
import NIOCore
import OrderedCollections
import Synchronization
import Testing

@Suite(.serialized, .enabled(if: NodeNamespaces.isInside, "runs inside the node that NodeNamespacesTests makes"))
struct KubeletOnNodeTests {
    static func container(_ name: String, _ script: String, _ more: JSON = [:]) -> JSON {
        var container: JSON = [
            "name": .string(name), "image": .string(TestImages.busybox), "command": ["sh", "-c", .string(script)],
        ]
        for (key, value) in more.object ?? [:] { container[key] = value }
        return container
    }

    static let forever = "trap 'exit 0' TERM; while true; do sleep 0.1; done"

    @Test func `a pod runs, is seen in its status and leaves nothing behind`() async throws {
        try await NodeUnderTest.with { node in
            node.create("one", ["containers": [Self.container("main", "echo hello; echo oops >&2; " + Self.forever)]])
            try await until("it runs") { node.isRunning("one") }
            let status = node.pod("one")?["status"]
            #expect(status?["podIP"]?.string?.hasPrefix("10.244.1.") == true)
            #expect(status?["hostIP"]?.string == NodeUnderTest.address)
            #expect(status?["qosClass"]?.string == "BestEffort")
            #expect(node.status("one")?["containerID"]?.string?.hasPrefix("containerd://") == true)
            #expect(node.status("one")?["restartCount"]?.integer == 0)
            try await until("its log is served") {
                try await node.get("/containerLogs/default/one/main").body.split(separator: "\n").sorted() == [
                    "hello", "oops",
                ]
            }
            let tail = try await node.get("/containerLogs/default/one/main?tailLines=1&timestamps=true").body
            #expect(tail.split(separator: "\n").count == 1 && tail.hasPrefix("20"))
            let run = try await node.get("/run/default/one/main?cmd=hostname")
            #expect(run.body == "one\n")
            #expect(try await node.get("/healthz").status == 200)
            #expect(try await node.get("/nothing").status == 404)
            #expect(try await node.get("/containerLogs/default/none/main").status == 404)
            #expect(Set(["Pulled", "Created", "Started"]).isSubset(of: node.events("one")))

            let uid = node.pod("one")?["metadata", "uid"]?.string ?? ""
            try await node.remove("one")
            #expect(!FileContents.exists("/var/lib/kubelet/pods/\(uid)"))
            #expect(DirectoryListing.names(in: "/var/log/pods").isEmpty)
            #expect(!FileContents.exists("/sys/fs/cgroup/memory/kubelet-test/kubepods/besteffort/pod\(uid)"))
        }
    }

    @Test func `a container that ends is started again, later each time`() async throws {
        try await NodeUnderTest.with { node in
            node.create("crash", ["containers": [Self.container("main", "echo bye > /dev/termination-log; exit 3")]])
            try await until("it was restarted and waits") {
                node.status("crash")?["state", "waiting", "reason"]?.string == "CrashLoopBackOff"
            }
            let last = node.status("crash")?["lastState", "terminated"]
            #expect(last?["exitCode"]?.integer == 3)
            #expect(last?["message"]?.string == "bye\n")
            #expect((node.status("crash")?["restartCount"]?.integer ?? 0) >= 1)
            try await until("that is an event") { node.events("crash").contains("BackOff") }
            try await node.remove("crash")
        }
    }

    @Test func `a killed process is restarted in place`() async throws {
        try await NodeUnderTest.with { node in
            node.create("kill", ["containers": [Self.container("main", Self.forever)]])
            try await until("it runs") { node.isRunning("kill") }
            let address = node.pod("kill")?["status", "podIP"]?.string
            _ = try? await node.get("/run/default/kill/main?cmd=kill%20-TERM%201")
            try await until("it runs again") {
                node.isRunning("kill") && node.status("kill")?["restartCount"]?.integer == 1
            }
            #expect(node.pod("kill")?["status", "podIP"]?.string == address)
            try await node.remove("kill")
        }
    }

    @Test func `pods outlive kubelet and containerd and are taken up again`() async throws {
        try await NodeUnderTest.with { node in
            node.create("lasting", ["containers": [Self.container("main", Self.forever)]])
            node.create("unwanted", ["containers": [Self.container("main", Self.forever)]])
            try await until("they run") { node.isRunning("lasting") && node.isRunning("unwanted") }
            let id = node.status("lasting")?["containerID"]?.string

            let containerd = FileContents.text("/var/lib/kubelet/containerd.pid").flatMap { Int32($0) } ?? 0
            #expect(containerd > 1 && kill(containerd, SIGKILL) == 0)
            try await until("containerd was started again") {
                let now = FileContents.text("/var/lib/kubelet/containerd.pid").flatMap { Int32($0) }
                return now != nil && now != containerd
            }
            try await until("exec works") {
                (try? await node.get("/run/default/lasting/main?cmd=hostname").body) == "lasting\n"
            }
            #expect(node.status("lasting")?["containerID"]?.string == id)
            try await node.remove("unwanted")
            try await node.remove("lasting")
        }
        let left = Mutex<(kept: JSON, orphan: String)>((.null, ""))
        // Now the kubelet itself, with its containerd: an orderly stop, and a new one on the same node.
        try await NodeUnderTest.with { node in
            node.create("lasting", ["containers": [Self.container("main", Self.forever)]])
            try await until("it runs") { node.isRunning("lasting") }
            let kept = node.pod("lasting") ?? .null
            node.create("orphan", ["containers": [Self.container("main", Self.forever)]])
            try await until("it runs") { node.isRunning("orphan") }
            let uid = node.pod("orphan")?["metadata", "uid"]?.string ?? ""
            left.withLock { $0 = (kept, uid) }
        }
        let (kept, orphan) = left.withLock { $0 }
        try await NodeUnderTest.with(objects: [NodeUnderTest.path("lasting"): kept]) { node in
            try await until("the pod that is gone from the API is gone from the node") {
                !FileContents.exists("/var/lib/kubelet/pods/\(orphan)")
            }
            try await until("exec works") {
                (try? await node.get("/run/default/lasting/main?cmd=hostname").body) == "lasting\n"
            }
            #expect(
                node.status("lasting")?["containerID"] == kept["status", "containerStatuses"]?.array?[0]["containerID"])
            try await node.remove("lasting")
        }
    }

    @Test func `volumes are shared, and files follow their objects`() async throws {
        try await NodeUnderTest.with { node in
            node.api.put(
                "/api/v1/namespaces/default/configmaps/settings",
                ["metadata": ["name": "settings"], "data": ["colour": "blue"]])
            node.api.put(
                "/api/v1/namespaces/default/secrets/password",
                ["metadata": ["name": "password"], "data": ["word": "c2VzYW1l"]])
            node.api.put(
                "/api/v1/namespaces/default/services/redis-master",
                [
                    "metadata": ["name": "redis-master", "namespace": "default"],
                    "spec": ["clusterIP": "10.254.0.9", "ports": [["port": 6379, "protocol": "TCP"]]],
                ])
            // The services' copy in the kubelet is as old as its last event; wait for this one to have come.
            try await Task.sleep(for: .milliseconds(300))
            let mounts: JSON = ["volumeMounts": [["name": "shared", "mountPath": "/shared"]]]
            node.create(
                "volumes",
                [
                    "containers": [
                        Self.container("writer", "echo page > /shared/index.html; " + Self.forever, mounts),
                        Self.container(
                            "reader",
                            "until cat /shared/index.html 2>/dev/null; do sleep 0.1; done; cat /settings/colour /password/word; "
                                + "echo; echo $REDIS_MASTER_SERVICE_HOST:$REDIS_MASTER_SERVICE_PORT; " + Self.forever,
                            [
                                "volumeMounts": [
                                    ["name": "shared", "mountPath": "/shared"],
                                    ["name": "settings", "mountPath": "/settings"],
                                    ["name": "password", "mountPath": "/password", "readOnly": true],
                                ]
                            ]),
                    ],
                    "volumes": [
                        ["name": "shared", "emptyDir": [:]], ["name": "settings", "configMap": ["name": "settings"]],
                        ["name": "password", "secret": ["secretName": "password"]],
                    ],
                ])
            try await until("the reader has read all") {
                try await node.get("/containerLogs/default/volumes/reader").body
                    == "page\nbluesesame\n10.254.0.9:6379\n"
            }
            try await node.remove("volumes")
        }
    }

    @Test func `a port of the node leads to the container, and a failing liveness probe restarts it`() async throws {
        try await NodeUnderTest.with { node in
            node.create(
                "web",
                [
                    "containers": [
                        Self.container(
                            "main", "mkdir /w; echo served > /w/index.html; exec httpd -f -p 80 -h /w",
                            [
                                "ports": [["containerPort": 80, "hostPort": 8080]],
                                "livenessProbe": [
                                    "httpGet": ["path": "/index.html", "port": 80], "periodSeconds": 1,
                                    "failureThreshold": 1,
                                    "initialDelaySeconds": 1,
                                ],
                            ])
                    ]
                ])
            try await until("it runs") { node.isRunning("web") }
            try await until("its page is served on the node's address") {
                let exchange = try? await HTTPClientExchange.send(
                    HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/index.html"),
                    host: NodeUnderTest.address,
                    port: 8080)
                return try await exchange?.collect(upTo: 100) == Array("served\n".utf8)
            }
            _ = try await node.get("/run/default/web/main?command=rm&command=/w/index.html")
            try await until("it was restarted") { (node.status("web")?["restartCount"]?.integer ?? 0) >= 1 }
            #expect(node.events("web").contains("Unhealthy"))
            try await node.remove("web")
        }
    }

    @Test func `an image that cannot be pulled is named in the status`() async throws {
        try await NodeUnderTest.with { node in
            node.create("noimage", ["containers": [["name": "main", "image": "127.0.0.1:1/none:1"]]])
            try await until("it backs off") {
                node.status("noimage")?["state", "waiting", "reason"]?.string == "ImagePullBackOff"
            }
            #expect(node.pod("noimage")?["status", "phase"] == "Pending")
            try await until("its events say so") {
                Set(["Pulling", "Failed", "BackOff"]).isSubset(of: node.events("noimage"))
            }
            try await node.remove("noimage")
        }
    }

    @Test func `what containers use is told in both forms`() async throws {
        try await NodeUnderTest.with { node in
            node.create("busy", ["containers": [Self.container("main", "while true; do :; done")]])
            try await until("it runs") { node.isRunning("busy") }
            try await until("its CPU time has a rate") {
                let summary = try JSON(parsing: Array(try await node.get("/stats/summary").body.utf8))
                let pod = summary["pods"]?.array?.first { $0["podRef", "name"] == "busy" }
                let container = pod?["containers"]?.array?.first
                return container?["name"] == "main"
                    && (container?["cpu", "usageNanoCores"]?.integer ?? 0) > 10_000_000
                    && (pod?["memory", "workingSetBytes"]?.integer ?? 0) > 0
                    && summary["node", "nodeName"]?.string == NodeUnderTest.name
                    && (summary["node", "cpu", "usageCoreNanoSeconds"]?.integer ?? 0) > 0
            }
            let metrics = try await node.get("/metrics/resource").body
            #expect(metrics.contains("pod_cpu_usage_seconds_total{namespace=\"default\",pod=\"busy\"}"))
            #expect(try await node.get("/stats/none").status == 404)
            try await node.remove("busy")
        }
    }

    @Test func `exec is tunnelled to the runtime`() async throws {
        try await NodeUnderTest.with { node in
            node.create("exec", ["containers": [Self.container("main", Self.forever)]])
            try await until("it runs") { node.isRunning("exec") }
            let request = HTTPRequest(
                method: .get, scheme: nil, authority: nil,
                path: "/exec/default/exec/main?command=sh&command=-c&command=echo+tunnelled%3B+exit+3&output=1&error=1",
                headerFields: [
                    .connection: "Upgrade", .upgrade: "websocket", .secWebSocketVersion: "13",
                    .secWebSocketKey: "dGhlIHNhbXBsZSBub25jZQ==", .secWebSocketProtocol: "v4.channel.k8s.io",
                ])
            let exchange = try await HTTPClientExchange.send(request, host: "127.0.0.1", port: 10250)
            #expect(exchange.response.status == .switchingProtocols)
            var received: [UInt8] = []
            while let piece = try await exchange.tunnel.read() { received += piece.readableBytesView }
            exchange.tunnel.close()
            let text = String(decoding: received, as: UTF8.self)
            #expect(text.contains("tunnelled\n"))
            #expect(text.contains("\"ExitCode\",\"message\":\"3\""))
            #expect(try await node.get("/exec/default/exec/main?command=true&output=1").status == 400)
            try await node.remove("exec")
        }
    }
}
