import KubeAPI
import KubeSchema
import Testing

@testable import Scheduler

/// A node that is ready, with 4 CPUs, 8 GiB and room for 110 pods.
func node(
    _ name: String, cpu: String = "4", memory: String = "8Gi", pods: String = "110", labels: [String: String] = [:],
    taints: [Taint] = [], ready: String = "True", unschedulable: Bool = false
) -> Node {
    var node = Node(name: name)
    node.metadata.labels = labels
    node.taints = taints
    node.isUnschedulable = unschedulable
    node.status.capacity = ["cpu": .string(cpu), "memory": .string(memory), "pods": .string(pods)]
    node.status.conditions = [Condition(type: "Ready", status: ready)]
    return node
}

func pod(
    _ name: String, cpu: String? = nil, memory: String? = nil, hostPort: Int? = nil, labels: [String: String] = [:],
    selector: [String: String] = [:], affinity: JSON? = nil, tolerations: [JSON] = [], image: String = "nginx"
) -> Pod {
    var container: JSON = ["name": "c", "image": .string(image)]
    if let cpu { container["resources", "requests", "cpu"] = .string(cpu) }
    if let memory { container["resources", "requests", "memory"] = .string(memory) }
    if let hostPort { container["ports"] = [["containerPort": 80, "hostPort": .integer(Int64(hostPort))]] }
    var pod = Pod(name: name, namespace: "default")
    pod.metadata.uid = "uid-" + name
    pod.metadata.labels = labels
    pod.document["spec", "containers"] = [container]
    pod.spec.nodeSelector = selector
    pod.spec.affinity = affinity
    pod.document["spec", "tolerations"] = .array(tolerations)
    return pod
}

func cluster(_ nodes: [Node], _ placed: [(Pod, String)] = [], groups: Set<Group> = []) -> ClusterState {
    var cluster = ClusterState()
    for node in nodes { _ = cluster.update(node) }
    for (pod, node) in placed { cluster.place(PodFacts(pod), on: node) }
    cluster.groups = groups
    return cluster
}

private func required(_ terms: JSON...) -> JSON {
    ["nodeAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": ["nodeSelectorTerms": .array(terms)]]]
}

struct FitCase: CustomTestStringConvertible, Sendable {
    var why: String
    var node: Node
    var placed: [Pod] = []
    var pod: Pod
    /// `nil` when it fits.
    var reason: String?
    var testDescription: String { why }
}

@Suite struct DecisionTests {
    @Test(arguments: [
        FitCase(why: "an empty node", node: node("n"), pod: pod("p", cpu: "4", memory: "8Gi")),
        FitCase(why: "not ready", node: node("n", ready: "Unknown"), pod: pod("p"), reason: "1 node(s) were not ready"),
        FitCase(
            why: "cordoned", node: node("n", unschedulable: true), pod: pod("p"), reason: "1 node(s) were unschedulable"
        ),
        FitCase(
            why: "tainted", node: node("n", taints: [Taint(key: "k", value: "v", effect: "NoSchedule")]), pod: pod("p"),
            reason: "1 node(s) had untolerated taint {k: v}"),
        FitCase(
            why: "a taint that is tolerated",
            node: node("n", taints: [Taint(key: "k", value: "v", effect: "NoSchedule")]),
            pod: pod("p", tolerations: [["key": "k", "operator": "Exists"]])),
        FitCase(
            why: "a taint that only asks", node: node("n", taints: [Taint(key: "k", effect: "PreferNoSchedule")]),
            pod: pod("p")),
        FitCase(
            why: "the wrong label", node: node("n", labels: ["disk": "hdd"]), pod: pod("p", selector: ["disk": "ssd"]),
            reason: "1 node(s) didn't match Pod's node affinity/selector"),
        FitCase(
            why: "the right label", node: node("n", labels: ["disk": "ssd"]), pod: pod("p", selector: ["disk": "ssd"])),
        FitCase(
            why: "wanted by name", node: node("n"),
            pod: pod(
                "p", affinity: required(["matchFields": [["key": "metadata.name", "operator": "In", "values": ["n"]]]]))
        ),
        FitCase(
            why: "another is wanted by name", node: node("n"),
            pod: pod(
                "p", affinity: required(["matchFields": [["key": "metadata.name", "operator": "In", "values": ["m"]]]])),
            reason: "1 node(s) didn't match Pod's node affinity/selector"),
        FitCase(
            why: "one of two terms", node: node("n", labels: ["cores": "8"]),
            pod: pod(
                "p",
                affinity: required(
                    ["matchExpressions": [["key": "gpu", "operator": "Exists"]]],
                    ["matchExpressions": [["key": "cores", "operator": "Gt", "values": ["4"]]]]))),
        FitCase(
            why: "the port is taken", node: node("n"), placed: [pod("holder", hostPort: 8080)],
            pod: pod("p", hostPort: 8080),
            reason: "1 node(s) didn't have free ports for the requested pod ports"),
        FitCase(
            why: "another port is taken", node: node("n"), placed: [pod("holder", hostPort: 8081)],
            pod: pod("p", hostPort: 8080)),
        FitCase(
            why: "no CPU left", node: node("n"), placed: [pod("a", cpu: "3500m")], pod: pod("p", cpu: "501m"),
            reason: "1 Insufficient cpu"),
        FitCase(why: "just enough CPU", node: node("n"), placed: [pod("a", cpu: "3500m")], pod: pod("p", cpu: "500m")),
        FitCase(
            why: "nothing left of anything", node: node("n", pods: "1"), placed: [pod("a", cpu: "4", memory: "8Gi")],
            pod: pod("p", cpu: "1", memory: "1"), reason: "1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods"),
        FitCase(why: "full, but nothing is asked for", node: node("n"), placed: [pod("a", cpu: "4")], pod: pod("p")),
    ])
    func aPodFitsOrTheReasonIsNamed(_ row: FitCase) {
        let decision = cluster([row.node], row.placed.map { ($0, "n") }).decide(PodFacts(row.pod))
        if let reason = row.reason {
            guard case .unschedulable(let message) = decision else {
                Issue.record("expected not to fit, got \(decision)")
                return
            }
            #expect(message.hasPrefix("0/1 nodes are available: \(reason)."))
        } else {
            #expect(decision == .node("n"))
        }
    }

    @Test func theMessageCountsReasonsAndNamesWhoHoldsThePort() {
        let state = cluster(
            [node("a"), node("b"), node("c", ready: "Unknown")],
            [(pod("x", hostPort: 8080), "a"), (pod("y", hostPort: 8080), "b")])
        #expect(
            state.decide(PodFacts(pod("p", hostPort: 8080)))
                == .unschedulable(
                    "0/3 nodes are available: 1 node(s) were not ready, 2 node(s) didn't have free ports for the requested "
                        + "pod ports. Host port 8080/TCP is held by default/x on a, 8080/TCP is held by default/y on b."
                ))
    }

    @Test func withoutNodesItSaysSo() {
        #expect(cluster([]).decide(PodFacts(pod("p"))) == .unschedulable("no nodes available to schedule pods"))
    }

    @Test func replicasSpreadOverTheNodesAlsoBesideAPodThatIsNotYetAdopted() {
        let group = Group(namespace: "default", selector: ["name": "nginx"])
        var state = cluster(
            [node("node-1"), node("node-2"), node("node-3")], [(pod("nginx", labels: ["name": "nginx"]), "node-2")],
            groups: [group])
        var places: Set<String> = []
        for index in 0..<2 {
            let next = PodFacts(pod("nginx-\(index)", labels: ["name": "nginx"]))
            guard case .node(let name) = state.decide(next) else {
                Issue.record("no place")
                return
            }
            state.place(next, on: name)
            places.insert(name)
        }
        #expect(places == ["node-1", "node-3"])
    }

    @Test func theEmptierNodeIsTaken() {
        let state = cluster([node("a"), node("b")], [(pod("x", cpu: "2", memory: "4Gi"), "a")])
        #expect(state.decide(PodFacts(pod("p", cpu: "1"))) == .node("b"))
    }

    @Test func aNodeThatAsksToBeAvoidedIsAvoidedWhileThereIsAnother() {
        let avoid = node("a", cpu: "64", memory: "64Gi", taints: [Taint(key: "k", effect: "PreferNoSchedule")])
        #expect(cluster([avoid, node("b")]).decide(PodFacts(pod("p"))) == .node("b"))
        #expect(cluster([avoid]).decide(PodFacts(pod("p"))) == .node("a"))
    }

    @Test func aPodCountsOnceWhereverItIsPlaced() {
        var state = cluster([node("a"), node("b")])
        let facts = PodFacts(pod("p", cpu: "4"))
        state.place(facts, on: "a")
        state.place(facts, on: "b")
        #expect(state.nodes["a"]?.requested.milliCPU == 0)
        #expect(state.nodes["b"]?.requested.milliCPU == 4000)
        let removals = [state.removePod(facts.key), state.removePod(facts.key)]
        #expect(removals == [true, false])
        #expect(state.nodes["b"]?.requested.milliCPU == 0)
    }

    @Test func requestsAreSumsAndInitContainersCountAlone() {
        var pod = pod("p", cpu: "500m", memory: "1Gi")
        pod.document["spec", "initContainers"] = [
            ["name": "i", "image": "i", "resources": ["requests": ["cpu": "2", "memory": "1Mi"]]],
            ["name": "s", "image": "s", "restartPolicy": "Always", "resources": ["limits": ["cpu": "100m"]]],
        ]
        let amounts = ResourceAmounts(of: pod.spec)
        #expect(amounts.milliCPU == 2000)
        #expect(amounts.memory == 1 << 30)
    }
}
