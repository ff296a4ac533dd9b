package import KubeSchema

package struct Namespace: KubeObject {
    package static let resource = ResourceReference(plural: "namespaces", kind: "Namespace", isNamespaced: false)
    package var document: JSON
    package init(document: JSON) { self.document = document }

    /// `Active` or `Terminating`.
    package var phase: String { self["status", "phase"] ?? "" }
    /// What has to be done before the namespace may go: `kubernetes` stands for its content.
    package var finalizers: [String] {
        get { self[list: "spec", "finalizers"] }
        set { self["spec", "finalizers"] = newValue }
    }
    package var status: NamespaceStatus {
        get { self[view: "status"] }
        set { self[view: "status"] = newValue }
    }
}

package struct NamespaceStatus: DocumentView, HasConditions {
    package var document: JSON
    package init(document: JSON) { self.document = document }
    package var phase: String {
        get { self["phase"] ?? "" }
        set { self["phase"] = newValue }
    }
    package var conditions: [Condition] {
        get { self[list: "conditions"] }
        set { self[list: "conditions"] = newValue }
    }
}

package struct Secret: KubeObject {
    package static let resource = ResourceReference(plural: "secrets", kind: "Secret")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var type: String { self["type"] ?? "Opaque" }
    /// Values in base64.
    package var data: [String: String] {
        get { self[map: "data"] }
        set { self[map: "data"] = newValue }
    }
}

package struct ConfigMap: KubeObject {
    package static let resource = ResourceReference(plural: "configmaps", kind: "ConfigMap")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var data: [String: String] {
        get { self[map: "data"] }
        set { self[map: "data"] = newValue }
    }
    /// Values in base64.
    package var binaryData: [String: String] { self[map: "binaryData"] }
}

package struct ServiceAccount: KubeObject {
    package static let resource = ResourceReference(plural: "serviceaccounts", kind: "ServiceAccount")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var imagePullSecrets: [String] {
        let entries: [ObjectReference] = self[list: "imagePullSecrets"]
        return entries.compactMap(\.name)
    }
}

package struct Lease: KubeObject {
    package static let resource = ResourceReference(
        group: "coordination.k8s.io", version: "v1", plural: "leases", kind: "Lease")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var holderIdentity: String? {
        get { self["spec", "holderIdentity"].flatMap { $0.isEmpty ? nil : $0 } }
        set { self["spec", "holderIdentity"] = newValue }
    }
    package var leaseDurationSeconds: Int? {
        get { self["spec", "leaseDurationSeconds"] }
        set { self["spec", "leaseDurationSeconds"] = newValue }
    }
    package var acquireTime: MicroTime? {
        get { self["spec", "acquireTime"] }
        set { self["spec", "acquireTime"] = newValue }
    }
    package var renewTime: MicroTime? {
        get { self["spec", "renewTime"] }
        set { self["spec", "renewTime"] = newValue }
    }
    package var leaseTransitions: Int {
        get { self["spec", "leaseTransitions"] ?? 0 }
        set { self["spec", "leaseTransitions"] = newValue }
    }
}

package struct Event: KubeObject {
    package static let resource = ResourceReference(plural: "events", kind: "Event")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var involvedObject: ObjectReference {
        get { self[view: "involvedObject"] }
        set { self[view: "involvedObject"] = newValue }
    }
    /// `Normal` or `Warning`.
    package var type: String {
        get { self["type"] ?? "" }
        set { self["type"] = newValue }
    }
    package var reason: String {
        get { self["reason"] ?? "" }
        set { self["reason"] = newValue }
    }
    package var message: String {
        get { self["message"] ?? "" }
        set { self["message"] = newValue }
    }
    package var count: Int {
        get { self["count"] ?? 1 }
        set { self["count"] = newValue }
    }
    package var firstTimestamp: Timestamp? {
        get { self["firstTimestamp"] }
        set { self["firstTimestamp"] = newValue }
    }
    package var lastTimestamp: Timestamp? {
        get { self["lastTimestamp"] }
        set { self["lastTimestamp"] = newValue }
    }
    package var component: String? {
        get { self["source", "component"] }
        set { self["source", "component"] = newValue }
    }
    package var host: String? {
        get { self["source", "host"] }
        set { self["source", "host"] = newValue }
    }
}
