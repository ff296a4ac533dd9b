package import KubeSchema

/// The variables by which containers find services, as Docker links named them.
///
/// Source: Kubernetes documentation, "Service", environment variables; the same as in 2015.
package enum ServiceVariables {
    /// Returns the variables for the services that a pod of `namespace` sees: those of its namespace, and of the
    /// `default` namespace the API server's own. Services without an address of their own have none.
    package static func make(services: [JSON], namespace: String) -> [(name: String, value: String)] {
        var byName: [String: JSON] = [:]
        for service in services {
            guard let name = service["metadata", "name"]?.string else { continue }
            switch service["metadata", "namespace"]?.string {
            case namespace: byName[name] = service
            case "default" where isMaster(name): if byName[name] == nil { byName[name] = service }
            default: break
            }
        }
        return byName.keys.sorted().flatMap { name in variables(of: byName[name] ?? .null, name) }
    }

    private static func isMaster(_ name: String) -> Bool { name == "kubernetes" || name == "kubernetes-ro" }

    private static func variables(of service: JSON, _ name: String) -> [(name: String, value: String)] {
        let spec = service["spec"]
        guard let address = spec?["clusterIP"]?.string, !address.isEmpty, address != "None",
            let ports = spec?["ports"]?.array, let first = ports.first?["port"]?.integer
        else { return [] }
        let prefix = upper(name)
        var variables = [(prefix + "_SERVICE_HOST", address), (prefix + "_SERVICE_PORT", String(first))]
        for port in ports {
            guard let portName = port["name"]?.string, !portName.isEmpty, let number = port["port"]?.integer else {
                continue
            }
            variables.append(("\(prefix)_SERVICE_PORT_\(upper(portName))", String(number)))
        }
        for (index, port) in ports.enumerated() {
            guard let number = port["port"]?.integer else { continue }
            let scheme = (port["protocol"]?.string ?? "TCP").lowercased()
            let url = "\(scheme)://\(address):\(number)"
            let link = "\(prefix)_PORT_\(number)_\(scheme.uppercased())"
            if index == 0 { variables.append((prefix + "_PORT", url)) }
            variables += [
                (link, url), (link + "_PROTO", scheme), (link + "_PORT", String(number)), (link + "_ADDR", address),
            ]
        }
        return variables
    }

    private static func upper(_ name: String) -> String {
        String(name.uppercased().map { $0 == "-" ? "_" : $0 })
    }
}
