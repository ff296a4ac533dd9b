import Addressing
import Glibc
import LinuxKit
import Synchronization
import Testing

/// Two nodes of an ``OverlayBed``, each with overlayd, a bridge and pods, and a firewall as careful nodes have it: what
/// is forwarded is tracked, and packets that belong to no connection are dropped and counted.
///
///     a1, a2 -- cni0 -- a ==== b -- cni0 -- b1
final class PodBed: Sendable {
    let bed: OverlayBed
    private let etcd: MachineProgram
    private let daemons = Mutex<[String: MachineProgram]>([:])
    private let pods = Mutex<[String]>([])
    private let subnets = Mutex<[String: IPv4Prefix]>([:])
    private let datapath: [String: String]

    /// - Parameters:
    ///   - datapath: What each node gets for `--datapath`.
    ///   - backend: The network's `Backend.Type`.
    init(datapath: [String: String], backend: String = "udp") async throws {
        self.datapath = datapath
        bed = try OverlayBed(["a", "b"])
        etcd = try bed.startEtcd()
        try await eventually("etcd answers", context: { [etcd] in etcd.output }) { [bed] in
            try bed.etcdctl(
                "put", "/coreos.com/network/config",
                #"{"Network":"10.252.0.0/16","Backend":{"Type":"\#(backend)"}}"#
            ).contains("OK")
        }
        for node in ["a", "b"] {
            try startDaemon(node)
            try await eventually("\(node) has a subnet", context: { log(node) }) { bed.subnet(node) != nil }
            subnets.withLock { $0[node] = bed.subnet(node) }
            try shell(
                node,
                """
                ip link add cni0 mtu \(mtu(node)) type bridge && ip addr add \(gateway(node))/24 dev cni0 && ip link set cni0 up
                sysctl -qw net.ipv4.conf.all.rp_filter=0
                nft 'add table ip careful
                    add chain ip careful forward { type filter hook forward priority 0; policy accept; }
                    add rule ip careful forward ct state invalid counter drop
                    add chain ip careful input { type filter hook input priority 0; policy accept; }
                    add rule ip careful input ct state invalid counter drop'
                """)
        }
        for pod in ["a1", "a2", "b1"] { try addPod(pod) }
        for (from, to) in [("a1", "b1"), ("b1", "a2"), ("a1", "a2")] {
            try await eventually("\(from) reaches \(to)", context: { log("a") + log("b") }) {
                try ping(from, address(to))
            }
        }
    }

    deinit {
        for daemon in daemons.withLock({ $0.values }) { daemon.kill() }
        etcd.kill()
        for pod in pods.withLock({ $0 }) { try? bed.namespace(pod).delete() }
    }

    func startDaemon(_ node: String) throws {
        let daemon = try bed.startOverlayd(node, "--datapath", datapath[node] ?? "auto", "--ip-masq")
        daemons.withLock { $0[node] = daemon }
    }

    func stopDaemon(_ node: String, _ signal: CInt) { daemons.withLock { $0[node] }?.kill(signal) }

    func log(_ node: String) -> String { daemons.withLock { $0[node] }?.output ?? "" }

    func gateway(_ node: String) -> IPv4Address { subnet(node).address.advanced(by: 1) }
    func subnet(_ node: String) -> IPv4Prefix {
        subnets.withLock { $0[node] } ?? IPv4Prefix(IPv4Address(bits: 0), length: 0)
    }

    /// What the node's subnet file tells pods.
    func mtu(_ node: String) -> String {
        let lines = (FileContents.text(bed.subnetFile(node)) ?? "").split(separator: "\n")
        return lines.first { $0.hasPrefix("FLANNEL_MTU=") }.map { String($0.dropFirst(12)) } ?? "1400"
    }

    /// The address of a pod, whose name is its node's with a number.
    func address(_ pod: String) -> IPv4Address {
        subnet(String(pod.prefix(1))).address.advanced(by: 1 + (UInt32(pod.dropFirst()) ?? 0))
    }

    /// Makes a pod as the CNI plugin `bridge` does.
    func addPod(_ pod: String) throws {
        let node = String(pod.prefix(1))
        try bed.namespace(pod).create()
        pods.withLock { $0.append(pod) }
        try shell(
            node,
            """
            ip link add eth0 netns \(bed.namespace(pod).path) mtu \(mtu(node)) type veth peer name \(pod) mtu \(mtu(node))
            ip link set \(pod) master cni0 && ip link set \(pod) type bridge_slave hairpin on && ip link set \(pod) up
            """)
        try shell(
            pod,
            """
            ip link set lo up && ip addr add \(address(pod))/24 dev eth0 && ip link set eth0 up
            ip route add default via \(gateway(node))
            """)
    }

    /// Runs a script on a node or in a pod. Fails the test with what it printed unless its status is 0.
    @discardableResult
    func shell(_ place: String, _ script: String) throws -> String {
        let result = try bed.run(place, "/bin/sh", ["-ec", script])
        guard result.code == 0 else { throw DeadlinePassed(description: "\(place): \(script): \(result.output)") }
        return result.output
    }

    func ping(_ from: String, _ target: IPv4Address) throws -> Bool { try bed.pings(from, target) }

    /// Whether a line sent over TCP comes back from a server in a pod.
    func echoes(_ from: String, _ target: String) throws -> Bool {
        try bed.run(
            from, "/bin/sh", ["-c", "echo over-tcp | timeout 5 socat -t 3 - TCP:\(target),connect-timeout=2"]
        ).output.contains("over-tcp")
    }

    /// A server that sends everything back, on TCP and UDP port 7.
    func startEcho(_ pod: String) throws -> [MachineProgram] {
        try ["TCP", "UDP"].map { kind in
            try bed.start(pod, "/usr/bin/socat", ["\(kind)-LISTEN:7,fork,reuseaddr", "EXEC:cat"])
        }
    }

    /// Packets that the careful firewall of a node has dropped.
    func invalidPackets(_ node: String) throws -> Int {
        try shell(node, "nft list table ip careful").split(separator: "\n").compactMap { line in
            line.contains("counter packets")
                ? line.split(separator: " ").drop { $0 != "packets" }.dropFirst().first.flatMap { Int($0) } : nil
        }.reduce(0, +)
    }
}
