import Addressing
import Testing

@Suite struct IPv6Tests {
    // RFC 5952 section 4: what each input is written as.
    @Test(arguments: [
        ("2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"), ("fd10:0:0:5e::", "fd10:0:0:5e::"),
        ("::", "::"), ("::1", "::1"), ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    ])
    func addressesAreWrittenInTheirShortestForm(text: String, canonical: String) throws {
        let address = try #require(IPv6Address(text))
        #expect(address.description == canonical)
        #expect(IPv6Address(octets: address.octets) == address)
    }

    @Test(arguments: ["", ":", "1::2::3", "12345::", "10.0.0.1", "fe80::1%eth0", "::1\0", "::g"])
    func whatIsNoAddressIsNone(text: String) { #expect(IPv6Address(text) == nil) }

    @Test func prefixesClearTheBitsBehindThem() throws {
        let prefix = try #require(IPv6Prefix("fd10:1:2:3:4::5/48"))
        #expect(prefix.description == "fd10:1:2::/48")
        #expect(prefix.last.description == "fd10:1:2:ffff:ffff:ffff:ffff:ffff")
        #expect(try prefix.contains(#require(IPv6Address("fd10:1:2:9::1"))))
        #expect(try !prefix.contains(#require(IPv6Address("fd10:1:3::"))))
        #expect(try prefix.overlaps(#require(IPv6Prefix("fd10::/16"))))
        #expect(try #require(IPv6Prefix("::/0")).contains(prefix))
        #expect(IPv6Prefix("fd10::/129") == nil && IPv6Prefix("fd10::") == nil && IPv6Prefix("fd10::/+1") == nil)
    }
}
