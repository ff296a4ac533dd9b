import BenchmarkKit
import Foundation

/// The ways that are compared.
enum Path: String, CaseIterable {
    case hostGateway = "pod to pod, no encapsulation"
    case kernelVXLAN = "pod to pod, kernel VXLAN"
    case kernel = "pod to pod, overlayd in the kernel"
    case podTunnel = "pod to pod, overlayd in user space"
    case bare = "host to host, bare veth"
    case tunnel = "host to host, overlayd in user space"
    case flanneld = "host to host, flanneld udp"

    var isHostToHost: Bool { [.bare, .tunnel, .flanneld].contains(self) }
    /// What it is compared with.
    var reference: Path { isHostToHost ? .bare : .hostGateway }
    /// Bytes around each packet.
    var overhead: Int {
        switch self {
        case .hostGateway, .bare: 0
        case .kernelVXLAN: 50
        case .kernel, .podTunnel, .tunnel, .flanneld: 28
        }
    }
    /// The program that carries the packets, with its options.
    var daemon: Daemon? {
        switch self {
        case .hostGateway, .kernelVXLAN, .bare: nil
        case .kernel: .overlayd(datapath: "ebpf")
        case .podTunnel, .tunnel: .overlayd(datapath: "tun")
        case .flanneld: .flanneld
        }
    }
}

enum Daemon: Equatable {
    case overlayd(datapath: String)
    /// The program that the environment variable FLANNELD names.
    case flanneld
}

/// Two nodes joined by a veth pair, each a network namespace with a bridge and one pod on it.
///
///     pod a -- bridge -- node a ==== veth, MTU 1500 ==== node b -- bridge -- pod b
///
/// Each node has a FORWARD rule that tracks connections, as any real node has.
final class TestBed {
    struct Node {
        let name: String
        let pod: String
        let address: String
        /// The overlay's device, and the lease's first address; `/24`.
        var subnet = ""
        var networkAddress: String { subnet.replacingOccurrences(of: "/24", with: "") }
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
    private var daemons: [Process] = []
    private var daemon: Daemon?

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
        for index in nodes.indices { try makePod(index) }
        try joinVXLAN()
        for node in nodes { try reserve(node) }
    }

    /// A lease without an end for each node, so that its subnet is known before a daemon runs.
    private func reserve(_ node: Node) throws {
        let key = "/coreos.com/network/subnets/\(node.subnet.replacingOccurrences(of: "/", with: "-"))"
        try within(
            nodes[0].name,
            "env ETCDCTL_API=3 etcdctl --endpoints http://\(nodes[0].address):4001 put \(key) {\"PublicIP\":\"\(node.address)\"}"
        )
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

    private func makePod(_ index: Int) throws {
        let node = nodes[index]
        nodes[index].subnet = "10.244.\(index + 1).0/24"
        let ready = nodes[index]
        try Command.run("ip -n \(node.name) link add cni0 type bridge")
        try Command.run("ip -n \(node.name) link set cni0 up")
        try Command.run("ip -n \(node.name) addr add \(ready.gateway)/24 dev cni0")
        try Command.run("ip link add eth0 netns \(node.pod) type veth peer name pod0 netns \(node.name)")
        try Command.run("ip -n \(node.name) link set pod0 master cni0 up")
        try Command.run("ip -n \(node.pod) addr add \(ready.podAddress)/24 dev eth0")
        try Command.run("ip -n \(node.pod) link set eth0 up")
        try Command.run("ip -n \(node.pod) route add default via \(ready.gateway)")
        try within(node.name, "nft add table ip bench")
        try within(
            node.name, "nft add chain ip bench forward { type filter hook forward priority 0 ; policy accept ; }")
        try within(node.name, "nft add rule ip bench forward ct state established,related accept")
        try Command.run(
            "ip -n \(node.name) link add vx1 type vxlan id 9 dev eth0 local \(node.address) dstport 8472 nolearning")
        try Command.run("ip -n \(node.name) link set vx1 up")
    }

    /// Static forwarding entries, as flannel's `vxlan` backend makes them.
    private func joinVXLAN() throws {
        for node in nodes {
            let peer = other(node)
            let words = try Command.run("ip -n \(peer.name) -o link show vx1").split(separator: " ")
            guard let mark = words.firstIndex(of: "link/ether") else {
                throw CommandError(line: "ip link show vx1", status: 0, output: words.joined(separator: " "))
            }
            let address = words[mark + 1]
            try Command.run(
                "ip -n \(node.name) neigh add \(peer.networkAddress) lladdr \(address) dev vx1 nud permanent")
            try within(node.name, "bridge fdb add \(address) dev vx1 dst \(peer.address)")
        }
    }

    /// Starts what the path needs, ends what it must not have, and waits until packets come through.
    func choose(_ path: Path) throws {
        if path.daemon != daemon {
            try stopDaemons()
            if let wanted = path.daemon { try start(wanted) }
        }
        for node in nodes {
            let (peer, mtu) = (other(node), 1500 - path.overhead)
            switch path {
            case .hostGateway:
                try Command.run("ip -n \(node.name) route replace \(peer.subnet) via \(peer.address)")
            case .kernelVXLAN:
                try Command.run(
                    "ip -n \(node.name) route replace \(peer.subnet) via \(peer.networkAddress) dev vx1 onlink")
            case .kernel, .podTunnel, .tunnel, .bare, .flanneld:
                _ = try? Command.run("ip -n \(node.name) route del \(peer.subnet)")
            }
            for (space, device) in [(node.pod, "eth0"), (node.name, "pod0"), (node.name, "cni0")] {
                try Command.run("ip -n \(space) link set \(device) mtu \(mtu)")
            }
        }
        let (from, to) = ends(path)
        try Command.wait(for: path.rawValue) {
            (try? within(from, "ping -c 2 -i 0.05 -W 1 \(to.address)")) != nil
        }
    }

    /// The namespace that sends, and the one that receives with its address.
    func ends(_ path: Path) -> (from: String, to: (space: String, address: String)) {
        let (a, b) = (nodes[0], nodes[1])
        if !path.isHostToHost { return (a.pod, (b.pod, b.podAddress)) }
        return (a.name, (b.name, path == .bare ? b.address : b.networkAddress))
    }

    private func start(_ wanted: Daemon) throws {
        daemon = wanted
        for node in nodes {
            let file = "\(directory)/\(node.name).env"
            let store = "http://\(nodes[0].address):4001"
            switch wanted {
            case .overlayd(let datapath):
                daemons.append(
                    try Command.start(
                        "\(enter(node.name)) \(binaries)/overlayd --etcd-endpoints \(store) --iface eth0 --subnet-file \(file) --datapath \(datapath)",
                        log: "\(directory)/\(node.name).log"))
            case .flanneld:
                daemons.append(
                    try Command.start(
                        "\(enter(node.name)) \(Self.flanneld ?? "flanneld") -etcd-endpoints=\(store) -iface=eth0 -subnet-file=\(file)",
                        log: "\(directory)/\(node.name).log"))
            }
            try Command.wait(for: "a lease") { FileManager.default.fileExists(atPath: file) }
        }
    }

    private func stopDaemons() throws {
        for process in daemons where process.isRunning { process.terminate() }
        for process in daemons { process.waitUntilExit() }
        daemons = []
        if case .overlayd = daemon {
            for node in nodes {
                try within(node.name, "\(binaries)/overlayd clean --subnet-file \(directory)/\(node.name).env")
            }
        }
        for node in nodes { try? FileManager.default.removeItem(atPath: "\(directory)/\(node.name).env") }
        daemon = nil
    }

    static var flanneld: String? { ProcessInfo.processInfo.environment["FLANNELD"] }

    /// Whether the wire between the nodes carries super-packets whole, as a veth does, or packets of its MTU, as a NIC
    /// does that knows nothing of tunnels.
    func carrySuperPackets(_ whole: Bool) throws {
        let state = whole ? "on" : "off"
        for node in nodes {
            try within(
                node.name, "ethtool -K eth0 tso \(state) gso \(state) tx-udp_tnl-segmentation \(state) gro on")
        }
    }

    func other(_ node: Node) -> Node { nodes.first { $0.name != node.name } ?? node }
    func enter(_ space: String) -> String { "nsenter --net=/run/netns/\(space)" }
    @discardableResult func within(_ space: String, _ line: String) throws -> String {
        try Command.run("\(enter(space)) \(line)")
    }

    /// Removes everything, whatever is there of it.
    func down() {
        try? stopDaemons()
        for process in processes.reversed() where process.isRunning { process.terminate() }
        for process in processes { process.waitUntilExit() }
        for node in nodes { for space in [node.pod, node.name] { _ = try? Command.run("ip netns del \(space)") } }
        try? FileManager.default.removeItem(atPath: directory)
    }
}
