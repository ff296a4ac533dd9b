import Addressing
import OverlayDaemon
import SubnetLeases
import Testing

@Suite struct PodNetworkTests {
    private let file = SubnetFile(
        network: IPv4Prefix(IPv4Address(10, 244, 0, 0), length: 16),
        subnet: IPv4Prefix(IPv4Address(10, 244, 56, 0), length: 24), ipv6Network: IPv6Prefix("fd10::/48"),
        ipv6Subnet: IPv6Prefix("fd10:0:0:5e::/64"), mtu: 1430, masquerade: true)

    @Test func theBridgeFormHasTheLeaseInIt() throws {
        let text = CNIConfiguration(form: .bridge, subnetFile: file, subnetFilePath: "/run/flannel/subnet.env").text
        let document = try #require(try JSONValue(parsing: Array(text.utf8)).objectValue)
        guard case .array(let plugins)? = document["plugins"], let bridge = plugins.first?.objectValue else {
            Issue.record("no plugins in \(text)")
            return
        }
        #expect(bridge["type"] == .string("bridge") && bridge["mtu"] == .integer(1430))
        #expect(bridge["ipMasq"] == .bool(false), "overlayd masquerades")
        #expect(
            bridge["ipam"]?.objectValue?["ranges"]
                == .array([
                    .array([.object(["subnet": .string("10.244.56.0/24")])]),
                    .array([.object(["subnet": .string("fd10:0:0:5e::/64")])]),
                ]))
        #expect(plugins.last?.objectValue?["type"] == .string("portmap"))
    }

    @Test func theFlannelFormNamesTheSubnetFile() throws {
        let text = CNIConfiguration(form: .flannel, subnetFile: file, subnetFilePath: "/x\"y/subnet.env").text
        guard case .array(let plugins)? = try JSONValue(parsing: Array(text.utf8)).objectValue?["plugins"] else {
            Issue.record("no plugins in \(text)")
            return
        }
        #expect(plugins.first?.objectValue?["subnetFile"] == .string("/x\"y/subnet.env"))
        #expect(plugins.first?.objectValue?["delegate"]?.objectValue?["isDefaultGateway"] == .bool(true))
    }

    @Test func dockersOptionsAreThoseOfFlannelsScript() {
        var options = DockerOptions(file)
        #expect(
            options.individual
                == "DOCKER_OPT_BIP=\"--bip=10.244.56.1/24\"\nDOCKER_OPT_IPMASQ=\"--ip-masq=false\"\nDOCKER_OPT_MTU=\"--mtu=1430\"\n"
        )
        #expect(options.combined(key: "X") == "X=\" --bip=10.244.56.1/24 --ip-masq=false --mtu=1430\"\n")
        options.omitsMasquerade = true
        #expect(options.combined(key: "X") == "X=\" --bip=10.244.56.1/24 --mtu=1430\"\n")
    }
}
