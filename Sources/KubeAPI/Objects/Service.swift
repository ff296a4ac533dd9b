package import KubeSchema

/// A Kubernetes service. A file that imports ServiceLifecycle too writes that one's protocol as
/// `ServiceLifecycle.Service`.
package struct Service: KubeObject {
    package static let resource = ResourceReference(plural: "services", kind: "Service")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    /// `nil` when there is none yet; `None` for a headless service.
    package var clusterIP: String? {
        get { self["spec", "clusterIP"].flatMap { $0.isEmpty ? nil : $0 } }
        set { self["spec", "clusterIP"] = newValue }
    }
    /// `ClusterIP` (the default), `NodePort`, `LoadBalancer` or `ExternalName`.
    package var type: String { self["spec", "type"] ?? "ClusterIP" }
    package var ports: [ServicePort] {
        get { self[list: "spec", "ports"] }
        set { self[list: "spec", "ports"] = newValue }
    }
    /// `nil` when the endpoints are managed by hand.
    package var selector: [String: String]? {
        get { self["spec", "selector"] }
        set { self["spec", "selector"] = newValue }
    }
    package var externalIPs: [String] { self[list: "spec", "externalIPs"] }
    /// `None` or `ClientIP`.
    package var sessionAffinity: String { self["spec", "sessionAffinity"] ?? "None" }
    package var sessionAffinityTimeoutSeconds: Int {
        self["spec", "sessionAffinityConfig", "clientIP", "timeoutSeconds"] ?? 10800
    }
    package var publishesNotReadyAddresses: Bool { self["spec", "publishNotReadyAddresses"] ?? false }
    package var externalTrafficPolicy: String { self["spec", "externalTrafficPolicy"] ?? "Cluster" }
    package var internalTrafficPolicy: String { self["spec", "internalTrafficPolicy"] ?? "Cluster" }
    package var isHeadless: Bool { clusterIP == "None" }
}

package struct ServicePort: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var name: String? { self["name"].flatMap { $0.isEmpty ? nil : $0 } }
    package var proto: String { self["protocol"] ?? "TCP" }
    package var port: Int { self["port"] ?? 0 }
    /// The port on the pod; the same as `port` when absent.
    package var targetPort: IntOrString {
        self["targetPort"].flatMap { $0 == .integer(0) || $0 == .string("") ? nil : $0 } ?? .integer(port)
    }
    package var nodePort: Int? { self["nodePort"].flatMap { $0 == 0 ? nil : $0 } }
    package var appProtocol: String? { self["appProtocol"] }
}

package struct Endpoints: KubeObject {
    package static let resource = ResourceReference(plural: "endpoints", kind: "Endpoints")
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var subsets: [EndpointSubset] {
        get { self[list: "subsets"] }
        set { self[list: "subsets"] = newValue }
    }
}

/// Addresses that all serve the same ports.
package struct EndpointSubset: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var addresses: [EndpointAddress] {
        get { self[list: "addresses"] }
        set { self[list: "addresses"] = newValue }
    }
    package var notReadyAddresses: [EndpointAddress] {
        get { self[list: "notReadyAddresses"] }
        set { self[list: "notReadyAddresses"] = newValue }
    }
    package var ports: [EndpointPort] {
        get { self[list: "ports"] }
        set { self[list: "ports"] = newValue }
    }
}

package struct EndpointAddress: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var ip: String {
        get { self["ip"] ?? "" }
        set { self["ip"] = newValue }
    }
    package var hostname: String? {
        get { self["hostname"] }
        set { self["hostname"] = newValue }
    }
    package var nodeName: String? {
        get { self["nodeName"] }
        set { self["nodeName"] = newValue }
    }
    package var targetRef: ObjectReference? {
        get { self["targetRef"] }
        set { self["targetRef"] = newValue }
    }
}

package struct EndpointPort: DocumentView {
    package var document: JSON
    package init(document: JSON) { self.document = document }

    package var name: String? {
        get { self["name"].flatMap { $0.isEmpty ? nil : $0 } }
        set { self["name"] = newValue }
    }
    package var port: Int {
        get { self["port"] ?? 0 }
        set { self["port"] = newValue }
    }
    package var proto: String {
        get { self["protocol"] ?? "TCP" }
        set { self["protocol"] = newValue }
    }
    package var appProtocol: String? {
        get { self["appProtocol"] }
        set { self["appProtocol"] = newValue }
    }
}
