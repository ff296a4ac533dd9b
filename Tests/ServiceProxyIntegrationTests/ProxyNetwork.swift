import FoundationEssentials
import Glibc
import LinuxKit

/// A node with three pods, each in a network namespace of its own:
///
///     client 10.244.1.2 ──┐
///     first  10.244.2.2 ──┼── node 10.244.{1,2,3}.1
///     second 10.244.3.2 ──┘
///
/// Only made by root; everything in it ends with `remove()`.
final class ProxyNetwork: Sendable {
    let prefix: String
    let node: NetworkNamespace
    private let pods = ["client", "first", "second"]
    private let servers: [Int32]

    /// - Parameter port: Where `first` and `second` serve their own names, over TCP and UDP.
    init(port: Int) throws {
        prefix = "proxyt\(getpid() % 10_000)"
        node = .named("\(prefix)-node")
        try shell("ip netns add \(prefix)-node && ip -n \(prefix)-node link set lo up")
        try shell("ip netns exec \(prefix)-node sysctl -qw net.ipv4.ip_forward=1")
        for (index, pod) in pods.enumerated() {
            let name = "\(prefix)-\(pod)"
            let subnet = "10.244.\(index + 1)"
            try shell("ip netns add \(name) && ip -n \(name) link set lo up")
            try shell("ip link add eth0 netns \(name) type veth peer name \(pod) netns \(prefix)-node")
            try shell(
                "ip -n \(prefix)-node addr add \(subnet).1/24 dev \(pod) && ip -n \(prefix)-node link set \(pod) up")
            try shell("ip -n \(name) addr add \(subnet).2/24 dev eth0 && ip -n \(name) link set eth0 up")
            try shell("ip -n \(name) route add default via \(subnet).1")
        }
        // A way out that leads nowhere, as locally sent packets need one before their address is translated.
        try shell("ip -n \(prefix)-node route add default via 10.244.1.2")
        var servers: [Int32] = []
        for pod in ["first", "second"] {
            for kind in ["TCP-LISTEN", "UDP-RECVFROM"] {
                var start = ProgramStart(
                    "ip",
                    arguments: [
                        "ip", "netns", "exec", "\(prefix)-\(pod)", "socat", "\(kind):\(port),fork,reuseaddr",
                        "SYSTEM:echo \(pod) $SOCAT_PEERADDR",
                    ])
                start.newSession = true
                servers.append(try start.spawn())
            }
        }
        self.servers = servers
    }

    /// What `pod` (or the node, `node`) gets from an address over TCP; empty when refused.
    func ask(_ address: String, from pod: String = "client") -> String {
        output("ip netns exec \(prefix)-\(pod) socat -u -T2 TCP:\(address),connect-timeout=2 - 2>/dev/null")
    }

    /// What the client gets over UDP, from one source port.
    func askDatagram(_ address: String, sourcePort: Int) -> String {
        output(
            "echo x | ip netns exec \(prefix)-client socat -T1 - UDP:\(address),sourceport=\(sourcePort) 2>/dev/null")
    }

    /// The error of a connection that does not come about.
    func failure(_ address: String, from pod: String = "client") -> String {
        output("ip netns exec \(prefix)-\(pod) socat -u TCP:\(address),connect-timeout=2 - 2>&1 >/dev/null")
    }

    func remove() {
        for server in servers {
            kill(-server, SIGKILL)
            waitpid(server, nil, 0)
        }
        for name in pods + ["node"] { try? shell("ip netns del \(prefix)-\(name)") }
    }
}

struct CommandFailure: Error, CustomStringConvertible {
    let description: String
}

func shell(_ command: String) throws {
    guard system(command) == 0 else { throw CommandFailure(description: command) }
}

func output(_ command: String) -> String {
    guard let pipe = popen(command, "r") else { return "" }
    defer { pclose(pipe) }
    var text = ""
    var buffer = [CChar](repeating: 0, count: 512)
    while fgets(&buffer, 512, pipe) != nil {
        text += String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
    return text
}

/// Tries until `condition` holds or `seconds` are over.
func eventually(within seconds: Int = 20, _ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(50))
    }
    return false
}
