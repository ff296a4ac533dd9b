import KubeAPI
import KubeSchema

/// What the scheduler has to know of a pod.
struct PodFacts: Sendable {
    struct HostPort: Hashable, Sendable {
        var port: Int
        var proto: String
        /// `nil` for all addresses.
        var address: String?

        func conflicts(with other: HostPort) -> Bool {
            port == other.port && proto == other.proto
                && (address == nil || other.address == nil || address == other.address)
        }
    }

    var key: ObjectKey
    var uid: String
    var labels: [String: String]
    var controllerUID: String?
    var requests: ResourceAmounts
    var hostPorts: [HostPort]
    var images: [String]
    var nodeSelector: [String: String]
    var affinity: NodeAffinity
    var tolerations: [Toleration]

    init(_ pod: Pod) {
        let spec = pod.spec
        key = pod.key
        uid = pod.metadata.uid
        labels = pod.metadata.labels
        controllerUID = pod.metadata.controller?.uid
        requests = ResourceAmounts(of: spec)
        hostPorts = spec.containers.flatMap(\.ports).compactMap { port in
            (port.hostPort ?? (spec.hostNetwork ? port.containerPort : nil)).map {
                HostPort(port: $0, proto: port.proto, address: port.hostIP)
            }
        }
        images = spec.containers.map(\.image)
        nodeSelector = spec.nodeSelector
        affinity = NodeAffinity(spec.affinity)
        tolerations = spec.tolerations
    }
}
