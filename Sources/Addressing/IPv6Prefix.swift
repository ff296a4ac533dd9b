/// An IPv6 network: the addresses that share the first `length` bits of `address`.
public struct IPv6Prefix: InternetPrefix {
    public typealias Address = IPv6Address
    /// The network address; bits behind the prefix are zero.
    public let address: IPv6Address
    /// How many leading bits count, 0...128.
    public let length: Int

    /// Keeps the first `length` bits of `address` and clears the rest.
    ///
    /// - Precondition: `length` is in 0...128.
    public init(_ address: IPv6Address, length: Int) {
        precondition((0...128).contains(length), "an IPv6 prefix has 0 to 128 bits")
        self.length = length
        self.address = IPv6Address(bits: address.bits & Self.mask(length))
    }

    /// Parses `address/length`; host bits may be set and are cleared. `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        guard let slash = text.firstIndex(of: "/") else { return nil }
        let digits = text[text.index(after: slash)...]
        guard let address = IPv6Address(text[..<slash]), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let length = Int(digits), (0...128).contains(length)
        else { return nil }
        self.init(address, length: length)
    }

    /// The last address.
    public var last: IPv6Address { IPv6Address(bits: address.bits | ~Self.mask(length)) }

    public func contains(_ other: IPv6Address) -> Bool { other.bits & Self.mask(length) == address.bits }

    public func contains(_ other: IPv6Prefix) -> Bool { other.length >= length && contains(other.address) }

    public func overlaps(_ other: IPv6Prefix) -> Bool { contains(other.address) || other.contains(address) }

    private static func mask(_ length: Int) -> UInt128 { length == 0 ? 0 : ~0 << UInt128(128 - length) }
}

extension IPv6Prefix: CustomStringConvertible {
    public var description: String { "\(address)/\(length)" }
}
