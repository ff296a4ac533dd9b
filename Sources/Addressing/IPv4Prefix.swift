/// An IPv4 network: the addresses that share the first `length` bits of `address`.
public struct IPv4Prefix: Hashable, Sendable {
    /// The network address; bits behind the prefix are zero.
    public let address: IPv4Address
    /// How many leading bits count, 0...32.
    public let length: Int

    /// Keeps the first `length` bits of `address` and clears the rest.
    ///
    /// - Precondition: `length` is in 0...32.
    public init(_ address: IPv4Address, length: Int) {
        precondition((0...32).contains(length), "an IPv4 prefix has 0 to 32 bits")
        self.length = length
        self.address = IPv4Address(bits: address.bits & Self.mask(length))
    }

    /// Parses `a.b.c.d/length`; host bits may be set and are cleared. `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        guard let slash = text.firstIndex(of: "/") else { return nil }
        let digits = text[text.index(after: slash)...]
        guard let address = IPv4Address(text[..<slash]), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let length = Int(digits), (0...32).contains(length)
        else { return nil }
        self.init(address, length: length)
    }

    /// The netmask as a number in host byte order.
    public var mask: UInt32 { Self.mask(length) }

    /// How many addresses the prefix has: 256 for a /24.
    public var count: UInt64 { 1 << UInt64(32 - length) }

    /// The last address, the broadcast address of a subnet.
    public var last: IPv4Address { IPv4Address(bits: address.bits | ~mask) }

    public func contains(_ other: IPv4Address) -> Bool { other.bits & mask == address.bits }

    public func contains(_ other: IPv4Prefix) -> Bool { other.length >= length && contains(other.address) }

    public func overlaps(_ other: IPv4Prefix) -> Bool { contains(other.address) || other.contains(address) }

    private static func mask(_ length: Int) -> UInt32 { length == 0 ? 0 : ~0 << UInt32(32 - length) }
}

extension IPv4Prefix: CustomStringConvertible {
    public var description: String { "\(address)/\(length)" }
}
