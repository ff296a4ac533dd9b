import Glibc

/// An IPv6 address, kept as one number in host byte order so that prefixes are plain shifts and masks.
public struct IPv6Address: InternetAddress {
    public typealias Prefix = IPv6Prefix
    /// The address with its first octet in the most significant byte: ::1 is 1.
    public let bits: UInt128

    public init(bits: UInt128) { self.bits = bits }

    /// Parses the text forms of RFC 4291 section 2.2, without a zone; `nil` for anything else.
    public init?(_ text: some StringProtocol) {
        var address = in6_addr()
        guard !text.utf8.contains(0), inet_pton(AF_INET6, String(text), &address) == 1 else { return nil }
        bits = withUnsafeBytes(of: address) { $0.reduce(0) { $0 << 8 | UInt128($1) } }
    }

    public static var octetCount: Int { 16 }
    public static var unspecified: IPv6Address { IPv6Address(bits: 0) }
    public var octets: [UInt8] { (0..<16).map { UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * $0)) } }

    public init?(octets: some Collection<UInt8>) {
        guard octets.count == 16 else { return nil }
        bits = octets.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// The address `offset` places on, wrapping at the end of the address space.
    public func advanced(by offset: UInt128) -> IPv6Address { IPv6Address(bits: bits &+ offset) }

    /// fe80::/10: means something on one link only.
    public var isLinkLocal: Bool { bits >> 118 == 0x3FA }

    public static func < (left: IPv6Address, right: IPv6Address) -> Bool { left.bits < right.bits }
}

extension IPv6Address: CustomStringConvertible {
    /// The form of RFC 5952: the longest run of zeros shortened, lower case.
    public var description: String {
        let octets = self.octets
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { buffer in
            guard let start = buffer.baseAddress,
                let text = inet_ntop(AF_INET6, octets, start, socklen_t(INET6_ADDRSTRLEN))
            else { return "" }  // only for a buffer that is too small
            return String(cString: text)
        }
    }
}
