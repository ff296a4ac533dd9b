import Addressing
import OverlayDaemon
import Testing

@Suite struct PacketFilterTests {
    private let network = IPv4Prefix(IPv4Address(10, 244, 0, 0), length: 16)
    private let subnet = IPv4Prefix(IPv4Address(10, 244, 7, 0), length: 24)

    @Test func masqueradingHasFlannelsRulesInFlannelsOrder() throws {
        let script = PacketFilter(network: network, subnet: subnet, masquerade: true, forward: true).script
        let rules = script.split(separator: "\n").map { $0.trimming { $0 == " " } }.filter {
            $0.hasPrefix("ip ") || $0.hasPrefix("meta ")
        }
        #expect(
            rules == [
                "meta mark & 0x4000 == 0x4000 return", "ip saddr 10.244.0.0/16 ip daddr 10.244.0.0/16 return",
                "ip saddr 10.244.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random",
                "ip saddr != 10.244.0.0/16 ip daddr 10.244.7.0/24 return",
                "ip saddr != 10.244.0.0/16 ip daddr 10.244.0.0/16 masquerade fully-random",
                "ip saddr 10.244.0.0/16 accept", "ip daddr 10.244.0.0/16 accept",
            ])
    }

    @Test func nothingAskedForLeavesNoTable() {
        let script = PacketFilter(network: network, subnet: subnet, masquerade: false, forward: false).script
        #expect(
            script == "table ip overlayd\ndelete table ip overlayd\ntable ip6 overlayd\ndelete table ip6 overlayd\n")
    }

    @Test func dualStackHasTheSameRulesForIPv6() throws {
        let script = PacketFilter(
            network: network, subnet: subnet, masquerade: true, forward: true, ipv6Network: IPv6Prefix("fd10::/48"),
            ipv6Subnet: IPv6Prefix("fd10:0:0:5e::/64")
        ).script
        #expect(script.contains("ip6 saddr fd10::/48 ip6 daddr != ff00::/8 masquerade fully-random"))
        #expect(script.contains("ip6 saddr != fd10::/48 ip6 daddr fd10:0:0:5e::/64 return"))
        #expect(script.contains("ip saddr 10.244.0.0/16 ip daddr != 224.0.0.0/4 masquerade fully-random"))
    }
}

extension Substring {
    fileprivate func trimming(_ isPadding: (Character) -> Bool) -> String {
        String(drop(while: isPadding).reversed().drop(while: isPadding).reversed())
    }
}
