/// Where the fields of an IPv4 header are (RFC 791 section 3.1), in bytes from its start.
package enum IPv4Header {
    package static let minimumLength = 20
    package static let typeOfServiceOffset = 1
    package static let totalLengthOffset = 2
    package static let identificationOffset = 4
    package static let fragmentOffset = 6
    package static let timeToLiveOffset = 8
    package static let protocolOffset = 9
    package static let checksumOffset = 10
    package static let sourceOffset = 12
    package static let destinationOffset = 16
    /// "More fragments" and the fragment offset: zero in a packet that is whole.
    package static let fragmentMask: UInt16 = 0x3FFF
    package static let dontFragment: UInt16 = 0x4000

    /// Bytes of the header, options included.
    @inline(__always)
    package static func length(_ header: UnsafeRawPointer) -> Int { Int(header.load(as: UInt8.self) & 0x0F) &* 4 }

    @inline(__always)
    package static func totalLength(_ header: UnsafeRawPointer) -> Int { Int(header.bigEndian16(totalLengthOffset)) }
}

/// Where the fields of an IPv6 header are (RFC 8200 section 3), in bytes from its start.
package enum IPv6Header {
    package static let length = 40
    package static let payloadLengthOffset = 4
    package static let nextHeaderOffset = 6
    package static let hopLimitOffset = 7
    package static let sourceOffset = 8
    package static let destinationOffset = 24
    /// Next header of a fragment (RFC 8200 section 4.5).
    package static let fragment: UInt8 = 44
}

/// Where the fields of a TCP header are (RFC 9293 section 3.1).
package enum TCPHeader {
    package static let minimumLength = 20
    package static let sequenceOffset = 4
    package static let acknowledgementOffset = 8
    package static let dataOffsetOffset = 12
    package static let flagsOffset = 13
    package static let windowOffset = 14
    package static let checksumOffset = 16

    package static let fin: UInt8 = 0x01
    package static let syn: UInt8 = 0x02
    package static let rst: UInt8 = 0x04
    package static let psh: UInt8 = 0x08
    package static let ack: UInt8 = 0x10
    package static let ece: UInt8 = 0x40
    package static let cwr: UInt8 = 0x80

    @inline(__always)
    package static func length(_ header: UnsafeRawPointer) -> Int {
        Int(header.load(fromByteOffset: dataOffsetOffset, as: UInt8.self) >> 4) &* 4
    }
}

/// Where the fields of a UDP header are (RFC 768).
package enum UDPHeader {
    package static let length = 8
    package static let lengthOffset = 4
    package static let checksumOffset = 6
}

/// Numbers of transport protocols (IANA protocol numbers).
package enum TransportProtocol {
    package static let icmp: UInt8 = 1
    package static let tcp: UInt8 = 6
    package static let udp: UInt8 = 17
    package static let icmp6: UInt8 = 58
}

extension UnsafeRawPointer {
    /// The number in network byte order at `offset`.
    @inline(__always)
    package func bigEndian16(_ offset: Int) -> UInt16 {
        UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    }

    /// The number in network byte order at `offset`.
    @inline(__always)
    package func bigEndian32(_ offset: Int) -> UInt32 {
        UInt32(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }

    /// The number in network byte order at `offset`.
    @inline(__always)
    package func bigEndian64(_ offset: Int) -> UInt64 {
        UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// The byte at `offset`.
    @inline(__always)
    package func byte(_ offset: Int) -> UInt8 { load(fromByteOffset: offset, as: UInt8.self) }
}

extension UnsafeMutableRawPointer {
    @inline(__always)
    package func storeBigEndian(_ value: UInt16, _ offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
    }

    @inline(__always)
    package func storeBigEndian(_ value: UInt32, _ offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt32.self)
    }
}
