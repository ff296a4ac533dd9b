import KubeAPI
import KubeSchema
import Testing

@testable import Controllers

func pod(
    _ name: String, namespace: String = "default", labels: [String: String] = [:], node: String? = nil,
    ready: Bool = false,
    phase: String = "Running", created: Int64 = 0, ip: String? = nil
) -> Pod {
    var pod = Pod(name: name, namespace: namespace)
    pod.metadata.uid = "uid-" + name
    pod.metadata.labels = labels
    pod.metadata.creationTimestamp = Timestamp(seconds: created)
    pod.document["spec", "containers"] = [
        ["name": "c", "image": "i", "ports": [["name": "web", "containerPort": 8000, "protocol": "TCP"]]]
    ]
    pod.spec.nodeName = node
    pod.status.phase = phase
    pod.status.podIP = ip
    if ready { pod.status.conditions = [Condition(type: "Ready", status: "True")] }
    return pod
}

func controller(_ name: String, replicas: Int, labels: [String: String]) -> ReplicationController {
    var controller = ReplicationController(name: name, namespace: "default")
    controller.metadata.uid = "uid-" + name
    controller.replicas = replicas
    controller.selector = labels
    controller.template = ["metadata": ["labels": labels.json], "spec": ["containers": [["name": "c", "image": "i"]]]]
    return controller
}

@Suite struct ReplicaPlanTests {
    @Test func whatMatchesIsTakenOverAndWhatNoLongerMatchesIsLetGo() {
        let nginx = controller("nginx", replicas: 3, labels: ["name": "nginx"])
        var owned = pod("owned", labels: ["name": "nginx"])
        owned.metadata.ownerReferences = [OwnerReference(controller: nginx)]
        var strayed = pod("strayed", labels: ["name": "other"])
        strayed.metadata.ownerReferences = [OwnerReference(controller: nginx)]
        var foreign = pod("foreign", labels: ["name": "nginx"])
        foreign.metadata.ownerReferences = [OwnerReference(controller: controller("rival", replicas: 1, labels: [:]))]
        var leaving = pod("leaving", labels: ["name": "nginx"])
        leaving.metadata.deletionTimestamp = Timestamp(seconds: 1)
        let ended = pod("ended", labels: ["name": "nginx"], phase: "Failed")
        let bare = pod("bare", labels: ["name": "nginx"])
        let plan = ReplicaPlan(nginx, pods: [owned, strayed, foreign, leaving, ended, bare])
        #expect(plan.mine == [owned])
        #expect(plan.adopted == [bare])
        #expect(plan.released == [strayed])
    }

    @Test func aControllerThatIsBeingDeletedTakesOverNothing() {
        var nginx = controller("nginx", replicas: 3, labels: ["name": "nginx"])
        nginx.metadata.deletionTimestamp = Timestamp(seconds: 1)
        #expect(ReplicaPlan(nginx, pods: [pod("bare", labels: ["name": "nginx"])]).adopted.isEmpty)
    }

    @Test func theLeastMissedGoFirst() {
        let pods = [
            pod("old-ready", node: "a", ready: true, created: 1), pod("new-ready", node: "b", ready: true, created: 9),
            pod("unready", node: "c", created: 1), pod("pending", node: "d", phase: "Pending", created: 1),
            pod("unscheduled", phase: "Pending", created: 1),
        ]
        #expect(
            ReplicaPlan.victims(pods, count: 5).map(\.metadata.name)
                == ["unscheduled", "pending", "unready", "new-ready", "old-ready"])
    }

    @Test func ofEqualPodsThoseThatShareANodeGoFirst() {
        let pods = [
            pod("a1", node: "a", ready: true, created: 5), pod("b1", node: "b", ready: true, created: 1),
            pod("b2", node: "b", ready: true, created: 2), pod("b3", node: "b", ready: true, created: 3),
        ]
        let rest = Set(pods.map(\.metadata.name)).subtracting(ReplicaPlan.victims(pods, count: 2).map(\.metadata.name))
        #expect(rest == ["a1", "b1"])
    }

    @Test func aPodIsMadeFromTheTemplateUnderALowerCaseName() {
        let pod = ReplicaPlan.pod(
            for: controller("frontendController", replicas: 1, labels: ["name": "f"]), suffix: "abcde")
        #expect(pod.metadata.name == "frontendcontroller-abcde")
        #expect(pod.metadata.generateName == "frontendcontroller-")
        #expect(pod.metadata.labels == ["name": "f"])
        #expect(pod.metadata.controller?.name == "frontendController")
        #expect(pod.spec.containers.count == 1)
    }

    @Test func availabilityTakesItsTime() {
        var slow = controller("slow", replicas: 2, labels: ["a": "b"])
        slow.document["spec", "minReadySeconds"] = 30
        var fresh = pod("fresh", labels: ["a": "b"], ready: true)
        fresh.status.conditions[0].lastTransitionTime = Timestamp(seconds: 90)
        var proven = pod("proven", labels: ["a": "b"], ready: true)
        proven.status.conditions[0].lastTransitionTime = Timestamp(seconds: 10)
        let (status, next) = ReplicaPlan.status(of: slow, pods: [fresh, proven], now: Timestamp(seconds: 100))
        #expect(status.readyReplicas == 2 && status.availableReplicas == 1 && status.fullyLabeledReplicas == 2)
        #expect(next == .seconds(20))
    }
}

@Suite struct EndpointsBuilderTests {
    private func service(_ ports: JSON, selector: JSON = ["name": "web"]) -> Service {
        var service = Service(name: "web", namespace: "default")
        service.document["spec"] = ["selector": selector, "ports": ports]
        return service
    }

    @Test func readyAndNotReadyPodsStandApart() {
        let pods = [
            pod("b", labels: ["name": "web"], node: "n1", ready: true, ip: "10.0.0.2"),
            pod("a", labels: ["name": "web"], node: "n1", ready: true, ip: "10.0.0.1"),
            pod("c", labels: ["name": "web"], node: "n2", ip: "10.0.0.3"), pod("d", labels: ["name": "web"]),
            pod("e", labels: ["name": "web"], phase: "Failed", ip: "10.0.0.5"),
        ]
        let subsets = EndpointsBuilder.subsets(of: service([["port": 80, "targetPort": "web"]]), pods: pods)
        #expect(subsets.count == 1)
        #expect(subsets.first?.addresses.map(\.ip) == ["10.0.0.1", "10.0.0.2"])
        #expect(subsets.first?.notReadyAddresses.map(\.ip) == ["10.0.0.3"])
        #expect(subsets.first?.ports.map(\.port) == [8000])
        #expect(subsets.first?.addresses.first?.targetRef?.name == "a")
        #expect(subsets.first?.addresses.first?.nodeName == "n1")
    }

    @Test(
        arguments: [
            (target: JSON.integer(9000), port: 9000), (target: .string("web"), port: 8000),
            (target: .string("8080"), port: 8080),
            (target: .null, port: 80), (target: .string("absent"), port: nil),
        ] as [(target: JSON, port: Int?)])
    func theTargetPortIsANumberAName(_ row: (target: JSON, port: Int?)) {
        let subsets = EndpointsBuilder.subsets(
            of: service([["port": 80, "targetPort": row.target]]), pods: [pod("a", ready: true, ip: "10.0.0.1")])
        #expect(subsets.first?.ports.first?.port == row.port)
    }

    @Test func aServiceOf2015MaySelectAllAndTakeThePodsFirstPort() {
        var old = service([["port": 80]], selector: [:])
        #expect(!EndpointsBuilder.isManaged(old))
        old.metadata.annotations = [V1Beta1.selectorAnnotation: "all", V1Beta1.containerPortAnnotation: "first"]
        #expect(EndpointsBuilder.isManaged(old))
        #expect(EndpointsBuilder.isSelected(pod("any"), by: old))
        let subsets = EndpointsBuilder.subsets(of: old, pods: [pod("any", ready: true, ip: "10.0.0.1")])
        #expect(subsets.first?.ports.first?.port == 8000)
    }
}

@Suite struct NodeHealthTests {
    @Test func aNodeIsSilentWhenNothingItWritesChanges() {
        var health = NodeHealth(gracePeriod: .seconds(10))
        health.sawStatus("n", Timestamp(seconds: 500), uptime: .seconds(100))
        #expect(!health.isSilent("n", uptime: .seconds(109)))
        #expect(health.isSilent("n", uptime: .seconds(110)))
        health.sawStatus("n", Timestamp(seconds: 500), uptime: .seconds(111))  // the same again is no sign of life
        #expect(health.isSilent("n", uptime: .seconds(111)))
        health.sawLease("n", Timestamp(seconds: 1), uptime: .seconds(112))  // its clock may be wrong
        #expect(!health.isSilent("n", uptime: .seconds(113)))
    }

    @Test func silenceDuringAnOutageOfTheServerIsNotHeldAgainstANode() {
        var health = NodeHealth(gracePeriod: .seconds(10))
        health.sawStatus("n", Timestamp(seconds: 500), uptime: .seconds(100))
        health.sawOutage(uptime: .seconds(160))
        #expect(!health.isSilent("n", uptime: .seconds(161)))
        #expect(health.isSilent("n", uptime: .seconds(171)))
    }

    @Test(arguments: [
        (down: 1, total: 3, held: false), (down: 2, total: 3, held: true), (down: 1, total: 2, held: false),
        (down: 1, total: 1, held: true), (down: 3, total: 3, held: true), (down: 50, total: 100, held: false),
    ])
    func evictionsAreHeldWhenMostNodesAreGone(_ row: (down: Int, total: Int, held: Bool)) {
        #expect(Eviction.isHeld(down: row.down, total: row.total) == row.held)
    }

    @Test(
        arguments: [
            ([], .seconds(5)),
            (
                [["key": "node.kubernetes.io/unreachable", "operator": "Exists", "tolerationSeconds": 300]],
                .seconds(300)
            ),
            ([["operator": "Exists"]], nil),
            (
                [["operator": "Exists", "tolerationSeconds": 60], ["operator": "Exists", "tolerationSeconds": 2]],
                .seconds(2)
            ),
            ([["key": "other", "operator": "Exists"]], .seconds(5)),
        ] as [([JSON], Duration?)])
    func aPodsOwnTolerationWins(_ row: (tolerations: [JSON], expected: Duration?)) {
        var pod = pod("p")
        pod.document["spec", "tolerations"] = .array(row.tolerations)
        let taint = Taint(key: Taint.unreachableKey, effect: "NoExecute")
        #expect(Eviction.tolerance(of: pod, for: taint, standard: .seconds(5)) == row.expected)
    }

    @Test func taintsFollowTheConditionAndLeaveForeignOnesAlone() {
        var node = Node(name: "n")
        node.taints = [Taint(key: "mine", effect: "NoSchedule")]
        node.status.conditions = [Condition(type: "Ready", status: "Unknown")]
        node.taints = Taint.expected(for: node, now: Timestamp(seconds: 7))
        #expect(node.taints.map(\.taintKey) == ["mine", Taint.unreachableKey, Taint.unreachableKey])
        #expect(Taint.expected(for: node, now: Timestamp(seconds: 9)) == node.taints)
        node.status.conditions = [Condition(type: "Ready", status: "True")]
        #expect(Taint.expected(for: node, now: Timestamp(seconds: 9)).map(\.taintKey) == ["mine"])
    }
}

@Suite struct ExpectationsTests {
    @Test func nothingIsDoneTwiceUntilItWasSeenOnce() {
        let expectations = Expectations(time: SystemTime())
        let owner = ObjectKey(namespace: "default", name: "rc")
        #expect(expectations.areMet(owner))
        expectations.expect(owner, creations: ["a", "b"])
        expectations.sawCreation(owner, name: "a")
        expectations.sawCreation(owner, name: "a")
        #expect(!expectations.areMet(owner))
        expectations.sawCreation(owner, name: "b")
        #expect(expectations.areMet(owner))
        expectations.expect(owner, deletions: ["uid"])
        #expect(!expectations.areMet(owner))
        expectations.sawDeletion(owner, uid: "uid")
        #expect(expectations.areMet(owner))
    }
}
