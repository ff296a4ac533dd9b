import KubeAPI
import KubeAPITesting
import KubeSchema
import Logging
import Testing

@testable import Controllers

/// All controllers against an API in memory, with a clock that the test moves.
@Suite struct ControllerManagerTests {
    let api = InMemoryAPI()
    let client: KubeClient
    let time = ManualTime()

    init() { client = KubeClient(transport: api, logger: Logger(label: "test")) }

    private func running(_ body: @Sendable @escaping () async throws -> Void) async throws {
        let manager = ControllerManager(client: client, time: time, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await manager.run() }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func pods() async throws -> [Pod] { try await client.list(Pod.self, namespace: "default").items }

    @Test func aControllerMakesAsManyPodsAsItAsksForAndAdoptsWhatMatches() async throws {
        _ = try await client.create(pod("nginx", labels: ["name": "nginx"], node: "n", ready: true))
        let created = try await client.create(controller("nginx", replicas: 3, labels: ["name": "nginx"]))
        try await running {
            try await eventually("three in all, one of them adopted") {
                let pods = try await pods()
                return pods.count == 3 && pods.allSatisfy { $0.metadata.controller?.uid == created.metadata.uid }
            }
            try await eventually("the status tells") {
                let status = try await client.get(ReplicationController.self, name: "nginx", namespace: "default")
                    .status
                return status.replicas == 3 && status.readyReplicas == 1 && status.observedGeneration == 1
            }
            var live = try await client.get(ReplicationController.self, name: "nginx", namespace: "default")
            live.replicas = 1
            _ = try await client.update(live)
            try await eventually("the one that is ready is left") {
                try await pods().filter(\.isActive).map(\.metadata.name) == ["nginx"]
            }
            try await eventually("events say so") {
                let reasons = try await client.list(Event.self).items.map(\.reason)
                return reasons.count { $0 == "SuccessfulCreate" } == 2
                    && reasons.count { $0 == "SuccessfulDelete" } == 2
            }
        }
    }

    @Test func aLargeControllerIsNeverOvershot() async throws {
        _ = try await client.create(controller("many", replicas: 40, labels: ["name": "many"]))
        let (api, client) = (api, client)
        try await running {
            try await eventually("forty") { try await client.list(Pod.self).items.count == 40 }
            try await eventually("the status has caught up") {
                try await client.get(ReplicationController.self, name: "many", namespace: "default").status.replicas
                    == 40
            }
        }
        #expect(api.requests.count { $0 == "POST /api/v1/namespaces/default/pods" } == 40)
        #expect(!api.requests.contains { $0.hasPrefix("DELETE") })
    }

    @Test func podsGoWithTheirController() async throws {
        _ = try await client.create(controller("gone", replicas: 2, labels: ["name": "gone"]))
        try await running {
            try await eventually("two pods") { try await pods().count == 2 }
            try await client.delete(
                ReplicationController.self, name: "gone", namespace: "default",
                options: DeleteOptions(propagationPolicy: "Background"))
            try await eventually("none") { try await pods().isEmpty }
        }
    }

    @Test func orphansStay() async throws {
        _ = try await client.create(controller("left", replicas: 2, labels: ["name": "left"]))
        try await running {
            try await eventually("two pods") { try await pods().count == 2 }
            try await client.delete(
                ReplicationController.self, name: "left", namespace: "default",
                options: DeleteOptions(propagationPolicy: "Orphan"))
            try await eventually("the controller is gone, its pods belong to nobody") {
                let pods = try await pods()
                let controllers = try await client.list(ReplicationController.self).items
                return controllers.isEmpty && pods.count == 2 && pods.allSatisfy { $0.metadata.ownerReferences.isEmpty }
            }
        }
    }

    @Test func endpointsFollowPodsAndGoWithTheService() async throws {
        var service = Service(name: "web", namespace: "default")
        service.document["spec"] = ["selector": ["name": "web"], "ports": [["port": 80, "targetPort": 8000]]]
        _ = try await client.create(service)
        _ = try await client.create(pod("a", labels: ["name": "web"], node: "n", ready: true, ip: "10.0.0.1"))
        var byHand = Endpoints(name: "manual", namespace: "default")
        byHand.subsets = []
        _ = try await client.create(byHand)
        try await running {
            @Sendable func addresses() async throws -> [String]? {
                try await client.list(Endpoints.self).items.first { $0.metadata.name == "web" }?.subsets.first?
                    .addresses.map(\.ip)
            }
            try await eventually("the ready pod is there") { try await addresses() == ["10.0.0.1"] }
            var broken = try await client.get(Pod.self, name: "a", namespace: "default")
            broken.status.set(Condition(type: "Ready", status: "False"), now: time.now)
            _ = try await client.updateStatus(broken)
            try await eventually("it is dropped when it isn't ready") { try await addresses() == [] }
            try await client.delete(Service.self, name: "web", namespace: "default")
            try await eventually("the endpoints go, those made by hand stay") {
                try await client.list(Endpoints.self).items.map(\.metadata.name) == ["manual"]
            }
        }
    }

    private func node(_ name: String) -> Node {
        var node = Node(name: name)
        node.status.conditions = [Condition(type: "Ready", status: "True")]
        return node
    }

    /// What a kubelet does to show that it lives.
    private func beat(_ name: String) async throws {
        var node = try await client.get(Node.self, name: name)
        var ready = Condition(type: "Ready", status: "True")
        ready.lastHeartbeatTime = time.now
        node.status.set(ready, now: time.now)
        do {
            _ = try await client.updateStatus(node)
        } catch {
            if !error.isConflict { throw error }
        }
    }

    @Test func podsOfASilentNodeAreReplacedAndItsReturnIsNoticed() async throws {
        for name in ["a", "b", "c"] { _ = try await client.create(node(name)) }
        _ = try await client.create(controller("web", replicas: 1, labels: ["name": "web"]))
        var patient = pod("patient", node: "a", ready: true)
        patient.document["spec", "tolerations"] = [["key": "node.kubernetes.io/unreachable", "operator": "Exists"]]
        _ = try await client.create(patient)
        try await running {
            try await eventually("a replica") { try await pods().count == 2 }
            let first = try await pods().first { $0.metadata.name != "patient" }
            var bound = try #require(first)
            try await client.bind(pod: bound, to: "a")
            bound = try await client.get(Pod.self, name: bound.metadata.name, namespace: "default")
            bound.status.set(Condition(type: "Ready", status: "True"), now: time.now)
            _ = try await client.updateStatus(bound)
            let victim = bound.metadata.name
            let start = time.uptime
            try await eventually("the node is marked, its pod replaced") {
                time.advance(by: .milliseconds(500))
                try await beat("b")
                try await beat("c")
                let pods = try await pods()
                return !pods.contains { $0.metadata.name == victim } && pods.count == 2
            }
            #expect(time.uptime - start >= .seconds(15))
            let dead = try await client.get(Node.self, name: "a")
            #expect(dead.status.condition("Ready")?.status == "Unknown")
            #expect(dead.taints.contains { $0.taintKey == Taint.unreachableKey && $0.effect == "NoExecute" })
            #expect(try await client.get(Pod.self, name: "patient", namespace: "default").isReady == false)
            try await eventually("it comes back") {
                try await beat("a")
                try await beat("b")
                try await beat("c")
                time.advance(by: .milliseconds(100))
                return try await client.get(Node.self, name: "a").taints.isEmpty
            }
            let reasons = try await client.list(Event.self).items.map(\.reason)
            #expect(reasons.contains("NodeNotReady") && reasons.contains("TaintManagerEviction"))
        }
    }

    @Test func nothingIsEvictedWhenMostNodesAreSilent() async throws {
        for name in ["a", "b", "c"] {
            _ = try await client.create(node(name))
            _ = try await client.create(pod("on-" + name, node: name, ready: true))
        }
        try await running {
            try await eventually("two are marked and the hold is told") {
                time.advance(by: .milliseconds(500))
                try await beat("c")
                return try await client.list(Event.self).items.contains { $0.reason == "EvictionsHeld" }
            }
            for _ in 0..<100 {
                time.advance(by: .seconds(1))
                try await beat("c")
                await Task.yield()
            }
            #expect(try await pods().count == 3)
        }
    }

    @Test func aNodeThatBeatsJustInTimeKeepsItsPods() async throws {
        for name in ["a", "b", "c"] { _ = try await client.create(node(name)) }
        _ = try await client.create(pod("p", node: "a", ready: true))
        let (api, client) = (api, client)
        try await running {
            try await eventually("the controllers work") { !api.requests.isEmpty }
            for _ in 0..<200 {
                for name in ["a", "b", "c"] { try await beat(name) }
                let beaten = try await client.get(Node.self, name: "a").metadata.resourceVersion
                try await eventually("the beat is stored") { beaten != nil }
                time.advance(by: .seconds(9))
            }
            #expect(try await pods().count == 1)
        }
        #expect(!api.requests.contains { $0.hasPrefix("DELETE /api/v1/namespaces/default/pods") })
    }

    @Test func podsOfARemovedNodeAreCollected() async throws {
        _ = try await client.create(node("a"))
        _ = try await client.create(pod("here", node: "a"))
        _ = try await client.create(pod("nowhere", node: "lost"))
        try await running {
            try await eventually("only the pod of the node that exists is left") {
                time.advance(by: .seconds(1))
                try await beat("a")
                return try await pods().map(\.metadata.name) == ["here"]
            }
        }
    }

    @Test func aNamespaceIsEmptiedBeforeItGoes() async throws {
        var namespace = Namespace(name: "doomed")
        namespace.document["spec", "finalizers"] = ["kubernetes"]
        _ = try await client.create(namespace)
        _ = try await client.create(ConfigMap(name: "c", namespace: "doomed"))
        _ = try await client.create(ConfigMap(name: "kept", namespace: "default"))
        try await running {
            try await eventually("it gets its service account") {
                try await client.list(ServiceAccount.self, namespace: "doomed").items.count == 1
            }
            try await client.delete(Namespace.self, name: "doomed")
            try await eventually("it is gone") {
                time.advance(by: .seconds(1))
                return try await client.list(Namespace.self).items.isEmpty
            }
            #expect(try await client.list(ConfigMap.self).items.map(\.metadata.name) == ["kept"])
        }
    }
}
