import DataPlane
import DataPlaneTesting
import Testing

@Suite struct CoalescerTests {
    private func segments(_ factory: PacketFactory, size: Int, seed: UInt64 = 3) -> [[UInt8]] {
        var generator = SeededGenerator(seed: seed)
        return PlainReference.segments(of: factory.make(&generator), size: size)
    }

    @Test(arguments: Shape.all.filter { $0.payload / $0.size <= 64 })
    func cuttingAndJoiningGivesTheSamePacket(shape: Shape) throws {
        var generator = SeededGenerator(seed: UInt64(shape.payload))
        let original = shape.factory.make(&generator)
        let parts = try #require(UnderTest.segments(of: original, size: shape.size))
        let joined = UnderTest.coalesced(parts)
        #expect(joined.count == 1)
        let (header, bytes) = try #require(joined.first)
        #expect(bytes.count == original.count)
        let start = shape.isIPv6 ? 40 : 20
        let field = start + (shape.isTCP ? 16 : 6)
        #expect(bytes[..<field] == original[..<field])
        #expect(bytes[(field + 2)...] == original[(field + 2)...])
        guard parts.count > 1 else { return #expect(header == VirtioNetHeader()) }
        #expect(Int(header.segmentSize) == shape.size)
        #expect(Int(header.headerLength) == shape.factory.headersLength)
        #expect(Int(header.checksumStart) == start)
        #expect(Int(header.checksumOffset) == field - start)
        #expect(PlainReference.packets(from: header, bytes) == parts)
    }

    /// Packets of several flows, some of them spoilt, in random order: what is given out stands for exactly the packets
    /// that came, each flow's in its order.
    @Test(arguments: Array(UInt64(1)...12))
    func nothingIsLostChangedOrReorderedWithinItsFlow(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var queues: [[[UInt8]]] = (0..<Int.random(in: 1...12, using: &generator)).map { flow in
            let factory = PacketFactory(
                isIPv6: Bool.random(using: &generator), isTCP: Bool.random(using: &generator),
                payload: Int.random(in: 1...6_000, using: &generator), options: 0,
                source: (1, UInt8(flow)), ports: (UInt16(1000 + flow), 80))
            var parts = PlainReference.segments(
                of: factory.make(&generator), size: Int.random(in: 100...1400, using: &generator))
            for index in parts.indices where Int.random(in: 0..<6, using: &generator) == 0 {
                let place = Int.random(in: 1..<parts[index].count, using: &generator)
                guard ![2, 3, 4, 5].contains(place) else { continue }  // lengths stay, or it is no packet
                parts[index][place] ^= UInt8.random(in: 1...255, using: &generator)
            }
            return parts
        }
        var packets: [[UInt8]] = []
        while let flow = queues.indices.randomElement(using: &generator) {
            for _ in 0..<Int.random(in: 1...4, using: &generator) where !queues[flow].isEmpty {
                packets.append(queues[flow].removeFirst())
            }
            if queues[flow].isEmpty { queues.remove(at: flow) }
        }
        let valid = packets.filter { packet in
            var copy = packet
            return copy.withUnsafeMutableBytes { buffer in
                buffer.baseAddress.flatMap { InnerPacket($0, length: buffer.count) } != nil
            }
        }
        let given = UnderTest.coalesced(packets).flatMap { PlainReference.packets(from: $0.0, $0.1) }
        #expect(given.sorted { $0.lexicographicallyPrecedes($1) } == valid.sorted { $0.lexicographicallyPrecedes($1) })
        for key in Set(valid.map(flow)) {
            #expect(given.filter { flow($0) == key } == valid.filter { flow($0) == key })
        }
    }

    private func flow(_ packet: [UInt8]) -> [UInt8] {
        packet[0] >> 4 == 6 ? [6, packet[6]] + packet[8..<44] : [4, packet[9]] + packet[12..<24]
    }

    /// What one packet of three may not differ in, and where it is in an IPv4 TCP packet.
    @Test(
        arguments: [
            ("TOS", 1, 4), ("identification", 5, 9), ("don't fragment", 6, 0x40), ("TTL", 8, 1),
            ("sequence number", 27, 1), ("acknowledgement", 31, 1), ("window", 35, 1), ("options", 45, 1),
            ("URG", 33, 0x20), ("SYN", 33, 2), ("RST", 33, 4), ("CWR", 33, 0x80), ("ECE", 33, 0x40),
            ("accurate ECN", 32, 1),
        ] as [(String, Int, UInt8)])
    func aPacketThatDiffersIsNotJoined(what: String, offset: Int, bit: UInt8) {
        var parts = segments(PacketFactory(payload: 3_000), size: 1000)
        parts[1][offset] ^= bit
        PacketFactory.fixChecksums(&parts[1])
        let joined = UnderTest.coalesced(parts)
        #expect(joined.map(\.1) == parts, "\(what)")
    }

    @Test(arguments: [("traffic class", 1, 0x10), ("flow label", 3, 1), ("hop limit", 7, 1)] as [(String, Int, UInt8)])
    func anIPv6PacketThatDiffersIsNotJoined(what: String, offset: Int, bit: UInt8) {
        var parts = segments(PacketFactory(isIPv6: true, payload: 3_000), size: 1000)
        parts[1][offset] ^= bit
        #expect(UnderTest.coalesced(parts).map(\.1) == parts, "\(what)")
    }

    @Test(arguments: [false, true], [false, true])
    func aWrongChecksumIsPassedOnAloneWhereverItIs(isIPv6: Bool, isTCP: Bool) {
        for wrong in 0..<3 {
            var parts = segments(PacketFactory(isIPv6: isIPv6, isTCP: isTCP, payload: 3_000), size: 1000)
            parts[wrong][parts[wrong].count - 1] ^= 1
            let joined = UnderTest.coalesced(parts)
            #expect(joined.flatMap { PlainReference.packets(from: $0.0, $0.1) } == parts)
            #expect(joined.count == (wrong == 1 ? 3 : 2))
        }
    }

    @Test func fixedIdentificationsAreJoinedOnlyWhereTheyMeanNothing() {
        for (dontFragment, count) in [(true, 1), (false, 3)] {
            var parts = segments(PacketFactory(payload: 3_000, dontFragment: dontFragment), size: 1000)
            for index in parts.indices {
                parts[index][4] = 0
                parts[index][5] = 9
                PacketFactory.fixChecksums(&parts[index])
            }
            #expect(UnderTest.coalesced(parts).count == count)
        }
    }

    @Test func aShortOrPushedPacketEndsASuperPacket() {
        var parts = segments(PacketFactory(payload: 2_500), size: 1000)
        parts += segments(PacketFactory(payload: 2_500, sequence: .max - 500, identification: 10), size: 1000)
        #expect(UnderTest.coalesced(parts).map(\.1.count) == [2_552, 2_552])
        var pushed = segments(PacketFactory(payload: 4_000), size: 1000)
        pushed[1][33] |= TCPHeader.psh
        PacketFactory.fixChecksums(&pushed[1])
        #expect(UnderTest.coalesced(pushed).map(\.1.count) == [2_052, 2_052])
    }

    @Test func datagramsAreLeftAloneWhereTheDeviceTakesNoSuperPacketsOfThem() {
        let parts = segments(PacketFactory(isTCP: false, payload: 3_000), size: 1000)
        #expect(UnderTest.coalesced(parts, joinsDatagrams: false).map(\.1) == parts)
    }

    @Test func datagramsWithoutAChecksumAreLeftAlone() {
        var parts = segments(PacketFactory(isTCP: false, payload: 3_000), size: 1000)
        for index in parts.indices { parts[index].replaceSubrange(26..<28, with: [0, 0]) }
        #expect(UnderTest.coalesced(parts).map(\.1) == parts)
    }

    @Test func noMoreThanSixtyFourPacketsAreJoined() {
        let parts = segments(PacketFactory(isTCP: false, payload: 100 * 64), size: 64)
        #expect(UnderTest.coalesced(parts).map(\.1.count) == [28 + 64 * 64, 28 + 36 * 64])
    }

    @Test func flowsThatComeInTurnsAreJoinedEach() {
        let flows = (0..<8).map { flow in
            segments(PacketFactory(payload: 5_000, ports: (UInt16(1000 + flow), 80)), size: 1000, seed: UInt64(flow))
        }
        let mixed = (0..<5).flatMap { index in flows.map { $0[index] } }
        #expect(UnderTest.coalesced(mixed).map(\.1.count) == Array(repeating: 5_052, count: 8))
    }
}
