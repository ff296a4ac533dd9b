import Addressing
import SubnetLeases
import Testing

@Suite struct LeaseFormatTests {
    // Values that flanneld 0.20.2 was seen to write.
    @Test(arguments: [
        #"{"PublicIP":"192.0.2.1","PublicIPv6":null}"#,
        #"{"PublicIP":"192.0.2.1","PublicIPv6":null,"BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"f2:7e:b0:ff:b7:7a"}}"#,
        #"{"PublicIP":"192.0.2.1","PublicIPv6":null,"BackendType":"host-gw"}"#,
        #"{"PublicIP":"192.0.2.1","PublicIPv6":"fd00::1","BackendType":"vxlan","BackendData":{"VNI":1,"VtepMAC":"fa:e6:e4:01:39:4d"},"BackendV6Data":{"VNI":1,"VtepMAC":"da:b0:3d:a8:63:0a"}}"#,
        #"{"PublicIP":"192.0.2.1","PublicIPv6":null,"BackendType":"x","BackendData":{"List":[1,true,null,"a/b"],"Nested":{"Half":0.5}}}"#,
    ])
    func valuesReadAndPrintAlike(value: String) throws {
        let attributes = try LeaseAttributes(parsing: Array(value.utf8))
        #expect(String(decoding: attributes.encoded, as: UTF8.self) == value)
    }

    @Test(arguments: [
        ("10.244.49.0-24", "10.244.49.0/24"), ("10.244.56.0-24&fd10:0:0:5e::-64", "10.244.56.0/24"),
        ("0.0.0.0-0", "0.0.0.0/0"),
    ])
    func keysNameSubnets(name: String, subnet: String) throws {
        #expect(try Lease.subnet(ofKeyName: name).description == subnet)
    }

    @Test func aSubnetsKeyIsFlannels() {
        #expect(Lease.keyName(of: IPv4Prefix(IPv4Address(10, 244, 49, 0), length: 24)) == "10.244.49.0-24")
    }

    @Test(arguments: [
        "", "10.244.49.0", "10.244.49.0/24", "10.244.49.7-24", "10.244.49.0-33", "10.244.49.0-24-1", "x-24", "&",
    ])
    func keysThatNameNoSubnetAreRefused(name: String) {
        #expect(throws: LeaseFormatError.self) { try Lease.subnet(ofKeyName: name) }
    }

    @Test(arguments: [
        "", "null", "[]", "{}", #"{"PublicIP":7}"#, #"{"PublicIP":"192.0.2"}"#, #"{"PublicIP":"192.0.2.1""#,
    ])
    func valuesThatAreNoLeaseAreRefused(value: String) {
        #expect(throws: LeaseFormatError.self) { try LeaseAttributes(parsing: Array(value.utf8)) }
    }
}
