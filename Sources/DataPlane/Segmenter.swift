package import LinuxKit

/// Cuts super-packets from a TUN device into the packets that go on the wire: new headers for each, payload where it is.
///
/// Follows what the kernel does in software (`tcp_gso_segment`, `__udp_gso_segment`, `inet_gso_segment`): the IP
/// identification counts up, FIN and PSH stay with the last segment, CWR with the first.
package enum Segmenter {
    /// What the outer datagrams need.
    package struct Destination {
        package var endpoint: UInt32
        package var port: UInt16
        package var typeOfService: UInt8

        /// - Parameters:
        ///   - endpoint: The peer's outer address, network byte order.
        ///   - port: Network byte order.
        ///   - typeOfService: The outer TOS byte.
        package init(endpoint: UInt32, port: UInt16, typeOfService: UInt8) {
            self.endpoint = endpoint
            self.port = port
            self.typeOfService = typeOfService
        }
    }

    /// How many packets `length` bytes become; 0 when the header contradicts the packet.
    package static func segmentCount(_ packet: UnsafeRawPointer, length: Int, header: VirtioNetHeader) -> Int {
        let kind = header.segmentationType & ~VirtioNetHeader.explicitCongestion
        guard kind != VirtioNetHeader.notSegmented else { return 1 }
        let headers = headersLength(packet, length: length, kind: kind)
        guard headers > 0, header.segmentSize > 0, length > headers else { return 0 }
        return (length &- headers &+ Int(header.segmentSize) &- 1) / Int(header.segmentSize)
    }

    /// Most bytes of headers a segment can need.
    package static let maximumHeaders = 60 + 60

    /// Queues the packets that `packet` stands for.
    ///
    /// - Parameters:
    ///   - packet: An IPv4 packet whose total length is `length`. Its headers may be written to.
    ///   - header: What the device said of it; ``segmentCount(_:length:header:)`` was not 0.
    package static func queue(
        _ packet: UnsafeMutableRawPointer, length: Int, header: VirtioNetHeader, to destination: Destination,
        on batch: inout TransmitBatch
    ) {
        let kind = header.segmentationType & ~VirtioNetHeader.explicitCongestion
        if kind == VirtioNetHeader.notSegmented {
            if header.flags & VirtioNetHeader.needsChecksum != 0 { finishChecksum(packet, length: length, header) }
            batch.append(
                head: packet, length, tail: nil, 0, endpoint: destination.endpoint, port: destination.port,
                typeOfService: destination.typeOfService)
            return
        }
        let ipLength = IPv4Header.length(packet)
        let headers = headersLength(packet, length: length, kind: kind)
        let size = Int(header.segmentSize)
        var offset = headers
        var index = 0
        while offset < length {
            let payload = min(size, length &- offset)
            let copy = batch.takeHeader(headers)
            copy.copyMemory(from: packet, byteCount: headers)
            writeIP(copy, ipLength: ipLength, totalLength: headers &+ payload, index: index)
            let last = offset &+ payload == length
            if kind == VirtioNetHeader.tcp4 {
                writeTCP(copy + ipLength, sent: offset &- headers, first: index == 0, last: last)
            } else {
                (copy + ipLength).storeBigEndian(UInt16(UDPHeader.length &+ payload), UDPHeader.lengthOffset)
            }
            let field = kind == VirtioNetHeader.tcp4 ? TCPHeader.checksumOffset : UDPHeader.checksumOffset
            (copy + ipLength).storeBytes(of: 0, toByteOffset: field, as: UInt16.self)
            var sum = InternetChecksum.pseudoHeader(copy, length: headers &- ipLength &+ payload)
            sum.add(copy + ipLength, headers &- ipLength)
            sum.add(packet + offset, payload)
            storeChecksum(sum.checksum, at: copy + ipLength + field, udp: kind != VirtioNetHeader.tcp4)
            batch.append(
                head: copy, headers, tail: packet + offset, payload, endpoint: destination.endpoint,
                port: destination.port, typeOfService: destination.typeOfService)
            offset &+= payload
            index &+= 1
        }
    }

    /// Bytes of IP and transport headers; 0 when they do not fit the packet.
    private static func headersLength(_ packet: UnsafeRawPointer, length: Int, kind: UInt8) -> Int {
        let ipLength = IPv4Header.length(packet)
        let transport = packet.load(fromByteOffset: IPv4Header.protocolOffset, as: UInt8.self)
        switch kind {
        case VirtioNetHeader.tcp4:
            guard transport == TransportProtocol.tcp, length >= ipLength &+ TCPHeader.minimumLength else { return 0 }
            let tcpLength = TCPHeader.length(packet + ipLength)
            return tcpLength >= TCPHeader.minimumLength && length >= ipLength &+ tcpLength ? ipLength &+ tcpLength : 0
        case VirtioNetHeader.udp4:
            guard transport == TransportProtocol.udp, length >= ipLength &+ UDPHeader.length else { return 0 }
            return ipLength &+ UDPHeader.length
        default:
            return 0
        }
    }

    @inline(__always)
    private static func writeIP(_ copy: UnsafeMutableRawPointer, ipLength: Int, totalLength: Int, index: Int) {
        copy.storeBigEndian(UInt16(totalLength), IPv4Header.totalLengthOffset)
        let identification = UnsafeRawPointer(copy).bigEndian16(IPv4Header.identificationOffset)
        copy.storeBigEndian(identification &+ UInt16(truncatingIfNeeded: index), IPv4Header.identificationOffset)
        copy.storeBytes(of: 0, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
        var sum = InternetChecksum()
        sum.add(copy, ipLength)
        copy.storeBytes(of: sum.checksum, toByteOffset: IPv4Header.checksumOffset, as: UInt16.self)
    }

    @inline(__always)
    private static func writeTCP(_ tcp: UnsafeMutableRawPointer, sent: Int, first: Bool, last: Bool) {
        let sequence = UnsafeRawPointer(tcp).bigEndian32(TCPHeader.sequenceOffset)
        tcp.storeBigEndian(sequence &+ UInt32(truncatingIfNeeded: sent), TCPHeader.sequenceOffset)
        var flags = tcp.load(fromByteOffset: TCPHeader.flagsOffset, as: UInt8.self)
        if !last { flags &= ~(TCPHeader.fin | TCPHeader.psh) }
        if !first { flags &= ~TCPHeader.cwr }
        tcp.storeBytes(of: flags, toByteOffset: TCPHeader.flagsOffset, as: UInt8.self)
    }

    /// Sums what the sender left open. The field holds the sum over the pseudo header and counts in.
    private static func finishChecksum(_ packet: UnsafeMutableRawPointer, length: Int, _ header: VirtioNetHeader) {
        let start = Int(header.checksumStart)
        let field = start &+ Int(header.checksumOffset)
        guard start < length, field &+ 2 <= length else { return }
        var sum = InternetChecksum()
        sum.add(packet + start, length &- start)
        let udp = packet.load(fromByteOffset: IPv4Header.protocolOffset, as: UInt8.self) == TransportProtocol.udp
        storeChecksum(sum.checksum, at: packet + field, udp: udp)
    }

    /// In UDP a sum of zero means "none", and its other representation is sent for it (RFC 768).
    @inline(__always)
    private static func storeChecksum(_ checksum: UInt16, at field: UnsafeMutableRawPointer, udp: Bool) {
        field.storeBytes(of: udp && checksum == 0 ? 0xFFFF : checksum, as: UInt16.self)
    }
}
