import Addressing
import SubnetLeases
import Testing

@Suite struct NetworkConfigTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var json: String
        var length: Int
        var min: String
        var max: String
        var port: UInt16 = 8285
        var testDescription: String { json }
    }

    // Defaults as flannel's pkg/subnet/config.go computes them.
    @Test(arguments: [
        Row(json: #"{"Network":"10.244.0.0/16"}"#, length: 24, min: "10.244.1.0", max: "10.244.255.0"),
        Row(
            json: #"{"network":"10.244.0.0/16","BACKEND":{"type":"UDP"}}"#, length: 24, min: "10.244.1.0",
            max: "10.244.255.0"),
        Row(json: #"{"Network":"10.3.0.0/23"}"#, length: 25, min: "10.3.0.128", max: "10.3.1.128"),
        Row(json: #"{"Network":"10.3.0.0/28"}"#, length: 30, min: "10.3.0.4", max: "10.3.0.12"),
        Row(
            json:
                #"{"Network":"10.0.0.0/8","SubnetLen":20,"SubnetMin":"10.10.0.0","SubnetMax":"10.99.0.0","Backend":{"Type":"udp","Port":7890}}"#,
            length: 20, min: "10.10.0.0", max: "10.99.0.0", port: 7890),
        Row(
            json: #"{"Network":"10.244.0.0/16","SubnetLen":0,"Backend":null,"EnableIPv4":true,"EnableIPv6":false}"#,
            length: 24, min: "10.244.1.0", max: "10.244.255.0"),
    ])
    func configurationsAreReadWithFlannelsDefaults(row: Row) throws {
        var warnings: [String] = []
        let config = try NetworkConfig(parsing: Array(row.json.utf8), warnings: &warnings)
        #expect(config.subnetLength == row.length)
        #expect(config.subnetMin.description == row.min)
        #expect(config.subnetMax.description == row.max)
        #expect(config.backend == .udp(port: row.port))
        #expect(warnings.isEmpty)
    }

    @Test(arguments: [
        (#""#, "", "not JSON"),
        (#"{"Network":"10.244.0.0/16""#, "", "not JSON"),
        (#"[]"#, "", "an array"),
        (#"{}"#, "Network", "missing"),
        (#"{"Network":"10.244.0.0"}"#, "Network", "10.244.0.0"),
        (#"{"Network":16}"#, "Network", "the number 16"),
        (#"{"Network":"10.244.0.0/29"}"#, "Network", "/28"),
        (#"{"Network":"10.244.0.0/16","SubnetLen":"24"}"#, "SubnetLen", "the string \"24\""),
        (#"{"Network":"10.244.0.0/16","SubnetLen":31}"#, "SubnetLen", "18 to 30"),
        (#"{"Network":"10.244.0.0/16","SubnetLen":17}"#, "SubnetLen", "18 to 30"),
        (#"{"Network":"10.244.0.0/16","SubnetLen":-1}"#, "SubnetLen", "-1"),
        (#"{"Network":"10.244.0.0/16","SubnetLen":24.5}"#, "SubnetLen", "24.5"),
        (#"{"Network":"10.244.0.0/16","SubnetMin":"10.245.0.0"}"#, "SubnetMin", "inside Network"),
        (#"{"Network":"10.244.0.0/16","SubnetMin":"10.244.1.7"}"#, "SubnetMin", "10.244.1.0"),
        (#"{"Network":"10.244.0.0/16","SubnetMax":"10.244.1.0/24"}"#, "SubnetMax", "an IPv4 address"),
        (#"{"Network":"10.244.0.0/16","SubnetMin":"10.244.9.0","SubnetMax":"10.244.8.0"}"#, "SubnetMax", "10.244.9.0"),
        (#"{"Network":"10.244.0.0/16","EnableIPv4":false}"#, "EnableIPv4", "set it to true"),
        (#"{"Network":"10.244.0.0/16","EnableIPv6":"yes"}"#, "EnableIPv6", "true or false"),
        (#"{"Network":"10.244.0.0/16","Backend":"udp"}"#, "Backend", "an object"),
        (#"{"Network":"10.244.0.0/16","Backend":{"Type":7}}"#, "Backend.Type", "the number 7"),
        (#"{"Network":"10.244.0.0/16","Backend":{"Type":"udpp"}}"#, "Backend.Type", "no backend"),
        (#"{"Network":"10.244.0.0/16","Backend":{"Type":"ipip"}}"#, "Backend.Type", "a backend of flannel's"),
        (#"{"Network":"10.244.0.0/16","Backend":{"Type":"wireguard"}}"#, "Backend.Type", "WireGuard between the nodes"),
        (#"{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","VNI":16777216}}"#, "Backend.VNI", "16777215"),
        (#"{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","GBP":1}}"#, "Backend.GBP", "true or false"),
        (#"{"Network":"10.244.0.0/16","Backend":{"Type":"vxlan","MTU":500}}"#, "Backend.MTU", "1280"),
        (
            #"{"Network":"10.244.0.0/16","EnableIPv6":true,"Backend":{"Type":"vxlan"}}"#, "IPv6Network",
            "EnableIPv6 is true"
        ),
        (
            #"{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd10::/48","IPv6SubnetLen":49,"Backend":{"Type":"vxlan"}}"#,
            "IPv6SubnetLen", "50 to 126"
        ),
        (
            #"{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd10::/48","IPv6SubnetMin":"fd11::","Backend":{"Type":"host-gw"}}"#,
            "IPv6SubnetMin", "inside IPv6Network"
        ),
        (#"{"Network":"10.244.0.0/16","Backend":{"Port":0}}"#, "Backend.Port", "1 to 65535"),
        (#"{"Network":"10.244.0.0/16","Backend":{"Port":"8285"}}"#, "Backend.Port", "a whole number"),
    ])
    func wrongValuesAreNamedByTheirKey(json: String, key: String, hint: String) {
        var warnings: [String] = []
        let error = #expect(throws: NetworkConfigError.self) {
            try NetworkConfig(parsing: Array(json.utf8), warnings: &warnings)
        }
        #expect(error?.key == key)
        #expect(error?.description.contains(hint) == true, "\(error?.description ?? "")")
    }

    @Test func unknownKeysAreWarnedOf() throws {
        var warnings: [String] = []
        let json = #"{"Network":"10.244.0.0/16","SubnetLength":24,"Backend":{"Type":"udp","VNI":1}}"#
        _ = try NetworkConfig(parsing: Array(json.utf8), warnings: &warnings)
        #expect(warnings.count == 2)
        #expect(warnings.contains { $0.contains("SubnetLength") } && warnings.contains { $0.contains("Backend.VNI") })
    }

    // Written out again, a configuration says the same.
    @Test(arguments: [
        #"{"Network":"10.244.0.0/16"}"#, #"{"Network":"10.244.0.0/16","Backend":{"Type":"host-gw"}}"#,
        #"{"Network":"10.244.0.0/16","Backend":{"Type":"alloc"}}"#,
        #"{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd10::/48","Backend":{"Type":"vxlan","VNI":7,"Port":4789,"DirectRouting":true,"MTU":1400}}"#,
    ])
    func aConfigurationSurvivesBeingWritten(json: String) throws {
        var warnings: [String] = []
        let config = try NetworkConfig(parsing: Array(json.utf8), warnings: &warnings)
        #expect(try NetworkConfig(parsing: Array(config.document.text.utf8), warnings: &warnings) == config)
        #expect(warnings.isEmpty)
    }

    @Test func ipv6SubnetsFollowTheirIPv4SubnetsPlace() throws {
        var warnings: [String] = []
        let json =
            #"{"Network":"10.244.0.0/16","EnableIPv6":true,"IPv6Network":"fd10::/48","Backend":{"Type":"vxlan"}}"#
        let config = try NetworkConfig(parsing: Array(json.utf8), warnings: &warnings)
        let ipv6 = try #require(config.ipv6)
        #expect(ipv6.subnetMin.description == "fd10:0:0:1::" && ipv6.subnetMax.description == "fd10:0:0:ffff::")
        let all = (0..<config.capacity).compactMap { config.ipv6Subnet(for: config.subnet(at: $0), leased: []) }
        #expect(Set(all).count == config.capacity && all.allSatisfy { ipv6.offers($0) })
        // A place that flanneld has drawn is passed over.
        let taken = try #require(all.first)
        let other = config.ipv6Subnet(for: config.subnet(at: 0), leased: [taken])
        #expect(other != taken && other.map { ipv6.offers($0) } == true)
    }
}
