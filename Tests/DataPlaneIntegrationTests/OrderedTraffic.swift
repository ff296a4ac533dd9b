import Addressing
import Glibc
import LinuxKit
import Synchronization

/// Numbered datagrams of several flows from one node to another, and whether they overtake each other.
final class OrderedTraffic: Sendable {
    struct Result {
        var received = 0
        /// Datagrams that came after one of their flow with a higher number.
        var overtaken = 0
    }

    private let senders: [CInt]
    private let receiver: CInt
    private let thread = Mutex<UInt>(0)
    private let result = Mutex(Result())

    init(
        from: (node: TestNode, address: IPv4Address), to: (node: TestNode, address: IPv4Address), flows: Int
    ) throws {
        receiver = try Self.socket(in: to.node, to.address, port: 9_000)
        var size: CInt = 16 << 20
        setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &size, 4)
        var timeout = timeval(tv_sec: 1, tv_usec: 0)
        setsockopt(receiver, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        senders = try (0..<flows).map { flow in
            let number = try Self.socket(in: from.node, from.address, port: UInt16(10_000 + flow))
            var peer = Self.name(to.address, 9_000)
            try SyscallError.check("connect", "flow \(flow)") {
                withUnsafePointer(to: &peer) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(number, $0, 16) }
                }
            }
            return number
        }
    }

    deinit { for number in senders + [receiver] { close(number) } }

    /// Begins to receive, until nothing has come for a second.
    func start() throws {
        let handle = try DedicatedThread.start(name: "ordered", detached: false) { [self] in
            var last: [UInt16: UInt32] = [:]
            var seen = Result()
            while true {
                var (number, source, length) = (UInt32(0), sockaddr_in(), socklen_t(16))
                let count = withUnsafeMutablePointer(to: &source) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        recvfrom(receiver, &number, 4, 0, $0, &length)
                    }
                }
                if count < 0 { break }
                seen.received += 1
                if let before = last[source.sin_port], number <= before { seen.overtaken += 1 }
                last[source.sin_port] = max(number, last[source.sin_port] ?? 0)
            }
            result.withLock { $0 = seen }
        }
        thread.withLock { $0 = handle }
    }

    /// Sends one datagram of each flow.
    func send(_ number: UInt32) {
        var number = number
        for flow in senders { _ = Glibc.send(flow, &number, 4, CInt(MSG_DONTWAIT)) }
    }

    /// Waits until nothing comes any more.
    func finish() -> Result {
        DedicatedThread.join(thread.withLock { $0 })
        return result.withLock { $0 }
    }

    private static func name(_ address: IPv4Address, _ port: UInt16) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address.networkOrder
        return name
    }

    private static func socket(in node: TestNode, _ address: IPv4Address, port: UInt16) throws -> CInt {
        try node.namespace.runAndWait { () throws(SyscallError) in
            let number = try SyscallError.check("socket", "UDP") {
                Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            }
            var own = name(address, port)
            try SyscallError.check("bind", "\(address):\(port)") {
                withUnsafePointer(to: &own) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, 16) }
                }
            }
            return number
        }
    }
}
