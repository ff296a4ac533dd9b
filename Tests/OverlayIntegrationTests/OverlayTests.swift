import Addressing
import Foundation
import Glibc
import LinuxKit
import Testing

/// Needs root, /dev/net/tun, etcd-server, etcd-client, nftables, iputils-ping, util-linux and the overlayd built beside it.
@Suite(.serialized, .enabled(if: OverlayBed.isPossible, "needs root and etcd"), .timeLimit(.minutes(3)))
struct OverlayTests {
    static let config = #"{"Network":"10.252.0.0/16","Backend":{"Type":"udp","Port":8285}}"#

    /// A bed with etcd and the network's config in it.
    private func bed(_ machines: [String]) async throws -> (OverlayBed, MachineProgram) {
        let bed = try OverlayBed(machines)
        let etcd = try bed.startEtcd()
        try await eventually("etcd answers", context: { etcd.output }) {
            try bed.etcdctl("put", "/coreos.com/network/config", Self.config).contains("OK")
        }
        return (bed, etcd)
    }

    private func waitForMesh(_ bed: OverlayBed, _ daemons: [String: MachineProgram]) async throws {
        let names = daemons.keys.sorted()
        for (name, daemon) in daemons {
            try await eventually("\(name) has a subnet", context: { daemon.output }) { bed.subnet(name) != nil }
        }
        for from in names {
            for to in names where to != from {
                guard let target = bed.subnet(to)?.address else { continue }
                try await eventually("\(from) reaches \(to)", context: { daemons[from]?.output ?? "" }) {
                    try bed.pings(from, target)
                }
            }
        }
    }

    @Test func twoNodesReachEachOtherAndTheWireShowsWhatIsInside() async throws {
        let (bed, etcd) = try await bed(["a", "b"])
        defer { etcd.kill() }
        let a = try bed.startOverlayd("a", "--ip-masq", "--healthz-port=8081")
        let b = try bed.startOverlayd("b", "--ip-masq=true", "--iface", "eth0")
        defer { a.kill(); b.kill() }
        try await waitForMesh(bed, ["a": a, "b": b])
        let subnetA = try #require(bed.subnet("a"))
        let subnetB = try #require(bed.subnet("b"))
        #expect(subnetA != subnetB)

        // Keys and values are flanneld's.
        let key = "/coreos.com/network/subnets/\(subnetA.address)-24"
        #expect(
            try bed.etcdctl("get", key).contains(
                "\(key)\n{\"PublicIP\":\"10.251.0.1\",\"PublicIPv6\":null,"
                    + "\"BackendData\":{\"Decapsulation\":\"kernel\"}}"))
        #expect(
            FileContents.text(bed.subnetFile("a"))
                == "FLANNEL_NETWORK=10.252.0.0/16\nFLANNEL_SUBNET=\(subnetA.address.advanced(by: 1))/24\nFLANNEL_MTU=1472\nFLANNEL_IPMASQ=true"
        )

        // The wire shows UDP port 8285 with the overlay's addresses inside.
        let capture = try bed.start(
            "a", OverlayBed.overlayd, ["capture", "--iface", "eth0", "--count", "2", "--seconds", "20"])
        defer { capture.kill() }
        try await eventually("packets are captured", context: { capture.output }) {
            _ = try bed.pings("a", subnetB.address)
            return !capture.isRunning
        }
        #expect(capture.wait() == 0)
        #expect(
            capture.output.contains("> 10.251.0.2:8285 UDP | \(subnetA.address) > \(subnetB.address) ICMP 84 bytes"),
            "\(capture.output)")

        // The kernel's side is as flanneld leaves it.
        let routes = try bed.run("a", "ip", ["route"]).output
        #expect(routes.contains("10.252.0.0/16 dev flannel0"), "\(routes)")
        let rules = try bed.run("a", "nft", ["list", "ruleset"]).output
        #expect(rules.contains("ip saddr 10.252.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random"), "\(rules)")
        #expect(try bed.run("a", "curl", ["-s", "http://127.0.0.1:8081/readyz"]).output == "ready\n")
        #expect(try bed.run("a", "curl", ["-s", "http://127.0.0.1:8081/healthz"]).output == "overlayd is running\n")
        let status = try bed.run("a", OverlayBed.overlayd, ["status", "--subnet-file", bed.subnetFile("a")]).output
        #expect(status.contains("\(subnetB) at 10.251.0.2") && status.contains("running, process"), "\(status)")
    }

    @Test func bulkCrossesTheOverlayAndItsCostIsMeasured() async throws {
        let (bed, etcd) = try await bed(["a", "b"])
        defer { etcd.kill() }
        let a = try bed.startOverlayd("a")
        let b = try bed.startOverlayd("b")
        defer { a.kill(); b.kill() }
        try await waitForMesh(bed, ["a": a, "b": b])
        let server = try bed.start(
            "b", OverlayBed.overlayd, ["measure", "--serve", "--subnet-file", bed.subnetFile("b")])
        defer { server.kill() }
        try await eventually("the server listens", context: { server.output }) { server.output.contains("receiving") }
        var output = ""
        try await eventually("a measurement", context: { output }) {
            let result = try bed.run(
                "a", OverlayBed.overlayd,
                ["measure", "--peer", "10.251.0.2", "--rounds", "1", "--seconds", "1", "--megabytes", "200", "--json"])
            output = result.output
            return result.code == 0
        }
        let document = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        #expect(document["oneMachine"] as? Bool == true)
        let rounds = try #require(document["rounds"] as? [[String: Any]])
        #expect(rounds.compactMap { $0["path"] as? String }.sorted() == ["overlay", "underlay"])
        #expect(rounds.allSatisfy { ($0["bytes"] as? Int ?? 0) > 1_000_000 }, "\(output)")
        #expect(document["stealPercent"] is Double || document["stealPercent"] is Int)
    }

    @Test func trafficOutlivesTheStoreAndARestartGetsTheSameSubnet() async throws {
        let (bed, first) = try await bed(["a", "b"])
        var etcd = first
        defer { etcd.kill() }
        var a = try bed.startOverlayd("a")
        let b = try bed.startOverlayd("b")
        defer { a.kill(); b.kill() }
        try await waitForMesh(bed, ["a": a, "b": b])
        let subnetA = try #require(bed.subnet("a"))
        let subnetB = try #require(bed.subnet("b"))

        // A restart with the store at hand.
        a.kill(SIGTERM)
        #expect(a.output.contains("stopped; lease"), "\(a.output)")
        a = try bed.startOverlayd("a")
        try await waitForMesh(bed, ["a": a, "b": b])
        #expect(bed.subnet("a") == subnetA)

        // The store goes away: packets don't notice.
        etcd.kill()
        for _ in 0..<5 { #expect(try bed.pings("a", subnetB.address)) }

        // A restart without it: the saved state serves.
        a.kill()
        a = try bed.startOverlayd("a")
        try await eventually("traffic by the saved state", context: { a.output }) {
            try bed.pings("a", subnetB.address)
        }
        // The eBPF path needs no daemon, so packets may be there before it has said so.
        try await eventually("the saved state is named", context: { a.output }) {
            a.output.contains("until the store confirms them")
        }

        // It comes back, and everything with it.
        etcd = try bed.startEtcd()
        try await eventually("the lease is confirmed", context: { a.output }) {
            a.output.contains("lease of \(subnetA) in")
        }
        #expect(bed.subnet("a") == subnetA)
        #expect(try bed.pings("b", subnetA.address))
    }

    @Test func whatOthersChangeIsRepaired() async throws {
        let (bed, etcd) = try await bed(["a", "b"])
        defer { etcd.kill() }
        // A route of a former life, and one of somebody else's.
        try bed.run("a", "ip", ["route", "add", "10.253.0.0/24", "dev", "eth0", "proto", "82"])
        try bed.run("a", "ip", ["route", "add", "10.253.1.0/24", "dev", "eth0", "proto", "99"])
        let a = try bed.startOverlayd("a", "--iptables-resync=1")
        let b = try bed.startOverlayd("b")
        defer { a.kill(); b.kill() }
        try await waitForMesh(bed, ["a": a, "b": b])
        func routes() throws -> String { try bed.run("a", "ip", ["route"]).output }
        let subnetB = try #require(bed.subnet("b"))
        #expect(try !routes().contains("10.253.0.0/24"), "a stale route of ours is removed")
        #expect(try routes().contains("10.253.1.0/24"), "a foreign one is not")

        try bed.run("a", "ip", ["route", "del", "10.252.0.0/16"])
        try await eventually("the route is back", context: { a.output }) {
            try routes().contains("10.252.0.0/16 dev flannel0")
        }
        try bed.run("a", "ip", ["link", "set", "flannel0", "down"])
        try await eventually("the link is up again", context: { a.output }) {
            guard try routes().contains("10.252.0.0/16 dev flannel0") else { return false }
            return try bed.pings("a", subnetB.address)
        }
        try bed.run("a", "ip", ["link", "del", "flannel0"])
        try await eventually("the device is made anew", context: { a.output }) { try bed.pings("a", subnetB.address) }
        try bed.run("a", "nft", ["flush", "ruleset"])
        try await eventually("the rules are back", context: { a.output }) {
            try bed.run("a", "nft", ["list", "ruleset"]).output.contains("table ip overlayd")
        }
        try bed.run("a", "ip", ["link", "set", "eth0", "mtu", "1400"])
        try await eventually("the MTU follows", context: { a.output }) {
            FileContents.text(bed.subnetFile("a"))?.contains("FLANNEL_MTU=1372") == true
        }

        // Nothing of ours is left after clean.
        a.kill(SIGTERM)
        let cleaned = try bed.run("a", OverlayBed.overlayd, ["clean", "--subnet-file", bed.subnetFile("a")])
        #expect(cleaned.code == 0 && cleaned.output.contains("nftables table"), "\(cleaned.output)")
        #expect(try bed.run("a", "nft", ["list", "ruleset"]).output.isEmpty)
        #expect(try !routes().contains("10.252.0.0/16"))
        #expect(!FileContents.exists(bed.subnetFile("a")))
    }

    @Test func aDeletedLeaseIsClaimedAgainAtOnceAndGarbageHarmsNobody() async throws {
        let (bed, etcd) = try await bed(["a", "b"])
        defer { etcd.kill() }
        _ = try bed.etcdctl("put", "/coreos.com/network/subnets/10.252.77.0-24", "{garbage")
        let a = try bed.startOverlayd("a")
        let b = try bed.startOverlayd("b")
        defer { a.kill(); b.kill() }
        try await waitForMesh(bed, ["a": a, "b": b])
        #expect(a.output.contains("/coreos.com/network/subnets/10.252.77.0-24 is skipped"), "\(a.output)")
        let subnet = try #require(bed.subnet("a"))
        let key = "/coreos.com/network/subnets/\(subnet.address)-24"
        _ = try bed.etcdctl("del", key)
        try await eventually("the lease is there again", context: { a.output }) {
            try bed.etcdctl("get", key).contains("10.251.0.1")
        }
        #expect(bed.subnet("a") == subnet)
        try await eventually("b reaches a again", context: { b.output }) { try bed.pings("b", subnet.address) }
    }

    @Test func whatCannotWorkIsSaidInOneLine() async throws {
        let (bed, etcd) = try await bed(["a"])
        defer { etcd.kill() }
        func refusal(_ arguments: [String], as user: String? = nil) throws -> (Int32, String) {
            let all = ["--etcd-endpoints=\(bed.endpoint)", "--subnet-file=\(bed.subnetFile("x"))"] + arguments
            let result =
                try user.map {
                    try bed.run("a", "setpriv", ["--reuid=\($0)", "--clear-groups", OverlayBed.overlayd] + all)
                }
                ?? bed.run("a", OverlayBed.overlayd, all)
            return (result.code, result.output)
        }
        for (arguments, hint) in [
            (["--kube-subnet-mgr"], "not there yet"), (["--iface=eth7"], "eth0 (10.251.0.1/24)"),
            (["--public-ip=x"], "IPv4 address"), (["--public-ipv6=x"], "IPv6 address"),
            (["--cni-conf-form=x"], "bridge or flannel"), (["--net-config-path=/x"], "no meaning"),
            (["--iface-regex=("], "regular expression"), (["--iface-can-reach=x"], "IPv4 address"),
            (["--etcd-username=x"], "belong together"), (["--iptables-resync=0"], "above 0"),
            (["--etcd-endpoint=x"], "did you mean --etcd-endpoints?"), (["--healthz-port=99999"], "0 to 65535"),
            (["--etcd-certfile=/x"], "belong together"), (["--subnet-lease-renew-margin=0"], "1 to 1439"),
        ] {
            let (code, output) = try refusal(arguments)
            #expect(
                code != 0 && output.contains(hint) && output.split(separator: "\n").count == 1,
                "\(arguments): \(output)")
        }
        let unprivileged =
            try bed.run(
                "a", "setpriv", ["--reuid=65534", "--clear-groups", "/bin/sh", "-c", "test -x \(OverlayBed.overlayd)"]
            ).code == 0
        if unprivileged {
            let (code, output) = try refusal([], as: "65534")
            #expect(code != 0 && output.contains("must be root"), "\(output)")
        }
        // The port of the overlay is taken.
        let other = try bed.start("a", "socat", ["-u", "UDP4-RECV:8285,bind=10.251.0.1", "STDOUT"])
        defer { other.kill() }
        try await eventually("the port is taken") { try bed.run("a", "ss", ["-lun"]).output.contains(":8285") }
        let (code, output) = try refusal([])
        #expect(code != 0 && output.contains("UDP port 8285 of 10.251.0.1 is taken"), "\(output)")
    }

    @Test func aStoreThatComesLateIsWaitedFor() async throws {
        let bed = try OverlayBed(["a"])
        let a = try bed.startOverlayd("a")
        defer { a.kill() }
        try await eventually("the store is missed", context: { a.output }) {
            a.output.contains("no network config yet")
        }
        let etcd = try bed.startEtcd()
        defer { etcd.kill() }
        try await eventually("etcd answers", context: { etcd.output }) {
            try bed.etcdctl("get", "x", "-w", "json").contains("revision")
        }
        try await eventually("the config is missed", context: { a.output }) {
            a.output.contains("/coreos.com/network/config does not exist")
        }
        _ = try bed.etcdctl("put", "/coreos.com/network/config", #"{"Network":"10.252.0.0/16","SubnetLen":"x"}"#)
        try await eventually("the mistake is named", context: { a.output }) {
            a.output.contains("SubnetLen: found the string")
        }
        _ = try bed.etcdctl("put", "/coreos.com/network/config", Self.config)
        try await eventually("a lease", context: { a.output }) { bed.subnet("a") != nil }
    }

    @Test func nodesThatStartTogetherAllSeeEachOther() async throws {
        let names = ["a", "b", "c", "d"]
        let (bed, etcd) = try await bed(names)
        defer { etcd.kill() }
        var daemons: [String: MachineProgram] = [:]
        for name in names { daemons[name] = try bed.startOverlayd(name) }
        defer { for daemon in daemons.values { daemon.kill() } }
        try await waitForMesh(bed, daemons)
        #expect(Set(names.compactMap { bed.subnet($0) }).count == names.count)
    }
}
