import Addressing

/// Frames for the programs, written byte by byte from the RFCs.
struct Packet {
    var source = IPv4Address(10, 44, 1, 2)
    var destination = IPv4Address(10, 44, 2, 2)
    var transport: UInt8 = 17
    var sourcePort: UInt16 = 4000
    var destinationPort: UInt16 = 5000
    var timeToLive: UInt8 = 64
    var typeOfService: UInt8 = 0
    /// The flags and offset field of RFC 791.
    var fragment: UInt16 = 0x4000
    var options: [UInt8] = []
    var payload: Int = 32
    /// Overrides the total length field.
    var claimedLength: Int?

    /// The IP packet, checksum included.
    var bytes: [UInt8] {
        let ports = octets(sourcePort) + octets(destinationPort)
        let segment: [UInt8] =
            switch transport {
            case 6: ports + octets(UInt32(1)) + octets(UInt32(0)) + [0x50, 0x10, 0xFF, 0xFF, 0, 0, 0, 0]
            case 1: [8, 0, 0, 0] + octets(sourcePort) + octets(UInt16(1))
            default: ports + octets(UInt16(8 + payload)) + [0, 0]
            }
        let body = segment + [UInt8](repeating: 0xA5, count: payload)
        let headerBytes = 20 + options.count
        var header: [UInt8] = [UInt8(0x40 | headerBytes / 4), typeOfService]
        header += octets(UInt16(claimedLength ?? headerBytes + body.count)) + [0x12, 0x34] + octets(fragment)
        header += [timeToLive, transport, 0, 0] + octets(source.bits) + octets(destination.bits) + options
        let sum = internetChecksum(header)
        header[10] = UInt8(sum >> 8)
        header[11] = UInt8(sum & 0xFF)
        return header + body
    }

    var frame: [UInt8] { ethernet(type: 0x0800) + bytes }
}

/// What a peer sends: an IP packet in UDP.
struct Datagram {
    var outerSource = IPv4Address(198, 18, 0, 2)
    var outerDestination = IPv4Address(198, 18, 0, 1)
    var port: UInt16 = 8285
    var typeOfService: UInt8 = 0
    var fragment: UInt16 = 0x4000
    var transport: UInt8 = 17
    var checksum: UInt16 = 0
    var inner: [UInt8]

    init(_ inner: Packet) { self.inner = inner.bytes }

    var frame: [UInt8] {
        let udp = octets(UInt16(50_000)) + octets(port) + octets(UInt16(8 + inner.count)) + octets(checksum)
        var header: [UInt8] = [0x45, typeOfService] + octets(UInt16(28 + inner.count)) + [0, 0] + octets(fragment)
        header += [64, transport, 0, 0] + octets(outerSource.bits) + octets(outerDestination.bits)
        let sum = internetChecksum(header)
        header[10] = UInt8(sum >> 8)
        header[11] = UInt8(sum & 0xFF)
        return ethernet(type: 0x0800) + header + udp + inner
    }
}

func ethernet(type: UInt16) -> [UInt8] { [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2] + octets(type) }

func octets<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }

/// The Internet checksum of RFC 1071; 0 over a header with a right checksum in it.
func internetChecksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: bytes.count, by: 2) {
        sum += UInt32(bytes[index]) << 8 + UInt32(index + 1 < bytes.count ? bytes[index + 1] : 0)
    }
    while sum > 0xFFFF { sum = sum & 0xFFFF + sum >> 16 }
    return ~UInt16(sum)
}
