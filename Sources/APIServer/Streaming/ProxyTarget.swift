import KubeSchema

/// What a proxy path leads to: a port of a pod, of a service or of a node, and a path there.
struct ProxyTarget: Equatable, Sendable {
    /// `pods`, `services` or `nodes`.
    var resource: String
    var namespace: String
    var name: String
    /// A number or a name; empty for the usual one.
    var port = ""
    var isSecure = false
    /// Still encoded, from its first slash on.
    var path = "/"
    /// The path of the proxy itself, below which links must stay.
    var base = ""
    /// Whether the client is only told where to go.
    var isRedirect = false
    /// Whether the path is one of 2015, whose errors are texts.
    var isHistoric = false

    /// Reads a path; `nil` when it is no proxy's.
    ///
    /// - Parameters:
    ///   - path: As the client sent it, without the query.
    ///   - namespace: The query's, which the paths of `v1beta1` take.
    init?(_ path: Substring, namespace: String?) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 5, parts[0].isEmpty, parts[1] == "api", ["v1", "v1beta1", "v1beta2"].contains(parts[2])
        else {
            return nil
        }
        let isV1 = parts[2] == "v1"
        func decoded(_ index: Int) -> String { QueryItems.decode(parts[index].utf8) }
        let end: Int  // the index of the first part behind the proxy's own
        if parts[3] == "proxy" || parts[3] == "redirect" {
            isRedirect = parts[3] == "redirect"
            isHistoric = !isV1
            var at = 4
            self.namespace = isV1 ? "" : namespace ?? "default"
            if parts[4] == "ns" || (parts[4] == "namespaces" && parts.count > 7) {
                guard parts.count > 6 else { return nil }
                self.namespace = decoded(5)
                at = 6
            }
            guard parts.count > at + 1 else { return nil }
            resource = isV1 ? decoded(at) : V1Beta1.resource(segment: decoded(at)) ?? ""
            name = decoded(at + 1)
            end = at + 2
        } else if parts[3] == "namespaces", parts.count > 7, parts[7] == "proxy" {
            (self.namespace, resource, name, end) = (decoded(4), decoded(5), decoded(6), 8)
        } else if parts[3] == "nodes", parts.count > 5, parts[5] == "proxy" {
            (self.namespace, resource, name, end) = ("", "nodes", decoded(4), 6)
        } else {
            return nil
        }
        guard ["pods", "services", "nodes"].contains(resource) else { return nil }
        base = parts[..<end].joined(separator: "/")
        self.path = "/" + parts[end...].joined(separator: "/")
        // name, name:port, scheme:name:port
        let fields = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch fields.count {
        case 1: break
        case 2: (name, port) = (fields[0], fields[1])
        case 3 where ["", "http", "https"].contains(fields[0]):
            (name, port, isSecure) = (fields[1], fields[2], fields[0] == "https")
        default: return nil
        }
        guard !name.isEmpty else { return nil }
    }
}
