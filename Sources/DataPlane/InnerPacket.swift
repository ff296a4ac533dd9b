/// One inner packet, IPv4 or IPv6, that has been looked at once: where its parts are, and that they fit its length.
///
/// A view: the bytes belong to whoever read them, and stay in place while it is used.
package struct InnerPacket {
    package let bytes: UnsafeMutableRawPointer
    package let length: Int
    package let isIPv6: Bool
    /// Where the transport header begins; IPv6 extension headers count as transport.
    package let headerLength: Int
    /// The number of what follows the IP header.
    package let transport: UInt8

    /// Looks at `length` bytes that hold one packet and nothing else.
    ///
    /// - Returns: `nil` unless it is IPv4 or IPv6 with a header that fits, whose length field says exactly `length`.
    @inline(__always)
    package init?(_ bytes: UnsafeMutableRawPointer, length: Int) {
        guard length >= IPv4Header.minimumLength else { return nil }
        let header = UnsafeRawPointer(bytes)
        switch header.byte(0) >> 4 {
        case 4:
            let headerLength = IPv4Header.length(header)
            guard headerLength >= IPv4Header.minimumLength, headerLength <= length,
                IPv4Header.totalLength(header) == length
            else { return nil }
            self.headerLength = headerLength
            isIPv6 = false
            transport = header.byte(IPv4Header.protocolOffset)
        case 6:
            guard length >= IPv6Header.length,
                Int(header.bigEndian16(IPv6Header.payloadLengthOffset)) &+ IPv6Header.length == length
            else { return nil }
            headerLength = IPv6Header.length
            isIPv6 = true
            transport = header.byte(IPv6Header.nextHeaderOffset)
        default:
            return nil
        }
        self.bytes = bytes
        self.length = length
    }

    /// The packet, to be read.
    @inline(__always) package var header: UnsafeRawPointer { UnsafeRawPointer(bytes) }

    /// The TOS byte or traffic class: DSCP and ECN.
    @inline(__always)
    package var trafficClass: UInt8 {
        isIPv6 ? UInt8(truncatingIfNeeded: header.bigEndian16(0) >> 4) : header.byte(IPv4Header.typeOfServiceOffset)
    }

    /// Whether it is a part of a larger packet, so that ports and checksums mean nothing.
    @inline(__always)
    package var isFragment: Bool {
        isIPv6
            ? transport == IPv6Header.fragment
            : header.bigEndian16(IPv4Header.fragmentOffset) & IPv4Header.fragmentMask != 0
    }

    /// Whether routers must not cut it: always so for IPv6.
    @inline(__always)
    package var mustNotBeFragmented: Bool {
        isIPv6 || header.bigEndian16(IPv4Header.fragmentOffset) & IPv4Header.dontFragment != 0
    }

    /// Hops that are left, those of this node included.
    @inline(__always)
    package var hopLimit: UInt8 { header.byte(isIPv6 ? IPv6Header.hopLimitOffset : IPv4Header.timeToLiveOffset) }

    /// Takes one hop off, and corrects an IPv4 header's checksum.
    ///
    /// - Precondition: ``hopLimit`` is not 0.
    @inline(__always)
    package func decrementHopLimit() {
        guard !isIPv6 else {
            bytes.storeBytes(of: hopLimit &- 1, toByteOffset: IPv6Header.hopLimitOffset, as: UInt8.self)
            return
        }
        let old = header.bigEndian16(IPv4Header.timeToLiveOffset)
        replaceWord(old, with: old &- 0x0100, at: IPv4Header.timeToLiveOffset)
    }

    /// Sets the two ECN bits, and corrects an IPv4 header's checksum.
    @inline(__always)
    package func setCongestionBits(_ bits: UInt8) {
        if isIPv6 {
            let word = header.bigEndian16(0)
            bytes.storeBigEndian(word & ~0x0030 | UInt16(bits) << 4, 0)
        } else {
            let old = header.bigEndian16(0)
            replaceWord(old, with: old & ~0x0003 | UInt16(bits), at: 0)
        }
    }

    /// Replaces a word of an IPv4 header; the checksum follows by RFC 1624 equation 3.
    @inline(__always)
    private func replaceWord(_ old: UInt16, with new: UInt16, at offset: Int) {
        bytes.storeBigEndian(new, offset)
        let checksum = header.bigEndian16(IPv4Header.checksumOffset)
        var sum = UInt32(~checksum) &+ UInt32(~old) &+ UInt32(new)
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        bytes.storeBigEndian(~UInt16(truncatingIfNeeded: sum), IPv4Header.checksumOffset)
    }

    /// A number that packets of one flow share: from addresses and protocol, and the ports where there are any.
    /// Fragments of one datagram have one number, which is not that of its flow.
    @inline(__always)
    package var flowHash: UInt32 {
        var hash = UInt64(transport)
        if isIPv6 {
            hash = Self.mix(Self.mix(hash, header.bigEndian64(8)), header.bigEndian64(16))
            hash = Self.mix(Self.mix(hash, header.bigEndian64(24)), header.bigEndian64(32))
        } else {
            hash = Self.mix(hash, header.bigEndian64(IPv4Header.sourceOffset))
        }
        let hasPorts = transport == TransportProtocol.tcp || transport == TransportProtocol.udp
        if hasPorts, !isFragment, length >= headerLength &+ 4 {
            hash = Self.mix(hash, UInt64(header.bigEndian32(headerLength)))
        }
        return UInt32(truncatingIfNeeded: hash >> 32)
    }

    @inline(__always)
    private static func mix(_ hash: UInt64, _ value: UInt64) -> UInt64 {
        let product = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
        return product ^ (product >> 29)
    }
}
