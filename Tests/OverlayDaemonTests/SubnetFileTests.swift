import Addressing
import OverlayDaemon
import Testing

@Suite struct SubnetFileTests {
    // As flanneld 0.20.2 was seen to write it.
    static let recorded = """
        FLANNEL_NETWORK=10.244.0.0/16
        FLANNEL_SUBNET=10.244.56.1/24
        FLANNEL_MTU=1472
        FLANNEL_IPMASQ=true

        """

    @Test func theFileIsFlannelsToTheByte() {
        let file = SubnetFile(
            network: IPv4Prefix(IPv4Address(10, 244, 0, 0), length: 16),
            subnet: IPv4Prefix(IPv4Address(10, 244, 56, 0), length: 24),
            mtu: 1472, masquerade: true)
        #expect(file.text == Self.recorded)
        #expect(SubnetFile(Self.recorded) == file)
    }

    // As flanneld 0.20.2 was seen to write it in dual stack, but for the MTU, of which it takes the wrong one.
    @Test func aDualStackFileHasTheIPv6LinesInTheMiddle() throws {
        let text = """
            FLANNEL_NETWORK=10.244.0.0/16
            FLANNEL_SUBNET=10.244.56.1/24
            FLANNEL_IPV6_NETWORK=fd10::/48
            FLANNEL_IPV6_SUBNET=fd10:0:0:5e::1/64
            FLANNEL_MTU=1430
            FLANNEL_IPMASQ=true

            """
        let file = try #require(SubnetFile(text))
        #expect(file.ipv6Subnet == IPv6Prefix("fd10:0:0:5e::/64"))
        #expect(file.text == text)
    }

    @Test(arguments: [
        "", "FLANNEL_NETWORK=10.244.0.0/16", "FLANNEL_NETWORK=x\nFLANNEL_SUBNET=10.244.56.1/24\nFLANNEL_MTU=1472\n",
    ])
    func filesThatSayTooLittleAreNone(text: String) {
        #expect(SubnetFile(text) == nil)
    }
}
