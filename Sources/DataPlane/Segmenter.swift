/// A packet from a TUN device about to be cut into the packets that go on the wire. New headers are written for each;
/// the payload stays where it is.
///
/// Follows what the kernel does in software (`tcp_gso_segment`, `__udp_gso_segment`, `inet_gso_segment`): the IPv4
/// identification counts up, FIN and PSH stay with the last segment, CWR with the first.
package struct Segmenter {
    /// Most bytes of headers a segment can need: IPv4 or TCP with all options.
    package static let maximumHeaders = 60 + 60

    private let packet: InnerPacket
    /// Bytes of IP and transport headers.
    package let headersLength: Int
    /// Bytes of payload a segment; the last may have fewer.
    package let segmentSize: Int
    /// How many packets there will be, at least one.
    package let count: Int
    private let isTCP: Bool

    /// Looks at what the device said of a super-packet.
    ///
    /// - Returns: `nil` when `header` asks for nothing to be cut, or contradicts the packet: ``isWhole(_:)`` tells.
    package init?(_ packet: InnerPacket, _ header: VirtioNetHeader) {
        let start = packet.headerLength
        let headersLength: Int
        switch header.segmentationType & ~VirtioNetHeader.explicitCongestion {
        case VirtioNetHeader.tcp4 where !packet.isIPv6, VirtioNetHeader.tcp6 where packet.isIPv6:
            guard packet.transport == TransportProtocol.tcp, packet.length >= start &+ TCPHeader.minimumLength,
                TCPHeader.length(packet.header + start) >= TCPHeader.minimumLength
            else { return nil }
            headersLength = start &+ TCPHeader.length(packet.header + start)
            isTCP = true
        case VirtioNetHeader.udp:
            guard packet.transport == TransportProtocol.udp else { return nil }
            headersLength = start &+ UDPHeader.length
            isTCP = false
        default:
            return nil
        }
        guard header.segmentSize > 0, packet.length > headersLength, !packet.isFragment else { return nil }
        self.packet = packet
        self.headersLength = headersLength
        segmentSize = Int(header.segmentSize)
        count = (packet.length &- headersLength &+ segmentSize &- 1) / segmentSize
    }

    /// Whether the device handed over a packet that is not to be cut.
    @inline(__always)
    package static func isWhole(_ header: VirtioNetHeader) -> Bool {
        header.segmentationType == VirtioNetHeader.notSegmented
    }

    /// Where a segment's payload is in the packet.
    @inline(__always)
    package func payload(of index: Int) -> (offset: Int, length: Int) {
        let offset = headersLength &+ index &* segmentSize
        return (offset, min(segmentSize, packet.length &- offset))
    }

    /// Writes a segment's headers, ``headersLength`` bytes, checksums included.
    @inline(__always)
    package func writeHeaders(of index: Int, to copy: UnsafeMutableRawPointer) {
        let (offset, payload) = self.payload(of: index)
        copy.copyMemory(from: packet.header, byteCount: headersLength)
        if packet.isIPv6 {
            copy.storeBigEndian(
                UInt16(truncatingIfNeeded: headersLength &- IPv6Header.length &+ payload),
                IPv6Header.payloadLengthOffset)
        } else {
            writeIPv4(copy, totalLength: headersLength &+ payload, index: index)
        }
        let transport = copy + packet.headerLength
        let field = isTCP ? TCPHeader.checksumOffset : UDPHeader.checksumOffset
        if isTCP {
            writeTCP(transport, sent: index &* segmentSize, first: index == 0, last: index == count &- 1)
        } else {
            transport.storeBigEndian(
                UInt16(truncatingIfNeeded: UDPHeader.length &+ payload), UDPHeader.lengthOffset)
        }
        transport.storeBytes(of: 0, toByteOffset: field, as: UInt16.self)
        let transportHeader = headersLength &- packet.headerLength
        var sum = InternetChecksum.pseudoHeader(
            copy, isIPv6: packet.isIPv6, transport: packet.transport, length: transportHeader &+ payload)
        sum.add(transport, transportHeader)
        sum.add(packet.header + offset, payload)
        // In UDP a sum of zero means "none", and its other representation is sent for it (RFC 768).
        let checksum = sum.checksum
        transport.storeBytes(of: !isTCP && checksum == 0 ? 0xFFFF : checksum, toByteOffset: field, as: UInt16.self)
    }

    @inline(__always)
    private func writeIPv4(_ copy: UnsafeMutableRawPointer, totalLength: Int, index: Int) {
        copy.storeBigEndian(UInt16(truncatingIfNeeded: totalLength), IPv4Header.totalLengthOffset)
        let identification = packet.header.bigEndian16(IPv4Header.identificationOffset)
        copy.storeBigEndian(identification &+ UInt16(truncatingIfNeeded: index), IPv4Header.identificationOffset)
        copy.storeBytes(of: 0, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
        var sum = InternetChecksum()
        sum.add(copy, packet.headerLength)
        copy.storeBytes(of: sum.checksum, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
    }

    @inline(__always)
    private func writeTCP(_ tcp: UnsafeMutableRawPointer, sent: Int, first: Bool, last: Bool) {
        let sequence = UnsafeRawPointer(tcp).bigEndian32(TCPHeader.sequenceOffset)
        tcp.storeBigEndian(sequence &+ UInt32(truncatingIfNeeded: sent), TCPHeader.sequenceOffset)
        var flags = UnsafeRawPointer(tcp).byte(TCPHeader.flagsOffset)
        if !last { flags &= ~(TCPHeader.fin | TCPHeader.psh) }
        if !first { flags &= ~TCPHeader.cwr }
        tcp.storeBytes(of: flags, toByteOffset: TCPHeader.flagsOffset, as: UInt8.self)
    }

    /// Sums what the sender of a whole packet left open (`skb_checksum_help`); the field holds the sum over the pseudo
    /// header, and counts in. Does nothing when nothing is open.
    ///
    /// - Returns: `false` when the header points outside the packet.
    @inline(__always)
    package static func finishChecksum(_ packet: InnerPacket, _ header: VirtioNetHeader) -> Bool {
        guard header.flags & VirtioNetHeader.needsChecksum != 0 else { return true }
        let start = Int(header.checksumStart)
        let field = start &+ Int(header.checksumOffset)
        guard start >= packet.headerLength, start < packet.length, field &+ 2 <= packet.length else { return false }
        var sum = InternetChecksum()
        sum.add(packet.header + start, packet.length &- start)
        // Zero would mean "none" in UDP; in TCP both representations of zero are right.
        let checksum = sum.checksum
        packet.bytes.storeBytes(of: checksum == 0 ? 0xFFFF : checksum, toByteOffset: field, as: UInt16.self)
        return true
    }
}
