import OrderedCollections

extension ObjectChecker {
    mutating func service(_ spec: JSON) {
        let type = spec["type"]?.string ?? ""
        choice("spec.type", spec["type"], ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"])
        let clusterIP = spec["clusterIP"]?.string ?? ""
        let isHeadless = clusterIP == "None"
        let ports = spec["ports"]?.array ?? []
        if ports.isEmpty, !isHeadless, type != "ExternalName" { required("spec.ports") }
        servicePorts(ports, type: type)
        if type == "ExternalName" {
            let name = spec["externalName"]?.string ?? ""
            if name.isEmpty {
                required("spec.externalName")
            } else {
                invalid(
                    "spec.externalName", name,
                    Names.dns1123Subdomain(name.hasSuffix(".") ? String(name.dropLast()) : name))
            }
            if !clusterIP.isEmpty, !isHeadless {
                forbidden("spec.clusterIPs", "may not be set for ExternalName services")
            }
        }
        if !lenient, let selector = spec["selector"] { labels(selector, at: "spec.selector") }
        choice("spec.sessionAffinity", spec["sessionAffinity"], ["ClientIP", "None"])
        if let seconds = spec["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"]?.integer,
            !(1...86_400).contains(seconds)
        {
            invalid(
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds", .integer(seconds),
                "must be greater than 0 and less than 86400")
        }
        addresses(spec, clusterIP: clusterIP, type: type)
        choice("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], ["Cluster", "Local"], isRequired: false)
        choice("spec.internalTrafficPolicy", spec["internalTrafficPolicy"], ["Cluster", "Local"], isRequired: false)
        choice(
            "spec.ipFamilyPolicy", spec["ipFamilyPolicy"], ["SingleStack", "PreferDualStack", "RequireDualStack"],
            isRequired: false)
        for (index, family) in (spec["ipFamilies"]?.array ?? []).enumerated() {
            choice("spec.ipFamilies[\(index)]", family, ["IPv4", "IPv6"])
        }
        if spec["externalTrafficPolicy"] != nil, type == "ClusterIP", (spec["externalIPs"]?.array ?? []).isEmpty {
            invalid(
                "spec.externalTrafficPolicy", spec["externalTrafficPolicy"],
                "may only be set for externally-accessible services")
        }
    }

    private mutating func addresses(_ spec: JSON, clusterIP: String, type: String) {
        let clusterIPs = (spec["clusterIPs"]?.array ?? []).map { $0.string ?? "" }
        if clusterIP.isEmpty, let first = clusterIPs.first, !first.isEmpty {
            forbidden("spec.clusterIPs", "must be empty when `clusterIP` is not specified")
        } else if let first = clusterIPs.first, first != clusterIP {
            invalid("spec.clusterIPs", spec["clusterIPs"], "first value must match `clusterIP`")
        }
        if clusterIP == "None", type == "NodePort" || type == "LoadBalancer" {
            invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for \(type) services")
        }
        let all = clusterIPs.isEmpty && !clusterIP.isEmpty ? [clusterIP] : clusterIPs
        for (index, address) in all.enumerated() where address != "None" && !IPText.isAddress(address) {
            invalid("spec.clusterIPs[\(index)]", .string(address), IPText.rule)
        }
        for (index, address) in (spec["externalIPs"]?.array ?? []).enumerated()
        where !IPText.isAddress(address.string ?? "") {
            invalid("spec.externalIPs[\(index)]", address, IPText.rule)
        }
    }

    private mutating func servicePorts(_ ports: [JSON], type: String) {
        var names: Set<String> = []
        var pairs: Set<String> = []
        var nodePorts: Set<String> = []
        for (index, port) in ports.enumerated() {
            let path = "spec.ports[\(index)]"
            let name = port["name"]?.string ?? ""
            if name.isEmpty {
                if ports.count > 1 { required("\(path).name") }
            } else {
                if !lenient { invalid("\(path).name", name, Names.dns1123Label(name)) }
                if !names.insert(name).inserted { duplicate("\(path).name", .string(name)) }
            }
            self.port("\(path).port", port["port"])
            choice("\(path).protocol", port["protocol"], ["TCP", "UDP", "SCTP"])
            if let target = port["targetPort"] { portReference("\(path).targetPort", target) }
            let transport = port["protocol"]?.string ?? ""
            if let number = port["port"]?.integer, !pairs.insert("\(transport)/\(number)").inserted {
                duplicate(path, ["protocol": .string(transport), "port": .integer(number)])
            }
            guard let nodePort = port["nodePort"]?.integer, nodePort != 0 else { continue }
            if type == "ClusterIP" {
                forbidden("\(path).nodePort", "may not be used when `type` is 'ClusterIP'")
            } else if !Names.isPort(nodePort) {
                invalid("\(path).nodePort", .integer(nodePort), Names.portRange)
            } else if !nodePorts.insert("\(transport)/\(nodePort)").inserted {
                duplicate("\(path).nodePort", .integer(nodePort))
            }
        }
    }

    /// A service's address stays unless it becomes, or stops being, an ExternalName.
    mutating func serviceUpdate(_ new: JSON, _ old: JSON) {
        guard old["spec"]?["type"] != "ExternalName", new["spec"]?["type"] != "ExternalName" else { return }
        guard let address = old["spec"]?["clusterIP"], address != "" else { return }
        if new["spec"]?["clusterIP"] != address {
            let value = new["spec"]?["clusterIPs"] ?? .array([new["spec"]?["clusterIP"] ?? ""])
            invalid("spec.clusterIPs[0]", value, "may not change once set")
        }
    }

    mutating func endpoints(_ object: JSON) {
        for (index, subset) in (object["subsets"]?.array ?? []).enumerated() {
            let path = "subsets[\(index)]"
            let ports = subset["ports"]?.array ?? []
            if (subset["addresses"]?.array ?? []).isEmpty, (subset["notReadyAddresses"]?.array ?? []).isEmpty {
                required(path, "must specify `addresses` or `notReadyAddresses`")
            }
            for list in ["addresses", "notReadyAddresses"] {
                for (index, address) in (subset[list]?.array ?? []).enumerated() {
                    let text = address["ip"]?.string ?? ""
                    if !IPText.isAddress(text) { invalid("\(path).\(list)[\(index)].ip", .string(text), IPText.rule) }
                    if text.hasPrefix("127.") || text == "::1" {
                        invalid(
                            "\(path).\(list)[\(index)].ip", .string(text),
                            "may not be in the loopback range (127.0.0.0/8, ::1/128)")
                    }
                }
            }
            for (index, port) in ports.enumerated() {
                let path = "\(path).ports[\(index)]"
                let name = port["name"]?.string ?? ""
                if name.isEmpty {
                    if ports.count > 1 { required("\(path).name") }
                } else if !lenient {
                    invalid("\(path).name", name, Names.dns1123Label(name))
                }
                self.port("\(path).port", port["port"])
                choice("\(path).protocol", port["protocol"], ["TCP", "UDP", "SCTP"])
            }
        }
    }
}
