import Addressing
import DataPlane
import DataPlaneTesting
import Glibc
import LinuxKit
import Testing

@Suite struct InboundLaneTests {
    /// A packet from the peer's subnet to ours.
    private func packet(_ change: (inout PacketFactory) -> Void = { _ in }) -> [UInt8] {
        var generator = SeededGenerator(seed: 1)
        var factory = PacketFactory(payload: 200, source: (2, 3), destination: (1, 2))
        change(&factory)
        return factory.make(&generator)
    }

    @Test(arguments: [false, true])
    func aPeersPacketIsDelivered(isIPv6: Bool) throws {
        let harness = try LaneHarness()
        harness.publishTable()
        let packet = packet { $0.isIPv6 = isIPv6 }
        try harness.send([packet], from: harness.peer)
        var lane = InboundLane(joinsDatagrams: true)
        let tally = try lane.run(harness)
        #expect(tally.packets == 1)
        #expect(try harness.takenFromDevice().map(\.1) == [packet])
    }

    @Test(arguments: Shape.all.filter { (2...64).contains($0.payload / $0.size) })
    func aTrainIsDeliveredAsOneSuperPacket(shape: Shape) throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var factory = shape.factory
        factory.source = (2, 3)
        factory.destination = (1, 2)
        var generator = SeededGenerator(seed: 2)
        let parts = PlainReference.segments(of: factory.make(&generator), size: shape.size)
        try harness.send(parts, from: harness.peer)
        var lane = InboundLane(joinsDatagrams: true)
        #expect(try lane.run(harness).packets == UInt64(parts.count))
        let delivered = try harness.takenFromDevice()
        #expect(delivered.flatMap { PlainReference.packets(from: $0.0, $0.1) } == parts)
        #expect(delivered.count <= 2)  // the kernel may deliver the train in two
    }

    /// What is wrong with a packet that is dropped, and how it is counted.
    @Test(
        arguments: [
            ("inner source of another peer", .spoofed), ("inner source of nobody", .spoofed),
            ("inner source our own", .spoofed), ("inner destination of another node", .notForUs),
            ("hop limit 0", .expired), ("cut short", .malformed), ("too long", .malformed), ("IPv5", .malformed),
            ("congestion on the way of one who cannot be told", .congestion),
        ] as [(String, DropReason)])
    func aBadPacketIsDroppedAndCounted(what: String, reason: DropReason) throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var bad = packet {
            switch what {
            case "inner source of another peer": $0.source = (3, 3)
            case "inner source of nobody": $0.source = (9, 9)
            case "inner source our own": $0.source = (1, 9)
            case "inner destination of another node": $0.destination = (3, 2)
            case "hop limit 0": $0.hopLimit = 0
            default: break
            }
        }
        if what == "cut short" { bad.removeLast() }
        if what == "too long" { bad.append(0) }
        if what == "IPv5" { bad[0] = 0x55 }
        try harness.send([bad], from: harness.peer, typeOfService: reason == .congestion ? 3 : 0)
        var lane = InboundLane(joinsDatagrams: true)
        let tally = try lane.run(harness)
        #expect(tally.dropped(reason) == 1)
        #expect(tally.packets == 0)
        #expect(try harness.takenFromDevice().isEmpty)
    }

    @Test func anotherOuterSourceMustBeKnown() throws {
        let harness = try LaneHarness()
        let other = try DatagramSocket(address: IPv4Address(127, 0, 0, 9), port: 0, shared: false, bufferBytes: 0)
        harness.publishTable()
        try harness.send([packet()], from: other)
        var lane = InboundLane(joinsDatagrams: true)
        #expect(try lane.run(harness).dropped(.spoofed) == 1)
        harness.publishTable(otherSources: [IPv4Address(127, 0, 0, 9)])
        try harness.send([packet()], from: other)
        #expect(try lane.run(harness).packets == 1)
        try harness.send([packet { $0.source = (3, 3) }], from: other)
        #expect(try lane.run(harness).dropped(.spoofed) == 2)
    }

    @Test func aPeersOwnOuterAddressIsASource() throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var bytes = packet()
        bytes.replaceSubrange(12..<16, with: [127, 0, 0, 2])
        PacketFactory.fixChecksums(&bytes)
        try harness.send([bytes], from: harness.peer)
        bytes.replaceSubrange(12..<16, with: [127, 0, 0, 3])  // another peer's
        PacketFactory.fixChecksums(&bytes)
        try harness.send([bytes], from: harness.peer)
        var lane = InboundLane(joinsDatagrams: true)
        let tally = try lane.run(harness)
        #expect(tally.packets == 1)
        #expect(tally.dropped(.spoofed) == 1)
    }

    /// A million with FJORD_LONG.
    @Test func randomAndMutatedDatagramsChangeNothingButCounters() throws {
        let harness = try LaneHarness()
        harness.publishTable()
        let stranger = try DatagramSocket(address: IPv4Address(127, 0, 0, 9), port: 0, shared: false, bufferBytes: 0)
        var generator = SeededGenerator(seed: 11)
        var lane = InboundLane(joinsDatagrams: true)
        let rounds = getenv("FJORD_LONG") == nil ? 300 : 15_625
        var sent = 0
        for round in 0..<rounds {
            let datagrams = (0..<64).map { _ in mutated(&generator) }
            sent += datagrams.filter { !$0.isEmpty }.count
            if round % 2 == 0 {
                try harness.send(datagrams, from: stranger)
                _ = try lane.run(harness)
                #expect(try harness.takenFromDevice().isEmpty)
            } else {
                try harness.send(datagrams, from: harness.peer)
                _ = try lane.run(harness)
                // What does get through is what the peer may send: from its subnet, to ours.
                for (header, bytes) in try harness.takenFromDevice() {
                    for packet in PlainReference.packets(from: header, bytes) {
                        let isIPv6 = packet[0] >> 4 == 6
                        let source = isIPv6 ? packet[8..<14] : packet[12..<15]
                        let destination = isIPv6 ? packet[24..<30] : packet[16..<19]
                        #expect(Array(source) == (isIPv6 ? [0xFD, 0, 2, 0x44, 0, 2] : [10, 244, 2]))
                        #expect(Array(destination) == (isIPv6 ? [0xFD, 0, 2, 0x44, 0, 1] : [10, 244, 1]))
                    }
                }
            }
        }
        let tally = harness.counters.current
        let dropped = DropReason.allCases.reduce(0) { $0 + tally.dropped($1) } - tally.dropped(.refusedByDevice)
        #expect(tally.packets + dropped >= UInt64(sent))
        #expect(tally.packets < UInt64(sent) / 2)
        let before = tally.packets
        try harness.send([packet()], from: harness.peer)
        #expect(try lane.run(harness).packets == before + 1)
        #expect(try harness.takenFromDevice().map(\.1) == [packet()])
    }

    /// Noise, or a good packet of any kind with some bytes changed, cut or added.
    private func mutated(_ generator: inout SeededGenerator) -> [UInt8] {
        if Int.random(in: 0..<4, using: &generator) == 0 {
            return (0..<Int.random(in: 1...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        }
        let factory = PacketFactory(
            isIPv6: Bool.random(using: &generator), isTCP: Bool.random(using: &generator),
            payload: Int.random(in: 1...100, using: &generator), source: (2, 3), destination: (1, 2))
        var bytes = factory.make(&generator)
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let place = Int.random(in: 0..<min(60, bytes.count), using: &generator)
            bytes[place] = UInt8.random(in: 0...255, using: &generator)
        }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
        case 1: bytes += [UInt8](repeating: 7, count: Int.random(in: 1...40, using: &generator))
        default: break
        }
        return bytes
    }
}
