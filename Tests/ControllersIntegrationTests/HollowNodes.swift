import KubeAPI
import KubeSchema
import Synchronization

/// Nodes without machines: they give signs of life, and their pods run and end on paper.
final class HollowNodes: Sendable {
    private let client: KubeClient
    private let names: [String]
    private let silent = Mutex<Set<String>>([])

    init(_ client: KubeClient, count: Int) {
        self.client = client
        names = (1...count).map { "node-\($0)" }
    }

    /// Lets a node fall silent, as one that lost its power does, or come back.
    func setSilent(_ name: String, _ isSilent: Bool) {
        silent.withLock { if isSilent { $0.insert(name) } else { $0.remove(name) } }
    }

    /// Plays the kubelets until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            for name in names where !silent.withLock({ $0.contains(name) }) {
                // What fails is tried again in the next round: the API server may be away.
                try? await reportNode(name)
                try? await reportPods(name)
            }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    private func reportNode(_ name: String) async throws {
        let status: JSON = [
            "status": [
                "capacity": ["cpu": "8", "memory": "16Gi", "pods": "110"],
                "allocatable": ["cpu": "8", "memory": "16Gi", "pods": "110"],
                "conditions": [
                    [
                        "type": "Ready", "status": "True", "reason": "KubeletReady",
                        "lastHeartbeatTime": .string(Timestamp.now.rfc3339),
                    ]
                ],
            ]
        ]
        do {
            _ = try await client.patch(Node.self, name: name, .strategicMerge(status), subresource: "status")
        } catch  where error.code == 404 {
            _ = try await client.create(Node(name: name))
        }
    }

    private func reportPods(_ name: String) async throws {
        let pods = try await client.list(Pod.self, fieldSelector: "spec.nodeName=\(name)").items
        for (index, pod) in pods.enumerated() {
            let namespace = pod.metadata.namespace
            if pod.metadata.isBeingDeleted {
                try? await client.delete(
                    Pod.self, name: pod.metadata.name, namespace: namespace,
                    options: DeleteOptions(gracePeriodSeconds: 0))
            } else if pod.status.phase != "Running" {
                let number = names.firstIndex(of: name).map { $0 + 1 } ?? 0
                let status: JSON = [
                    "status": [
                        "phase": "Running", "podIP": .string("10.244.\(number).\(index + 2)"),
                        "conditions": [["type": "Ready", "status": "True"]],
                    ]
                ]
                _ = try? await client.patch(
                    Pod.self, name: pod.metadata.name, namespace: namespace, .strategicMerge(status),
                    subresource: "status")
            }
        }
    }
}
