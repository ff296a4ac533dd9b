import LinuxKit

/// A packet that may be joined with others, as far as it alone can tell: whole, without IP options or extension headers,
/// with payload; of TCP without flags but ACK, PSH, FIN and ECE; of UDP with a checksum. Checksums are not looked at.
struct CoalescingCandidate {
    let packet: InnerPacket
    let isTCP: Bool
    /// Bytes of IP and transport headers.
    let headersLength: Int

    @inline(__always) var payload: Int { packet.length &- headersLength }
    @inline(__always) var transport: UnsafeRawPointer { packet.header + packet.headerLength }

    @inline(__always)
    init?(_ packet: InnerPacket) {
        let start = packet.headerLength
        guard !packet.isFragment, packet.isIPv6 || start == IPv4Header.minimumLength else { return nil }
        let transport = packet.header + start
        switch packet.transport {
        case TransportProtocol.tcp:
            guard packet.length > start &+ TCPHeader.minimumLength else { return nil }
            let tcpLength = TCPHeader.length(transport)
            let flags = transport.byte(TCPHeader.flagsOffset)
            guard tcpLength >= TCPHeader.minimumLength, packet.length > start &+ tcpLength,
                flags & ~(TCPHeader.psh | TCPHeader.fin | TCPHeader.ece) == TCPHeader.ack,
                transport.byte(TCPHeader.dataOffsetOffset) & 0x0F == 0
            else { return nil }
            isTCP = true
            headersLength = start &+ tcpLength
        case TransportProtocol.udp:
            guard packet.length > start &+ UDPHeader.length,
                Int(transport.bigEndian16(UDPHeader.lengthOffset)) == packet.length &- start,
                transport.bigEndian16(UDPHeader.checksumOffset) != 0
            else { return nil }
            isTCP = false
            headersLength = start &+ UDPHeader.length
        default:
            return nil
        }
        self.packet = packet
    }

    /// Whether the checksums of the IPv4 header and of the transport are right.
    var isIntact: Bool {
        if !packet.isIPv6 {
            var sum = InternetChecksum()
            sum.add(packet.header, packet.headerLength)
            guard sum.checksum == 0 else { return false }
        }
        let length = packet.length &- packet.headerLength
        var sum = InternetChecksum.pseudoHeader(
            packet.header, isIPv6: packet.isIPv6, transport: packet.transport, length: length)
        sum.add(transport, length)
        return sum.checksum == 0
    }
}

/// The packets of one flow that are being joined.
///
/// By the rules of `tcp_gro_receive`, `udp_gro_receive_segment` and `gro_receive_network_flush`: the same addresses,
/// ports, TOS or traffic class, flow label, TTL, DF bit and TCP options, window, acknowledgement and flags (FIN and PSH
/// aside, with which a super-packet ends); consecutive TCP sequence numbers; IPv4 identifications that count up, or
/// stay the same from the start where DF is set; payloads of one size with a shorter one only at the end; and right
/// checksums. These are verified once there are two packets to join, so that a lone one costs nothing.
struct CoalescedFlow: ~Copyable {
    /// Most packets in one super-packet (`UDP_GRO_CNT_MAX`), and most bytes.
    static let maximumPackets = 64
    static let maximumBytes = 65_535

    private var pieces = ScatterList(capacity: 2 + maximumPackets)
    /// The virtio-net header to come before the packets.
    private let prefix: UnsafeMutableRawPointer
    private var first: CoalescingCandidate?
    private var totalLength = 0
    private var count = 0
    private var nextSequence: UInt32 = 0
    private var isVerified = false
    private var hasFixedIdentification = false
    /// Whether nothing more may be joined.
    private(set) var isComplete = false

    init() { prefix = .allocate(byteCount: VirtioNetHeader.length, alignment: 8) }
    deinit { prefix.deallocate() }

    /// Whether the packet has the flow's addresses, protocol and, where these are, ports.
    @inline(__always)
    func isFlow(of packet: InnerPacket) -> Bool {
        guard let first, first.packet.transport == packet.transport, first.packet.isIPv6 == packet.isIPv6 else {
            return false
        }
        let (old, new) = (first.packet.header, packet.header)
        if packet.isIPv6 {
            guard old.bigEndian64(8) == new.bigEndian64(8), old.bigEndian64(16) == new.bigEndian64(16),
                old.bigEndian64(24) == new.bigEndian64(24), old.bigEndian64(32) == new.bigEndian64(32)
            else { return false }
        } else {
            guard old.bigEndian64(IPv4Header.sourceOffset) == new.bigEndian64(IPv4Header.sourceOffset) else {
                return false
            }
        }
        return old.bigEndian32(first.packet.headerLength) == new.bigEndian32(packet.headerLength)
    }

    /// Starts with `candidate`.
    @inline(__always)
    mutating func begin(_ candidate: CoalescingCandidate) {
        first = candidate
        totalLength = candidate.packet.length
        count = 1
        isVerified = false
        hasFixedIdentification = false
        pieces.removeAll()
        pieces.append(prefix, VirtioNetHeader.length)
        pieces.append(candidate.packet.bytes, candidate.packet.length)
        isComplete = false
        guard candidate.isTCP else { return }
        nextSequence =
            candidate.transport.bigEndian32(TCPHeader.sequenceOffset)
            &+ UInt32(truncatingIfNeeded: candidate.payload)
        isComplete = candidate.transport.byte(TCPHeader.flagsOffset) & (TCPHeader.psh | TCPHeader.fin) != 0
    }

    /// Joins `candidate`, a packet of this flow, to what is there. Returns `false`, and does nothing, when the rules
    /// forbid it.
    @inline(__always)
    mutating func append(_ candidate: CoalescingCandidate) -> Bool {
        guard let first, candidate.headersLength == first.headersLength, candidate.payload <= first.payload,
            totalLength &+ candidate.payload <= Self.maximumBytes,
            hasEqualNetworkHeader(candidate.packet, first.packet),
            !candidate.isTCP || hasEqualTCPHeader(candidate.transport, first.transport),
            candidate.isIntact, isVerified || first.isIntact
        else { return false }
        isVerified = true
        pieces.append(candidate.packet.bytes + candidate.headersLength, candidate.payload)
        count &+= 1
        totalLength &+= candidate.payload
        isComplete = candidate.payload < first.payload || count == Self.maximumPackets
        guard candidate.isTCP else { return true }
        nextSequence &+= UInt32(truncatingIfNeeded: candidate.payload)
        let ending = candidate.transport.byte(TCPHeader.flagsOffset) & (TCPHeader.psh | TCPHeader.fin)
        if ending != 0 {
            let field = first.packet.bytes + first.packet.headerLength + TCPHeader.flagsOffset
            field.storeBytes(of: field.load(as: UInt8.self) | ending, as: UInt8.self)
            isComplete = true
        }
        return true
    }

    @inline(__always)
    private mutating func hasEqualNetworkHeader(_ packet: InnerPacket, _ first: InnerPacket) -> Bool {
        let (old, new) = (first.header, packet.header)
        if packet.isIPv6 {
            return old.bigEndian32(0) == new.bigEndian32(0)  // version, traffic class, flow label
                && old.byte(IPv6Header.hopLimitOffset) == new.byte(IPv6Header.hopLimitOffset)
        }
        guard old.bigEndian16(0) == new.bigEndian16(0),  // version, header length, TOS
            old.bigEndian16(IPv4Header.fragmentOffset) == new.bigEndian16(IPv4Header.fragmentOffset),
            old.byte(IPv4Header.timeToLiveOffset) == new.byte(IPv4Header.timeToLiveOffset)
        else { return false }
        let step =
            new.bigEndian16(IPv4Header.identificationOffset) &- old.bigEndian16(IPv4Header.identificationOffset)
        if count == 1, step == 0, first.mustNotBeFragmented {
            hasFixedIdentification = true  // means nothing with DF: RFC 6864 section 4.1
            return true
        }
        return step == (hasFixedIdentification ? 0 : UInt16(truncatingIfNeeded: count))
    }

    @inline(__always)
    private func hasEqualTCPHeader(_ new: UnsafeRawPointer, _ old: UnsafeRawPointer) -> Bool {
        guard new.bigEndian32(TCPHeader.sequenceOffset) == nextSequence,
            new.bigEndian32(TCPHeader.acknowledgementOffset) == old.bigEndian32(TCPHeader.acknowledgementOffset)
        else { return false }
        // Header length, flags and window in one word.
        let difference =
            new.bigEndian32(TCPHeader.dataOffsetOffset) ^ old.bigEndian32(TCPHeader.dataOffsetOffset)
        guard difference & ~(UInt32(TCPHeader.psh | TCPHeader.fin) << 16) == 0 else { return false }
        let end = TCPHeader.length(old)
        var offset = TCPHeader.minimumLength
        while offset < end {
            if old.bigEndian32(offset) != new.bigEndian32(offset) { return false }
            offset &+= 4
        }
        return true
    }

    /// Gives out the packet that has grown, and forgets it.
    mutating func finish<E: Error>(output: (borrowing ScatterList) throws(E) -> Void) throws(E) {
        guard let first else { return }
        self.first = nil
        if count > 1 { writeSuperHeaders(first) } else { VirtioNetHeader().store(to: prefix) }
        try output(pieces)
    }

    private func writeSuperHeaders(_ first: CoalescingCandidate) {
        let packet = first.packet
        let transportLength = totalLength &- packet.headerLength
        if packet.isIPv6 {
            packet.bytes.storeBigEndian(
                UInt16(truncatingIfNeeded: totalLength &- IPv6Header.length), IPv6Header.payloadLengthOffset)
        } else {
            packet.bytes.storeBigEndian(UInt16(truncatingIfNeeded: totalLength), IPv4Header.totalLengthOffset)
            packet.bytes.storeBytes(of: 0, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
            var sum = InternetChecksum()
            sum.add(packet.header, packet.headerLength)
            packet.bytes.storeBytes(of: sum.checksum, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
        }
        let partial = InternetChecksum.pseudoHeader(
            packet.header, isIPv6: packet.isIPv6, transport: packet.transport, length: transportLength)
        let transport = packet.bytes + packet.headerLength
        let field = first.isTCP ? TCPHeader.checksumOffset : UDPHeader.checksumOffset
        transport.storeBytes(of: partial.folded, toByteOffset: field, as: UInt16.self)
        if !first.isTCP {
            transport.storeBigEndian(UInt16(truncatingIfNeeded: transportLength), UDPHeader.lengthOffset)
        }
        var header = VirtioNetHeader()
        header.flags = VirtioNetHeader.needsChecksum
        header.segmentationType =
            first.isTCP ? (packet.isIPv6 ? VirtioNetHeader.tcp6 : VirtioNetHeader.tcp4) : VirtioNetHeader.udp
        header.headerLength = UInt16(truncatingIfNeeded: first.headersLength)
        header.segmentSize = UInt16(truncatingIfNeeded: first.payload)
        header.checksumStart = UInt16(truncatingIfNeeded: packet.headerLength)
        header.checksumOffset = UInt16(field)
        header.store(to: prefix)
    }
}
