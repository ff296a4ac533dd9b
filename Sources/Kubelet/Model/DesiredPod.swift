import KubeAPI
package import KubeSchema

/// A pod as the API server wants it on this node, read once from its document.
package struct DesiredPod: Sendable {
    package enum RestartPolicy: String, Sendable { case always = "Always", onFailure = "OnFailure", never = "Never" }
    package enum QualityOfService: String, Sendable {
        case guaranteed = "Guaranteed", burstable = "Burstable", bestEffort = "BestEffort"
    }

    package let reference: PodReference
    package let document: JSON
    package let resourceVersion: String
    let labels: [String: String], annotations: [String: String]
    package let containers: [ContainerSpecification], initContainers: [ContainerSpecification]
    let volumes: [JSON]
    package let restartPolicy: RestartPolicy
    let hostNetwork: Bool, hostPID: Bool, hostIPC: Bool
    let terminationGracePeriodSeconds: Int64
    /// When the pod is to be gone, its grace included; `nil` while the pod is wanted.
    package let deletionTimestamp: Timestamp?
    let deletionGracePeriodSeconds: Int64?
    let activeDeadlineSeconds: Int64?
    let securityContext: JSON
    package let qualityOfService: QualityOfService

    /// `nil` when the document lacks what makes a pod: name, namespace, UID and a container.
    package init?(document: JSON) {
        guard let name = document["metadata", "name"]?.string,
            let namespace = document["metadata", "namespace"]?.string, let uid = document["metadata", "uid"]?.string
        else { return nil }
        let spec = document["spec"] ?? .null
        reference = PodReference(namespace: namespace, name: name, uid: uid)
        self.document = document
        resourceVersion = document["metadata", "resourceVersion"]?.string ?? ""
        labels = document["metadata", "labels"].stringMap
        annotations = document["metadata", "annotations"].stringMap
        containers = (spec["containers"]?.array ?? []).compactMap(ContainerSpecification.init)
        initContainers = (spec["initContainers"]?.array ?? []).compactMap(ContainerSpecification.init)
        guard !containers.isEmpty else { return nil }
        volumes = spec["volumes"]?.array ?? []
        restartPolicy = spec["restartPolicy"]?.string.flatMap(RestartPolicy.init) ?? .always
        hostNetwork = spec["hostNetwork"]?.bool ?? false
        hostPID = spec["hostPID"]?.bool ?? false
        hostIPC = spec["hostIPC"]?.bool ?? false
        terminationGracePeriodSeconds = spec["terminationGracePeriodSeconds"]?.integer ?? 30
        deletionTimestamp = document["metadata", "deletionTimestamp"]?.string.flatMap(Timestamp.init(rfc3339:))
        deletionGracePeriodSeconds = document["metadata", "deletionGracePeriodSeconds"]?.integer
        activeDeadlineSeconds = spec["activeDeadlineSeconds"]?.integer
        securityContext = spec["securityContext"] ?? .null
        qualityOfService = Self.qualityOfService(of: containers + initContainers)
    }

    var spec: JSON { document["spec"] ?? .null }

    /// Seconds that the containers get between the request to stop and the kill.
    var stopGracePeriodSeconds: Int64 { deletionGracePeriodSeconds ?? terminationGracePeriodSeconds }

    /// The host name that containers see: `spec.hostname`, else the pod's name, cut to what Linux allows.
    var hostname: String {
        let name = spec["hostname"]?.string.flatMap { $0.isEmpty ? nil : $0 } ?? reference.name
        var cut = name.prefix(63)
        while let last = cut.last, last == "-" || last == "." { cut.removeLast() }
        return String(cut)
    }

    /// Source: "Pod Quality of Service Classes" of the Kubernetes documentation.
    static func qualityOfService(of containers: [ContainerSpecification]) -> QualityOfService {
        let counted = ["cpu", "memory"]
        if containers.allSatisfy({ container in counted.allSatisfy { container.requests[$0] == nil } }) {
            return .bestEffort
        }
        let guaranteed = containers.allSatisfy { container in
            counted.allSatisfy {
                container.limits[$0] != nil
                    && Quantity.value(container.limits[$0] ?? "") == Quantity.value(container.requests[$0] ?? "")
            }
        }
        return guaranteed ? .guaranteed : .burstable
    }
}
