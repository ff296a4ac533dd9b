import Addressing
import Glibc
import LinuxKit
import Testing

/// A namespace with a name of its own that is gone when the test is.
private struct TemporaryNamespace: ~Copyable {
    let namespace: NetworkNamespace
    init(_ name: String) throws {
        namespace = .named("linuxkit-\(getpid())-\(name)")
        try namespace.create()
    }
    deinit { try? namespace.delete() }
}

/// Needs root: namespaces, veth, bridge.
@Suite(.enabled(if: geteuid() == 0, "needs root for network namespaces"))
struct NetworkTests {
    @Test func aNamespaceIsMadeOnceAndGoesByName() throws {
        let name = "linuxkit-\(getpid())-once"
        let namespace = NetworkNamespace.named(name)
        try namespace.create()
        #expect(namespace.exists)
        #expect(NetworkNamespace.names().contains(name))
        #expect(throws: SyscallError.self) { try namespace.create() }
        try namespace.delete()
        try namespace.delete()
        #expect(!namespace.exists)
        #expect(!FileContents.exists(namespace.path))
    }

    @Test func theInsideOfANamespaceIsAnotherNetworkAndLeavesTheCallersAlone() throws {
        let before = ProcessStatus.namespaceInode(getpid(), "net")
        let other = try TemporaryNamespace("inside")
        let inode = other.namespace.inode
        let seen = try other.namespace.runAndWait { () throws(SyscallError) in
            var status = stat()
            stat("/proc/thread-self/ns/net", &status)
            return UInt64(status.st_ino)
        }
        #expect(seen == inode)
        #expect(ProcessStatus.namespaceInode(getpid(), "net") == before)
    }

    /// left (10.99.0.1/24) --veth-- port of a bridge, in `lan` --veth-- right (10.99.0.2/24)
    @Test func vethsJoinNamespacesThroughABridge() async throws {
        let lan = try TemporaryNamespace("lan")
        let left = try TemporaryNamespace("left")
        let right = try TemporaryNamespace("right")
        let lanSocket = try NetlinkSocket(in: lan.namespace)
        try lanSocket.createBridge("br0")
        let bridge = try lanSocket.requiredLink("br0")
        #expect(bridge.kind == "bridge")
        try lanSocket.setLink(bridge.index, up: true)
        for (host, port, address) in [
            (left.namespace, "p1", IPv4Address(10, 99, 0, 1)), (right.namespace, "p2", IPv4Address(10, 99, 0, 2)),
        ] {
            try NetlinkSocket().createVeth(
                LinkPlace(port, in: lan.namespace),
                LinkPlace("eth0", in: host, hardwareAddress: MACAddress(bits: 0x0200_0000_0000 | UInt64(address.bits))),
                mtu: 1400)
            let portLink = try lanSocket.requiredLink(port)
            try lanSocket.setLink(portLink.index, master: bridge.index)
            try lanSocket.setLink(portLink.index, up: true)
            let socket = try NetlinkSocket(in: host)
            let link = try socket.requiredLink("eth0")
            #expect(link.mtu == 1400)
            #expect(link.kind == "veth")
            #expect(link.hardwareAddress?.bits == 0x0200_0000_0000 | UInt64(address.bits))
            try socket.addAddress(InterfaceAddress(interface: link.index, address: address, prefixLength: 24))
            try socket.setLink(link.index, up: true)
            #expect(try socket.addresses(of: link.index).map(\.address) == [address])
        }
        #expect(try lanSocket.link(named: "p1")?.master == bridge.index)
        // A datagram crosses the bridge.
        let receiver = try right.namespace.runAndWait { () throws(SyscallError) in
            try udpSocket(boundTo: IPv4Address(10, 99, 0, 2), port: 9000)
        }
        let sender = try left.namespace.runAndWait { () throws(SyscallError) in
            try udpSocket(boundTo: IPv4Address(10, 99, 0, 1), port: 9000)
        }
        defer {
            close(receiver)
            close(sender)
        }
        var received = false
        let deadline = ContinuousClock.now + .seconds(10)
        while !received, ContinuousClock.now < deadline {
            send(sender, to: IPv4Address(10, 99, 0, 2), port: 9000)
            var polled = pollfd(fd: receiver, events: Int16(POLLIN), revents: 0)
            received = poll(&polled, 1, 100) == 1
        }
        #expect(received)
        try lanSocket.deleteLink("p1")
        try lanSocket.deleteLink("p1")
        #expect(try NetlinkSocket(in: left.namespace).link(named: "eth0") == nil)
    }

    @Test func routesAreAddedReplacedLookedUpAndDeleted() throws {
        let here = try TemporaryNamespace("routes")
        let socket = try NetlinkSocket(in: here.namespace)
        try socket.createVeth(LinkPlace("a", in: here.namespace), LinkPlace("b", in: here.namespace))
        let link = try socket.requiredLink("a")
        try socket.addAddress(
            InterfaceAddress(interface: link.index, address: IPv4Address(10, 98, 0, 1), prefixLength: 24))
        try socket.setLink(link.index, up: true)
        try socket.setLink(try socket.requiredLink("b").index, up: true)
        let pods = try #require(IPv4Prefix("10.244.0.0/16"))

        let route = Route(to: pods, via: IPv4Address(10, 98, 0, 2), interface: link.index, protocolTag: 79, mtu: 1400)
        try socket.addRoute(route)
        #expect(throws: SyscallError(call: "RTM_NEWROUTE", subject: "\(route)", code: EEXIST)) {
            try socket.addRoute(route)
        }
        #expect(try socket.routes().contains(route))
        #expect(try socket.route(to: IPv4Address(10, 244, 3, 1)).gateway == IPv4Address(10, 98, 0, 2))
        #expect(try socket.route(to: IPv4Address(10, 244, 3, 1)).source == IPv4Address(10, 98, 0, 1))

        try socket.replaceRoute(Route(to: pods, action: .unreachable))
        #expect(try socket.routes().filter { $0.destination == pods }.map(\.action) == [.unreachable])
        #expect(throws: SyscallError.self) { try socket.route(to: IPv4Address(10, 244, 3, 1)) }

        // Through a gateway that no address of the link covers.
        try socket.replaceRoute(Route(to: pods, via: IPv4Address(192, 0, 2, 9), interface: link.index, onLink: true))
        #expect(try socket.routes().first { $0.destination == pods }?.onLink == true)
        #expect(try socket.deleteRoute(Route(to: pods)))
        #expect(try !socket.deleteRoute(Route(to: pods)))

        try socket.addRoute(Route(to: IPv4Prefix(IPv4Address(bits: 0), length: 0), via: IPv4Address(10, 98, 0, 254)))
        let underlay = try #require(try socket.defaultInterface())
        #expect(underlay.link.name == "a")
        #expect(underlay.address == IPv4Address(10, 98, 0, 1))
        #expect(try socket.interface(holding: IPv4Address(10, 98, 0, 1))?.link.name == "a")
        #expect(try socket.interface(holding: IPv4Address(10, 98, 0, 7)) == nil)
    }

    @Test func neighboursAreKept() throws {
        let here = try TemporaryNamespace("neigh")
        let socket = try NetlinkSocket(in: here.namespace)
        try socket.createVeth(LinkPlace("a", in: here.namespace), LinkPlace("b", in: here.namespace))
        let link = try socket.requiredLink("a")
        try socket.setLink(link.index, up: true)
        let neighbour = Neighbour(
            interface: link.index, address: IPv4Address(10, 97, 0, 2), hardwareAddress: MACAddress("02:00:00:00:00:09"))
        try socket.replaceNeighbour(neighbour)
        #expect(try socket.neighbours().contains(neighbour))
        try socket.deleteNeighbour(neighbour)
        #expect(try !socket.neighbours().contains(neighbour))
    }

    @Test func changesAreReportedInOrder() async throws {
        let here = try TemporaryNamespace("monitor")
        let socket = try NetlinkSocket(in: here.namespace)
        let changes = try NetworkMonitor.changes(of: [.links, .addresses, .routes], in: here.namespace)
        try socket.createVeth(LinkPlace("a", in: here.namespace), LinkPlace("b", in: here.namespace))
        let link = try socket.requiredLink("a")
        try socket.addAddress(
            InterfaceAddress(interface: link.index, address: IPv4Address(10, 96, 0, 1), prefixLength: 24))
        try socket.deleteLink("a")
        var made = false
        var addressed = false
        var removed = false
        for await change in changes {
            switch change {
            case .link(let link) where link.name == "a": made = true
            case .address(let address) where address.address == IPv4Address(10, 96, 0, 1): addressed = made
            case .linkRemoved(let link) where link.name == "a": removed = addressed
            default: break
            }
            if removed { break }
        }
        #expect(removed)
    }

    @Test func errorsCarryTheKernelsOwnWords() throws {
        let here = try TemporaryNamespace("words")
        let socket = try NetlinkSocket(in: here.namespace)
        do throws(SyscallError) {
            try socket.addRoute(
                Route(to: IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 8), via: IPv4Address(10, 1, 1, 1)))
            Issue.record("a route through a gateway that cannot be reached was taken")
        } catch {
            #expect(error.code == ENETUNREACH)
            #expect(error.subject.contains("gateway"))
        }
    }
}

private func udpSocket(boundTo address: IPv4Address, port: UInt16) throws(SyscallError) -> CInt {
    let number = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.networkOrder
    try SyscallError.check("bind", "\(address)") {
        withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
    return number
}

private func send(_ number: CInt, to address: IPv4Address, port: UInt16) {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.networkOrder
    _ = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            sendto(number, "x", 1, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
}
