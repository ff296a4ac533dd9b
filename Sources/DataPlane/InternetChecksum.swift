/// The Internet checksum (RFC 1071) as a sum that is built up piece by piece and folded once.
///
/// The sum is kept in the byte order of the machine: RFC 1071 section 2(B) shows that it may be, as long as it is
/// stored the way it was loaded. Only pieces of an even number of bytes may be followed by another.
package struct InternetChecksum {
    private var sum: UInt64

    package init(_ seed: UInt64 = 0) { sum = seed }

    /// Adds `count` bytes. Reads eight at a time, so it costs little more than loading them.
    @inline(__always)
    package mutating func add(_ bytes: UnsafeRawPointer, _ count: Int) {
        var total = sum
        var offset = 0
        while offset &+ 32 <= count {
            let a = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let b = bytes.loadUnaligned(fromByteOffset: offset &+ 8, as: UInt64.self)
            let c = bytes.loadUnaligned(fromByteOffset: offset &+ 16, as: UInt64.self)
            let d = bytes.loadUnaligned(fromByteOffset: offset &+ 24, as: UInt64.self)
            // Halves of 32 bits cannot overflow 64 within a packet, so no carry needs to be looked after here.
            total &+= (a & 0xFFFF_FFFF) &+ (a >> 32) &+ (b & 0xFFFF_FFFF) &+ (b >> 32)
            total &+= (c & 0xFFFF_FFFF) &+ (c >> 32) &+ (d & 0xFFFF_FFFF) &+ (d >> 32)
            offset &+= 32
        }
        while offset &+ 4 <= count {
            total &+= UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset &+= 4
        }
        if offset &+ 2 <= count {
            total &+= UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if offset < count {
            total &+= UInt64(UInt16(littleEndian: UInt16(bytes.load(fromByteOffset: offset, as: UInt8.self))))
        }
        sum = total
    }

    /// Adds one 16-bit word given in network byte order, as it would be loaded from a packet.
    @inline(__always)
    package mutating func add(networkOrder word: UInt16) { sum &+= UInt64(word) }

    /// Adds one 16-bit number given in host byte order.
    @inline(__always)
    package mutating func add(_ number: UInt16) { sum &+= UInt64(number.bigEndian) }

    /// The one's complement sum in 16 bits, as loaded from a packet; what `NEEDS_CSUM` wants in the checksum field.
    package var folded: UInt16 {
        @inline(__always) get {
            var value = (sum & 0xFFFF_FFFF) &+ (sum >> 32)
            value = (value & 0xFFFF) &+ (value >> 16)
            value = (value & 0xFFFF) &+ (value >> 16)
            value = (value & 0xFFFF) &+ (value >> 16)
            return UInt16(truncatingIfNeeded: value)
        }
    }

    /// The value for a checksum field, ready to be stored; also 0 over a packet whose checksum is right.
    package var checksum: UInt16 {
        @inline(__always) get { ~folded }
    }

    /// Starts a TCP, UDP or ICMPv6 sum with the pseudo header of RFC 9293 section 3.1 or RFC 8200 section 8.1.
    ///
    /// - Parameters:
    ///   - header: The IP header, whose addresses are read.
    ///   - transport: The number of the transport protocol.
    ///   - length: Bytes of the transport header and its payload.
    @inline(__always)
    package static func pseudoHeader(
        _ header: UnsafeRawPointer, isIPv6: Bool, transport: UInt8, length: Int
    ) -> InternetChecksum {
        var sum = InternetChecksum()
        if isIPv6 {
            sum.add(header + IPv6Header.sourceOffset, 32)
        } else {
            sum.add(header + IPv4Header.sourceOffset, 8)
        }
        sum.add(UInt16(transport))
        sum.add(UInt16(truncatingIfNeeded: length))
        return sum
    }
}
