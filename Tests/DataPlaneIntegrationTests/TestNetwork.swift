import Addressing
import DataPlane
import Glibc
import LinuxKit
import Testing

/// A network namespace that is gone when the test is.
final class TestNode: Sendable {
    let name: String
    let namespace: NetworkNamespace
    let netlink: NetlinkSocket

    init(_ role: String) throws {
        name = "dataplane-\(getpid())-\(role)"
        namespace = .named(name)
        try namespace.create()
        netlink = try NetlinkSocket(in: namespace)
        try netlink.setLink(try netlink.requiredLink("lo").index, up: true)
        for setting in [
            "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.default.rp_filter=0", "net.ipv6.conf.default.accept_dad=0",
            "net.ipv6.conf.default.router_solicitations=0",
        ] { try sh("sysctl -qw \(setting)") }
    }

    deinit { try? namespace.delete() }

    /// Runs a command line in the namespace, on this machine's file system.
    func sh(_ line: String) throws { try shell("nsenter --net=\(namespace.path) \(line)") }
}

/// Runs a command line.
func shell(_ line: String) throws {
    let status = system(line)
    guard status == 0 else { throw CommandFailure(line: line, status: status) }
}

struct CommandFailure: Error {
    let line: String
    let status: CInt
}

/// Joins two nodes by a veth pair, each end with its address and both up.
func join(
    _ left: (node: TestNode, name: String, address: String), _ right: (node: TestNode, name: String, address: String),
    mtu: Int = 1500
) throws {
    try NetlinkSocket().createVeth(
        LinkPlace(left.name, in: left.node.namespace), LinkPlace(right.name, in: right.node.namespace), mtu: mtu)
    for end in [left, right] {
        try shell("ip -n \(end.node.name) addr add \(end.address) dev \(end.name)")
        try shell("ip -n \(end.node.name) link set \(end.name) up")
    }
}

/// A node with an engine, as overlayd sets one up: node 1 is 10.244.1.0 and fd00:244:1::1 on the overlay, and reaches
/// 10.244.0.0/16 and fd00:244::/32 through it.
final class OverlayNode: Sendable {
    let node: TestNode
    let engine: TunnelEngine

    init(
        _ node: TestNode, index: Int, underlay: String, peer: (index: Int, underlay: String), queues: Int = 1,
        sourcePorts: Int = 1, mtu: Int = 1472
    ) throws {
        self.node = node
        guard let own = IPv4Address(underlay), let other = IPv4Address(peer.underlay),
            let subnet = IPv4Prefix("10.244.\(index).0/24"), let subnet6 = IPv6Prefix("fd00:244:\(index)::/48"),
            let remote = IPv4Prefix("10.244.\(peer.index).0/24"),
            let remote6 = IPv6Prefix("fd00:244:\(peer.index)::/48")
        else { throw CommandFailure(line: "addresses", status: 0) }
        engine = try node.namespace.runAndWait { () throws(SyscallError) in
            var configuration = TunnelConfiguration(
                deviceName: "overlay0", underlayAddress: own, port: 8285, queues: queues)
            configuration.sourcePortsPerQueue = sourcePorts
            let engine = try TunnelEngine(configuration)
            try engine.start()
            return engine
        }
        engine.publish(
            ForwardingTable(
                routes: [ForwardingRoute(prefix: remote, endpoint: other, port: 8285)],
                routes6: [ForwardingRoute6(prefix: remote6, endpoint: other, port: 8285)],
                local: LocalSubnets(subnet: subnet, subnet6: subnet6)))
        try shell("ip -n \(node.name) link set overlay0 mtu \(mtu) up")
        try shell("ip -n \(node.name) addr add 10.244.\(index).0/32 dev overlay0")
        try shell("ip -n \(node.name) addr add fd00:244:\(index)::1/128 dev overlay0 nodad")
        try shell("ip -n \(node.name) route replace 10.244.0.0/16 dev overlay0")
        try shell("ip -n \(node.name) route replace fd00:244::/32 dev overlay0")
    }

    deinit { engine.stop() }
}

/// Polls until `condition` holds. Returns whether it did in time.
func holds(within seconds: Int = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try condition() { return true }
        usleep(20_000)
    }
    return false
}
