import Addressing
import Glibc
import LinuxKit
import Testing

/// flannel's other backends. Needs what ``OverlayTests`` needs, and VXLAN in the kernel.
@Suite(.serialized, .enabled(if: OverlayBed.isPossible, "needs root and etcd"), .timeLimit(.minutes(3)))
struct BackendTests {
    private func bed(_ machines: [String], _ config: String) async throws -> (OverlayBed, MachineProgram) {
        let bed = try OverlayBed(machines)
        let etcd = try bed.startEtcd()
        try await eventually("etcd answers", context: { etcd.output }) { try put(bed, config) }
        return (bed, etcd)
    }

    private func put(_ bed: OverlayBed, _ config: String) throws -> Bool {
        try bed.etcdctl("put", "/coreos.com/network/config", config).contains("OK")
    }

    private func shell(_ bed: OverlayBed, _ machine: String, _ script: String) throws -> String {
        try bed.run(machine, "/bin/sh", ["-c", script]).output
    }

    private func waitForPeers(_ bed: OverlayBed, _ a: MachineProgram, _ b: MachineProgram) async throws {
        for (from, to, program) in [("a", "b", a), ("b", "a", b)] {
            try await eventually("\(from) reaches \(to)", context: { program.output }) {
                guard bed.subnet(from) != nil, let target = bed.subnet(to) else { return false }
                return try bed.pings(from, target.address)
            }
        }
    }

    @Test func vxlanIsFlannelsToTheKernelAndToAPlainPeer() async throws {
        let (bed, etcd) = try await bed(["a", "b", "c"], #"{"Network":"10.252.0.0/16","Backend":{"Type":"vxlan"}}"#)
        defer { etcd.kill() }
        // c is set up by hand, as flanneld leaves a node.
        _ = try shell(
            bed, "c",
            """
            ip link add flannel.1 address 02:00:00:00:00:0c type vxlan id 1 local 10.251.0.3 dev eth0 dstport 8472 nolearning
            ip addr add 10.252.200.0/32 dev flannel.1; ip link set flannel.1 mtu 1450 up
            """)
        let key = "/coreos.com/network/subnets/10.252.200.0-24"
        _ = try bed.etcdctl(
            "put", key,
            #"{"PublicIP":"10.251.0.3","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"02:00:00:00:00:0c"}}"#
        )
        var a = try bed.startOverlayd("a")
        let b = try bed.startOverlayd("b")
        defer { a.kill(); b.kill() }
        try await waitForPeers(bed, a, b)
        let subnet = try #require(bed.subnet("a"))
        let link = try shell(bed, "a", "ip -d link show flannel.1")
        #expect(
            link.contains("vxlan id 1 local 10.251.0.1 dev eth0") && link.contains("dstport 8472 nolearning")
                && link.contains("mtu 1450"), "\(link)")
        let value = try bed.etcdctl("get", "/coreos.com/network/subnets/\(subnet.address)-24", "--print-value-only")
        #expect(value.contains(#""BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":""#), "\(value)")
        let published = try #require(value.split(separator: "\"").first { MACAddress($0) != nil }.map(String.init))
        #expect(link.contains("link/ether \(published)"), "\(link)")
        #expect(FileContents.text(bed.subnetFile("a"))?.contains("FLANNEL_MTU=1450") == true)
        let tables = try shell(
            bed, "a", "ip route; ip neigh show nud permanent; bridge fdb show dev flannel.1")
        #expect(tables.contains("10.252.200.0/24 via 10.252.200.0 dev flannel.1") && tables.contains("onlink"))
        #expect(tables.contains("10.252.200.0 dev flannel.1 lladdr 02:00:00:00:00:0c PERMANENT"), "\(tables)")
        #expect(tables.contains("02:00:00:00:00:0c dst 10.251.0.3 self permanent"), "\(tables)")
        _ = try shell(
            bed, "c",
            """
            ip route add \(subnet) via \(subnet.address) dev flannel.1 onlink
            ip neigh add \(subnet.address) lladdr \(published) dev flannel.1 nud permanent
            bridge fdb add \(published) dev flannel.1 dst 10.251.0.1
            """)
        let plain = IPv4Address(10, 252, 200, 0)
        try await eventually("the plain kernel peer answers", context: { a.output }) { try bed.pings("a", plain) }
        #expect(try bed.pings("c", subnet.address))

        // What the kernel carries outlives the daemon, which keeps its device and the device's address.
        a.kill()
        #expect(try bed.pings("a", plain))
        _ = try shell(bed, "a", "ip link del flannel.1; ip neigh flush dev eth0")
        a = try bed.startOverlayd("a")
        try await waitForPeers(bed, a, b)
        #expect(try shell(bed, "a", "ip link show flannel.1").contains(published), "the MAC address is kept")
        #expect(try bed.pings("a", plain))

        // Entries that somebody takes away come back, and those of a peer that is gone go.
        _ = try shell(bed, "a", "bridge fdb del 02:00:00:00:00:0c dev flannel.1 dst 10.251.0.3")
        try await eventually("the entry is back", context: { a.output }) { try bed.pings("a", plain) }
        _ = try bed.etcdctl("del", key)
        try await eventually("nothing of the peer is left", context: { a.output }) {
            try !shell(bed, "a", "ip route; ip neigh; bridge fdb show").contains("02:00:00:00:00:0c")
        }
        a.kill(SIGTERM)
        let cleaned = try bed.run("a", OverlayBed.overlayd, ["clean", "--subnet-file", bed.subnetFile("a")])
        #expect(cleaned.output.contains("device flannel.1"), "\(cleaned.output)")
        #expect(try !shell(bed, "a", "ip link; ip route").contains("flannel"))
    }

    @Test(arguments: ["vxlan", "host-gw"])
    func dualStackCarriesBothFamilies(backend: String) async throws {
        let (bed, etcd) = try await bed(
            ["a", "b"],
            #"{"Network":"10.252.0.0/16","EnableIPv6":true,"IPv6Network":"fd10::/48","Backend":{"Type":"\#(backend)"}}"#
        )
        defer { etcd.kill() }
        _ = try shell(bed, "a", "ip addr add fd00::1/64 dev eth0 nodad")
        _ = try shell(bed, "b", "ip addr add fd00::2/64 dev eth0 nodad; ip addr add fd10:aaaa::1/64 dev lo")
        let a = try bed.startOverlayd("a", "--ip-masq")
        let b = try bed.startOverlayd("b")
        defer { a.kill(); b.kill() }
        if backend == "host-gw" {  // no device of its own: a node has an address of its subnet only once a pod came
            for name in ["a", "b"] {
                try await eventually("\(name) has a subnet", context: { a.output + b.output }) {
                    bed.subnet(name) != nil
                }
                let subnet = try #require(bed.subnet(name))
                _ = try shell(bed, name, "ip addr add \(subnet.address)/32 dev lo")
            }
        }
        try await waitForPeers(bed, a, b)
        let file = try #require(FileContents.text(bed.subnetFile("b")))
        #expect(file.contains("FLANNEL_IPV6_NETWORK=fd10::/48\n"), "\(file)")
        #expect(file.contains(backend == "vxlan" ? "FLANNEL_MTU=1430" : "FLANNEL_MTU=1500"), "\(file)")
        let line = try #require(file.split(separator: "\n").first { $0.hasPrefix("FLANNEL_IPV6_SUBNET=") })
        let subnet = try #require(IPv6Prefix(line.dropFirst(20)))
        // The bridge's address, as CNI would set it.
        _ = try shell(bed, "b", "ip addr add \(subnet.address.advanced(by: 1))/64 dev lo nodad")
        try await eventually("IPv6 crosses", context: { a.output }) {
            try bed.run("a", "ping", ["-6", "-c", "1", "-W", "1", "\(subnet.address.advanced(by: 1))"]).code == 0
        }
        let keys = try bed.etcdctl("get", "--prefix", "/coreos.com/network/subnets/")
        #expect(keys.contains("&\(subnet.address)-64") && keys.contains(#""PublicIPv6":"fd00::2""#), "\(keys)")
        #expect(try shell(bed, "a", "nft list table ip6 overlayd").contains("ip6 saddr fd10::/48"))
    }

    @Test func directRoutingAndAChangeOfTheConfigAreTakenUp() async throws {
        let (bed, etcd) = try await bed(["a", "b"], #"{"Network":"10.252.0.0/16","Backend":{"Type":"udp"}}"#)
        defer { etcd.kill() }
        let a = try bed.startOverlayd("a")
        let b = try bed.startOverlayd("b")
        defer { a.kill(); b.kill() }
        try await waitForPeers(bed, a, b)
        let (subnetA, subnetB) = (try #require(bed.subnet("a")), try #require(bed.subnet("b")))
        _ = try put(bed, #"{"Network":"10.252.0.0/16","Backend":{"Type":"vxlan","VNI":7,"DirectRouting":true}}"#)
        try await eventually("the new backend is set up", context: { a.output + b.output }) {
            try shell(bed, "a", "ip route").contains("\(subnetB) via 10.251.0.2 dev eth0")
                && shell(bed, "b", "ip route").contains("\(subnetA) via 10.251.0.1 dev eth0")
        }
        try await waitForPeers(bed, a, b)
        #expect(bed.subnet("a") == subnetA && bed.subnet("b") == subnetB, "subnets that still fit are kept")
        let links = try shell(bed, "a", "ip link")
        #expect(links.contains("flannel.7") && !links.contains("flannel0"), "\(links)")
        _ = try put(bed, #"{"Network":"10.252.0.0/16","Backend":{"Type":"nonsense"}}"#)
        try await eventually("a config that makes no sense is named", context: { a.output }) {
            a.output.contains("Backend.Type: found \"nonsense\"")
        }
        #expect(try bed.pings("a", subnetB.address))
    }

    @Test func anAddressThatChangesIsFollowed() async throws {
        let (bed, etcd) = try await bed(["a", "b"], #"{"Network":"10.252.0.0/16","Backend":{"Type":"vxlan"}}"#)
        defer { etcd.kill() }
        let a = try bed.startOverlayd("a")
        let b = try bed.startOverlayd("b")
        defer { a.kill(); b.kill() }
        try await waitForPeers(bed, a, b)
        let (subnetA, subnetB) = (try #require(bed.subnet("a")), try #require(bed.subnet("b")))
        _ = try shell(bed, "a", "ip addr del 10.251.0.1/24 dev eth0; ip addr add 10.251.0.77/24 dev eth0")
        try await eventually("the lease has the new address", context: { a.output }) {
            try bed.etcdctl("get", "/coreos.com/network/subnets/\(subnetA.address)-24").contains("10.251.0.77")
        }
        try await eventually("traffic goes on", context: { a.output + b.output }) {
            try bed.pings("a", subnetB.address) && bed.pings("b", subnetA.address)
        }
        #expect(bed.subnet("a") == subnetA, "the subnet is kept")
    }

    @Test func allocLeasesAndLeavesPacketsAlone() async throws {
        let (bed, etcd) = try await bed(["a"], #"{"Network":"10.252.0.0/16","Backend":{"Type":"alloc"}}"#)
        defer { etcd.kill() }
        let a = try bed.startOverlayd("a")
        defer { a.kill() }
        try await eventually("a has a subnet", context: { a.output }) { bed.subnet("a") != nil }
        #expect(try !shell(bed, "a", "ip link; ip route").contains("flannel"))
        #expect(FileContents.text(bed.subnetFile("a"))?.contains("FLANNEL_MTU=1500") == true)
    }
}
