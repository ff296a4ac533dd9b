import OrderedCollections

extension TableLayout {
    static let network: [String: TableLayout] = [
        "networking.k8s.io/ingresses": ingresses, "networking.k8s.io/ingressclasses": ingressClasses,
        "networking.k8s.io/networkpolicies": networkPolicies, "networking.k8s.io/ipaddresses": addresses,
        "networking.k8s.io/servicecidrs": serviceNetworks, "discovery.k8s.io/endpointslices": endpointSlices,
    ]

    private static let ingresses = TableLayout(columns: [
        .name, .text("Class", "The ingress class that serves it."), .text("Hosts", "Hosts that its rules are about."),
        .text("Address", "Where it is reached."), .text("Ports", "Ports that it is served on."), .age,
    ]) { object, now in
        let hosts = object.list("spec", "rules").map { $0.cell("host") }.filter { !$0.isEmpty }
        let addresses = object.list("status", "loadBalancer", "ingress").map { entry in
            entry.cell("ip").isEmpty ? entry.cell("hostname") : entry.cell("ip")
        }
        return [
            object.nameCell, orNone(object.cell("spec", "ingressClassName")),
            .string(hosts.isEmpty ? "*" : shortened(hosts, limit: 3)),
            .string(addresses.filter { !$0.isEmpty }.joined(separator: ",")),
            .string(object.list("spec", "tls").isEmpty ? "80" : "80, 443"), object.age(now),
        ]
    }

    private static let ingressClasses = TableLayout(columns: [
        .name, .text("Controller", "Who serves the ingresses of this class."),
        .text("Parameters", "The object with its settings."), .age,
    ]) { object, now in
        var parameters = "<none>"
        if let reference = object["spec", "parameters"] {
            let group = reference.cell("apiGroup")
            let kind = reference.cell("kind")
            parameters = "\(group.isEmpty ? kind : "\(kind).\(group)")/\(reference.cell("name"))"
        }
        return [object.nameCell, .string(object.cell("spec", "controller")), .string(parameters), object.age(now)]
    }

    private static let networkPolicies = TableLayout(columns: [
        .name, .text("Pod-Selector", "The pods that it is about."), .age,
    ]) { [$0.nameCell, selectorCell($0["spec", "podSelector"]), $0.age($1)] }

    private static let addresses = TableLayout(columns: [.name, .text("ParentRef", "What the address belongs to.")]) {
        object, _ in
        let parent = object["spec", "parentRef"] ?? [:]
        let (group, resource) = (parent.cell("group"), parent.cell("resource"))
        let (namespace, name) = (parent.cell("namespace"), parent.cell("name"))
        let words = [group.isEmpty ? resource : "\(resource).\(group)", namespace, name].filter { !$0.isEmpty }
        return [object.nameCell, .string(words.joined(separator: "/"))]
    }

    private static let serviceNetworks = TableLayout(columns: [
        .name, .text("CIDRs", "The networks that service addresses come from."), .age,
    ]) {
        [$0.nameCell, .string($0.list("spec", "cidrs").compactMap(\.string).joined(separator: ",")), $0.age($1)]
    }

    private static let endpointSlices = TableLayout(columns: [
        .name, .text("AddressType", "IPv4, IPv6 or FQDN."), .text("Ports", "Ports of the endpoints."),
        .text("Endpoints", "The first of its addresses."), .age,
    ]) { object, now in
        let ports = object.list("ports").map { $0["port"].map { "\($0)" } ?? "*" }
        let addresses = object.list("endpoints").flatMap { $0.list("addresses").compactMap(\.string) }
        func text(_ words: [String]) -> JSON { .string(words.isEmpty ? "<unset>" : shortened(words, limit: 3)) }
        return [
            object.nameCell, .string(object.cell("addressType")), text(ports), text(addresses), object.age(now),
        ]
    }
}
