import Addressing

extension NetworkConfig {
    /// Reads the value of flannel's `config` key. Keys match whatever their case, as in Go's decoder.
    ///
    /// - Parameter warnings: Receives one line for each key that has no meaning here and was passed over.
    /// - Throws: ``NetworkConfigError`` naming the first key whose value can't be used.
    package init(parsing bytes: [UInt8], warnings: inout [String]) throws(NetworkConfigError) {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: bytes)
        } catch {
            throw NetworkConfigError(key: "", problem: "\(error)")
        }
        guard let object = document.objectValue else {
            throw NetworkConfigError(
                key: "", problem: "found \(document.described), expected an object with a Network key")
        }
        let fields = ConfigFields(object)
        let isDualStack = try Self.isDualStack(fields)

        guard let network = try fields.prefix("Network") else {
            throw NetworkConfigError(
                key: "Network", problem: "missing; expected the overlay's range, such as \"10.244.0.0/16\"")
        }
        let length = try Self.subnetLength(fields, network: network)
        let size = UInt32(1) << UInt32(32 - length)
        let min = try fields.address("SubnetMin") ?? network.address.advanced(by: size)
        let max = try fields.address("SubnetMax") ?? IPv4Prefix(network.last, length: length).address
        try Self.checkBounds(min, max, family: "", network: network, length: length)
        let backend = try BackendConfig(fields.value("Backend"), warnings: &warnings)
        self.init(network: network, subnetLength: length, subnetMin: min, subnetMax: max, backend: backend)
        if isDualStack {
            if case .udp = backend {
                throw NetworkConfigError(
                    key: "EnableIPv6",
                    problem: "found true; the udp backend carries IPv4 only: choose Backend.Type \"vxlan\" or "
                        + "\"host-gw\", or set it to false")
            }
            ipv6 = try IPv6Pool(fields)
        }
        warnings += fields.unknown(besides: Self.keys).map { "key \($0) of the network config is unknown and ignored" }
    }

    /// The configuration in flannel's form, with all defaults written out.
    package var document: JSONValue {
        var fields: [String: JSONValue] = [
            "Network": .string("\(network)"), "SubnetLen": .integer(Int64(subnetLength)),
            "SubnetMin": .string("\(subnetMin)"), "SubnetMax": .string("\(subnetMax)"), "Backend": backend.document,
        ]
        if let ipv6 {
            fields["EnableIPv6"] = .bool(true)
            fields["IPv6Network"] = .string("\(ipv6.network)")
            fields["IPv6SubnetLen"] = .integer(Int64(ipv6.subnetLength))
            fields["IPv6SubnetMin"] = .string("\(ipv6.subnetMin)")
            fields["IPv6SubnetMax"] = .string("\(ipv6.subnetMax)")
        }
        return .object(fields)
    }

    private static let keys = [
        "Network", "SubnetLen", "SubnetMin", "SubnetMax", "EnableIPv4", "EnableIPv6", "EnableNFTables", "IPv6Network",
        "IPv6SubnetLen", "IPv6SubnetMin", "IPv6SubnetMax", "Backend",
    ]

    private static func isDualStack(_ fields: ConfigFields) throws(NetworkConfigError) -> Bool {
        if try fields.bool("EnableIPv4") == false {
            throw NetworkConfigError(
                key: "EnableIPv4",
                problem: "found false; every backend here carries IPv4, with IPv6 beside it: set it to true")
        }
        _ = try fields.bool("EnableNFTables")  // our rules always are nftables; only the type can be wrong
        return try fields.bool("EnableIPv6") ?? false
    }

    fileprivate static func checkBounds<Address: InternetAddress>(
        _ min: Address, _ max: Address, family: String, network: Address.Prefix, length: Int
    ) throws(NetworkConfigError) {
        for (key, value) in [(family + "SubnetMin", min), (family + "SubnetMax", max)] {
            guard network.contains(value) else {
                throw NetworkConfigError(
                    key: key, problem: "found \(value), expected an address inside \(family)Network \(network)")
            }
            let first = Address.Prefix(value, length: length).address
            guard first == value else {
                throw NetworkConfigError(
                    key: key, problem: "found \(value), expected the first address of a /\(length), such as \(first)")
            }
        }
        guard min <= max else {
            throw NetworkConfigError(
                key: family + "SubnetMax", problem: "found \(max), expected \(min) (\(family)SubnetMin) or above")
        }
    }

    private static func subnetLength(_ fields: ConfigFields, network: IPv4Prefix) throws(NetworkConfigError) -> Int {
        guard let length = try fields.integer("SubnetLen"), length != 0 else {
            guard network.length <= 28 else {
                throw NetworkConfigError(key: "Network", problem: "found \(network), expected a /28 or larger")
            }
            return network.length <= 22 ? 24 : network.length + 2
        }
        // Two bits at least: the first subnet is not given out, and one subnet is no network.
        guard length >= Int64(network.length) + 2, length <= 30 else {
            let range =
                network.length <= 28 ? "a number from \(network.length + 2) to 30" : "a Network of /28 or larger"
            throw NetworkConfigError(key: "SubnetLen", problem: "found \(length), expected \(range)")
        }
        return Int(length)
    }
}

extension IPv6Pool {
    fileprivate init(_ fields: ConfigFields) throws(NetworkConfigError) {
        guard let network = try fields.ipv6Prefix("IPv6Network") else {
            throw NetworkConfigError(
                key: "IPv6Network",
                problem: "missing, as EnableIPv6 is true; expected the overlay's IPv6 range, such as \"fd10::/48\"")
        }
        let length = try Self.subnetLength(fields, network: network)
        let size = UInt128(1) << UInt128(128 - length)
        let min = try fields.ipv6Address("IPv6SubnetMin") ?? network.address.advanced(by: size)
        let max = try fields.ipv6Address("IPv6SubnetMax") ?? IPv6Prefix(network.last, length: length).address
        try NetworkConfig.checkBounds(min, max, family: "IPv6", network: network, length: length)
        self.init(network: network, subnetLength: length, subnetMin: min, subnetMax: max)
    }

    private static func subnetLength(_ fields: ConfigFields, network: IPv6Prefix) throws(NetworkConfigError) -> Int {
        guard let length = try fields.integer("IPv6SubnetLen"), length != 0 else {
            guard (1...124).contains(network.length) else {
                throw NetworkConfigError(key: "IPv6Network", problem: "found \(network), expected a /1 to /124")
            }
            return network.length <= 62 ? 64 : network.length + 2
        }
        guard length >= Int64(network.length) + 2, length <= 126 else {
            let range =
                network.length <= 124
                ? "a number from \(network.length + 2) to 126" : "an IPv6Network of /124 or larger"
            throw NetworkConfigError(key: "IPv6SubnetLen", problem: "found \(length), expected \(range)")
        }
        return Int(length)
    }
}

extension BackendConfig {
    private static let here = "expected \"udp\", \"vxlan\", \"host-gw\" or \"alloc\""

    fileprivate init(_ value: JSONValue?, warnings: inout [String]) throws(NetworkConfigError) {
        guard let value, value != .null else {
            self = .udp(port: Self.defaultUDPPort)
            return
        }
        guard let object = value.objectValue else {
            throw NetworkConfigError(
                key: "Backend", problem: "found \(value.described), expected an object with a Type key")
        }
        let fields = ConfigFields(object, path: "Backend.")
        let type = try fields.string("Type") ?? "udp"
        let known: [String]
        switch type.lowercased() {
        case "udp":
            known = ["Port"]
            self = .udp(port: try fields.port() ?? Self.defaultUDPPort)
        case "vxlan":
            known = ["VNI", "Port", "GBP", "Learning", "DirectRouting", "MTU"]
            self = .vxlan(try VXLANOptions(fields))
        case "host-gw":
            known = []
            self = .hostGateway
        case "alloc":
            known = []
            self = .alloc
        case "wireguard":
            throw NetworkConfigError(
                key: "Backend.Type",
                problem: "found \"\(type)\", which this overlayd does not have; for an encrypted underlay set up "
                    + "WireGuard between the nodes yourself, name its device with --iface, and choose \"udp\"")
        case "ipip", "ipsec", "extension", "ali-vpc", "aws-vpc", "gce", "tencent-vpc":
            throw NetworkConfigError(
                key: "Backend.Type",
                problem: "found \"\(type)\", a backend of flannel's that this overlayd does not have; \(Self.here)")
        default:
            throw NetworkConfigError(
                key: "Backend.Type", problem: "found \"\(type)\", which is no backend; \(Self.here)")
        }
        let name = self.name
        warnings += fields.unknown(besides: known + ["Type"]).map {
            "key Backend.\($0) of the network config has no meaning for the \(name) backend and is ignored"
        }
    }
}

extension BackendConfig {
    fileprivate var document: JSONValue {
        var fields: [String: JSONValue] = ["Type": .string(name)]
        switch self {
        case .udp(let port): fields["Port"] = .integer(Int64(port))
        case .vxlan(let options):
            fields["VNI"] = .integer(Int64(options.identifier))
            fields["Port"] = .integer(Int64(options.port))
            fields["GBP"] = .bool(options.hasGroupPolicy)
            fields["Learning"] = .bool(options.isLearning)
            fields["DirectRouting"] = .bool(options.hasDirectRouting)
            if let mtu = options.underlayMTU { fields["MTU"] = .integer(Int64(mtu)) }
        case .hostGateway, .alloc: break
        }
        return .object(fields)
    }
}

extension VXLANOptions {
    fileprivate init(_ fields: ConfigFields) throws(NetworkConfigError) {
        self.init()
        if let number = try fields.integer("VNI") {
            guard (1...0xFF_FFFF).contains(number) else {
                throw NetworkConfigError(
                    key: "Backend.VNI", problem: "found \(number), expected a number from 1 to 16777215")
            }
            identifier = UInt32(number)
        }
        if let number = try fields.port(zeroMeansDefault: true) { port = number }
        hasGroupPolicy = try fields.bool("GBP") ?? false
        isLearning = try fields.bool("Learning") ?? false
        hasDirectRouting = try fields.bool("DirectRouting") ?? false
        if let number = try fields.integer("MTU"), number != 0 {
            guard (1280...65535).contains(number) else {
                throw NetworkConfigError(
                    key: "Backend.MTU", problem: "found \(number), expected the underlay's MTU, 1280 to 65535")
            }
            underlayMTU = Int(number)
        }
    }
}

/// Typed access to the fields of one JSON object; every mistake is named by the field's path.
private struct ConfigFields {
    private let object: [String: JSONValue]
    private let path: String

    init(_ object: [String: JSONValue], path: String = "") {
        self.object = object
        self.path = path
    }

    func value(_ key: String) -> JSONValue? {
        object[key] ?? object.first { $0.key.lowercased() == key.lowercased() }?.value
    }

    func bool(_ key: String) throws(NetworkConfigError) -> Bool? {
        switch value(key) {
        case nil, .null?: nil
        case .bool(let flag)?: flag
        case let other?: throw wrong(key, other, "true or false")
        }
    }

    func integer(_ key: String) throws(NetworkConfigError) -> Int64? {
        switch value(key) {
        case nil, .null?: nil
        case .integer(let number)?: number
        case let other?: throw wrong(key, other, "a whole number")
        }
    }

    func string(_ key: String) throws(NetworkConfigError) -> String? {
        switch value(key) {
        case nil, .null?: nil
        case .string(let text)?: text
        case let other?: throw wrong(key, other, "a string")
        }
    }

    func address(_ key: String) throws(NetworkConfigError) -> IPv4Address? {
        guard let text = try string(key), !text.isEmpty else { return nil }
        guard let address = IPv4Address(text) else {
            throw wrong(key, .string(text), "an IPv4 address such as \"10.244.1.0\"")
        }
        return address
    }

    func ipv6Address(_ key: String) throws(NetworkConfigError) -> IPv6Address? {
        guard let text = try string(key), !text.isEmpty else { return nil }
        guard let address = IPv6Address(text) else {
            throw wrong(key, .string(text), "an IPv6 address such as \"fd10:0:0:1::\"")
        }
        return address
    }

    func ipv6Prefix(_ key: String) throws(NetworkConfigError) -> IPv6Prefix? {
        guard let text = try string(key), !text.isEmpty else { return nil }
        guard let prefix = IPv6Prefix(text) else {
            throw wrong(key, .string(text), "an IPv6 range such as \"fd10::/48\"")
        }
        return prefix
    }

    /// The backend's UDP port.
    func port(zeroMeansDefault: Bool = false) throws(NetworkConfigError) -> UInt16? {
        guard let number = try integer("Port"), !(zeroMeansDefault && number == 0) else { return nil }
        guard (1...65535).contains(number) else {
            throw NetworkConfigError(
                key: path + "Port", problem: "found \(number), expected a port from 1 to 65535")
        }
        return UInt16(number)
    }

    func prefix(_ key: String) throws(NetworkConfigError) -> IPv4Prefix? {
        guard let text = try string(key), !text.isEmpty else { return nil }
        guard let prefix = IPv4Prefix(text) else {
            throw wrong(key, .string(text), "an IPv4 range such as \"10.244.0.0/16\"")
        }
        return prefix
    }

    /// Keys that none of `known` matches, sorted.
    func unknown(besides known: [String]) -> [String] {
        let known = Set(known.map { $0.lowercased() })
        return object.keys.filter { !known.contains($0.lowercased()) }.sorted()
    }

    private func wrong(_ key: String, _ found: JSONValue, _ expected: String) -> NetworkConfigError {
        NetworkConfigError(key: path + key, problem: "found \(found.described), expected \(expected)")
    }
}
