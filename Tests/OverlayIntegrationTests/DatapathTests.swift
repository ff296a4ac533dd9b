import Addressing
import Glibc
import LinuxKit
import Testing

/// Connections of every kind, on both packet paths and between them, behind a firewall that drops what belongs to no
/// connection. Needs what ``OverlayTests`` need, and socat, iproute2 and nftables.
@Suite(.serialized, .enabled(if: OverlayBed.isPossible, "needs root and etcd"), .timeLimit(.minutes(4)))
struct DatapathTests {
    /// In a `vxlan` network `tun` leaves packets to the kernel's own device.
    @Test(arguments: [
        ("udp", "ebpf", "ebpf"), ("udp", "ebpf", "tun"), ("udp", "tun", "tun"), ("vxlan", "ebpf", "ebpf"),
        ("vxlan", "ebpf", "tun"),
    ])
    func connectionsOfEveryKindWork(backend: String, a: String, b: String) async throws {
        let bed = try await PodBed(datapath: ["a": a, "b": b], backend: backend)
        let servers = try bed.startEcho("b1") + bed.startEcho("a2") + bed.startEcho("a1")
        defer { for server in servers { server.kill() } }
        let (a1, a2, b1) = (bed.address("a1"), bed.address("a2"), bed.address("b1"))
        // Services, as a service proxy translates them; a hairpin is masqueraded.
        try bed.shell(
            "a",
            """
            nft 'add table ip proxy
                add chain ip proxy pre { type nat hook prerouting priority -100; }
                add rule ip proxy pre ip daddr 10.96.0.1 tcp dport 80 dnat to \(b1):7
                add rule ip proxy pre ip daddr 10.96.0.2 tcp dport 80 dnat to \(a2):7
                add rule ip proxy pre ip daddr 10.96.0.3 tcp dport 80 dnat to \(a1):7
                add rule ip proxy pre tcp dport 30007 dnat to \(b1):7
                add rule ip proxy pre tcp dport 30008 dnat to \(a2):7
                add chain ip proxy post { type nat hook postrouting priority 100; }
                add rule ip proxy post ip saddr \(a1) ip daddr \(a1) masquerade
                add rule ip proxy post ct status dnat ip saddr 10.251.0.0/24 masquerade'
            """)
        try bed.shell("store", "ip route add 10.96.0.0/16 via 10.251.0.1")
        for (name, from, target) in [
            ("pod to pod of another node", "a1", "\(b1):7"), ("and back", "b1", "\(a2):7"),
            ("pod to pod of its node", "a1", "\(a2):7"), ("node to pod", "a", "\(b1):7"),
            ("node to its own pod", "a", "\(a2):7"), ("pod to a service elsewhere", "a1", "10.96.0.1:80"),
            ("pod to a service of its node", "a1", "10.96.0.2:80"), ("pod to its own service", "a1", "10.96.0.3:80"),
            ("node port to another node", "store", "10.251.0.1:30007"),
            ("host port", "store", "10.251.0.1:30008"),
        ] {
            try await eventually("\(name) over TCP", context: { bed.log("a") + bed.log("b") }) {
                try bed.echoes(from, target)
            }
            for _ in 0..<3 { #expect(try bed.echoes(from, target), "\(name), again") }
        }
        for (name, from, target) in [
            ("pod to node", "a1", bed.subnet("b").address), ("pod to its own node", "a1", bed.gateway("a")),
            ("pod to the underlay, masqueraded", "b1", bed.bed.address("store")), ("node to pod", "b", a1),
        ] {
            #expect(try bed.ping(from, target), "\(name)")
        }
        // Fragments, both ways.
        let large = try bed.bed.run("a1", "ping", ["-c", "2", "-W", "2", "-s", "4000", "-n", "\(b1)"])
        #expect(large.code == 0, "\(large.output)")
        // What does not fit and may not be fragmented is answered, not lost.
        let tooBig = try bed.bed.run("a1", "ping", ["-c", "1", "-W", "2", "-M", "do", "-s", "1460", "-n", "\(b1)"])
        #expect(tooBig.output.contains("mtu") || tooBig.output.contains("too long"), "\(tooBig.output)")
        // A closed UDP port is reported by the other pod's kernel.
        let refused = try bed.bed.run(
            "a1", "/bin/sh", ["-c", "echo x | timeout 3 socat -t 2 - UDP:\(b1):9; true"])
        #expect(refused.output.contains("refused"), "\(refused.output)")
        // Hops are counted and named.
        let hop = try bed.bed.run("a1", "ping", ["-c", "1", "-W", "2", "-t", "1", "-n", "\(b1)"])
        #expect(hop.output.contains("Time to live exceeded"), "\(hop.output)")
        #expect(try bed.invalidPackets("a") == 0)
        #expect(try bed.invalidPackets("b") == 0)
    }

    @Test func statusAndMetricsNameThePathAndCountItsPackets() async throws {
        let bed = try await PodBed(datapath: ["b": "tun"])
        try bed.shell("a", "tc qdisc replace dev a2 root pfifo")
        func status() throws -> String {
            try bed.bed.run("a", OverlayBed.overlayd, ["status", "--subnet-file", bed.bed.subnetFile("a")]).output
        }
        #expect(try status().contains("datapath  ebpf"))
        #expect(try status().contains("user space, MTU 1472"), "the peer's path is named")
        #expect(try status().contains("\(bed.address("a2")), through the stack: queueing discipline pfifo on a2"))
        #expect(try status().contains("short-local"))
        bed.stopDaemon("a", SIGKILL)
        #expect(try status().contains("not running: packets go on in the kernel"))
    }

    @Test func aPodCannotSendWithAnothersAddress() async throws {
        let bed = try await PodBed(datapath: [:])
        let servers = try bed.startEcho("b1")
        defer { for server in servers { server.kill() } }
        try bed.shell("a1", "ip addr add \(bed.address("a2"))/32 dev lo")
        let lie = try bed.bed.run(
            "a1", "ping",
            ["-c", "2", "-i", "0.2", "-W", "1", "-I", "\(bed.address("a2"))", "-n", "\(bed.address("b1"))"])
        #expect(lie.code != 0, "\(lie.output)")
        #expect(try bed.ping("a1", bed.address("b1")), "its own address is still good")
    }

    @Test(arguments: [("udp", SIGKILL), ("udp", SIGTERM), ("vxlan", SIGKILL)])
    func packetsOutliveTheDaemon(backend: String, signal: CInt) async throws {
        let bed = try await PodBed(datapath: [:], backend: backend)
        // Several hundred pings a second: between pods, from a node, and through a service.
        try bed.shell(
            "a",
            """
            nft 'add table ip proxy
                add chain ip proxy pre { type nat hook prerouting priority -100; }
                add rule ip proxy pre ip daddr 10.96.0.1 dnat to \(bed.address("b1"))'
            """)
        let pings = try [("a1", "\(bed.address("b1"))"), ("a", "\(bed.address("b1"))"), ("a2", "10.96.0.1")].map {
            try bed.bed.start($0.0, "/usr/bin/ping", ["-i", "0.004", "-c", "1500", "-W", "2", "-n", "-q", $0.1])
        }
        defer { for ping in pings { ping.kill() } }
        for node in ["a", "b"] { bed.stopDaemon(node, signal) }
        try bed.addPod("a3")
        #expect(try bed.ping("a3", bed.address("b1")), "a pod made while overlayd is down")
        for node in ["a", "b"] { try bed.startDaemon(node) }
        for ping in pings {
            #expect(ping.wait() == 0, "\(ping.output)")
            #expect(ping.output.contains("1500 received"), "\(ping.output)")
        }
        try await eventually("overlayd is back", context: { bed.log("a") }) { bed.log("a").contains("datapath ebpf") }
        #expect(try bed.ping("a3", bed.address("b1")))
    }
}
