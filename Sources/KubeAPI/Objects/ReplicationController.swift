package import KubeSchema

package struct ReplicationController: KubeObject {
    package static let resource = ResourceReference(plural: "replicationcontrollers", kind: "ReplicationController")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var replicas: Int {
        get { self["spec", "replicas"] ?? 1 }
        set { self["spec", "replicas"] = newValue }
    }
    package var minReadySeconds: Int { self["spec", "minReadySeconds"] ?? 0 }
    /// The labels that a pod has to carry; those of the template when none are given.
    package var selector: [String: String] {
        get {
            let selector: [String: String] = self[map: "spec", "selector"]
            return selector.isEmpty ? self[map: "spec", "template", "metadata", "labels"] : selector
        }
        set { self[map: "spec", "selector"] = newValue }
    }
    /// A pod's metadata and spec.
    package var template: JSON {
        get { document["spec", "template"] ?? .emptyObject }
        set { document["spec", "template"] = newValue }
    }
    package var status: ReplicationControllerStatus {
        get { self[view: "status"] }
        set { self[view: "status"] = newValue }
    }
}

package struct ReplicationControllerStatus: DocumentView, HasConditions {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var replicas: Int {
        get { self["replicas"] ?? 0 }
        set { self["replicas"] = newValue }
    }
    package var fullyLabeledReplicas: Int {
        get { self["fullyLabeledReplicas"] ?? 0 }
        set { self["fullyLabeledReplicas"] = newValue }
    }
    package var readyReplicas: Int {
        get { self["readyReplicas"] ?? 0 }
        set { self["readyReplicas"] = newValue }
    }
    package var availableReplicas: Int {
        get { self["availableReplicas"] ?? 0 }
        set { self["availableReplicas"] = newValue }
    }
    package var observedGeneration: Int64? {
        get { self["observedGeneration"] }
        set { self["observedGeneration"] = newValue }
    }
    package var conditions: [Condition] {
        get { self[list: "conditions"] }
        set { self[list: "conditions"] = newValue }
    }
}
