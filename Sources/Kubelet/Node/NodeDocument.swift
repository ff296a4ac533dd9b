import KubeAPI
import KubeSchema

/// Writes this node's object. Functions of their inputs.
struct NodeDocument: Sendable {
    var name: String, address: String, port: Int
    var labels: [String: String]
    var facts: NodeFacts
    var maximumPods = 110

    /// Labels that every node carries, and those it was told to.
    var allLabels: [String: String] {
        [
            "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": facts.architecture,
            "beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": facts.architecture,
        ].merging(labels) { $1 }
    }

    /// The object to register.
    func node(podCIDR: String?) -> Node {
        var node = Node(name: name)
        node.metadata.labels = allLabels
        if let podCIDR {
            node.document["spec"] = ["podCIDR": .string(podCIDR), "podCIDRs": [.string(podCIDR)]]
        }
        return node
    }

    /// The node's status without the conditions.
    func status(runtimeVersion: String, images: [JSON]) -> JSON {
        let capacity: JSON = [
            "cpu": .string(String(facts.cpus)), "memory": .string("\(facts.memoryBytes / 1024)Ki"),
            "pods": .string(String(maximumPods)), "ephemeral-storage": .string("\(facts.diskBytes / 1024)Ki"),
        ]
        return [
            "capacity": capacity, "allocatable": capacity,
            "addresses": [
                ["type": "InternalIP", "address": .string(address)], ["type": "Hostname", "address": .string(name)],
            ],
            "daemonEndpoints": ["kubeletEndpoint": ["Port": .integer(Int64(port))]],
            "nodeInfo": [
                "machineID": .string(facts.machineID), "systemUUID": .string(facts.systemUUID),
                "bootID": .string(facts.bootID), "kernelVersion": .string(facts.kernelVersion),
                "osImage": .string(facts.osImage), "containerRuntimeVersion": .string(runtimeVersion),
                "kubeletVersion": .string(KubeletVersion.text), "kubeProxyVersion": .string(KubeletVersion.text),
                "operatingSystem": "linux", "architecture": .string(facts.architecture),
            ],
            "images": .array(images),
        ]
    }

    /// The conditions, whose transition times go on from `previous`.
    func conditions(
        runtimeProblem: String?, networkProblem: String?, previous: [Condition], now: Timestamp
    ) -> [Condition] {
        var status = NodeStatus(document: [:])
        status.conditions = previous
        let ready: Condition
        if let runtimeProblem {
            ready = Condition(
                type: "Ready", status: "False", reason: "KubeletNotReady",
                message: "container runtime is down: \(runtimeProblem)")
        } else if let networkProblem {
            ready = Condition(
                type: "Ready", status: "False", reason: "KubeletNotReady",
                message: "container runtime network not ready: NetworkReady=false: \(networkProblem)")
        } else {
            ready = Condition(
                type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status")
        }
        let healthy = [
            Condition(
                type: "MemoryPressure", status: "False", reason: "KubeletHasSufficientMemory",
                message: "kubelet has sufficient memory available"),
            Condition(
                type: "DiskPressure", status: "False", reason: "KubeletHasNoDiskPressure",
                message: "kubelet has no disk pressure"),
            Condition(
                type: "PIDPressure", status: "False", reason: "KubeletHasSufficientPID",
                message: "kubelet has sufficient PID available"),
        ]
        for var condition in healthy + [ready] {
            condition.lastHeartbeatTime = now
            status.set(condition, now: now)
        }
        return status.conditions
    }
}

/// The version that the node reports.
enum KubeletVersion {
    static let text = "v1.32.0-fjord"
}
