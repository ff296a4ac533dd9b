import OrderedCollections

/// Services, with exactly one port, and the endpoints behind them.
extension V1Beta1 {
    static func serviceToV1(_ flat: JSON, _ repairs: inout Repairs) throws(ConversionError) -> JSON {
        repairs.unknown(
            in: flat, at: "",
            known: commonNames.union([
                "port", "protocol", "containerPort", "selector", "portalIP", "proxyPort", "publicIPs",
                "createExternalLoadBalancer", "sessionAffinity",
            ]))
        var metadata = metadataToV1(flat, &repairs)
        var names = PortNames()
        var port: JSONObject = [:]
        port["port"] = repairs.number(flat.member("port"), at: "port")
        port["protocol"] = flat.text("protocol").map { .string($0.uppercased()) }
        switch repairs.number(flat.member("containerPort"), at: "containerPort") {
        case nil, .integer(0)?, .string("")?: annotate(&metadata, containerPortAnnotation, "first")
        case .string(let name)?: port["targetPort"] = .string(names.short(name))
        case let other?: port["targetPort"] = other
        }
        var spec: JSONObject = ["ports": [.object(port)]]
        if let selector = repairs.strings(flat.member("selector"), at: "selector") {
            spec["selector"] = selector
            if selector.object?.isEmpty == true { annotate(&metadata, selectorAnnotation, "all") }
        }
        spec["clusterIP"] = flat.text("portalIP").map { .string($0) }
        spec["externalIPs"] = flat.filled("publicIPs")
        if flat["createExternalLoadBalancer"] == .bool(true) { spec["type"] = "LoadBalancer" }
        spec["sessionAffinity"] = flat.text("sessionAffinity").map { .string($0) }
        if let annotation = names.annotation { annotate(&metadata, portNamesAnnotation, annotation) }
        return ["apiVersion": "v1", "kind": "Service", "metadata": .object(metadata), "spec": .object(spec)]
    }

    static func serviceFromV1(_ object: JSON) -> JSON {
        let metadata = object.member("metadata") ?? [:]
        let spec = object.member("spec") ?? [:]
        let port = spec.member("ports")?.array?.first ?? [:]
        var result = common(metadata: metadata, kind: "Service", withLabels: true)
        result["port"] = port.member("port") ?? 0
        result["protocol"] = port.member("protocol") ?? "TCP"
        if metadata["annotations", containerPortAnnotation]?.string != "first" || port.member("targetPort") != nil {
            let target = port.member("targetPort") ?? port.member("port")
            let names = PortNames(metadata: metadata)
            result["containerPort"] = target?.string.map { .string(names.original($0)) } ?? target
        }
        let selectsAll = metadata["annotations", selectorAnnotation]?.string == "all"
        result["selector"] = spec.filled("selector") ?? (selectsAll ? [:] : .null)
        result["portalIP"] = spec.member("clusterIP")
        result["proxyPort"] = 0
        result["publicIPs"] = spec.filled("externalIPs")
        if spec.text("type") == "LoadBalancer" { result["createExternalLoadBalancer"] = true }
        result["sessionAffinity"] = spec.member("sessionAffinity")
        return .object(result)
    }

    static func endpointsToV1(_ flat: JSON, _ repairs: inout Repairs) throws(ConversionError) -> JSON {
        repairs.unknown(in: flat, at: "", known: commonNames.union(["endpoints", "protocol", "targetRefs"]))
        var groups: [(port: Int64, addresses: [JSON])] = []
        if let entries = flat.member("endpoints") {
            guard let entries = entries.array else {
                throw .malformed("endpoints: expected a list, found \(entries.typeName)")
            }
            for (index, entry) in entries.enumerated() {
                guard let text = entry.string, let colon = text.lastIndex(of: ":"),
                    let port = Int64(text[text.index(after: colon)...])
                else {
                    throw .invalid(field: "endpoints[\(index)]", detail: "Invalid value: expected \"address:port\"")
                }
                var address = text[..<colon]
                if address.hasPrefix("["), address.hasSuffix("]") { address = address.dropFirst().dropLast() }
                let value: JSON = ["ip": .string(String(address))]
                if let group = groups.firstIndex(where: { $0.port == port }) {
                    groups[group].addresses.append(value)
                } else {
                    groups.append((port, [value]))
                }
            }
        }
        let name = flat.text("protocol")?.uppercased() ?? "TCP"
        let subsets = groups.map { group in
            [
                "addresses": .array(group.addresses),
                "ports": [["port": .integer(group.port), "protocol": .string(name)]],
            ]
                as JSON
        }
        var result: JSON = ["apiVersion": "v1", "kind": "Endpoints", "metadata": .object(metadataToV1(flat, &repairs))]
        if !subsets.isEmpty { result["subsets"] = .array(subsets) }
        return result
    }

    static func endpointsFromV1(_ object: JSON) -> JSON {
        var result = common(metadata: object.member("metadata") ?? [:], kind: "Endpoints")
        var entries: [JSON] = []
        for subset in object.member("subsets")?.array ?? [] {
            for port in subset.member("ports")?.array ?? [] {
                for address in subset.member("addresses")?.array ?? [] {
                    guard let ip = address.text("ip"), let number = port.member("port")?.integer else { continue }
                    entries.append(.string(ip.contains(":") ? "[\(ip)]:\(number)" : "\(ip):\(number)"))
                }
            }
        }
        result["endpoints"] = .array(entries)
        return .object(result)
    }
}
