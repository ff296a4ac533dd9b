package import HTTPTransport
import KubeSchema

/// How the API server reaches kubelets.
package struct KubeletAccess: Sendable {
    /// Where a node does not say otherwise in `status.daemonEndpoints`.
    package var port = 10250
    /// `nil` for plain HTTP, as kubelets of 2015 spoke.
    package var tls: HTTPClientTLS?

    package init(port: Int = 10250, tls: HTTPClientTLS? = nil) {
        self.port = port
        self.tls = tls
    }

    /// Host and port of the kubelet of a node.
    func endpoint(of node: JSON) -> (host: String, port: Int) {
        let addresses = node["status", "addresses"]?.array ?? []
        let preferred = ["InternalIP", "ExternalIP", "Hostname"].lazy.compactMap { type in
            addresses.first { $0["type"]?.string == type }?["address"]?.string
        }.first
        let port = node["status", "daemonEndpoints", "kubeletEndpoint", "Port"]?.integer
        return (preferred ?? node["metadata", "name"]?.string ?? "", port.map { Int($0) } ?? self.port)
    }
}
