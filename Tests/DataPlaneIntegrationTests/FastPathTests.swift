import Addressing
import DataPlane
import Glibc
import LinuxKit
import Testing

/// The programs in the kernel, each branch by running it over a packet (`BPF_PROG_TEST_RUN`) in a namespace of the
/// test's own; super-packets of the right kind can't be made that way, and are shown with real traffic. There the loopback interface stands for the pods' veths and the underlay.
@Suite(.enabled(if: geteuid() == 0, "needs root to load programs"), .serialized, .timeLimit(.minutes(2)))
struct FastPathTests {
    // TC_ACT_… of <linux/pkt_cls.h>
    static let next: CInt = -1
    static let dropped: CInt = 2
    static let redirected: CInt = 7

    static let pod = FastPathPod(
        address: IPv4Address(10, 44, 1, 2), interface: 1, podMAC: MACAddress(bits: 0x0A_0000_0001),
        hostMAC: MACAddress(bits: 0x0A_0000_0002))

    // MARK: out

    /// A packet of a pod, what becomes of it, and why.
    struct Sent: Sendable, CustomTestStringConvertible {
        var name: String
        var frame: [UInt8]
        var segment = 0
        var result: CInt
        var event: FastPathEvent?
        var testDescription: String { name }
    }

    static let sent: [Sent] = [
        Sent(name: "UDP to a peer", frame: Packet().frame, result: redirected, event: .shortOut),
        Sent(name: "TCP to a peer", frame: Packet(transport: 6).frame, result: redirected, event: .shortOut),
        Sent(name: "an echo to a peer", frame: Packet(transport: 1).frame, result: redirected, event: .shortOut),
        Sent(
            name: "the largest packet", frame: Packet(payload: 1472 - 28).frame, result: redirected, event: .shortOut),
        Sent(name: "one byte too many", frame: Packet(payload: 1473 - 28).frame, result: next),
        Sent(
            name: "a super-packet of too long segments", frame: Packet(transport: 6, payload: 3000).frame,
            segment: 1433, result: next),
        Sent(
            name: "to a subnet that nobody has", frame: Packet(destination: IPv4Address(10, 44, 9, 1)).frame,
            result: next),
        Sent(name: "to the internet", frame: Packet(destination: IPv4Address(8, 8, 8, 8)).frame, result: next),
        Sent(
            name: "to a peer in user space", frame: Packet(destination: IPv4Address(10, 44, 3, 2)).frame, result: next),
        Sent(
            name: "to a prefix of another length", frame: Packet(destination: IPv4Address(10, 44, 64, 9)).frame,
            result: redirected, event: .shortOut),
        Sent(name: "at its last hop", frame: Packet(timeToLive: 1).frame, result: next),
        Sent(name: "a first fragment", frame: Packet(fragment: 0x2000).frame, result: next),
        Sent(name: "a later fragment", frame: Packet(fragment: 0x00B9).frame, result: next),
        Sent(name: "with options", frame: Packet(options: [1, 1, 1, 0]).frame, result: next),
        Sent(name: "of another protocol", frame: Packet(transport: 47).frame, result: next),
        Sent(name: "ARP", frame: ethernet(type: 0x0806) + [UInt8](repeating: 0, count: 46), result: next),
        Sent(name: "IPv6", frame: ethernet(type: 0x86DD) + [0x60] + [UInt8](repeating: 0, count: 60), result: next),
        Sent(
            name: "with another pod's address", frame: Packet(source: IPv4Address(10, 44, 1, 9)).frame,
            result: dropped, event: .spoofedByPod),
        Sent(
            name: "with an address of nobody here", frame: Packet(source: IPv4Address(8, 8, 8, 8)).frame,
            result: dropped, event: .spoofedByPod),
        Sent(
            name: "to itself, through the bridge", frame: Packet(destination: pod.address).frame, result: redirected,
            event: .shortLocal),
        Sent(
            name: "to a pod of this node that is not known",
            frame: Packet(destination: IPv4Address(10, 44, 1, 77)).frame, result: next),
    ]

    @Test(arguments: sent)
    func aPodsPacketTakesItsPath(_ packet: Sent) throws {
        try withFastPath { (path) throws in
            let before = path.events
            let after = try path.run(.podIngress, over: packet.frame, segment: packet.segment)
            #expect(after.result == packet.result)
            if packet.result == Self.next { #expect(after.frame == packet.frame, "left alone, it is unchanged") }
            let changed = path.events.filter { $0.value != before[$0.key] }.keys
            #expect(Set(changed) == Set([packet.event].compactMap { $0 }))
        }
    }

    @Test func theOuterHeadersAreRightAndTheInnerPacketIsOneHopOlder() throws {
        try withFastPath { (path) throws in
            let packet = Packet(typeOfService: 0xB9, payload: 99)  // expedited forwarding, ECT(1)
            let frame = try path.run(.podIngress, over: packet.frame).frame
            let outer = Array(frame[14..<34])
            #expect(internetChecksum(outer) == 0)
            #expect(outer[0] == 0x45 && outer[1] == 0xB9, "DSCP and ECN are the inner packet's (RFC 6040)")
            #expect(Int(outer[2]) << 8 + Int(outer[3]) == 28 + packet.bytes.count)
            #expect(Array(outer[6...9]) == [0x40, 0, 64, 17], "not to be fragmented, 64 hops, UDP")
            #expect(Array(outer[12...]) == [198, 18, 0, 1, 198, 18, 0, 2])
            #expect(frame[34] >= 0xC0, "a dynamic port, RFC 6335")
            #expect(Array(frame[36..<42]) == octets(UInt16(8285)) + octets(UInt16(8 + packet.bytes.count)) + [0, 0])
            var older = packet
            older.timeToLive -= 1
            #expect(Array(frame[42...]) == older.bytes)
        }
    }

    @Test func flowsHaveSourcePortsOfTheirOwn() throws {
        try withFastPath { (path) throws in
            let ports = try (0..<64).map { number in
                Array(try path.run(.podIngress, over: Packet(sourcePort: 4000 + number).frame).frame[34..<36])
            }
            #expect(Set(ports).count > 48)
            let again = try path.run(.podIngress, over: Packet(sourcePort: 4005).frame).frame
            #expect(ports[5] == Array(again[34..<36]))
        }
    }

    @Test func aPodThatStepsAsideIsStillNotAllowedToLie() throws {
        try withFastPath(stepAside: "a queueing discipline") { (path) throws in
            #expect(try path.run(.podIngress, over: Packet().frame).result == Self.next)
            let lie = Packet(source: IPv4Address(10, 44, 1, 9)).frame
            #expect(try path.run(.podIngress, over: lie).result == Self.dropped)
            #expect(
                try path.run(.underlayIngress, over: Datagram(Self.answer).frame).frame.count == 14
                    + Self.answer.bytes.count)
            #expect(path.events[.stackIn] == 1)
        }
    }

    // MARK: the gate

    @Test func aFlowThatConntrackKnowsStaysWithTheStackInBothDirections() throws {
        try withFastPath { (path) throws in
            try track("-p udp -s 10.44.1.2 -d 10.44.2.2 --sport 4000 --dport 5000 --timeout 60")
            try path.giveToStack(
                FlowTuple(
                    source: IPv4Address(10, 44, 1, 2), destination: IPv4Address(10, 44, 2, 2), transport: 17,
                    sourcePort: 4000, destinationPort: 5000))
            #expect(try path.run(.podIngress, over: Packet().frame).result == Self.next)
            _ = try path.run(.underlayIngress, over: Datagram(Self.answer).frame)
            #expect(path.events[.stackIn] == 1)
            #expect(path.events[.lookups] == 2)
            let other = Packet(sourcePort: 4001)
            #expect(try path.run(.podIngress, over: other.frame).result == Self.redirected)
            #expect(path.events[.lookups] == 2, "the filter tells flows apart")
        }
    }

    @Test func theStacksPacketsTeachTheGate() throws {
        try withFastPath { (path) throws in
            try track("-p tcp -s 10.44.1.2 -d 10.44.2.2 --sport 4000 --dport 5000 --timeout 60 --state ESTABLISHED")
            #expect(try path.run(.podIngress, over: Packet(transport: 6).frame).result == Self.redirected)
            var toPod = Self.answer
            toPod.transport = 6
            #expect(try path.run(.stackEgress, over: toPod.frame).result == Self.next)
            #expect(try path.run(.podIngress, over: Packet(transport: 6).frame).result == Self.next)
        }
    }

    @Test(arguments: ["a fragment", "options"])
    func whatTheStackSendsInPiecesOrWithOptionsTeachesTheGateToo(_ kind: String) throws {
        try withFastPath { (path) throws in
            try track("-p udp -s 10.44.1.2 -d 10.44.2.2 --sport 4000 --dport 5000 --timeout 60")
            var toPod = Self.answer
            if kind == "options" { toPod.options = [1, 1, 1, 0] } else { toPod.fragment = 0x2000 }
            #expect(try path.run(.stackEgress, over: toPod.frame).result == Self.next)
            #expect(try path.run(.podIngress, over: Packet().frame).result == Self.next)
        }
    }

    @Test func aFlowThatConntrackHasForgottenMayTakeTheShortCut() throws {
        try withFastPath { (path) throws in
            try path.giveToStack(
                FlowTuple(
                    source: IPv4Address(10, 44, 1, 2), destination: IPv4Address(10, 44, 2, 2), transport: 17,
                    sourcePort: 4000, destinationPort: 5000))
            #expect(try path.run(.podIngress, over: Packet().frame).result == Self.redirected)
            #expect(path.events[.lookups] == 1)
        }
    }

    @Test func whatWasTrackedBeforeTheProgramsCameIsTheStacks() throws {
        let before = "-p tcp -s 10.44.1.2 -d 10.44.2.2 --sport 4000 --dport 5000 --timeout 60 --state ESTABLISHED"
        try withFastPath(tracked: before) { (path) throws in
            #expect(try path.run(.podIngress, over: Packet(transport: 6).frame).result == Self.next)
            #expect(
                try path.run(.podIngress, over: Packet(transport: 6, sourcePort: 1).frame).result == Self.redirected)
        }
    }

    @Test func anErrorAboutAFlowGoesTheWayOfTheFlow() throws {
        try withFastPath { (path) throws in
            var about = Packet(source: IPv4Address(10, 44, 2, 2), destination: IPv4Address(10, 44, 1, 2))
            about.payload = 0
            let error = Packet(transport: 1, payload: 0)
            // Port unreachable, with the packet that it is about: RFC 792.
            var bytes = Array(error.bytes.prefix(20)) + [3, 3, 0, 0, 0, 0, 0, 0] + about.bytes
            bytes[3] = UInt8(bytes.count)
            #expect(try path.run(.podIngress, over: ethernet(type: 0x0800) + bytes).result == Self.redirected)
            try track("-p udp -s 10.44.2.2 -d 10.44.1.2 --sport 4000 --dport 5000 --timeout 60")
            try path.giveToStack(
                FlowTuple(
                    source: IPv4Address(10, 44, 2, 2), destination: IPv4Address(10, 44, 1, 2), transport: 17,
                    sourcePort: 4000, destinationPort: 5000))
            #expect(try path.run(.podIngress, over: ethernet(type: 0x0800) + bytes).result == Self.next)
        }
    }

    // MARK: in

    /// What the peer sends to the pod.
    static let answer = Packet(
        source: IPv4Address(10, 44, 2, 2), destination: IPv4Address(10, 44, 1, 2), sourcePort: 5000,
        destinationPort: 4000)

    static func received(_ change: (inout Packet, inout Datagram) -> Void) -> [UInt8] {
        var packet = answer
        var datagram = Datagram(packet)
        change(&packet, &datagram)
        datagram.inner = packet.bytes
        return datagram.frame
    }

    static let received: [Sent] = [
        Sent(name: "from the owner", frame: received { _, _ in }, result: redirected, event: .shortIn),
        Sent(
            name: "from the owner's other address",
            frame: received { $1.outerSource = IPv4Address(198, 18, 7, 7) }, result: redirected, event: .shortIn),
        Sent(
            name: "from an address that is not the owner's",
            frame: received { $1.outerSource = IPv4Address(198, 18, 0, 9) }, result: dropped,
            event: .spoofedOuterSource),
        Sent(
            name: "from the address of another peer", frame: received { $1.outerSource = IPv4Address(198, 18, 0, 3) },
            result: dropped, event: .spoofedOuterSource),
        Sent(
            name: "of a subnet that nobody has",
            frame: received { packet, _ in packet.source = IPv4Address(10, 44, 9, 1) },
            result: dropped, event: .unknownPeer),
        Sent(
            name: "of our own subnet", frame: received { packet, _ in packet.source = IPv4Address(10, 44, 1, 3) },
            result: dropped, event: .unknownPeer),
        Sent(
            name: "for another subnet", frame: received { packet, _ in packet.destination = IPv4Address(10, 44, 3, 1) },
            result: dropped, event: .notOurs),
        Sent(
            name: "longer than its datagram", frame: received { packet, _ in packet.claimedLength = 400 },
            result: dropped, event: .malformed),
        Sent(
            name: "shorter than its header", frame: received { packet, _ in packet.claimedLength = 12 },
            result: dropped, event: .malformed),
        Sent(
            name: "congested, of a flow that cannot hear of it", frame: received { $1.typeOfService = 3 },
            result: dropped, event: .congestion),
        Sent(name: "sent by a socket", frame: received { $1.checksum = 0x1234 }, result: next),
        Sent(name: "to another port", frame: received { $1.port = 8286 }, result: next),
        Sent(name: "of another protocol outside", frame: received { $1.transport = 6 }, result: next),
        Sent(
            name: "to another address", frame: received { $1.outerDestination = IPv4Address(198, 18, 0, 5) },
            result: next),
        Sent(name: "fragmented outside", frame: received { $1.fragment = 0x2000 }, result: next),
        Sent(
            name: "several packets one after another",
            frame: {
                var datagram = Datagram(answer)
                datagram.inner = answer.bytes + answer.bytes
                return datagram.frame
            }(), segment: 60, result: next),
    ]

    @Test(arguments: received)
    func aPeersPacketTakesItsPath(_ packet: Sent) throws {
        try withFastPath { (path) throws in
            let before = path.events
            let after = try path.run(.underlayIngress, over: packet.frame, segment: packet.segment)
            #expect(after.result == packet.result)
            if packet.result == Self.next { #expect(after.frame == packet.frame, "left alone, it is unchanged") }
            let changed = path.events.filter { $0.value != before[$0.key] }.keys
            #expect(Set(changed) == Set([packet.event].compactMap { $0 }))
        }
    }

    @Test func thePodGetsThePacketBehindItsOwnAddresses() throws {
        try withFastPath { (path) throws in
            let frame = try path.run(.underlayIngress, over: Datagram(Self.answer).frame).frame
            #expect(Array(frame[0..<6]) == Self.pod.podMAC.octets)
            #expect(Array(frame[6..<12]) == Self.pod.hostMAC.octets)
            var older = Self.answer
            older.timeToLive -= 1
            #expect(Array(frame[14...]) == older.bytes)
        }
    }

    @Test func aPodThatHasGoneIsLeftToTheStack() throws {
        try withFastPath { (path) throws in
            var gone = Self.pod
            gone.interface = 9999
            try path.setPods([gone])
            _ = try path.run(.underlayIngress, over: Datagram(Self.answer).frame)
            #expect(path.events[.shortIn] == 0)
            #expect(path.events[.stackIn] == 1)
        }
    }

    @Test(arguments: [
        (UInt8(2), UInt8(3), UInt8(3)),  // ECT(0) inside, congestion outside: passed on
        (1, 3, 3), (2, 1, 1), (2, 0, 2), (1, 2, 1), (3, 0, 3), (0, 1, 0),
    ])
    func congestionIsPassedOn(inner: UInt8, outer: UInt8, result: UInt8) throws {
        try withFastPath { (path) throws in
            let frame = Self.received { packet, datagram in
                packet.typeOfService = inner
                datagram.typeOfService = outer
            }
            let after = try path.run(.underlayIngress, over: frame).frame
            #expect(after[15] == result)
            #expect(internetChecksum(Array(after[14..<34])) == 0)
        }
    }

    @Test func theNodesOwnPacketsAndWhatIsNotEligibleGoToTheStack() throws {
        try withFastPath { (path) throws in
            for change in [
                { $0.destination = IPv4Address(10, 44, 1, 0) }, { $0.fragment = 0x2000 },
                { $0.options = [1, 1, 1, 0] },
                { $0.timeToLive = 1 }, { $0.transport = 47 }, { $0.destination = IPv4Address(10, 44, 1, 99) },
            ] as [(inout Packet) -> Void] {
                var packet = Self.answer
                change(&packet)
                let after = try path.run(.underlayIngress, over: Datagram(packet).frame)
                #expect(after.result == Self.redirected)
                #expect(Array(after.frame[14...]) == packet.bytes, "stripped, and otherwise as it was")
            }
            #expect(path.events[.stackIn] == 6)
        }
    }

    // MARK: -

    /// A path with one pod and three peers, on the loopback interface of a namespace of its own.
    private func withFastPath(
        stepAside: String? = nil, tracked: String? = nil, _ body: @escaping @Sendable (FastPath) throws -> Void
    ) throws {
        let name = "fastpath-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let namespace = NetworkNamespace.named(name)
        try namespace.create()
        defer { try? namespace.delete() }
        let pins = "/tmp/\(name)"
        try FileContents.makeDirectories(pins)
        try Mounts.mount("bpf", on: pins, type: "bpf")
        defer {
            try? Mounts.unmount(pins, detach: true)
            rmdir(pins)
        }
        let outcome: Result<Void, any Error> = try namespace.runAndWait { () throws(SyscallError) in
            Result {
                try NetlinkSocket().setLink(1, up: true)
                if let tracked { try track(tracked) }
                let path = try FastPath(pins: pins)
                try path.configure(
                    FastPathSettings(
                        network: IPv4Prefix(IPv4Address(10, 44, 0, 0), length: 16),
                        subnet: IPv4Prefix(IPv4Address(10, 44, 1, 0), length: 24),
                        underlayAddress: IPv4Address(198, 18, 0, 1), underlayInterfaces: [1], device: 1,
                        encapsulation: .udp(port: 8285)))
                try path.setRoutes([
                    Self.route("10.44.2.0/24", to: IPv4Address(198, 18, 0, 2), sources: [IPv4Address(198, 18, 7, 7)]),
                    Self.route("10.44.3.0/24", to: IPv4Address(198, 18, 0, 3), isUserSpaceOnly: true),
                    Self.route("10.44.64.0/20", to: IPv4Address(198, 18, 0, 4)),
                ])
                var pod = Self.pod
                pod.stepAside = stepAside
                try path.setPods([pod])
                try body(path)
            }
        }
        try outcome.get()
    }

    private static func route(
        _ prefix: String, to remote: IPv4Address, isUserSpaceOnly: Bool = false, sources: Set<IPv4Address> = []
    ) throws -> FastPathRoute {
        FastPathRoute(
            prefix: try #require(IPv4Prefix(prefix)), remote: remote, local: IPv4Address(198, 18, 0, 1),
            gateway: remote, interface: 1, mtu: 1472, port: 8285, isUserSpaceOnly: isUserSpaceOnly, sources: sources)
    }
}

/// Puts a connection into conntrack's table of the calling thread's namespace.
private func track(_ connection: String) throws {
    try #require(system("conntrack -I \(connection) >/dev/null 2>&1") == 0, "conntrack -I \(connection)")
}
