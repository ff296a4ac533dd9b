import DataPlane

/// Packets as the tests want them, checksums right unless said otherwise.
package struct PacketFactory {
    package var isIPv6: Bool
    package var isTCP: Bool
    package var payload: Int
    /// Bytes of TCP options.
    package var options: Int
    package var flags: UInt8
    package var sequence: UInt32
    package var trafficClass: UInt8
    package var hopLimit: UInt8
    package var identification: UInt16
    package var dontFragment: Bool
    /// 10.244.a.b and fd00:244:a::b.
    package var source: (UInt8, UInt8)
    package var destination: (UInt8, UInt8)
    package var ports: (UInt16, UInt16)

    package init(
        isIPv6: Bool = false, isTCP: Bool = true, payload: Int = 1000, options: Int = 12, flags: UInt8 = TCPHeader.ack,
        sequence: UInt32 = .max - 3_000,  // wraps on the way
        trafficClass: UInt8 = 0, hopLimit: UInt8 = 64, identification: UInt16 = 7,
        dontFragment: Bool = true, source: (UInt8, UInt8) = (1, 2), destination: (UInt8, UInt8) = (2, 3),
        ports: (UInt16, UInt16) = (40_000, 80)
    ) {
        self.isIPv6 = isIPv6
        self.isTCP = isTCP
        self.payload = payload
        self.options = options
        self.flags = flags
        self.sequence = sequence
        self.trafficClass = trafficClass
        self.hopLimit = hopLimit
        self.identification = identification
        self.dontFragment = dontFragment
        self.source = source
        self.destination = destination
        self.ports = ports
    }

    package var headersLength: Int { (isIPv6 ? 40 : 20) + (isTCP ? 20 + options : 8) }

    /// The packet, with random payload.
    package func make(_ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: headersLength)
        bytes += (0..<payload).map { _ in UInt8.random(in: 0...255, using: &generator) }
        if isTCP, options >= 4 { for index in 0..<options { bytes[headersLength - options + index] = 1 } }  // no-ops
        bytes.withUnsafeMutableBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            writeIP(base, length: buffer.count)
            writeTransport(base + (isIPv6 ? 40 : 20), length: buffer.count - (isIPv6 ? 40 : 20))
        }
        PacketFactory.fixChecksums(&bytes)
        return bytes
    }

    private func writeIP(_ base: UnsafeMutableRawPointer, length: Int) {
        let transport = isTCP ? TransportProtocol.tcp : TransportProtocol.udp
        if isIPv6 {
            base.storeBigEndian(UInt32(0x6000_0000) | UInt32(trafficClass) << 20 | 0xABCDE, 0)
            base.storeBigEndian(UInt16(length - 40), IPv6Header.payloadLengthOffset)
            base.storeBytes(of: transport, toByteOffset: IPv6Header.nextHeaderOffset, as: UInt8.self)
            base.storeBytes(of: hopLimit, toByteOffset: IPv6Header.hopLimitOffset, as: UInt8.self)
            for (offset, address) in [(8, source), (24, destination)] {
                base.storeBigEndian(UInt32(0xFD00_0244), offset)
                base.storeBigEndian(UInt16(address.0), offset + 4)
                base.storeBigEndian(UInt16(address.1), offset + 14)
            }
        } else {
            base.storeBytes(of: 0x45, as: UInt8.self)
            base.storeBytes(of: trafficClass, toByteOffset: IPv4Header.typeOfServiceOffset, as: UInt8.self)
            base.storeBigEndian(UInt16(truncatingIfNeeded: length), IPv4Header.totalLengthOffset)
            base.storeBigEndian(identification, IPv4Header.identificationOffset)
            base.storeBigEndian(dontFragment ? IPv4Header.dontFragment : 0, IPv4Header.fragmentOffset)
            base.storeBytes(of: hopLimit, toByteOffset: IPv4Header.timeToLiveOffset, as: UInt8.self)
            base.storeBytes(of: transport, toByteOffset: IPv4Header.protocolOffset, as: UInt8.self)
            for (offset, address) in [(12, source), (16, destination)] {
                base.storeBigEndian(UInt32(0x0AF4_0000) | UInt32(address.0) << 8 | UInt32(address.1), offset)
            }
        }
    }

    private func writeTransport(_ base: UnsafeMutableRawPointer, length: Int) {
        base.storeBigEndian(ports.0, 0)
        base.storeBigEndian(ports.1, 2)
        if isTCP {
            base.storeBigEndian(sequence, TCPHeader.sequenceOffset)
            base.storeBytes(
                of: UInt8((20 + options) / 4) << 4, toByteOffset: TCPHeader.dataOffsetOffset, as: UInt8.self)
            base.storeBytes(of: flags, toByteOffset: TCPHeader.flagsOffset, as: UInt8.self)
            base.storeBigEndian(UInt16(512), TCPHeader.windowOffset)
        } else {
            base.storeBigEndian(UInt16(truncatingIfNeeded: length), UDPHeader.lengthOffset)
        }
    }

    /// The checksum of RFC 1071, word by word, over pieces of which all but the last are of even length.
    package static func plainChecksum(_ pieces: [ArraySlice<UInt8>]) -> UInt16 {
        var sum: UInt32 = 0
        for piece in pieces {
            var index = piece.startIndex
            while index < piece.endIndex {
                let low = index + 1 < piece.endIndex ? piece[index + 1] : 0
                sum += UInt32(piece[index]) << 8 | UInt32(low)
                sum = (sum & 0xFFFF) + (sum >> 16)
                index += 2
            }
        }
        return ~UInt16(sum)
    }

    /// The transport checksum as it should be, by the plain definition.
    package static func transportChecksum(_ packet: [UInt8]) -> UInt16 {
        let isIPv6 = packet[0] >> 4 == 6
        let start = isIPv6 ? 40 : Int(packet[0] & 15) * 4
        let transport = packet[isIPv6 ? 6 : 9]
        let length = packet.count - start
        var copy = packet
        let field = start + (transport == TransportProtocol.tcp ? 16 : 6)
        copy[field] = 0
        copy[field + 1] = 0
        let pseudo: [UInt8] = [0, transport, UInt8(length >> 8), UInt8(length & 255)]
        let checksum = plainChecksum([copy[(isIPv6 ? 8 : 12)..<(isIPv6 ? 40 : 20)], pseudo[...], copy[start...]])
        return checksum == 0 && transport == TransportProtocol.udp ? 0xFFFF : checksum
    }

    /// Writes all checksums of a TCP or UDP packet, by the plain definition.
    package static func fixChecksums(_ packet: inout [UInt8]) {
        let isIPv6 = packet[0] >> 4 == 6
        let start = isIPv6 ? 40 : Int(packet[0] & 15) * 4
        if !isIPv6 {
            packet[10] = 0
            packet[11] = 0
            let checksum = plainChecksum([packet[..<start]])
            packet[10] = UInt8(checksum >> 8)
            packet[11] = UInt8(checksum & 255)
        }
        let checksum = transportChecksum(packet)
        let field = start + (packet[isIPv6 ? 6 : 9] == TransportProtocol.tcp ? 16 : 6)
        packet[field] = UInt8(checksum >> 8)
        packet[field + 1] = UInt8(checksum & 255)
    }

    /// Like ``fixChecksums(_:)`` for any packet, as far as its headers reach.
    package static func fixAnyChecksums(_ packet: inout [UInt8]) {
        let isIPv6 = packet[0] >> 4 == 6
        let start = isIPv6 ? 40 : Int(packet[0] & 15) * 4
        let transport = packet[isIPv6 ? 6 : 9]
        let least = transport == TransportProtocol.tcp ? 20 : transport == TransportProtocol.udp ? 8 : Int.max / 2
        if packet.count >= start + least { fixChecksums(&packet) }
    }
}
