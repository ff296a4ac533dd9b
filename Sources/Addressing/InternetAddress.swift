/// What IPv4 and IPv6 addresses have in common, for whoever talks to the kernel about either.
public protocol InternetAddress: Hashable, Sendable, Comparable, CustomStringConvertible {
    associatedtype Prefix: InternetPrefix where Prefix.Address == Self

    /// Bytes of an address: 4 or 16.
    static var octetCount: Int { get }
    /// All bits zero: 0.0.0.0 or ::.
    static var unspecified: Self { get }
    /// The address as it stands on the wire.
    var octets: [UInt8] { get }
    /// Takes exactly ``octetCount`` octets, first on the wire first; `nil` for another count.
    init?(octets: some Collection<UInt8>)
    init?(_ text: some StringProtocol)
}

/// The addresses that share the first `length` bits of `address`.
public protocol InternetPrefix: Hashable, Sendable, CustomStringConvertible {
    associatedtype Address: InternetAddress

    /// The first address; bits behind the prefix are zero.
    var address: Address { get }
    var length: Int { get }
    /// Keeps the first `length` bits of `address` and clears the rest.
    init(_ address: Address, length: Int)
    func contains(_ other: Address) -> Bool
}

extension IPv4Address: InternetAddress {
    public typealias Prefix = IPv4Prefix
    public static var octetCount: Int { 4 }
    public static var unspecified: IPv4Address { IPv4Address(bits: 0) }
    public var octets: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: bits >> UInt32(24 - 8 * $0)) } }

    public init?(octets: some Collection<UInt8>) {
        guard octets.count == 4 else { return nil }
        self.init(bits: octets.reduce(0) { $0 << 8 | UInt32($1) })
    }
}

extension IPv4Prefix: InternetPrefix {}
