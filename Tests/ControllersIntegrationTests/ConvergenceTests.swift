import KubeAPI
import KubeSchema
import Testing

/// What is wanted comes about, whichever of the control plane's processes is killed on the way, and however often: no
/// step may depend on having seen the one before.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ConvergenceTests {
    private static let labels: JSON = ["app": "web"]

    private func controller(_ name: String, replicas: Int, namespace: String = "default") -> ReplicationController {
        var controller = ReplicationController(name: name, namespace: namespace)
        controller.document["spec"] = [
            "replicas": .integer(Int64(replicas)), "selector": Self.labels,
            "template": [
                "metadata": ["labels": Self.labels], "spec": ["containers": [["name": "c", "image": "i"]]],
            ],
        ]
        return controller
    }

    private func service(_ name: String, namespace: String = "default") -> Service {
        var service = Service(name: name, namespace: namespace)
        service.document["spec"] = ["selector": Self.labels, "ports": [["port": 80]]]
        return service
    }

    /// Runs `body` beside nodes that are ready.
    private func withNodes(
        _ plane: ControlPlane, count: Int = 3, _ body: (HollowNodes) async throws -> Void
    ) async throws {
        let nodes = HollowNodes(plane.client, count: count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await nodes.run() }
            defer { group.cancelAll() }
            try await eventually("the nodes are ready") {
                try await plane.client.list(Node.self).items.filter(\.isReady).count == count
            }
            try await body(nodes)
        }
    }

    private func scale(_ plane: ControlPlane, to replicas: Int) async throws {
        try await eventually("the size is taken") {
            _ = try await plane.client.patch(
                ReplicationController.self, name: "web", namespace: "default",
                .merge(["spec": ["replicas": .integer(Int64(replicas))]]))
            return true
        }
    }

    /// Pods, status and endpoints all agree on `count`.
    private func settled(_ plane: ControlPlane, at count: Int) async throws {
        let client = plane.client
        try await eventually("\(count) pods run") {
            let pods = try await client.list(Pod.self, namespace: "default").items
            return pods.count == count && pods.allSatisfy { $0.isReady && $0.spec.nodeName != nil }
        }
        try await eventually("the status says \(count)") {
            let status = try await client.get(ReplicationController.self, name: "web", namespace: "default").status
            return status.replicas == count && status.readyReplicas == count
        }
        try await eventually("the service has \(count) addresses") {
            let subsets = try await client.get(Endpoints.self, name: "web", namespace: "default").subsets
            return subsets.count == 1 && subsets[0].addresses.count == count && subsets[0].notReadyAddresses.isEmpty
        }
    }

    /// Watches the pods from the side until the task is cancelled. Returns the most that were active at a time.
    private func mostPods(_ plane: ControlPlane) async -> Int {
        var most = 0
        while !Task.isCancelled {
            if let pods = try? await plane.client.list(Pod.self, namespace: "default").items {
                most = max(most, pods.count(where: \.isActive))
            }
            try? await Task.sleep(for: .milliseconds(30))
        }
        return most
    }

    @Test(arguments: [
        [ControlPlane.Component.controllerManager], [.scheduler], [.apiServer], [.controllerManager, .scheduler],
    ])
    func replicasAndEndpointsConvergeWhileThisIsKilledAgainAndAgain(_ victims: [ControlPlane.Component]) async throws {
        try await ControlPlane.with { plane in
            try await withNodes(plane) { _ in
                _ = try await plane.client.create(service("web"))
                _ = try await plane.client.create(controller("web", replicas: 15))
                let most = Task { await mostPods(plane) }
                defer { most.cancel() }
                try await plane.harass(victims, times: 4)
                try await settled(plane, at: 15)
                try await scale(plane, to: 4)
                try await plane.harass(victims, times: 2)
                try await settled(plane, at: 4)
                try await scale(plane, to: 9)
                try await plane.harass(victims, times: 2)
                try await settled(plane, at: 9)
                most.cancel()
                #expect(await most.value <= 15, "never more than were asked for")
                let perNode = Dictionary(
                    grouping: try await plane.client.list(Pod.self, namespace: "default").items, by: \.spec.nodeName)
                #expect(perNode.count == 3, "spread over all nodes")
            }
        }
    }

    @Test func theReplicasOfASilentNodeAreReplacedThoughTheControllerManagerIsKilledMeanwhile() async throws {
        try await ControlPlane.with { plane in
            let client = plane.client
            try await withNodes(plane) { nodes in
                _ = try await client.create(service("web"))
                _ = try await client.create(controller("web", replicas: 6))
                try await settled(plane, at: 6)
                nodes.setSilent("node-2", true)
                try await plane.harass([.controllerManager], times: 3)
                try await eventually("the node is not ready") {
                    try await client.get(Node.self, name: "node-2").status.condition("Ready")?.status == "Unknown"
                }
                plane.kill(.controllerManager)
                try plane.start(.controllerManager)
                try await eventually("six run elsewhere") {
                    let pods = try await client.list(Pod.self, namespace: "default").items.filter(\.isActive)
                    return pods.count == 6
                        && pods.allSatisfy { $0.isReady && $0.spec.nodeName != nil && $0.spec.nodeName != "node-2" }
                }
                try await eventually("the service leads only to them") {
                    let subsets = try await client.get(Endpoints.self, name: "web", namespace: "default").subsets
                    return subsets.flatMap(\.addresses).allSatisfy { $0.nodeName != "node-2" }
                        && subsets.flatMap(\.addresses).count == 6
                }
                // The old pods wait for their kubelet; with the node goes what is left of them.
                try await client.delete(Node.self, name: "node-2")
                plane.kill(.controllerManager)
                try plane.start(.controllerManager)
                try await settled(plane, at: 6)
                nodes.setSilent("node-2", false)
                try await eventually("the node is back") { try await client.get(Node.self, name: "node-2").isReady }
                try await settled(plane, at: 6)
            }
        }
    }

    @Test(arguments: [[ControlPlane.Component.controllerManager], [.apiServer]])
    func aNamespaceGoesWithAllThatIsInItWhileThisIsKilled(_ victims: [ControlPlane.Component]) async throws {
        try await ControlPlane.with { plane in
            let client = plane.client
            try await withNodes(plane, count: 1) { _ in
                _ = try await client.create(Namespace(name: "doomed"))
                _ = try await client.create(controller("web", replicas: 8, namespace: "doomed"))
                _ = try await client.create(service("web", namespace: "doomed"))
                for number in 0..<10 {
                    var secret = Secret(name: "s\(number)", namespace: "doomed")
                    secret.document["stringData"] = ["key": "value"]
                    _ = try await client.create(secret)
                }
                try await eventually("it is full of life") {
                    try await client.list(Pod.self, namespace: "doomed").items.filter(\.isReady).count == 8
                }
                try await client.delete(Namespace.self, name: "doomed")
                try await plane.harass(victims, times: 4)
                try await eventually("it is gone") {
                    do {
                        _ = try await client.get(Namespace.self, name: "doomed")
                        return false
                    } catch let error as APIError where error.code == 404 {
                        return true
                    }
                }
                #expect(try await client.list(Pod.self, namespace: "doomed").items.isEmpty)
                #expect(try await client.list(Secret.self, namespace: "doomed").items.isEmpty)
                #expect(try await client.list(Service.self, namespace: "doomed").items.isEmpty)
            }
        }
    }

    @Test func whatHadAnOwnerGoesAfterItThoughTheCollectorIsKilled() async throws {
        try await ControlPlane.with { plane in
            let client = plane.client
            try await withNodes(plane) { _ in
                _ = try await client.create(controller("web", replicas: 10))
                try await eventually("ten run") {
                    try await client.list(Pod.self, namespace: "default").items.filter(\.isReady).count == 10
                }
                plane.kill(.controllerManager)
                try await client.delete(
                    ReplicationController.self, name: "web", namespace: "default",
                    options: DeleteOptions(propagationPolicy: "Background"))
                #expect(try await client.list(Pod.self, namespace: "default").items.count == 10)
                try plane.start(.controllerManager)
                try await plane.harass([.controllerManager], times: 3)
                try await eventually("none is left") {
                    try await client.list(Pod.self, namespace: "default").items.isEmpty
                }
            }
        }
    }
}
