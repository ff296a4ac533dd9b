import Addressing
import KubeAPI

/// Makes the ruleset for services and their endpoints. A pure function of both.
struct RulesetCompiler {
    /// The pods' range: what comes to a service from elsewhere is masqueraded, so that answers take the same way back.
    let clusterPrefix: IPv4Prefix?
    private(set) var ruleset = Ruleset()
    /// Addresses that two services claim; the first by name has it.
    private(set) var conflicts: [String] = []

    init(clusterPrefix: IPv4Prefix?) { self.clusterPrefix = clusterPrefix }

    /// - Parameter endpoints: By the key that they share with their service.
    static func compile(
        services: [Service], endpoints: [ObjectKey: Endpoints], clusterPrefix: IPv4Prefix?
    ) -> (ruleset: Ruleset, conflicts: [String]) {
        var compiler = RulesetCompiler(clusterPrefix: clusterPrefix)
        for service in services.sorted(by: { $0.key < $1.key }) where service.type != "ExternalName" {
            for port in service.ports { compiler.add(port, of: service, endpoints: endpoints[service.key]) }
        }
        return (compiler.ruleset, compiler.conflicts)
    }

    private struct Target: Hashable, Comparable {
        let address: IPv4Address
        let port: Int

        static func < (left: Target, right: Target) -> Bool { (left.address, left.port) < (right.address, right.port) }
    }

    private mutating func add(_ port: ServicePort, of service: Service, endpoints: Endpoints?) {
        let proto = port.proto.lowercased()
        guard ["tcp", "udp", "sctp"].contains(proto), (1...65535).contains(port.port),
            let clusterAddress = service.clusterIP.flatMap({ IPv4Address($0) })
        else { return }
        let id = "\(Self.identifier(service.key))/\(proto)/\(port.port)"
        let targets = Self.targets(of: port, in: endpoints)
        let external = service.externalIPs.compactMap { IPv4Address($0) }
        if targets.isEmpty {
            for address in [clusterAddress] + external {
                claim("unserved", "\(address) . \(proto) . \(port.port)", nil, id)
            }
            if let node = port.nodePort { claim("unserved-nodeports", "\(proto) . \(node)", nil, id) }
            return
        }
        declareChains(
            id, proto, targets,
            affinity: service.sessionAffinity == "ClientIP" ? service.sessionAffinityTimeoutSeconds : nil)
        claim("services", "\(clusterAddress) . \(proto) . \(port.port)", "goto service/\(id)", id)
        if !external.isEmpty || port.nodePort != nil {
            // Whoever comes from outside came to this node and has to be answered by it.
            ruleset.declare(chain: "external/\(id)", rules: [Self.setMark, "goto service/\(id)"])
        }
        for address in external { claim("services", "\(address) . \(proto) . \(port.port)", "goto external/\(id)", id) }
        if let node = port.nodePort { claim("nodeports", "\(proto) . \(node)", "goto external/\(id)", id) }
        for target in targets {
            ruleset.insert(
                Ruleset.Element(container: "hairpin", key: "\(target.address) . \(target.address)", verdict: nil))
            guard proto == "udp" else { continue }
            for address in [clusterAddress] + external {
                ruleset.insert(DatagramTarget(address: "\(address)", port: port.port, endpoint: "\(target.address)"))
            }
            if let node = port.nodePort {
                ruleset.insert(DatagramTarget(address: nil, port: node, endpoint: "\(target.address)"))
            }
        }
    }

    private static let setMark = "meta mark set meta mark | \(RulesetSkeleton.mark)"

    private mutating func declareChains(_ id: String, _ proto: String, _ targets: [Target], affinity seconds: Int?) {
        // What the node itself sends carries an address that the way back through the overlay does not know.
        var rules = ["fib saddr type local \(Self.setMark)"]
        if let clusterPrefix { rules.append("ip saddr != \(clusterPrefix) \(Self.setMark)") }
        let random = "numgen random mod \(targets.count)"
        guard let seconds, seconds > 0 else {
            let map = targets.enumerated().map { "\($0) : \($1.address) . \($1.port)" }.joined(separator: ", ")
            rules.append("meta l4proto \(proto) dnat ip to \(random) map { \(map) }")
            ruleset.declare(chain: "service/\(id)", rules: rules)
            return
        }
        var choices: [String] = []
        for (index, target) in targets.enumerated() {
            let endpoint = "endpoint/\(id)/\(target.address)/\(target.port)/\(seconds)"
            let clients = "affinity/\(id)/\(target.address)/\(target.port)/\(seconds)"
            ruleset.declare(set: clients, as: "type ipv4_addr ; flags dynamic,timeout ; timeout \(seconds)s")
            ruleset.declare(
                chain: endpoint,
                rules: [
                    "update @\(clients) { ip saddr }",
                    "meta l4proto \(proto) dnat to \(target.address):\(target.port)",
                ])
            rules.append("ip saddr @\(clients) goto \(endpoint)")
            choices.append("\(index) : goto \(endpoint)")
        }
        rules.append("\(random) vmap { \(choices.joined(separator: ", ")) }")
        ruleset.declare(chain: "service/\(id)", rules: rules)
    }

    private mutating func claim(_ container: String, _ key: String, _ verdict: String?, _ id: String) {
        let rivals = container.hasSuffix("nodeports") ? ["nodeports", "unserved-nodeports"] : ["services", "unserved"]
        let element = Ruleset.Element(container: container, key: key, verdict: verdict)
        if !ruleset.insert(element, among: rivals) { conflicts.append("\(key) of \(id)") }
    }

    /// Ready addresses with the port of the same name, each once.
    private static func targets(of port: ServicePort, in endpoints: Endpoints?) -> [Target] {
        var targets: Set<Target> = []
        for subset in endpoints?.subsets ?? [] {
            for candidate in subset.ports
            where candidate.name == port.name && candidate.proto.uppercased() == port.proto.uppercased() {
                for address in subset.addresses {
                    guard let ip = IPv4Address(address.ip), (1...65535).contains(candidate.port) else { continue }
                    targets.insert(Target(address: ip, port: candidate.port))
                }
            }
        }
        return targets.sorted()
    }

    /// nftables' names take letters, digits and `/ - _ .`; object names hold nothing else.
    private static func identifier(_ key: ObjectKey) -> String {
        String("\(key)".map { $0.isASCII && ($0.isLetter || $0.isNumber || "/-_.".contains($0)) ? $0 : "_" })
    }
}
