import DataPlane
import DataPlaneTesting
import Glibc
import LinuxKit
import Testing

/// What the kernel cuts up in software and what we cut up are equal, byte for byte.
///
/// A super-packet is written to one TUN device; the kernel forwards it to another, which takes nothing unfinished, so
/// that the kernel must finish it. It takes one hop off on the way, as we do. Nothing else differs.
@Suite(.enabled(if: geteuid() == 0, "needs root for network namespaces"), .serialized, .timeLimit(.minutes(2)))
struct KernelSegmentationTests {
    /// `entry` takes super-packets, `exit` gives out what the kernel made of them.
    private final class Bed: Sendable {
        let node: TestNode
        let entry: TUNDevice
        let exit: TUNDevice
        let takesDatagrams: Bool

        init() throws {
            node = try TestNode("segments")
            let descriptors = try node.namespace.runAndWait { () throws(SyscallError) in
                let entry = try TUNDevice(name: "entry")
                let exit = try TUNDevice(name: "exit")
                let granted = entry.enable(.all)
                return [dup(entry.number), dup(exit.number), granted.contains(.udp) ? 1 : 0]
            }
            entry = TUNDevice(owning: OwnedDescriptor(owning: descriptors[0]))
            exit = TUNDevice(owning: OwnedDescriptor(owning: descriptors[1]))
            takesDatagrams = descriptors[2] == 1
            for device in ["entry", "exit"] { try shell("ip -n \(node.name) link set \(device) mtu 1500 up") }
            try shell("ip -n \(node.name) addr add 10.244.9.1/32 dev exit")
            try shell("ip -n \(node.name) addr add fd00:244:9::1/128 dev exit nodad")
            for (number, device) in [(1, "entry"), (2, "exit")] {
                try shell("ip -n \(node.name) route add 10.244.\(number).0/24 dev \(device)")
                try shell("ip -n \(node.name) route add fd00:244:\(number)::/48 dev \(device)")
            }
        }

        /// The packets that leave by `exit` for one that enters by `entry`.
        func forwarded(_ packet: [UInt8], _ header: VirtioNetHeader, count: Int) throws -> [[UInt8]] {
            var bytes = [UInt8](repeating: 0, count: VirtioNetHeader.length) + packet
            try bytes.withUnsafeMutableBytes { buffer in
                let base = try #require(buffer.baseAddress)
                header.store(to: base)
                var pieces = ScatterList(capacity: 1)
                pieces.append(base, buffer.count)
                #expect(try entry.write(pieces))
            }
            let space = UnsafeMutableRawPointer.allocate(byteCount: 70_000, alignment: 8)
            defer { space.deallocate() }
            var packets: [[UInt8]] = []
            _ = try holds(within: 5) {
                while let length = try exit.read(into: space, count: 70_000) {
                    let bytes = [UInt8](UnsafeRawBufferPointer(start: space, count: length))[VirtioNetHeader.length...]
                    guard bytes.count > 20, isOurs(Array(bytes)) else { continue }  // the kernel's own chatter
                    #expect(VirtioNetHeader(loadedFrom: space).flags & VirtioNetHeader.needsChecksum == 0)
                    packets.append(Array(bytes))
                }
                return packets.count >= count
            }
            return packets
        }

        private func isOurs(_ packet: [UInt8]) -> Bool {
            packet[0] >> 4 == 6 ? packet[6] == 6 || packet[6] == 17 : packet[9] == 6 || packet[9] == 17
        }
    }

    /// The packet with one hop less and with what the sender leaves open in its checksum, and the header that says so.
    private func unfinished(_ original: [UInt8], size: Int?) -> ([UInt8], VirtioNetHeader) {
        var packet = original
        let isIPv6 = packet[0] >> 4 == 6
        let start = isIPv6 ? 40 : 20
        let transport = packet[isIPv6 ? 6 : 9]
        let isTCP = transport == TransportProtocol.tcp
        var header = VirtioNetHeader()
        header.flags = VirtioNetHeader.needsChecksum
        header.checksumStart = UInt16(start)
        header.checksumOffset = isTCP ? 16 : 6
        let length = packet.count - start
        packet.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            let partial = InternetChecksum.pseudoHeader(base, isIPv6: isIPv6, transport: transport, length: length)
            base.storeBytes(of: partial.folded, toByteOffset: start + (isTCP ? 16 : 6), as: UInt16.self)
        }
        if let size {
            header.segmentationType =
                isTCP ? (isIPv6 ? VirtioNetHeader.tcp6 : VirtioNetHeader.tcp4) : VirtioNetHeader.udp
            header.segmentSize = UInt16(size)
            header.headerLength = UInt16(start + (isTCP ? Int(packet[start + 12] >> 4) * 4 : 8))
        }
        return (packet, header)
    }

    private func hopLess(_ packet: [UInt8]) -> [UInt8] {
        var copy = packet
        copy.withUnsafeMutableBytes { buffer in
            if let base = buffer.baseAddress { InnerPacket(base, length: buffer.count)?.decrementHopLimit() }
        }
        return copy
    }

    @Test func superPacketsOfEveryKindAreCutAsTheKernelCutsThem() throws {
        let bed = try Bed()
        // A TUN device queues 500 packets.
        for shape in Shape.all where (2...400).contains((shape.payload + shape.size - 1) / shape.size) {
            guard shape.isTCP || bed.takesDatagrams else { continue }
            var generator = SeededGenerator(seed: 1)
            let (packet, header) = unfinished(shape.factory.make(&generator), size: shape.size)
            let ours = try #require(UnderTest.segments(of: hopLess(packet), header))
            #expect(try bed.forwarded(packet, header, count: ours.count) == ours, "\(shape)")
        }
    }

    @Test func randomSuperPacketsAreCutAsTheKernelCutsThem() throws {
        let bed = try Bed()
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<200 {
            let isTCP = !bed.takesDatagrams || Bool.random(using: &generator)
            let factory = PacketFactory(
                isIPv6: Bool.random(using: &generator), isTCP: isTCP,
                payload: Int.random(in: 2_000...20_000, using: &generator),
                options: Int.random(in: 0...10, using: &generator) * 4,
                flags: UInt8.random(in: 0...255, using: &generator) | TCPHeader.ack,
                sequence: UInt32.random(in: 0 ... .max, using: &generator),
                trafficClass: UInt8.random(in: 0...255, using: &generator) & ~3,
                identification: UInt16.random(in: 0 ... .max, using: &generator),
                dontFragment: Bool.random(using: &generator))
            let size = Int.random(in: 400...1400, using: &generator)
            var (packet, header) = unfinished(factory.make(&generator), size: size)
            if isTCP, factory.flags & TCPHeader.cwr != 0 {
                header.segmentationType |= VirtioNetHeader.explicitCongestion
            }
            let ours = try #require(UnderTest.segments(of: hopLess(packet), header))
            #expect(try bed.forwarded(packet, header, count: ours.count) == ours, "\(factory), \(size)")
        }
    }

    @Test func openChecksumsAreFinishedAsTheKernelFinishesThem() throws {
        let bed = try Bed()
        var generator = SeededGenerator(seed: 3)
        for round in 0..<200 {
            let factory = PacketFactory(
                isIPv6: round % 2 == 0, isTCP: round % 4 < 2, payload: Int.random(in: 0...1200, using: &generator))
            let (packet, header) = unfinished(factory.make(&generator), size: nil)
            var ours = hopLess(packet)
            ours.withUnsafeMutableBytes { buffer in
                guard let base = buffer.baseAddress, let inner = InnerPacket(base, length: buffer.count) else { return }
                #expect(Segmenter.finishChecksum(inner, header))
            }
            #expect(try bed.forwarded(packet, header, count: 1) == [ours])
        }
    }

    /// The other way round: what we join, the kernel cuts into what came.
    @Test func whatWeJoinTheKernelCutsIntoWhatCame() throws {
        let bed = try Bed()
        for shape in Shape.all where (2...64).contains(shape.payload / shape.size) {
            guard shape.isTCP || bed.takesDatagrams else { continue }
            var generator = SeededGenerator(seed: 4)
            let parts = PlainReference.segments(of: shape.factory.make(&generator), size: shape.size)
            let joined = UnderTest.coalesced(parts)
            #expect(joined.count == 1)
            let (header, packet) = try #require(joined.first)
            #expect(try bed.forwarded(packet, header, count: parts.count) == parts.map(hopLess), "\(shape)")
        }
    }
}
