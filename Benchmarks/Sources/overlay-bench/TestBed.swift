import Foundation

/// Two nodes joined by a veth pair, each a network namespace with an overlayd and a bridge with one pod on it.
///
///     pod a -- bridge -- node a ==== veth, MTU 1500 ==== node b -- bridge -- pod b
///
/// Encapsulated or not is a matter of one route a node: without it the overlay's device is the way to the other pod,
/// with it the other node is (flannel's `host-gw`).
final class TestBed {
    struct Node {
        let name: String
        let pod: String
        let address: String
        /// The overlay's device, and the lease's first address; `/24`.
        var subnet = ""
        var gateway: String { subnet.replacingOccurrences(of: ".0/24", with: ".1") }
        var podAddress: String { subnet.replacingOccurrences(of: ".0/24", with: ".2") }
    }

    private(set) var nodes = [
        Node(name: "fjbench-a", pod: "fjbench-pa", address: "198.18.0.1"),
        Node(name: "fjbench-b", pod: "fjbench-pb", address: "198.18.0.2"),
    ]
    private let directory: String
    private let binaries: String
    private var processes: [Process] = []

    init(binaries: String) throws {
        self.binaries = binaries
        directory = "/tmp/fjord-bench-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    func up() throws {
        for node in nodes {
            for space in [node.name, node.pod] {
                try Command.run("ip netns add \(space)")
                try Command.run("ip -n \(space) link set lo up")
            }
            try within(node.name, "sysctl -qw net.ipv4.ip_forward=1")
        }
        try Command.run("ip link add eth0 netns \(nodes[0].name) type veth peer name eth0 netns \(nodes[1].name)")
        for node in nodes {
            try Command.run("ip -n \(node.name) addr add \(node.address)/24 dev eth0")
            try Command.run("ip -n \(node.name) link set eth0 up")
        }
        try startStore()
        for index in nodes.indices { try startNode(index) }
        for node in nodes {
            try Command.wait(for: "a way to the other pod") {
                (try? within(node.pod, "ping -c 1 -W 1 \(other(node).podAddress)")) != nil
            }
        }
    }

    private func startStore() throws {
        let store = nodes[0]
        processes.append(
            try Command.start(
                "\(enter(store.name)) \(binaries)/fjord store --store-path \(directory)/store.db --listen-client-urls http://\(store.address):4001",
                log: "\(directory)/store.log"))
        let config = #"{"Network":"10.244.0.0/16","Backend":{"Type":"udp"}}"#
        try Command.wait(for: "the store") {
            (try? within(
                store.name,
                "env ETCDCTL_API=3 etcdctl --endpoints http://\(store.address):4001 put /coreos.com/network/config \(config)"
            )) != nil
        }
    }

    private func startNode(_ index: Int) throws {
        let node = nodes[index]
        let file = "\(directory)/\(node.name).env"
        processes.append(
            try Command.start(
                "\(enter(node.name)) \(binaries)/overlayd --etcd-endpoints http://\(nodes[0].address):4001 --iface eth0 --subnet-file \(file)",
                log: "\(directory)/\(node.name).log"))
        try Command.wait(for: "a lease") { FileManager.default.fileExists(atPath: file) }
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        guard let subnet = lines.first(where: { $0.hasPrefix("FLANNEL_SUBNET=") })?.dropFirst(15),
            let mtu = lines.first(where: { $0.hasPrefix("FLANNEL_MTU=") })?.dropFirst(12)
        else { throw CommandError(line: file, status: -1, output: "no subnet in it") }
        nodes[index].subnet = subnet.replacingOccurrences(of: ".1/24", with: ".0/24")
        let ready = nodes[index]
        try Command.run("ip -n \(node.name) link add cni0 type bridge")
        try Command.run("ip -n \(node.name) link set cni0 mtu \(mtu) up")
        try Command.run("ip -n \(node.name) addr add \(ready.gateway)/24 dev cni0")
        try Command.run(
            "ip link add eth0 netns \(node.pod) mtu \(mtu) type veth peer name pod0 netns \(node.name) mtu \(mtu)")
        try Command.run("ip -n \(node.name) link set pod0 master cni0 up")
        try Command.run("ip -n \(node.pod) addr add \(ready.podAddress)/24 dev eth0")
        try Command.run("ip -n \(node.pod) link set eth0 up")
        try Command.run("ip -n \(node.pod) route add default via \(ready.gateway)")
        // As every real node has: what is forwarded is tracked.
        try within(node.name, "nft add table ip bench")
        try within(
            node.name, "nft add chain ip bench forward { type filter hook forward priority 0 ; policy accept ; }")
        try within(node.name, "nft add rule ip bench forward ct state established,related accept")
    }

    /// Chooses the way between the pods.
    func encapsulate(_ encapsulated: Bool) throws {
        for node in nodes {
            try Command.run(
                "ip -n \(node.name) route \(encapsulated ? "del" : "replace") \(other(node).subnet) via \(other(node).address)"
            )
        }
        for node in nodes { try within(node.pod, "ping -c 2 -i 0.2 -W 1 \(other(node).podAddress)") }
    }

    func other(_ node: Node) -> Node { nodes.first { $0.name != node.name } ?? node }
    func enter(_ space: String) -> String { "nsenter --net=/run/netns/\(space)" }
    @discardableResult func within(_ space: String, _ line: String) throws -> String {
        try Command.run("\(enter(space)) \(line)")
    }

    /// Removes everything, whatever is there of it.
    func down() {
        for process in processes.reversed() where process.isRunning { process.terminate() }
        for process in processes { process.waitUntilExit() }
        for node in nodes { for space in [node.pod, node.name] { _ = try? Command.run("ip netns del \(space)") } }
        try? FileManager.default.removeItem(atPath: directory)
    }
}
