import DataPlane
import DataPlaneTesting
import Testing

@Suite struct InnerPacketTests {
    private func look<T>(_ bytes: [UInt8], _ body: (InnerPacket) -> T) -> T? {
        var copy = bytes
        return copy.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.flatMap { InnerPacket($0, length: buffer.count) }.map(body)
        }
    }

    private func changed(_ bytes: [UInt8], _ body: (InnerPacket) -> Void) -> [UInt8] {
        var copy = bytes
        copy.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress, let packet = InnerPacket(base, length: buffer.count) { body(packet) }
        }
        return copy
    }

    @Test(arguments: [false, true])
    func aPacketCutShortOrTooLongIsNone(isIPv6: Bool) {
        var generator = SeededGenerator(seed: 1)
        let whole = PacketFactory(isIPv6: isIPv6, payload: 20).make(&generator)
        #expect(look(whole) { $0.length } == whole.count)
        for length in 0..<whole.count { #expect(look(Array(whole[..<length])) { _ in } == nil) }
        #expect(look(whole + [0]) { _ in } == nil)
    }

    @Test(arguments: [UInt8(0x05), 0x15, 0x55, 0x75, 0xF5, 0x40, 0x44, 0x4F])
    func anImpossibleFirstByteIsNoPacket(first: UInt8) {
        var generator = SeededGenerator(seed: 2)
        var bytes = PacketFactory(payload: 0, options: 0).make(&generator)  // 40 bytes: 0x4F promises a header of 60
        bytes[0] = first
        #expect(look(bytes) { _ in } == nil)
    }

    @Test(arguments: [false, true])
    func oneHopLessKeepsTheChecksumRight(isIPv6: Bool) {
        var generator = SeededGenerator(seed: 3)
        for hops in UInt8(1)...255 {
            let factory = PacketFactory(
                isIPv6: isIPv6, payload: 4, hopLimit: hops,
                identification: UInt16.random(in: 0 ... .max, using: &generator))
            let before = factory.make(&generator)
            var expected = before
            expected[isIPv6 ? 7 : 8] -= 1
            PacketFactory.fixChecksums(&expected)
            #expect(changed(before) { $0.decrementHopLimit() } == expected)
        }
    }

    /// The table of RFC 6040 section 4.2: inner, outer, and what becomes of it; `nil` is a drop.
    @Test(
        arguments: [
            (0, 0, 0), (0, 2, 0), (0, 1, 0), (0, 3, nil),
            (2, 0, 2), (2, 2, 2), (2, 1, 1), (2, 3, 3),
            (1, 0, 1), (1, 2, 1), (1, 1, 1), (1, 3, 3),
            (3, 0, 3), (3, 2, 3), (3, 1, 3), (3, 3, 3),
        ] as [(UInt8, UInt8, UInt8?)], [false, true])
    func congestionMarksAreCombined(row: (inner: UInt8, outer: UInt8, result: UInt8?), isIPv6: Bool) {
        var generator = SeededGenerator(seed: 4)
        let factory = { PacketFactory(isIPv6: isIPv6, payload: 4, trafficClass: 0xB8 | $0) }  // DSCP EF stays
        let before = factory(row.inner).make(&generator)
        var isKept = false
        let after = changed(before) { isKept = CongestionMark.carryIn($0, outer: 0x20 | row.outer) }
        #expect(isKept == (row.result != nil))
        guard let result = row.result else { return }
        var expected = before
        if isIPv6 { expected[1] = expected[1] & ~0x30 | result << 4 } else { expected[1] = 0xB8 | result }
        PacketFactory.fixChecksums(&expected)
        #expect(after == expected)
    }

    @Test(arguments: [false, true])
    func packetsOfAFlowHaveOneHashAndFlowsHaveMany(isIPv6: Bool) {
        var generator = SeededGenerator(seed: 5)
        var hashes: Set<UInt32> = []
        for port in UInt16(1000)..<1256 {
            let factory = PacketFactory(isIPv6: isIPv6, payload: 30, ports: (port, 80))
            let hash = look(factory.make(&generator)) { $0.flowHash }
            #expect(hash == look(factory.make(&generator)) { $0.flowHash })
            if let hash { hashes.insert(hash % 256) }
        }
        #expect(hashes.count > 128)  // 162 expected of random ones
    }
}
