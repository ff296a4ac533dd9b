import DataPlane
import DataPlaneTesting
import Testing

@Suite struct SegmenterTests {
    @Test(arguments: Shape.all)
    func theSegmentsAreThoseOfThePlainReference(shape: Shape) throws {
        var generator = SeededGenerator(seed: UInt64(shape.payload))
        let packet = shape.factory.make(&generator)
        let parts = try #require(UnderTest.segments(of: packet, size: shape.size))
        #expect(parts == PlainReference.segments(of: packet, size: shape.size))
    }

    @Test(arguments: [1, 2])
    func theSegmentsOfRandomPacketsAreThoseOfThePlainReference(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let factory = PacketFactory(
                isIPv6: Bool.random(using: &generator), isTCP: Bool.random(using: &generator),
                payload: Int.random(in: 1...9_000, using: &generator),
                options: Int.random(in: 0...10, using: &generator) * 4,
                flags: UInt8.random(in: 0...255, using: &generator),
                sequence: UInt32.random(in: 0 ... .max, using: &generator),
                trafficClass: UInt8.random(in: 0...255, using: &generator),
                identification: UInt16.random(in: 0 ... .max, using: &generator),
                dontFragment: Bool.random(using: &generator))
            let packet = factory.make(&generator)
            let size = Int.random(in: 1...2_000, using: &generator)
            #expect(UnderTest.segments(of: packet, size: size) == PlainReference.segments(of: packet, size: size))
        }
    }

    @Test func congestionWindowReducedStaysWithTheFirstSegment() throws {
        var generator = SeededGenerator(seed: 4)
        let factory = PacketFactory(payload: 3_000, flags: TCPHeader.ack | TCPHeader.cwr)
        let parts = try #require(UnderTest.segments(of: factory.make(&generator), size: 1000))
        #expect(parts.map { $0[33] & TCPHeader.cwr } == [TCPHeader.cwr, 0, 0])
    }

    /// Each row contradicts the packet, which is TCP over IPv4.
    @Test(
        arguments: [
            (VirtioNetHeader.tcp6, 1000), (VirtioNetHeader.udp, 1000), (VirtioNetHeader.tcp4, 0),
            (3, 1000), (77, 1000),
        ] as [(UInt8, UInt16)])
    func aHeaderThatContradictsThePacketIsRefused(type: UInt8, size: UInt16) {
        var generator = SeededGenerator(seed: 5)
        var header = VirtioNetHeader()
        header.segmentationType = type
        header.segmentSize = size
        let packet = PacketFactory(payload: 3_000).make(&generator)
        #expect(UnderTest.segments(of: packet, header) == nil)
    }

    @Test(arguments: [false, true], [false, true])
    func anOpenChecksumIsFinished(isIPv6: Bool, isTCP: Bool) throws {
        var generator = SeededGenerator(seed: 6)
        for _ in 0..<200 {
            let factory = PacketFactory(
                isIPv6: isIPv6, isTCP: isTCP, payload: Int.random(in: 0...1400, using: &generator))
            let whole = factory.make(&generator)
            let start = isIPv6 ? 40 : 20
            let field = start + (isTCP ? 16 : 6)
            var open = whole
            // What a sender leaves: the sum over the pseudo header.
            let length = whole.count - start
            let pseudo: [UInt8] = [0, isTCP ? 6 : 17, UInt8(length >> 8), UInt8(length & 255)]
            let partial = ~PacketFactory.plainChecksum([whole[(isIPv6 ? 8 : 12)..<(isIPv6 ? 40 : 20)], pseudo[...]])
            open[field] = UInt8(partial >> 8)
            open[field + 1] = UInt8(partial & 255)
            var header = VirtioNetHeader()
            header.flags = VirtioNetHeader.needsChecksum
            header.checksumStart = UInt16(start)
            header.checksumOffset = UInt16(field - start)
            let isFinished = open.withUnsafeMutableBytes { buffer in
                guard let base = buffer.baseAddress, let packet = InnerPacket(base, length: buffer.count) else {
                    return false
                }
                return Segmenter.finishChecksum(packet, header)
            }
            #expect(isFinished)
            #expect(open == whole)
        }
    }

    /// Start and offset of the checksum in a packet of 40 bytes.
    @Test(arguments: [(40, 0), (20, 20), (0, 16), (65_535, 65_535), (39, 0)] as [(UInt16, UInt16)])
    func aChecksumOutsideThePacketIsRefused(start: UInt16, offset: UInt16) {
        var generator = SeededGenerator(seed: 7)
        var bytes = PacketFactory(payload: 0, options: 0).make(&generator)
        var header = VirtioNetHeader()
        header.flags = VirtioNetHeader.needsChecksum
        header.checksumStart = start
        header.checksumOffset = offset
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress, let packet = InnerPacket(base, length: buffer.count) else { return }
            #expect(!Segmenter.finishChecksum(packet, header))
        }
    }
}
