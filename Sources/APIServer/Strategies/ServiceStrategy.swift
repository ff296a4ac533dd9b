package import Addressing
import KubeSchema

/// The network that service addresses come from.
package struct ServiceNetwork: Sendable {
    package let prefix: IPv4Prefix

    /// - Parameter prefix: With room for at least two services, so at most /29.
    package init(_ prefix: IPv4Prefix) { self.prefix = prefix }

    /// The address of the `kubernetes` service: the first one.
    package var first: IPv4Address { prefix.address.advanced(by: 1) }

    /// Whether a service may have the address: network and broadcast address belong to nobody.
    func mayHave(_ address: IPv4Address) -> Bool {
        prefix.contains(address) && address != prefix.address && address != prefix.last
    }
}

/// Services: each has an address of its own, and ports of all nodes if it asks for them.
struct ServiceStrategy: ResourceStrategy {
    private static let addressKeys = "/registry/allocations/clusterips/"
    private static let portKeys = "/registry/allocations/nodeports/"

    var deletionAnswersObject: Bool { true }

    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) { object["status"] = ["loadBalancer": [:]] }

    func prepareForUpdate(_ new: inout JSON, old: JSON, _ context: StrategyContext) {
        guard new["spec", "type"]?.string != "ExternalName" else { return }
        if (new["spec", "clusterIP"]?.string ?? "").isEmpty {
            new["spec", "clusterIP"] = old["spec", "clusterIP"]
            new["spec", "clusterIPs"] = old["spec", "clusterIPs"]
        }
        guard Self.usesNodePorts(new), var ports = new["spec", "ports"]?.array else { return }
        let oldPorts = old["spec", "ports"]?.array ?? []
        for index in ports.indices where (ports[index]["nodePort"]?.integer ?? 0) == 0 {
            let same = oldPorts.first {
                $0["port"] == ports[index]["port"] && $0["protocol"] == ports[index]["protocol"]
            }
            ports[index]["nodePort"] = same?["nodePort"]
        }
        new["spec", "ports"] = .array(ports)
    }

    func claims(_ object: JSON) -> [String] {
        var claims: [String] = []
        if let address = object["spec", "clusterIP"]?.string, IPv4Address(address) != nil {
            claims.append(Self.addressKeys + address)
        }
        for port in object["spec", "ports"]?.array ?? [] {
            guard let nodePort = port["nodePort"]?.integer, nodePort > 0 else { continue }
            let claim = "\(Self.portKeys)\(port["protocol"]?.string ?? "TCP")/\(nodePort)"
            if !claims.contains(claim) { claims.append(claim) }
        }
        return claims
    }

    func allocate(_ object: inout JSON, old: JSON?, _ context: StrategyContext) throws(APIFailure) {
        let held = Set(old.map(claims) ?? [])
        try allocateAddress(&object, held: held, context)
        try allocatePorts(&object, held: held, context)
    }

    private func allocateAddress(_ object: inout JSON, held: Set<String>, _ context: StrategyContext) throws(APIFailure)
    {
        guard object["spec", "type"]?.string != "ExternalName" else { return }
        let network = context.registry.settings.serviceNetwork
        let given = object["spec", "clusterIP"]?.string ?? ""
        if given == "None" {
            object["spec", "clusterIPs"] = ["None"]
            return
        }
        if !given.isEmpty {
            guard !held.contains(Self.addressKeys + given) else { return }
            guard let address = IPv4Address(given), network.mayHave(address) else {
                throw refusal(
                    object, context, "spec.clusterIPs", .array([.string(given)]),
                    "failed to allocate IP \(given): the provided IP (\(given)) is not in the valid range. The range of valid IPs is \(network.prefix)"
                )
            }
            guard !context.taken.contains(Self.addressKeys + given) else {
                throw refusal(
                    object, context, "spec.clusterIPs", .array([.string(given)]),
                    "failed to allocate IP \(given): provided IP is already allocated")
            }
            object["spec", "clusterIPs"] = .array([.string(given)])
            return
        }
        let used = claimsInUse(context)
        let count = network.prefix.count
        let start = UInt64.random(in: 0..<count)
        for offset in 0..<count {
            let address = network.prefix.address.advanced(by: UInt32((start + offset) % count))
            guard network.mayHave(address), address != network.first, !used.contains(Self.addressKeys + "\(address)")
            else { continue }
            object["spec", "clusterIP"] = .string("\(address)")
            object["spec", "clusterIPs"] = .array([.string("\(address)")])
            return
        }
        throw APIFailure(.internalError, "failed to allocate a serviceIP: range is full")
    }

    private static func usesNodePorts(_ object: JSON) -> Bool {
        ["NodePort", "LoadBalancer"].contains(object["spec", "type"]?.string ?? "")
    }

    private func allocatePorts(_ object: inout JSON, held: Set<String>, _ context: StrategyContext) throws(APIFailure) {
        guard Self.usesNodePorts(object), var ports = object["spec", "ports"]?.array else { return }
        let range = context.registry.settings.nodePorts
        var used: Set<String>?
        var chosen: Set<String> = []
        for index in ports.indices {
            let transport = ports[index]["protocol"]?.string ?? "TCP"
            if let given = ports[index]["nodePort"]?.integer, given > 0 {
                let claim = "\(Self.portKeys)\(transport)/\(given)"
                chosen.insert(claim)
                guard !held.contains(claim) else { continue }
                guard range.contains(given) else {
                    throw refusal(
                        object, context, "spec.ports[\(index)].nodePort", .integer(given),
                        "provided port is not in the valid range. The range of valid ports is \(range.lowerBound)-\(range.upperBound)"
                    )
                }
                guard !context.taken.contains(claim) else {
                    throw refusal(
                        object, context, "spec.ports[\(index)].nodePort", .integer(given),
                        "provided port is already allocated")
                }
                continue
            }
            let inUse = used ?? claimsInUse(context)
            used = inUse
            let start = Int64.random(in: range)
            let port = (0..<Int64(range.count)).lazy.map {
                range.lowerBound + (start - range.lowerBound + $0) % Int64(range.count)
            }
            .first {
                !inUse.contains("\(Self.portKeys)\(transport)/\($0)")
                    && !chosen.contains("\(Self.portKeys)\(transport)/\($0)")
            }
            guard let port else { throw APIFailure(.internalError, "failed to allocate a nodePort: range is full") }
            chosen.insert("\(Self.portKeys)\(transport)/\(port)")
            ports[index]["nodePort"] = .integer(port)
        }
        object["spec", "ports"] = .array(ports)
    }

    /// What the cache knows to be taken; the transaction that claims has the last word.
    private func claimsInUse(_ context: StrategyContext) -> Set<String> {
        guard let cache = context.registry.caches.cache(context.definition) else { return context.taken }
        return cache.list(cache.prefix).objects.reduce(into: context.taken) { $0.formUnion(claims($1.document)) }
    }

    private func refusal(
        _ object: JSON, _ context: StrategyContext, _ field: String, _ value: JSON, _ detail: String
    ) -> APIFailure {
        APIFailure(
            StatusDocument.invalid(
                context.definition, name: object["metadata", "name"]?.string ?? "",
                [FieldError(.invalid, field, value: value, detail)]))
    }
}
