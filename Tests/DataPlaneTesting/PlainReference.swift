package import DataPlane
import LinuxKit

/// Cutting and joining written as plainly as the RFCs say it, on arrays, to compare with.
package enum PlainReference {
    /// What a super-packet is cut into.
    package static func segments(of packet: [UInt8], size: Int) -> [[UInt8]] {
        let isIPv6 = packet[0] >> 4 == 6
        let isTCP = packet[isIPv6 ? 6 : 9] == TransportProtocol.tcp
        let ip = isIPv6 ? 40 : Int(packet[0] & 15) * 4
        let headers = ip + (isTCP ? Int(packet[ip + 12] >> 4) * 4 : 8)
        var result: [[UInt8]] = []
        for offset in stride(from: headers, to: packet.count, by: size) {
            let end = min(offset + size, packet.count)
            var segment = Array(packet[..<headers]) + packet[offset..<end]
            let index = (offset - headers) / size
            if isIPv6 {
                put(segment.count - 40, at: 4, in: &segment)
            } else {
                put(segment.count, at: 2, in: &segment)
                put(get(packet, 4) + index, at: 4, in: &segment)
            }
            if isTCP {
                let sequence = (get(packet, ip + 4) << 16 | get(packet, ip + 6)) + index * size
                put(sequence >> 16, at: ip + 4, in: &segment)
                put(sequence, at: ip + 6, in: &segment)
                if end != packet.count { segment[ip + 13] &= ~(TCPHeader.fin | TCPHeader.psh) }
                if index > 0 { segment[ip + 13] &= ~TCPHeader.cwr }
            } else {
                put(segment.count - ip, at: ip + 4, in: &segment)
            }
            PacketFactory.fixChecksums(&segment)
            result.append(segment)
        }
        return result
    }

    /// What a super-packet written to a device means: the packets it stands for, with all checksums finished.
    package static func packets(from header: VirtioNetHeader, _ bytes: [UInt8]) -> [[UInt8]] {
        guard header.segmentationType != VirtioNetHeader.notSegmented else { return [bytes] }
        return segments(of: bytes, size: Int(header.segmentSize))
    }

    private static func get(_ bytes: [UInt8], _ offset: Int) -> Int { Int(bytes[offset]) << 8 | Int(bytes[offset + 1]) }
    private static func put(_ value: Int, at offset: Int, in bytes: inout [UInt8]) {
        bytes[offset] = UInt8(truncatingIfNeeded: value >> 8)
        bytes[offset + 1] = UInt8(truncatingIfNeeded: value)
    }
}

/// The code under test, on arrays.
package enum UnderTest {
    /// What ``Segmenter`` makes of a super-packet; `nil` when it refuses.
    package static func segments(of packet: [UInt8], size: Int) -> [[UInt8]]? {
        var header = VirtioNetHeader()
        let isIPv6 = packet.first.map { $0 >> 4 } == 6
        let isTCP = packet.count > 9 && packet[isIPv6 ? 6 : 9] == TransportProtocol.tcp
        header.segmentationType =
            isTCP ? (isIPv6 ? VirtioNetHeader.tcp6 : VirtioNetHeader.tcp4) : VirtioNetHeader.udp
        header.segmentSize = UInt16(size)
        header.flags = VirtioNetHeader.needsChecksum
        return segments(of: packet, header)
    }

    package static func segments(of packet: [UInt8], _ header: VirtioNetHeader) -> [[UInt8]]? {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(packet.count, 1), alignment: 8)
        defer { copy.deallocate() }
        copy.copyBytes(from: packet)
        guard let base = copy.baseAddress, let inner = InnerPacket(base, length: packet.count),
            let segmenter = Segmenter(inner, header)
        else { return nil }
        return (0..<segmenter.count).map { index in
            let (offset, length) = segmenter.payload(of: index)
            let headers = [UInt8](unsafeUninitializedCapacity: segmenter.headersLength) { buffer, count in
                if let space = UnsafeMutableRawPointer(buffer.baseAddress) {
                    segmenter.writeHeaders(of: index, to: space)
                }
                count = segmenter.headersLength
            }
            return headers + packet[offset..<(offset + length)]
        }
    }

    /// Whether ``InnerPacket`` takes it for a packet.
    package static func isPacket(_ bytes: [UInt8]) -> Bool {
        var copy = bytes
        return copy.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.flatMap { InnerPacket($0, length: buffer.count) } != nil
        }
    }

    /// What ``Coalescer`` gives out for packets that come together: virtio-net header and packet of each.
    package static func coalesced(_ packets: [[UInt8]], joinsDatagrams: Bool = true) -> [(VirtioNetHeader, [UInt8])] {
        var coalescer = Coalescer(joinsDatagrams: joinsDatagrams)
        var output: [(VirtioNetHeader, [UInt8])] = []
        let storage = packets.map { packet in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(packet.count, 1), alignment: 8)
            copy.copyBytes(from: packet)
            return copy
        }
        defer { for copy in storage { copy.deallocate() } }
        func collect(_ pieces: borrowing ScatterList) {
            var header = VirtioNetHeader()
            pieces.bytes(at: 0).withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { header = VirtioNetHeader(loadedFrom: base) }
            }
            var bytes: [UInt8] = []
            for index in 1..<pieces.count { bytes += pieces.bytes(at: index) }
            output.append((header, bytes))
        }
        for (copy, packet) in zip(storage, packets) {
            guard let base = copy.baseAddress, let inner = InnerPacket(base, length: packet.count) else { continue }
            coalescer.add(inner) { collect($0) }
        }
        coalescer.flush { collect($0) }
        return output
    }
}
