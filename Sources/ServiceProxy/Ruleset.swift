/// What the table holds besides its fixed part: named sets, chains with their rules, and elements of maps and sets.
struct Ruleset: Equatable, Sendable {
    /// An element of a map (with a verdict) or of a set.
    struct Element: Hashable, Sendable {
        let container: String
        let key: String
        let verdict: String?

        /// As in a command.
        var text: String {
            guard let verdict else { return key }
            return "\(key) : \(verdict)"
        }
    }

    /// Declarations by set name.
    private(set) var sets: [String: String] = [:]
    /// Rules by chain name.
    private(set) var chains: [String: [String]] = [:]
    /// Elements by container and key: a second claim to a key is refused.
    private(set) var elements: [String: Element] = [:]
    /// Where datagrams to a service address go; a removed target's conversations have to be ended.
    private(set) var datagramTargets: Set<DatagramTarget> = []

    mutating func declare(set name: String, as declaration: String) { sets[name] = declaration }
    mutating func declare(chain name: String, rules: [String]) { chains[name] = rules }
    mutating func insert(_ target: DatagramTarget) { datagramTargets.insert(target) }

    /// Returns false, and changes nothing, when another element has that key in that container.
    mutating func insert(_ element: Element, among containers: [String]) -> Bool {
        guard !containers.contains(where: { elements["\($0) \(element.key)"] != nil }) else { return false }
        elements["\(element.container) \(element.key)"] = element
        return true
    }

    mutating func insert(_ element: Element) { elements["\(element.container) \(element.key)"] = element }

    /// The commands that turn a table with `old` into one with this, in an order in which each is possible: nothing is
    /// deleted that is still referred to.
    func commands(from old: Ruleset) -> [String] {
        let table = RulesetSkeleton.table
        var commands: [String] = []
        for (name, declaration) in sets.sorted(by: <) where old.sets[name] == nil {
            commands.append("add set \(table) \(name) { \(declaration) ; }")
        }
        for name in chains.keys.sorted() where old.chains[name] == nil { commands.append("add chain \(table) \(name)") }
        let gone = old.elements.values.filter { elements["\($0.container) \($0.key)"] != $0 }
        commands += Self.elementCommands("delete", gone)
        for (name, rules) in old.chains.sorted(by: { $0.key < $1.key }) where chains[name] != rules {
            commands.append("flush chain \(table) \(name)")
        }
        for (name, rules) in chains.sorted(by: { $0.key < $1.key }) where old.chains[name] != rules {
            commands += rules.map { "add rule \(table) \(name) \($0)" }
        }
        let new = elements.values.filter { old.elements["\($0.container) \($0.key)"] != $0 }
        commands += Self.elementCommands("add", new)
        for name in old.chains.keys.sorted() where chains[name] == nil {
            commands.append("delete chain \(table) \(name)")
        }
        for name in old.sets.keys.sorted() where sets[name] == nil { commands.append("delete set \(table) \(name)") }
        return commands
    }

    /// One command a container.
    private static func elementCommands(_ verb: String, _ elements: [Element]) -> [String] {
        let byContainer = Dictionary(grouping: elements, by: \.container)
        return byContainer.keys.sorted().map { container in
            let texts = (byContainer[container] ?? []).map(\.text).sorted()
            return "\(verb) element \(RulesetSkeleton.table) \(container) { \(texts.joined(separator: ", ")) }"
        }
    }
}

/// The fixed part of the table.
enum RulesetSkeleton {
    static let table = "ip fjord-proxy"
    /// Bit 14 of the packet mark, as kube-proxy has it: this packet's source is to be masqueraded.
    static let mark = "0x00004000"

    /// Maps from a service's address to the chain that chooses an endpoint, whatever their number: one look-up a new
    /// connection, none for packets of a connection that conntrack knows.
    static let commands =
        [
            // Adding first makes the deletion possible where there is none yet.
            "add table \(table)", "delete table \(table)", "add table \(table)",
            "add map \(table) services { type ipv4_addr . inet_proto . inet_service : verdict ; }",
            "add map \(table) nodeports { type inet_proto . inet_service : verdict ; }",
            "add set \(table) unserved { type ipv4_addr . inet_proto . inet_service ; }",
            "add set \(table) unserved-nodeports { type inet_proto . inet_service ; }",
            "add set \(table) hairpin { type ipv4_addr . ipv4_addr ; }",

            "add chain \(table) dispatch",
            "add rule \(table) dispatch ip daddr . meta l4proto . th dport vmap @services",
            "add rule \(table) dispatch fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @nodeports",
            "add chain \(table) prerouting { type nat hook prerouting priority dstnat ; }",
            "add rule \(table) prerouting jump dispatch",
            "add chain \(table) output { type nat hook output priority -100 ; }",
            "add rule \(table) output jump dispatch",

            "add chain \(table) postrouting { type nat hook postrouting priority srcnat ; }",
            "add rule \(table) postrouting meta mark & \(mark) == \(mark) meta mark set meta mark & 0xffffbfff masquerade fully-random",
            // A pod that reaches itself through a service must not see its own address as the other side's.
            "add rule \(table) postrouting ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random",

            // Before the address is translated, and before routing, which may know no way to a portal address.
            "add chain \(table) refuse",
            "add rule \(table) refuse meta l4proto tcp reject with tcp reset",
            "add rule \(table) refuse reject with icmp port-unreachable",
            "add chain \(table) refuse-forwarded { type filter hook prerouting priority -110 ; }",
            "add chain \(table) refuse-local { type filter hook output priority -110 ; }",
        ]
        + ["refuse-forwarded", "refuse-local"].flatMap { chain in
            [
                "add rule \(table) \(chain) ip daddr . meta l4proto . th dport @unserved jump refuse",
                "add rule \(table) \(chain) fib daddr type local meta l4proto . th dport @unserved-nodeports jump refuse",
            ]
        }

    static let removal = ["add table \(table)", "delete table \(table)"]
}

/// A service's UDP address and one of the endpoints behind it.
struct DatagramTarget: Hashable, Sendable {
    /// `nil` for a node port.
    let address: String?
    let port: Int
    let endpoint: String
}
