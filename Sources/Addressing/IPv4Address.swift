/// An IPv4 address, kept as one number in host byte order so that prefixes are plain shifts and masks.
public struct IPv4Address: Hashable, Sendable, Comparable {
    /// The address with its first octet in the most significant byte: 10.0.0.1 is `0x0A00_0001`.
    public let bits: UInt32

    public init(bits: UInt32) { self.bits = bits }

    public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
        bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
    }

    /// Parses four decimal octets without leading zeros (RFC 6943 section 3.1.1, the strict form); `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var bits: UInt32 = 0
        var octets = 0
        var value: UInt32 = 0
        var digits = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits == 0 || value != 0 else { return nil }
                value = value * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                guard value <= 255 else { return nil }
            case UInt8(ascii: "."):
                guard digits > 0, octets < 3 else { return nil }
                bits = bits << 8 | value
                octets += 1
                value = 0
                digits = 0
            default:
                return nil
            }
        }
        guard octets == 3, digits > 0 else { return nil }
        self.bits = bits << 8 | value
    }

    /// The address as the kernel and wire formats want it in a `UInt32` loaded or stored without conversion.
    public var networkOrder: UInt32 { bits.bigEndian }

    public init(networkOrder: UInt32) { bits = UInt32(bigEndian: networkOrder) }

    /// The address `offset` places on, wrapping at the end of the address space.
    public func advanced(by offset: UInt32) -> IPv4Address { IPv4Address(bits: bits &+ offset) }

    public static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.bits < right.bits }
}

extension IPv4Address: CustomStringConvertible {
    public var description: String {
        "\(bits >> 24).\(bits >> 16 & 0xFF).\(bits >> 8 & 0xFF).\(bits & 0xFF)"
    }
}
