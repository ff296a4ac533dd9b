package import KubeSchema
import OrderedCollections

package struct Pod: KubeObject {
    package static let resource = ResourceReference(plural: "pods", kind: "Pod")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var spec: PodSpec {
        get { self[view: "spec"] }
        set { self[view: "spec"] = newValue }
    }
    package var status: PodStatus {
        get { self[view: "status"] }
        set { self[view: "status"] = newValue }
    }

    /// Succeeded or Failed: its containers have ended and will not be started again.
    package var isTerminal: Bool { status.phase == "Succeeded" || status.phase == "Failed" }

    /// Neither ended nor about to be: it counts for the one who wants it to run.
    package var isActive: Bool { !isTerminal && !metadata.isBeingDeleted }

    /// The condition `Ready` is True.
    package var isReady: Bool { status.condition("Ready")?.status == "True" }
}

package struct PodSpec: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    /// The node that the pod is bound to; `nil` before.
    package var nodeName: String? {
        get { self["nodeName"].flatMap { $0.isEmpty ? nil : $0 } }
        set { self["nodeName"] = newValue }
    }
    package var containers: [Container] {
        get { self[list: "containers"] }
        set { self[list: "containers"] = newValue }
    }
    package var initContainers: [Container] {
        get { self[list: "initContainers"] }
        set { self[list: "initContainers"] = newValue }
    }
    package var volumes: [Volume] {
        get { self[list: "volumes"] }
        set { self[list: "volumes"] = newValue }
    }
    /// `Always` (the default), `OnFailure` or `Never`.
    package var restartPolicy: String {
        get { self["restartPolicy"] ?? "Always" }
        set { self["restartPolicy"] = newValue }
    }
    package var terminationGracePeriodSeconds: Int64 {
        get { self["terminationGracePeriodSeconds"] ?? 30 }
        set { self["terminationGracePeriodSeconds"] = newValue }
    }
    package var activeDeadlineSeconds: Int64? { self["activeDeadlineSeconds"] }
    package var nodeSelector: [String: String] {
        get { self[map: "nodeSelector"] }
        set { self[map: "nodeSelector"] = newValue }
    }
    package var schedulerName: String { self["schedulerName"] ?? "default-scheduler" }
    package var priority: Int { self["priority"] ?? 0 }
    package var hostNetwork: Bool {
        get { self["hostNetwork"] ?? false }
        set { self["hostNetwork"] = newValue }
    }
    package var hostPID: Bool { self["hostPID"] ?? false }
    package var hostIPC: Bool { self["hostIPC"] ?? false }
    package var shareProcessNamespace: Bool { self["shareProcessNamespace"] ?? false }
    package var hostname: String? { self["hostname"] }
    package var subdomain: String? { self["subdomain"] }
    package var dnsPolicy: String { self["dnsPolicy"] ?? "ClusterFirst" }
    package var dnsConfig: JSON? { self["dnsConfig"] }
    package var hostAliases: [JSON] { self[list: "hostAliases"] }
    package var serviceAccountName: String? { self["serviceAccountName"] }
    package var enableServiceLinks: Bool { self["enableServiceLinks"] ?? true }
    package var securityContext: JSON? { self["securityContext"] }
    package var tolerations: [Toleration] {
        get { self[list: "tolerations"] }
        set { self[list: "tolerations"] = newValue }
    }
    /// `spec.affinity` as it was written.
    package var affinity: JSON? {
        get { self["affinity"] }
        set { self["affinity"] = newValue }
    }
}

package struct Container: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var name: String {
        get { self["name"] ?? "" }
        set { self["name"] = newValue }
    }
    package var image: String {
        get { self["image"] ?? "" }
        set { self["image"] = newValue }
    }
    /// Replaces the image's entrypoint.
    package var command: [String] { self[list: "command"] }
    /// Replaces the image's Cmd.
    package var args: [String] { self[list: "args"] }
    package var workingDir: String? { self["workingDir"] }
    package var ports: [ContainerPort] {
        get { self[list: "ports"] }
        set { self[list: "ports"] = newValue }
    }
    package var env: [EnvironmentVariable] { self[list: "env"] }
    package var envFrom: [JSON] { self[list: "envFrom"] }
    /// Quantities by resource name, such as `cpu` -> `"250m"`.
    package var requests: [String: JSON] {
        get { self[map: "resources", "requests"] }
        set { self[map: "resources", "requests"] = newValue }
    }
    package var limits: [String: JSON] {
        get { self[map: "resources", "limits"] }
        set { self[map: "resources", "limits"] = newValue }
    }
    package var volumeMounts: [VolumeMount] { self[list: "volumeMounts"] }
    /// `nil` when not given: then `Always` for a tag `latest` or none, else `IfNotPresent`.
    package var imagePullPolicy: String? { self["imagePullPolicy"] }
    package var livenessProbe: Probe? { self["livenessProbe"] }
    package var readinessProbe: Probe? { self["readinessProbe"] }
    package var startupProbe: Probe? { self["startupProbe"] }
    package var lifecycle: JSON? { self["lifecycle"] }
    package var securityContext: JSON? { self["securityContext"] }
    package var terminationMessagePath: String { self["terminationMessagePath"] ?? "/dev/termination-log" }
    package var terminationMessagePolicy: String { self["terminationMessagePolicy"] ?? "File" }
    package var stdin: Bool { self["stdin"] ?? false }
    package var stdinOnce: Bool { self["stdinOnce"] ?? false }
    package var tty: Bool { self["tty"] ?? false }
    /// Of an init container: `Always` makes it a sidecar.
    package var restartPolicy: String? { self["restartPolicy"] }
}

package struct ContainerPort: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var name: String? { self["name"] }
    package var containerPort: Int { self["containerPort"] ?? 0 }
    /// `nil` when none is wanted; 0 counts as none.
    package var hostPort: Int? { self["hostPort"].flatMap { $0 == 0 ? nil : $0 } }
    /// `TCP`, `UDP` or `SCTP`.
    package var proto: String { self["protocol"] ?? "TCP" }
    /// `nil` for all addresses of the node.
    package var hostIP: String? { self["hostIP"].flatMap { $0.isEmpty || $0 == "0.0.0.0" ? nil : $0 } }
}

package struct EnvironmentVariable: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var name: String { self["name"] ?? "" }
    package var value: String? { self["value"] }
    package var valueFrom: JSON? { self["valueFrom"] }
}

package struct VolumeMount: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var name: String { self["name"] ?? "" }
    package var mountPath: String { self["mountPath"] ?? "" }
    package var subPath: String? { self["subPath"] }
    package var isReadOnly: Bool { self["readOnly"] ?? false }
    package var mountPropagation: String? { self["mountPropagation"] }
}

package struct Volume: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var name: String { self["name"] ?? "" }
    /// The member that says what the volume is, such as `emptyDir`, and what stands under it.
    package var source: (type: String, document: JSON)? {
        guard let members = document.object else { return nil }
        for (key, value) in members where key != "name" && !value.isNull { return (key, value) }
        return nil
    }
}

package struct Probe: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var exec: [String]? { self["exec", "command"] }
    package var httpGet: JSON? { self["httpGet"] }
    package var tcpSocket: JSON? { self["tcpSocket"] }
    package var grpc: JSON? { self["grpc"] }
    package var initialDelaySeconds: Int { self["initialDelaySeconds"] ?? 0 }
    package var timeoutSeconds: Int { self["timeoutSeconds"] ?? 1 }
    package var periodSeconds: Int { self["periodSeconds"] ?? 10 }
    package var successThreshold: Int { self["successThreshold"] ?? 1 }
    package var failureThreshold: Int { self["failureThreshold"] ?? 3 }
}

package struct Toleration: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    /// `nil`, with the operator `Exists`, stands for all keys.
    package var taintKey: String? { self["key"].flatMap { $0.isEmpty ? nil : $0 } }
    package var operation: String { self["operator"] ?? "Equal" }
    package var value: String { self["value"] ?? "" }
    /// `nil` for all effects.
    package var effect: String? { self["effect"].flatMap { $0.isEmpty ? nil : $0 } }
    /// How long a NoExecute taint is borne; `nil` for ever.
    package var tolerationSeconds: Int64? { self["tolerationSeconds"] }

    package func tolerates(_ taint: Taint) -> Bool {
        if let effect, effect != taint.effect { return false }
        if let taintKey, taintKey != taint.taintKey { return false }
        if operation == "Exists" { return true }
        return taintKey != nil && value == taint.value
    }
}

package struct PodStatus: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
    package var phase: String {
        get { self["phase"] ?? "" }
        set { self["phase"] = newValue }
    }
    package var podIP: String? {
        get { self["podIP"].flatMap { $0.isEmpty ? nil : $0 } }
        set {
            self["podIP"] = newValue
            document["podIPs"] = newValue.map { .array([["ip": .string($0)]]) }
        }
    }
    package var hostIP: String? {
        get { self["hostIP"] }
        set {
            self["hostIP"] = newValue
            document["hostIPs"] = newValue.map { .array([["ip": .string($0)]]) }
        }
    }
    package var startTime: Timestamp? {
        get { self["startTime"] }
        set { self["startTime"] = newValue }
    }
    package var qosClass: String? {
        get { self["qosClass"] }
        set { self["qosClass"] = newValue }
    }
    package var conditions: [Condition] {
        get { self[list: "conditions"] }
        set { self[list: "conditions"] = newValue }
    }
    package var containerStatuses: [ContainerStatus] {
        get { self[list: "containerStatuses"] }
        set { self[list: "containerStatuses"] = newValue }
    }
    package var initContainerStatuses: [ContainerStatus] {
        get { self[list: "initContainerStatuses"] }
        set { self[list: "initContainerStatuses"] = newValue }
    }
}

extension PodStatus: HasConditions, Explained {}

package struct ContainerStatus: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var name: String {
        get { self["name"] ?? "" }
        set { self["name"] = newValue }
    }
    package var ready: Bool {
        get { self["ready"] ?? false }
        set { self["ready"] = newValue }
    }
    package var started: Bool? {
        get { self["started"] }
        set { self["started"] = newValue }
    }
    package var restartCount: Int {
        get { self["restartCount"] ?? 0 }
        set { self["restartCount"] = newValue }
    }
    package var image: String {
        get { self["image"] ?? "" }
        set { self["image"] = newValue }
    }
    package var imageID: String {
        get { self["imageID"] ?? "" }
        set { self["imageID"] = newValue }
    }
    /// `containerd://<id>`.
    package var containerID: String? {
        get { self["containerID"] }
        set { self["containerID"] = newValue }
    }
    /// One member of `waiting`, `running`, `terminated`.
    package var state: JSON {
        get { document["state"] ?? .emptyObject }
        set { document["state"] = newValue }
    }
    package var lastState: JSON {
        get { document["lastState"] ?? .emptyObject }
        set { document["lastState"] = newValue }
    }
}
