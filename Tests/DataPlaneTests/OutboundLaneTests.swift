import Addressing
import DataPlane
import DataPlaneTesting
import LinuxKit
import Testing

@Suite struct OutboundLaneTests {
    private let destination: (UInt8, UInt8) = (2, 3)

    private func hopLess(_ packet: [UInt8]) -> [UInt8] {
        var copy = packet
        copy[packet[0] >> 4 == 6 ? 7 : 8] -= 1
        PacketFactory.fixChecksums(&copy)
        return copy
    }

    @Test(arguments: [false, true], [false, true])
    func aPacketGoesToItsPeerWithOneHopLess(isIPv6: Bool, isTCP: Bool) throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var generator = SeededGenerator(seed: 1)
        let packet = PacketFactory(isIPv6: isIPv6, isTCP: isTCP, trafficClass: 0x2A).make(&generator)
        try harness.giveDevice(packet)
        var lane = OutboundLane()
        let tally = try lane.run(harness)
        let arrived = try LaneHarness.received(harness.peer)
        #expect(arrived == [.init(bytes: hopLess(packet), typeOfService: 0x2A)])
        #expect(tally.packets == 1)
        #expect(tally.bytes == UInt64(packet.count))
    }

    @Test(arguments: Shape.all.filter { $0.payload / $0.size <= 64 })
    func aSuperPacketArrivesAsItsSegments(shape: Shape) throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var generator = SeededGenerator(seed: 2)
        let packet = shape.factory.make(&generator)
        var header = VirtioNetHeader()
        header.flags = VirtioNetHeader.needsChecksum
        header.segmentationType =
            shape.isTCP ? (shape.isIPv6 ? VirtioNetHeader.tcp6 : VirtioNetHeader.tcp4) : VirtioNetHeader.udp
        header.segmentSize = UInt16(shape.size)
        try harness.giveDevice(packet, header)
        var lane = OutboundLane()
        let tally = try lane.run(harness)
        let expected = PlainReference.segments(of: hopLess(packet), size: shape.size)
        #expect(try LaneHarness.received(harness.peer).map(\.bytes) == expected)
        #expect(tally.packets == UInt64(expected.count))
    }

    @Test func manyPacketsOfManySizesArriveInTheirOrder() throws {
        let harness = try LaneHarness(sockets: 4)
        harness.publishTable()
        var generator = SeededGenerator(seed: 3)
        var sent: [[UInt8]] = []
        var lane = OutboundLane(sockets: 4)
        var arrived: [[UInt8]] = []
        for index in 0..<300 {
            let packet = PacketFactory(
                isTCP: false, payload: Int.random(in: 1...1400, using: &generator),
                ports: (UInt16(1000 + index % 10), 80)
            ).make(&generator)
            sent.append(hopLess(packet))
            try harness.giveDevice(packet)
            if index % 30 == 29 {
                _ = try lane.run(harness)
                arrived += try LaneHarness.received(harness.peer).map(\.bytes)
            }
        }
        #expect(arrived.count == sent.count)
        for port in UInt8(0)..<10 {
            let isOfFlow = { (packet: [UInt8]) in Int(packet[20]) << 8 | Int(packet[21]) == 1000 + Int(port) }
            #expect(arrived.filter(isOfFlow) == sent.filter(isOfFlow))
        }
    }

    /// What stops a packet, and the ICMP type and code that its sender is told.
    @Test(
        arguments: [
            (false, "hop limit", .expired, 11, 0), (true, "hop limit", .expired, 3, 0),
            (false, "too big", .tooBig, 3, 4), (true, "too big", .tooBig, 2, 0),
            (false, "no route", .noRoute, 3, 0), (true, "no route", .noRoute, 1, 0),
        ] as [(Bool, String, DropReason, UInt8, UInt8)])
    func whoSendsWhatCannotGoOnIsTold(
        isIPv6: Bool, what: String, reason: DropReason, type: UInt8, code: UInt8
    ) throws {
        let harness = try LaneHarness()
        harness.publishTable(mtu: 1300)
        var factory = PacketFactory(isIPv6: isIPv6, payload: what == "too big" ? 1290 : 600)
        if what == "hop limit" { factory.hopLimit = 1 }
        if what == "no route" { factory.destination = (99, 1) }
        var generator = SeededGenerator(seed: 4)
        let packet = factory.make(&generator)
        try harness.giveDevice(packet)
        var lane = OutboundLane()
        let tally = try lane.run(harness)
        #expect(tally.dropped(reason) == 1)
        #expect(tally.packets == 0)
        #expect(try LaneHarness.received(harness.peer).isEmpty)
        let answers = try harness.takenFromDevice()
        #expect(answers.count == 1)
        let answer = try #require(answers.first).1
        let ip = isIPv6 ? 40 : 20
        #expect(answer[ip] == type)
        #expect(answer[ip + 1] == code)
        #expect(answer.count <= (isIPv6 ? 1280 : 576))
        #expect(answer[(ip + 8)...].elementsEqual(packet[..<(answer.count - ip - 8)]))
        #expect(answer[(isIPv6 ? 24 : 16)..<ip] == packet[(isIPv6 ? 8 : 12)..<(isIPv6 ? 24 : 16)])
        if isIPv6 {
            let length = answer.count - 40
            let pseudo: [UInt8] = [0, 58, UInt8(length >> 8), UInt8(length & 255)]
            #expect(PacketFactory.plainChecksum([answer[8..<40], pseudo[...], answer[40...]]) == 0)
        } else {
            #expect(PacketFactory.plainChecksum([answer[..<20]]) == 0)
            #expect(PacketFactory.plainChecksum([answer[20...]]) == 0)
        }
        guard what == "too big" else { return }
        #expect(Int(answer[ip + 6]) << 8 | Int(answer[ip + 7]) == 1300)
    }

    @Test func whatMayBeFragmentedGoesOn() throws {
        let harness = try LaneHarness()
        harness.publishTable(mtu: 1300)
        var generator = SeededGenerator(seed: 5)
        try harness.giveDevice(PacketFactory(payload: 1400, dontFragment: false).make(&generator))
        var lane = OutboundLane()
        #expect(try lane.run(harness).packets == 1)
    }

    /// Bytes 20 and on of an IPv4 packet, and what it is.
    @Test(
        arguments: [
            ("an ICMP error", 1, [3, 1, 0, 0], [0x40, 0], 10),
            ("a later fragment", 17, [1, 2, 3, 4], [0, 9], 10),
            ("from a multicast address", 17, [1, 2, 3, 4], [0x40, 0], 225),
            ("from nowhere", 17, [1, 2, 3, 4], [0x40, 0], 0),
        ] as [(String, UInt8, [UInt8], [UInt8], UInt8)])
    func noErrorIsSentAbout(
        what: String, transport: UInt8, payload: [UInt8], fragment: [UInt8], source: UInt8
    ) throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var generator = SeededGenerator(seed: 6)
        var packet = PacketFactory(isTCP: false, payload: 100, hopLimit: 1).make(&generator)
        packet[9] = transport
        packet.replaceSubrange(20..<24, with: payload)
        packet.replaceSubrange(6..<8, with: fragment)
        packet[12] = source
        try harness.giveDevice(packet)
        var lane = OutboundLane()
        #expect(try lane.run(harness).dropped(.expired) == 1)
        #expect(try harness.takenFromDevice().isEmpty, "\(what)")
    }

    @Test func errorsAreHeldToARate() throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var generator = SeededGenerator(seed: 7)
        let packet = PacketFactory(payload: 10, hopLimit: 1).make(&generator)
        var lane = OutboundLane()
        var answers = 0
        for _ in 0..<50 {
            for _ in 0..<40 { try harness.giveDevice(packet) }
            _ = try lane.run(harness)
            answers += try harness.takenFromDevice().count
        }
        #expect(harness.counters.current.dropped(.expired) == 2_000)
        #expect((50..<2_000).contains(answers))
    }

    @Test(arguments: [[UInt8](), [1], [UInt8](repeating: 0, count: 9), [UInt8](repeating: 0xFF, count: 60)])
    func whatIsNoPacketIsCounted(bytes: [UInt8]) throws {
        let harness = try LaneHarness()
        harness.publishTable()
        try harness.giveDevice(bytes)
        var lane = OutboundLane()
        #expect(try lane.run(harness).dropped(.malformed) == 1)
    }

    @Test func aNewTableIsTakenUpWithTheNextBatch() throws {
        let harness = try LaneHarness()
        var generator = SeededGenerator(seed: 8)
        let packet = PacketFactory().make(&generator)
        var lane = OutboundLane()
        try harness.giveDevice(packet)
        #expect(try lane.run(harness).dropped(.noRoute) == 1)
        harness.publishTable()
        try harness.giveDevice(packet)
        #expect(try lane.run(harness).packets == 1)
    }
}
