import OrderedCollections

extension TableLayout {
    static let services = TableLayout(columns: [
        .name, .text("Type", "How the service is reached."), .text("Cluster-IP", "Its portal address."),
        .text("External-IP", "Addresses from outside."), .text("Port(s)", "Its ports, with node ports."), .age,
        .wide("Selector", "The pods behind it."),
    ]) { service, now in
        [
            service.nameCell, .string(service.text("spec", "type") ?? "ClusterIP"),
            orNone(service.cell("spec", "clusterIP")), .string(externalAddress(service)), ports(service),
            service.age(now), labelCell(service["spec", "selector"]),
        ]
    }

    private static func externalAddress(_ service: JSON) -> String {
        var addresses = service.list("spec", "externalIPs").compactMap(\.string)
        switch service.cell("spec", "type") {
        case "ExternalName": return service.cell("spec", "externalName")
        case "LoadBalancer":
            let given = service.list("status", "loadBalancer", "ingress").compactMap {
                $0.text("ip") ?? $0.text("hostname")
            }
            addresses = given + addresses
            return addresses.isEmpty ? "<pending>" : addresses.joined(separator: ",")
        default: return addresses.isEmpty ? "<none>" : addresses.joined(separator: ",")
        }
    }

    private static func ports(_ service: JSON) -> JSON {
        let ports = service.list("spec", "ports").map { port in
            let number = port["port"]?.integer ?? 0
            let node = port["nodePort"]?.integer ?? 0
            return "\(number)\(node > 0 ? ":\(node)" : "")/\(port.text("protocol") ?? "TCP")"
        }
        return orNone(ports.joined(separator: ","))
    }

    static let endpoints = TableLayout(columns: [
        .name, .text("Endpoints", "The first addresses and ports behind the service."), .age,
    ]) { object, now in
        var all: [String] = []
        for subset in object.list("subsets") {
            let addresses = subset.list("addresses").compactMap { $0.text("ip") }
            let ports = subset.list("ports").compactMap { $0["port"]?.integer }
            if ports.isEmpty { all += addresses }
            for port in ports { all += addresses.map { $0.contains(":") ? "[\($0)]:\(port)" : "\($0):\(port)" } }
        }
        let more = all.count > 3 ? " + \(all.count - 3) more..." : ""
        return [object.nameCell, orNone(all.prefix(3).joined(separator: ",") + more), object.age(now)]
    }

    static let replicationControllers = TableLayout(columns: [
        .name, .number("Desired", "Replicas wanted."), .number("Current", "Replicas that there are."),
        .number("Ready", "Replicas that are ready."), .age, .wide("Containers", "Names of the template's containers."),
        .wide("Images", "Their images."), .wide("Selector", "The labels of its pods."),
    ]) { controller, now in
        let containers = controller.list("spec", "template", "spec", "containers")
        return [
            controller.nameCell, controller["spec", "replicas"] ?? 1, controller["status", "replicas"] ?? 0,
            controller["status", "readyReplicas"] ?? 0, controller.age(now),
            .string(containers.compactMap { $0.text("name") }.joined(separator: ",")),
            .string(containers.compactMap { $0.text("image") }.joined(separator: ",")),
            labelCell(controller["spec", "selector"]),
        ]
    }
}

extension JSON {
    fileprivate func text(_ path: String...) -> String? {
        guard let text = self[path]?.string, !text.isEmpty else { return nil }
        return text
    }
}
