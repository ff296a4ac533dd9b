import OrderedCollections

/// Ingresses, network policies and endpoint slices.
extension ObjectChecker {
    mutating func ingress(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        let rules = spec["rules"]?.array ?? []
        if rules.isEmpty, spec["defaultBackend"] == nil {
            invalid("spec", .array(rules), "either `defaultBackend` or `rules` must be specified")
        }
        if let backend = spec["defaultBackend"] { ingressBackend(backend, at: "spec.defaultBackend") }
        if let name = spec["ingressClassName"]?.string {
            invalid("spec.ingressClassName", name, Names.dns1123Subdomain(name))
        }
        for (index, entry) in (spec["tls"]?.array ?? []).enumerated() {
            for (position, host) in (entry["hosts"]?.array ?? []).enumerated() {
                ingressHost(host.string ?? "", at: "spec.tls[\(index)].hosts[\(position)]")
            }
        }
        for (index, rule) in rules.enumerated() {
            let path = "spec.rules[\(index)]"
            let host = rule["host"]?.string ?? ""
            if !host.isEmpty {
                if IPText.isAddress(host) {
                    invalid("\(path).host", .string(host), "must be a DNS name, not an IP address")
                } else {
                    ingressHost(host, at: "\(path).host")
                }
            }
            guard let http = rule["http"] else { continue }
            let paths = http["paths"]?.array ?? []
            if paths.isEmpty { required("\(path).http.paths") }
            for (position, entry) in paths.enumerated() {
                ingressPath(entry, at: "\(path).http.paths[\(position)]")
            }
        }
    }

    private mutating func ingressHost(_ host: String, at path: String) {
        if host.hasPrefix("*") {
            let rest = host.dropFirst(2)
            if !host.hasPrefix("*.") || !Names.isSubdomain(String(rest)) || rest.isEmpty {
                invalid(
                    path, .string(host),
                    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must "
                        + "consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character "
                        + "(e.g. '*.example.com', regex used for validation is "
                        + "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
            }
        } else {
            invalid(path, host, Names.dns1123Subdomain(host))
        }
    }

    private mutating func ingressPath(_ entry: JSON, at path: String) {
        let text = entry["path"]?.string ?? ""
        switch entry["pathType"]?.string {
        case nil: required("\(path).pathType", "pathType must be specified")
        case "Exact"?, "Prefix"?:
            if !text.hasPrefix("/") {
                invalid("\(path).path", .string(text), "must be an absolute path")
            }
            for part in ["//", "/./", "/../", "%2f", "%2F"] where text.contains(part) {
                invalid("\(path).path", .string(text), "must not contain '\(part)'")
            }
            for end in ["/..", "/."] where text.hasSuffix(end) {
                invalid("\(path).path", .string(text), "cannot end with '\(end)'")
            }
        case "ImplementationSpecific"?:
            if !text.isEmpty, !text.hasPrefix("/") {
                invalid("\(path).path", .string(text), "must be an absolute path")
            }
        case let other?:
            notSupported("\(path).pathType", other, ["Exact", "ImplementationSpecific", "Prefix"])
        }
        ingressBackend(entry["backend"] ?? [:], at: "\(path).backend")
    }

    private mutating func ingressBackend(_ backend: JSON, at path: String) {
        switch (backend["service"], backend["resource"]) {
        case (nil, nil): required(path, "must specify `service` or `resource`")
        case (_?, _?): invalid(path, "", "cannot set both resource and service backends")
        case (nil, let resource?):
            for field in ["kind", "name"] where (resource[field]?.string ?? "").isEmpty {
                required("\(path).resource.\(field)")
            }
        case (let service?, nil):
            let name = service["name"]?.string ?? ""
            if name.isEmpty {
                required("\(path).service.name")
            } else {
                invalid("\(path).service.name", name, Names.dns1035Label(name))
            }
            let number = service["port"]?["number"]?.integer ?? 0
            let portName = service["port"]?["name"]?.string ?? ""
            if number != 0, !portName.isEmpty {
                invalid(path, "", "cannot set both port name & port number")
            } else if !portName.isEmpty {
                invalid("\(path).service.port.name", portName, Names.portName(portName))
            } else if number != 0 {
                port("\(path).service.port.number", .integer(number))
            } else {
                required(path, "port name or number is required")
            }
        }
    }

    mutating func networkPolicy(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        labelSelector(spec["podSelector"] ?? [:], at: "spec.podSelector")
        let types = spec["policyTypes"]?.array ?? []
        if types.count > 2 {
            invalid("spec.policyTypes", .array(types), "may not specify more than two policyTypes")
        } else {
            for (index, type) in types.enumerated() {
                choice("spec.policyTypes[\(index)]", type, ["Egress", "Ingress"])
            }
        }
        for (list, peers) in [("ingress", "from"), ("egress", "to")] {
            for (index, rule) in (spec[list]?.array ?? []).enumerated() {
                let path = "spec.\(list)[\(index)]"
                for (position, port) in (rule["ports"]?.array ?? []).enumerated() {
                    policyPort(port, at: "\(path).ports[\(position)]")
                }
                for (position, peer) in (rule[peers]?.array ?? []).enumerated() {
                    policyPeer(peer, at: "\(path).\(peers)[\(position)]")
                }
            }
        }
    }

    private mutating func policyPort(_ port: JSON, at path: String) {
        choice("\(path).protocol", port["protocol"], ["SCTP", "TCP", "UDP"], isRequired: false)
        if let number = port["port"] { portReference("\(path).port", number) }
        guard let end = port["endPort"]?.integer else { return }
        if let first = port["port"]?.integer {
            if end < first {
                invalid("\(path).endPort", .integer(end), "must be greater than or equal to `port`")
            }
            self.port("\(path).endPort", .integer(end))
        } else if port["port"] == nil {
            required("\(path).port", "must be specified when `endPort` is specified")
        } else {
            invalid("\(path).endPort", .integer(end), "may not be specified when `port` is non-numeric")
        }
    }

    private mutating func policyPeer(_ peer: JSON, at path: String) {
        let kinds = ["podSelector", "namespaceSelector", "ipBlock"].filter { peer[$0] != nil }
        if kinds.isEmpty { return required(path, "must specify a peer") }
        for kind in kinds where kind != "ipBlock" { labelSelector(peer[kind] ?? [:], at: "\(path).\(kind)") }
        guard let block = peer["ipBlock"] else { return }
        if kinds.count > 1 { forbidden(path, "may not specify both ipBlock and another peer") }
        let range = block["cidr"]?.string ?? ""
        if range.isEmpty {
            required("\(path).ipBlock.cidr")
        } else if !IPText.isRange(range) {
            invalid("\(path).ipBlock.cidr", .string(range), IPText.rangeRule)
        }
        for (index, except) in (block["except"]?.array ?? []).enumerated() {
            let text = except.string ?? ""
            let field = "\(path).ipBlock.except[\(index)]"
            if !IPText.isRange(text) { invalid(field, .string(text), IPText.rangeRule) }
        }
    }

    mutating func endpointSlice(_ object: JSON) {
        let type = object["addressType"]?.string ?? ""
        choice("addressType", object["addressType"], ["FQDN", "IPv4", "IPv6"])
        for (index, endpoint) in (object["endpoints"]?.array ?? []).enumerated() {
            let path = "endpoints[\(index)]"
            let addresses = endpoint["addresses"]?.array ?? []
            if addresses.isEmpty { required("\(path).addresses", "must contain at least 1 address") }
            for (position, address) in addresses.enumerated() {
                let text = address.string ?? ""
                let field = "\(path).addresses[\(position)]"
                switch type {
                case "IPv4" where !IPText.isIPv4(text):
                    invalid(field, .string(text), "must be an IPv4 address")
                case "IPv6" where !IPText.isIPv6(text):
                    invalid(field, .string(text), "must be an IPv6 address")
                case "FQDN": invalid(field, text, Names.dns1123Subdomain(text))
                default: break
                }
            }
        }
        var names: Set<String> = []
        for (index, port) in (object["ports"]?.array ?? []).enumerated() {
            let path = "ports[\(index)]"
            let name = port["name"]?.string ?? ""
            if !name.isEmpty { invalid("\(path).name", name, Names.dns1123Label(name)) }
            if !names.insert(name).inserted { duplicate("\(path).name", .string(name)) }
            choice("\(path).protocol", port["protocol"], ["SCTP", "TCP", "UDP"])
            if let number = port["port"] { self.port("\(path).port", number) }
        }
    }
}

extension IPText {
    static let rangeRule = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

    /// An address and the length of its network's prefix.
    static func isRange(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[1].isEmpty, parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(parts[1])
        else { return false }
        let address = String(parts[0])
        return isIPv4(address) ? length <= 32 : isIPv6(address) && length <= 128
    }
}
