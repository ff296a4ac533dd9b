import Addressing
import KubeAPI
import KubeSchema
import Testing

@testable import ServiceProxy

/// The ruleset as a function of services and endpoints, and the commands between two of them.
@Suite struct RulesetTests {
    @Test func `a service maps its address to a chain that chooses an endpoint`() {
        let ruleset = compile(
            [service("redis", "10.254.0.9", 6379)], [endpoints("redis", ["10.244.2.3", "10.244.1.2"], 6379)])
        #expect(
            ruleset.elements.values.contains(
                Ruleset.Element(
                    container: "services", key: "10.254.0.9 . tcp . 6379",
                    verdict: "goto service/default/redis/tcp/6379")))
        #expect(
            ruleset.chains == [
                "service/default/redis/tcp/6379": [
                    "fib saddr type local meta mark set meta mark | 0x00004000",
                    "ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x00004000",
                    "meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.1.2 . 6379, 1 : 10.244.2.3 . 6379 }",
                ]
            ])
        #expect(ruleset.elements["hairpin 10.244.1.2 . 10.244.1.2"] != nil)
    }

    @Test func `a service without endpoints is refused, on every address`() {
        var lonely = service("lonely", "10.254.0.9", 80)
        lonely.document["spec", "externalIPs"] = ["192.0.2.1"]
        lonely.document["spec", "ports"] = [["port": 80, "nodePort": 30080, "protocol": "TCP"]]
        let ruleset = compile([lonely], [endpoints("lonely", [], 80)])
        #expect(
            Set(ruleset.elements.keys) == [
                "unserved 10.254.0.9 . tcp . 80", "unserved 192.0.2.1 . tcp . 80", "unserved-nodeports tcp . 30080",
            ])
        #expect(ruleset.chains.isEmpty)
    }

    @Test func `node ports and external addresses masquerade`() {
        var web = service("web", "10.254.0.9", 80)
        web.document["spec", "externalIPs"] = ["192.0.2.1"]
        web.document["spec", "ports"] = [["port": 80, "targetPort": 8000, "nodePort": 30080]]
        let ruleset = compile([web], [endpoints("web", ["10.244.1.2"], 8000)])
        #expect(ruleset.elements["nodeports tcp . 30080"]?.verdict == "goto external/default/web/tcp/80")
        #expect(ruleset.elements["services 192.0.2.1 . tcp . 80"]?.verdict == "goto external/default/web/tcp/80")
        #expect(ruleset.elements["services 10.254.0.9 . tcp . 80"]?.verdict == "goto service/default/web/tcp/80")
        #expect(ruleset.chains["external/default/web/tcp/80"]?.last == "goto service/default/web/tcp/80")
    }

    @Test func `ports find their endpoints by name and protocol`() {
        var dns = service("dns", "10.254.0.10", 53)
        dns.document["spec", "ports"] = [
            ["name": "dns", "port": 53, "protocol": "UDP"], ["name": "dns-tcp", "port": 53, "protocol": "TCP"],
        ]
        var backends = Endpoints(name: "dns", namespace: "default")
        backends.document["subsets"] = [
            [
                "addresses": [["ip": "10.244.1.2"]], "notReadyAddresses": [["ip": "10.244.1.9"]],
                "ports": [["name": "dns", "port": 5353, "protocol": "UDP"], ["name": "dns-tcp", "port": 5354]],
            ]
        ]
        let ruleset = compile([dns], [backends])
        #expect(
            ruleset.chains["service/default/dns/udp/53"]?.last
                == "meta l4proto udp dnat ip to numgen random mod 1 map { 0 : 10.244.1.2 . 5353 }")
        #expect(
            ruleset.chains["service/default/dns/tcp/53"]?.last
                == "meta l4proto tcp dnat ip to numgen random mod 1 map { 0 : 10.244.1.2 . 5354 }")
        #expect(
            ruleset.datagramTargets == [DatagramTarget(address: "10.254.0.10", port: 53, endpoint: "10.244.1.2")])
    }

    @Test func `a client keeps its endpoint where the service says so`() {
        var sticky = service("s", "10.254.0.9", 80)
        sticky.document["spec", "sessionAffinity"] = "ClientIP"
        let ruleset = compile([sticky], [endpoints("s", ["10.244.1.2"], 80)])
        let name = "default/s/tcp/80/10.244.1.2/80/10800"
        #expect(ruleset.sets["affinity/\(name)"] == "type ipv4_addr ; flags dynamic,timeout ; timeout 10800s")
        #expect(
            ruleset.chains["endpoint/\(name)"]
                == ["update @affinity/\(name) { ip saddr }", "meta l4proto tcp dnat to 10.244.1.2:80"])
        #expect(
            ruleset.chains["service/default/s/tcp/80"]?.suffix(2)
                == [
                    "ip saddr @affinity/\(name) goto endpoint/\(name)",
                    "numgen random mod 1 vmap { 0 : goto endpoint/\(name) }",
                ])
    }

    @Test(arguments: ["None", "", "fd00::1"])
    func `services without an IPv4 address have no rules`(address: String) {
        #expect(compile([service("s", address, 80)], [endpoints("s", ["10.244.1.2"], 80)]) == Ruleset())
    }

    @Test func `of two claims to an address the first by name wins`() {
        let (ruleset, conflicts) = RulesetCompiler.compile(
            services: [service("b", "10.254.0.9", 80), service("a", "10.254.0.9", 80)],
            endpoints: [ObjectKey(namespace: "default", name: "a"): endpoints("a", ["10.244.1.2"], 80)],
            clusterPrefix: nil)
        #expect(ruleset.elements["services 10.254.0.9 . tcp . 80"]?.verdict == "goto service/default/a/tcp/80")
        #expect(ruleset.elements["unserved 10.254.0.9 . tcp . 80"] == nil)
        #expect(conflicts == ["10.254.0.9 . tcp . 80 of default/b/tcp/80"])
    }

    @Test func `a changed endpoint touches its own service only`() {
        let others = (1...200).map { service("s\($0)", "10.254.1.\($0)", 80) }
        let backends = (1...200).map { endpoints("s\($0)", ["10.244.1.\($0)"], 80) }
        let before = compile(others, backends)
        var changed = backends
        changed[6] = endpoints("s7", ["10.244.1.7", "10.244.2.7"], 80)
        #expect(
            compile(others, changed).commands(from: before) == [
                "flush chain ip fjord-proxy service/default/s7/tcp/80",
                "add rule ip fjord-proxy service/default/s7/tcp/80 fib saddr type local meta mark set meta mark | 0x00004000",
                "add rule ip fjord-proxy service/default/s7/tcp/80 ip saddr != 10.244.0.0/16 meta mark set meta mark | 0x00004000",
                "add rule ip fjord-proxy service/default/s7/tcp/80 meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.1.7 . 80, 1 : 10.244.2.7 . 80 }",
                "add element ip fjord-proxy hairpin { 10.244.2.7 . 10.244.2.7 }",
            ])
    }

    @Test func `what is gone is deleted in an order that leaves no reference behind`() {
        let before = compile([service("a", "10.254.0.9", 80)], [endpoints("a", ["10.244.1.2"], 80)])
        #expect(
            Ruleset().commands(from: before) == [
                "delete element ip fjord-proxy hairpin { 10.244.1.2 . 10.244.1.2 }",
                "delete element ip fjord-proxy services { 10.254.0.9 . tcp . 80 : goto service/default/a/tcp/80 }",
                "flush chain ip fjord-proxy service/default/a/tcp/80",
                "delete chain ip fjord-proxy service/default/a/tcp/80",
            ])
        #expect(before.commands(from: before).isEmpty)
    }

    private func compile(_ services: [Service], _ endpoints: [Endpoints]) -> Ruleset {
        RulesetCompiler.compile(
            services: services, endpoints: Dictionary(uniqueKeysWithValues: endpoints.map { ($0.key, $0) }),
            clusterPrefix: IPv4Prefix("10.244.0.0/16")
        ).ruleset
    }

    private func service(_ name: String, _ address: String, _ port: Int) -> Service {
        var service = Service(name: name, namespace: "default")
        service.document["spec"] = ["clusterIP": .string(address), "ports": [["port": .integer(Int64(port))]]]
        return service
    }

    private func endpoints(_ name: String, _ addresses: [String], _ port: Int) -> Endpoints {
        var endpoints = Endpoints(name: name, namespace: "default")
        endpoints.document["subsets"] = [
            [
                "addresses": .array(addresses.map { ["ip": .string($0)] }),
                "ports": [["port": .integer(Int64(port)), "protocol": "TCP"]],
            ]
        ]
        return endpoints
    }
}
