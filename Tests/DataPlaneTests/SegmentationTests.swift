import Addressing
import DataPlane
import LinuxKit
import Testing

/// Super-packets cut up, sent over loopback sockets and joined again.
@Suite struct SegmentationTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var payload: Int
        var segmentSize: Int
        var options = 12
        var flags = TCPHeader.ack
        var testDescription: String { "\(payload) bytes in segments of \(segmentSize), \(options) bytes of options" }
    }

    /// An IPv4 TCP packet with random payload and right checksums.
    private func packet(_ shape: Shape, generator: inout SeededGenerator) -> [UInt8] {
        let headers = 20 + 20 + shape.options
        var bytes = [UInt8](repeating: 0, count: headers)
        bytes += (0..<shape.payload).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let total = bytes.count
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            base.storeBytes(of: 0x45, as: UInt8.self)
            base.storeBigEndian(UInt16(total), IPv4Header.totalLengthOffset)
            base.storeBigEndian(UInt16(7), IPv4Header.identificationOffset)
            base.storeBigEndian(IPv4Header.dontFragment, IPv4Header.fragmentOffset)
            base.storeBytes(of: 64, toByteOffset: IPv4Header.timeToLiveOffset, as: UInt8.self)
            base.storeBytes(of: TransportProtocol.tcp, toByteOffset: IPv4Header.protocolOffset, as: UInt8.self)
            base.storeBigEndian(UInt32(0x0AF4_0102), IPv4Header.sourceOffset)
            base.storeBigEndian(UInt32(0x0AF4_0203), IPv4Header.destinationOffset)
            var ip = InternetChecksum()
            ip.add(base, 20)
            base.storeBytes(of: ip.checksum, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
            let tcp = base + 20
            tcp.storeBigEndian(UInt16(40_000), 0)
            tcp.storeBigEndian(UInt16(80), 2)
            tcp.storeBigEndian(UInt32.max - 3_000, TCPHeader.sequenceOffset)  // wraps on the way
            tcp.storeBytes(
                of: UInt8((20 + shape.options) / 4) << 4, toByteOffset: TCPHeader.dataOffsetOffset, as: UInt8.self)
            tcp.storeBytes(of: shape.flags, toByteOffset: TCPHeader.flagsOffset, as: UInt8.self)
            tcp.storeBigEndian(UInt16(512), TCPHeader.windowOffset)
            var sum = InternetChecksum.pseudoHeader(base, length: total - 20)
            sum.add(tcp, total - 20)
            tcp.storeBytes(of: sum.checksum, toByteOffset: TCPHeader.checksumOffset, as: UInt16.self)
        }
        return bytes
    }

    /// Cuts `original` up, sends it to itself, and returns the datagrams as received.
    private func segments(of original: [UInt8], size: Int) throws -> [[UInt8]] {
        let loopback = IPv4Address(127, 0, 0, 1)
        let sender = try DatagramSocket(address: loopback, port: 0, shared: false, bufferBytes: 1 << 20)
        let receiver = try DatagramSocket(address: loopback, port: 0, shared: false, bufferBytes: 1 << 20)
        try receiver.enableReceiveOffload()
        var header = VirtioNetHeader()
        header.segmentationType = VirtioNetHeader.tcp4
        header.segmentSize = UInt16(size)
        header.flags = VirtioNetHeader.needsChecksum
        var batch = TransmitBatch()
        var copy = original
        let port = try receiver.boundPort()
        try copy.withUnsafeMutableBytes { buffer in
            let base = try #require(buffer.baseAddress)
            Segmenter.queue(
                base, length: buffer.count, header: header,
                to: .init(endpoint: loopback.networkOrder, port: port.bigEndian, typeOfService: 0), on: &batch)
            try batch.send(on: sender)
        }
        #expect(batch.refused == 0)
        var received: [[UInt8]] = []
        var incoming = ReceiveBatch()
        while try incoming.receive(from: receiver) {
            for index in 0..<incoming.count {
                let message = incoming[index]
                for offset in stride(from: 0, to: message.length, by: message.segmentSize) {
                    let length = min(message.segmentSize, message.length - offset)
                    received.append([UInt8](UnsafeRawBufferPointer(start: message.bytes + offset, count: length)))
                }
            }
        }
        return received
    }

    /// Joins packets and returns what a TUN device would be given, without the virtio-net header, and that header.
    private func coalesced(_ packets: [[UInt8]]) throws -> [(VirtioNetHeader, [UInt8])] {
        var coalescer = Coalescer()
        var output: [(VirtioNetHeader, [UInt8])] = []
        let storage = packets.map { packet in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: packet.count, alignment: 8)
            copy.copyBytes(from: packet)
            return copy
        }
        defer { for buffer in storage { buffer.deallocate() } }
        func take(_ pieces: borrowing ScatterList) {
            var bytes: [UInt8] = []
            for index in 0..<pieces.count { bytes += pieces.bytes(at: index) }
            let header = bytes.withUnsafeBytes { $0.baseAddress.map { VirtioNetHeader(loadedFrom: $0) } }
            output.append((header ?? VirtioNetHeader(), Array(bytes.dropFirst(VirtioNetHeader.length))))
        }
        for buffer in storage {
            coalescer.add(try #require(buffer.baseAddress), length: buffer.count) { take($0) }
        }
        coalescer.flush { take($0) }
        return output
    }

    @Test(arguments: [
        Shape(payload: 1, segmentSize: 1448), Shape(payload: 1448, segmentSize: 1448),
        Shape(payload: 1449, segmentSize: 1448),
        Shape(payload: 14_480, segmentSize: 1448), Shape(payload: 65_483, segmentSize: 1420),  // the largest packet
        Shape(payload: 5_001, segmentSize: 999, options: 0), Shape(payload: 9_000, segmentSize: 536, options: 40),
        Shape(payload: 8_000, segmentSize: 1000, flags: TCPHeader.ack | TCPHeader.psh),
    ])
    func cuttingAndJoiningGivesTheSamePacket(shape: Shape) throws {
        var generator = SeededGenerator(seed: UInt64(shape.payload))
        let original = packet(shape, generator: &generator)
        let parts = try segments(of: original, size: shape.segmentSize)
        #expect(parts.count == (shape.payload + shape.segmentSize - 1) / shape.segmentSize)
        let joined = try coalesced(parts)
        #expect(joined.count == 1)
        let (header, bytes) = try #require(joined.first)
        let headers = 40 + shape.options
        #expect(bytes.count == original.count)
        #expect(bytes.dropFirst(headers) == original.dropFirst(headers))
        #expect(bytes.prefix(36) == original.prefix(36))  // all headers up to the TCP checksum
        if parts.count > 1 {
            #expect(header.segmentationType == VirtioNetHeader.tcp4)
            #expect(Int(header.segmentSize) == shape.segmentSize)
            #expect(Int(header.headerLength) == headers)
        }
    }

    @Test func aSegmentWithAWrongChecksumIsPassedOnAlone() throws {
        var generator = SeededGenerator(seed: 9)
        var parts = try segments(
            of: packet(Shape(payload: 3_000, segmentSize: 1000), generator: &generator), size: 1000)
        parts[1][parts[1].count - 1] ^= 1
        let joined = try coalesced(parts)
        #expect(joined.map(\.1) == parts)
        #expect(joined[1].0 == VirtioNetHeader())  // nothing is claimed about it
    }

    @Test func aGapInTheSequenceIsKept() throws {
        var generator = SeededGenerator(seed: 10)
        var parts = try segments(
            of: packet(Shape(payload: 4_000, segmentSize: 1000), generator: &generator), size: 1000)
        parts.remove(at: 1)
        #expect(try coalesced(parts).map(\.1.count) == [1052, 2052])
    }

    @Test func segmentsOfAnotherFlowAreNotMixedIn() throws {
        var generator = SeededGenerator(seed: 11)
        let parts = try segments(
            of: packet(Shape(payload: 2_000, segmentSize: 1000), generator: &generator), size: 1000)
        let other = packet(Shape(payload: 500, segmentSize: 1000, options: 0), generator: &generator)
        #expect(try coalesced([parts[0], other, parts[1]]).map(\.1) == [parts[0], other, parts[1]])
    }
}
