import Addressing
import Testing

@testable import LocalCluster

@Suite struct LayoutTests {
    private func layout(
        name: String = "fjord", nodes: Int = 3, lan: String = "10.240.0.0/24", pods: String = "10.244.0.0/16"
    ) throws -> ClusterLayout {
        let lan = try #require(IPv4Prefix(lan))
        return ClusterLayout(
            name: name, directory: "/var/lib/fjord/\(name)", machines: ClusterLayout.machines(nodes: nodes, lan: lan),
            lan: lan,
            podNetwork: try #require(IPv4Prefix(pods)), portalNetwork: try #require(IPv4Prefix("10.254.0.0/16")),
            hasUplink: false)
    }

    @Test func addressesAndNamesFollowFromTheNetworkAndTheName() throws {
        let layout = try layout()
        #expect(layout.hostAddress == IPv4Address(10, 240, 0, 1))
        #expect(layout.master.address == IPv4Address(10, 240, 0, 10))
        #expect(layout.nodes.map(\.name) == ["node-1", "node-2", "node-3"])
        #expect(layout.nodes.map { "\($0.address)" } == ["10.240.0.11", "10.240.0.12", "10.240.0.13"])
        #expect(layout.portalAddress == IPv4Address(10, 254, 0, 1))
        #expect(layout.namespace(layout.nodes[0]) == "fjord-node-1")
        #expect(layout.apiServer == "https://10.240.0.10:6443")
    }

    @Test(arguments: [
        ("10.240.0.0/24", "10.240.0.0/16", "overlap", "pods around the LAN"),
        ("10.240.0.0/29", "10.244.0.0/16", "too small", "no room for three nodes"),
    ])
    func rangesThatCannotWorkAreFoundBeforeAnythingIsMade(_ lan: String, _ pods: String, _ words: String, _ why: String)
        throws
    {
        let findings = Preflight(try layout(lan: lan, pods: pods)).findings()
        #expect(findings.contains { $0.contains(words) || $0.contains("not root") }, Comment(rawValue: why))
    }

    @Test(
        arguments: [
            (["/proc/vz"], nil, "OpenVZ"),
            (["/proc/vz", "/proc/bc"], nil, nil),
            ([], "lxc", "LXC"),
            (["/.dockerenv"], nil, "Docker"),
            (["/run/.containerenv"], nil, "Podman"),
            ([], nil, nil),
        ] as [([String], String?, String?)])
    func hostsThatShareTheirKernelAreNamed(_ files: [String], _ container: String?, _ expected: String?) {
        let found = SharedKernelHost.identify(hasFile: files.contains, container: container)
        if let expected { #expect(found?.name.contains(expected) == true) } else { #expect(found == nil) }
    }
}
