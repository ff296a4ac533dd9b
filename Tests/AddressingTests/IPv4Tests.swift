import Addressing
import Testing

@Suite struct IPv4Tests {
    @Test(arguments: ["0.0.0.0", "10.254.0.1", "255.255.255.255"])
    func addressesReadAndPrintAlike(text: String) {
        #expect(IPv4Address(text)?.description == text)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "256.0.0.1", "1..2.3", "01.2.3.4",  // a leading zero is octal to some readers
        " 1.2.3.4", "1.2.3.4 ", "a.b.c.d", "1.2.3.-4",
    ])
    func malformedAddressesAreRefused(text: String) {
        #expect(IPv4Address(text) == nil)
    }

    @Test func prefixesClearHostBitsAndKnowTheirBounds() throws {
        let prefix = try #require(IPv4Prefix("10.244.7.9/24"))
        #expect(prefix.description == "10.244.7.0/24")
        #expect(prefix.last == IPv4Address(10, 244, 7, 255))
        #expect(prefix.count == 256)
        #expect(prefix.contains(IPv4Address(10, 244, 7, 200)))
        #expect(!prefix.contains(IPv4Address(10, 244, 8, 0)))
    }

    @Test(arguments: ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/+8"])
    func malformedPrefixesAreRefused(text: String) {
        #expect(IPv4Prefix(text) == nil)
    }

    @Test func overlapIsSymmetric() throws {
        let wide = try #require(IPv4Prefix("10.240.0.0/12"))
        let narrow = try #require(IPv4Prefix("10.244.0.0/16"))
        let other = try #require(IPv4Prefix("192.168.0.0/16"))
        #expect(wide.overlaps(narrow) && narrow.overlaps(wide))
        #expect(!wide.overlaps(other) && !other.overlaps(wide))
        #expect(IPv4Prefix("0.0.0.0/0")?.contains(narrow) == true)
    }

    @Test func hardwareAddressesReadAndPrintAlike() {
        #expect(MACAddress("f2:7e:b0:ff:b7:0a")?.description == "f2:7e:b0:ff:b7:0a")
        #expect(MACAddress("f2:7e:b0:ff:b7") == nil)
        #expect(MACAddress("f2:7e:b0:ff:b7:-a") == nil)
    }
}
