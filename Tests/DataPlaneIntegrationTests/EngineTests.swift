import Addressing
import DataPlane
import Glibc
import LinuxKit
import Testing

/// Two nodes on a wire, each with an engine: 198.18.0.1 and 198.18.0.2.
private final class Pair: Sendable {
    let left: OverlayNode
    let right: OverlayNode

    init(queues: Int = 1, sourcePorts: Int = 1) throws {
        let (a, b) = (try TestNode("a"), try TestNode("b"))
        try join((a, "eth0", "198.18.0.1/24"), (b, "eth0", "198.18.0.2/24"))
        left = try OverlayNode(
            a, index: 1, underlay: "198.18.0.1", peer: (2, "198.18.0.2"), queues: queues, sourcePorts: sourcePorts)
        right = try OverlayNode(
            b, index: 2, underlay: "198.18.0.2", peer: (1, "198.18.0.1"), queues: queues, sourcePorts: sourcePorts)
    }
}

@Suite(.enabled(if: geteuid() == 0, "needs root for network namespaces"), .serialized, .timeLimit(.minutes(3)))
struct EngineTests {
    /// Copies a file through a TCP connection with socat. Returns whether it arrived as it was.
    private func copies(
        from: TestNode, to: TestNode, family: String, address: String, port: Int, megabytes: Int
    ) throws -> Bool {
        let base = "/tmp/dataplane-\(getpid())-\(port)"
        defer { for suffix in ["in", "out"] { unlink("\(base).\(suffix)") } }
        try shell("head -c \(megabytes)M /dev/urandom > \(base).in")
        try to.sh("timeout 40 socat -u \(family)-LISTEN:\(port),reuseaddr CREATE:\(base).out & :")
        guard holds({ (try? to.sh("ss -Hltn sport = \(port) | grep -q \(port)")) != nil }) else { return false }
        try from.sh("timeout 30 socat -u FILE:\(base).in '\(family):\(address):\(port)'")
        return holds { (try? shell("cmp -s \(base).in \(base).out")) != nil }
    }

    @Test(arguments: [(1, 1), (4, 1), (2, 8)])
    func connectionsOfBothFamiliesCarryTheirBytes(queues: Int, sourcePorts: Int) throws {
        let pair = try Pair(queues: queues, sourcePorts: sourcePorts)
        let (a, b) = (pair.left.node, pair.right.node)
        #expect(try copies(from: a, to: b, family: "TCP4", address: "10.244.2.0", port: 7001, megabytes: 30))
        #expect(try copies(from: b, to: a, family: "TCP6", address: "[fd00:244:1::1]", port: 7002, megabytes: 30))
        let counters = pair.left.engine.counters()
        #expect(counters.sentBytes > 30 << 20)
        #expect(counters.receivedBytes > 30 << 20)
        // The kernel's own router solicitations and the like have no peer to go to.
        #expect(counters.drops.filter { $0.key != .noRoute }.isEmpty, "\(counters.drops)")
    }

    /// Datagrams of many flows both ways at once, which is what makes the kernel's own choice of queues move them.
    @Test(arguments: [1, 8])
    func noFlowIsReordered(sourcePorts: Int) throws {
        let pair = try Pair(queues: 4, sourcePorts: sourcePorts)
        let rounds = getenv("FJORD_LONG") == nil ? 1_500 : 50_000
        let flows = 16
        let forth = try OrderedTraffic(
            from: (pair.left.node, IPv4Address(10, 244, 1, 0)), to: (pair.right.node, IPv4Address(10, 244, 2, 0)),
            flows: flows)
        let back = try OrderedTraffic(
            from: (pair.right.node, IPv4Address(10, 244, 2, 0)), to: (pair.left.node, IPv4Address(10, 244, 1, 0)),
            flows: flows)
        try forth.start()
        try back.start()
        for number in 1...UInt32(rounds) {
            forth.send(number)
            back.send(number)
        }
        for traffic in [forth, back] {
            let result = traffic.finish()
            #expect(result.received > rounds * flows / 2, "most arrive")
            #expect(result.overtaken == 0)
        }
    }

    /// A router on the way has a link with a smaller MTU than the nodes know of: A (1500) router (1400) B.
    @Test func aSmallerMTUOnTheWayIsLearntAndPassedOn() throws {
        let (a, router, b) = (try TestNode("a"), try TestNode("r"), try TestNode("b"))
        try join((a, "eth0", "198.18.1.1/24"), (router, "left", "198.18.1.254/24"))
        try join((router, "right", "198.18.2.254/24"), (b, "eth0", "198.18.2.1/24"), mtu: 1400)
        try shell("ip -n \(a.name) route add default via 198.18.1.254")
        try shell("ip -n \(b.name) route add default via 198.18.2.254")
        let left = try OverlayNode(a, index: 1, underlay: "198.18.1.1", peer: (2, "198.18.2.1"))
        let right = try OverlayNode(b, index: 2, underlay: "198.18.2.1", peer: (1, "198.18.1.1"), mtu: 1372)
        #expect(try copies(from: a, to: b, family: "TCP4", address: "10.244.2.0", port: 7003, megabytes: 5))
        #expect(try copies(from: a, to: b, family: "TCP6", address: "[fd00:244:2::1]", port: 7004, megabytes: 5))
        // What may be fragmented gets through, larger than the way.
        try a.sh("ping -q -M dont -s 1400 -c 2 -i 0.2 -W 2 10.244.2.0 > /dev/null")
        withExtendedLifetime((left, right)) {}
    }

    @Test func theDeviceOutlivesItsEngineAndIsTakenUpByTheNext() throws {
        let node = try TestNode("persist")
        try join((node, "eth0", "198.18.0.1/24"), (node, "other", "198.18.0.9/24"))
        var first: OverlayNode? = try OverlayNode(node, index: 1, underlay: "198.18.0.1", peer: (2, "198.18.0.2"))
        let before = try node.netlink.requiredLink("overlay0")
        #expect(try node.netlink.tunState(before)?.isPersistent == true)
        #expect(throws: SyscallError.self) { try self.engine(node) }  // the port, and the device, are taken
        first?.engine.stop()
        first = nil
        let between = try node.netlink.requiredLink("overlay0")
        #expect(between.index == before.index)
        #expect(try node.netlink.tunState(between)?.queues == 0)
        #expect(try node.netlink.routes().contains { $0.interface == before.index })
        let second = try engine(node, queues: 3)
        let after = try node.netlink.requiredLink("overlay0")
        #expect(after.index == before.index)
        #expect(try node.netlink.tunState(after)?.queues == 3)
        #expect(after.mtu == 1472)
        second.stop()
    }

    @Test func aDeviceThatDoesNotFitIsReplacedAndAStrangersIsLeftAlone() throws {
        let node = try TestNode("misfit")
        try join((node, "eth0", "198.18.0.1/24"), (node, "other", "198.18.0.9/24"))
        try node.sh("ip tuntap add dev overlay0 mode tun")  // one queue only
        let old = try node.netlink.requiredLink("overlay0")
        let engine = try engine(node)
        let new = try node.netlink.requiredLink("overlay0")
        #expect(new.index != old.index)
        #expect(try node.netlink.tunState(new)?.isMultiQueue == true)
        engine.stop()
        try shell("ip -n \(node.name) link add overlay1 type veth peer name overlay2")
        #expect { try self.engine(node, device: "overlay1", port: 8286) } throws: {
            ($0 as? SyscallError)?.code == EEXIST
        }
        #expect(try node.netlink.link(named: "overlay1")?.kind == "veth")
    }

    private func engine(
        _ node: TestNode, queues: Int = 1, device: String = "overlay0", port: UInt16 = 8285
    ) throws(SyscallError) -> TunnelEngine {
        try node.namespace.runAndWait { () throws(SyscallError) in
            try TunnelEngine(
                TunnelConfiguration(
                    deviceName: device, underlayAddress: IPv4Address(198, 18, 0, 1), port: port, queues: queues))
        }
    }
}
