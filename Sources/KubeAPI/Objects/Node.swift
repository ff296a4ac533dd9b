package import KubeSchema

package struct Node: KubeObject {
    package static let resource = ResourceReference(plural: "nodes", kind: "Node", isNamespaced: false)
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var podCIDR: String? {
        get { self["spec", "podCIDR"] }
        set { self["spec", "podCIDR"] = newValue }
    }
    /// Cordoned: takes no new pods.
    package var isUnschedulable: Bool {
        get { self["spec", "unschedulable"] ?? false }
        set { self["spec", "unschedulable"] = newValue ? true : nil }
    }
    package var taints: [Taint] {
        get { self[list: "spec", "taints"] }
        set { self[list: "spec", "taints"] = newValue }
    }
    package var status: NodeStatus {
        get { self[view: "status"] }
        set { self[view: "status"] = newValue }
    }
    /// The condition `Ready` is True.
    package var isReady: Bool { status.condition("Ready")?.status == "True" }
}

package struct NodeStatus: DocumentView, HasConditions {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    /// Quantities by resource name.
    package var capacity: [String: JSON] {
        get { self[map: "capacity"] }
        set { self[map: "capacity"] = newValue }
    }
    /// What pods may ask for: the capacity less what the machine keeps. The capacity when the node doesn't say.
    package var allocatable: [String: JSON] {
        get { document["allocatable"] == nil ? capacity : self[map: "allocatable"] }
        set { self[map: "allocatable"] = newValue }
    }
    package var conditions: [Condition] {
        get { self[list: "conditions"] }
        set { self[list: "conditions"] = newValue }
    }
    package var addresses: [NodeAddress] {
        get { self[list: "addresses"] }
        set { self[list: "addresses"] = newValue }
    }
    package var internalIP: String? { addresses.first { $0.type == "InternalIP" }?.address }
    /// Images on the node, each with its names.
    package var images: [JSON] {
        get { self[list: "images"] }
        set { self[list: "images"] = newValue }
    }
    package var nodeInfo: JSON {
        get { document["nodeInfo"] ?? .emptyObject }
        set { document["nodeInfo"] = newValue }
    }
    package var kubeletPort: Int? {
        get { self["daemonEndpoints", "kubeletEndpoint", "Port"] }
        set { self["daemonEndpoints", "kubeletEndpoint", "Port"] = newValue }
    }
}

package struct NodeAddress: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }
    package init(type: String, address: String) {
        self.init(document: ["type": .string(type), "address": .string(address)])
    }
    /// `InternalIP`, `Hostname`, …
    package var type: String { self["type"] ?? "" }
    package var address: String { self["address"] ?? "" }
}

package struct Taint: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }
    package init(key: String, value: String = "", effect: String, timeAdded: Timestamp? = nil) {
        self.init(document: ["key": .string(key), "effect": .string(effect)])
        if !value.isEmpty { document["value"] = .string(value) }
        if let timeAdded { document["timeAdded"] = timeAdded.json }
    }

    package var taintKey: String { self["key"] ?? "" }
    package var value: String { self["value"] ?? "" }
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    package var effect: String { self["effect"] ?? "" }
    package var timeAdded: Timestamp? { self["timeAdded"] }
}
