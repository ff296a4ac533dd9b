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
        try Self.checkFamilies(fields)

        guard let network = try fields.prefix("Network") else {
            throw NetworkConfigError(
                key: "Network", problem: "missing; expected the overlay's range, such as \"10.244.0.0/16\"")
        }
        let length = try Self.subnetLength(fields, network: network)
        let size = UInt32(1) << UInt32(32 - length)
        let min = try fields.address("SubnetMin") ?? network.address.advanced(by: size)
        let max = try fields.address("SubnetMax") ?? IPv4Prefix(network.last, length: length).address
        for (key, value) in [("SubnetMin", min), ("SubnetMax", max)] {
            guard network.contains(value) else {
                throw NetworkConfigError(
                    key: key, problem: "found \(value), expected an address inside Network \(network)")
            }
            guard IPv4Prefix(value, length: length).address == value else {
                throw NetworkConfigError(
                    key: key,
                    problem: "found \(value), expected the first address of a /\(length), such as "
                        + "\(IPv4Prefix(value, length: length).address)")
            }
        }
        guard min <= max else {
            throw NetworkConfigError(key: "SubnetMax", problem: "found \(max), expected \(min) (SubnetMin) or above")
        }
        let backend = try BackendConfig(fields.value("Backend"), warnings: &warnings)
        self.init(network: network, subnetLength: length, subnetMin: min, subnetMax: max, backend: backend)
        warnings += fields.unknown(besides: Self.keys).map { "key \($0) of the network config is unknown and ignored" }
    }

    private static let keys = [
        "Network", "SubnetLen", "SubnetMin", "SubnetMax", "EnableIPv4", "EnableIPv6", "EnableNFTables", "IPv6Network",
        "IPv6SubnetLen", "IPv6SubnetMin", "IPv6SubnetMax", "Backend", "BackendType",
    ]

    private static func checkFamilies(_ fields: ConfigFields) throws(NetworkConfigError) {
        if try fields.bool("EnableIPv4") == false {
            throw NetworkConfigError(
                key: "EnableIPv4", problem: "found false; the udp backend carries IPv4, set it to true")
        }
        if try fields.bool("EnableIPv6") == true {
            throw NetworkConfigError(
                key: "EnableIPv6", problem: "found true; the udp backend carries IPv4 only, set it to false")
        }
        _ = try fields.bool("EnableNFTables")  // our rules always are nftables; only the type can be wrong
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

extension BackendConfig {
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
        switch type.lowercased() {
        case "udp":
            let port = try fields.integer("Port") ?? Int64(Self.defaultUDPPort)
            guard (1...65535).contains(port) else {
                throw NetworkConfigError(key: "Backend.Port", problem: "found \(port), expected a port from 1 to 65535")
            }
            self = .udp(port: UInt16(port))
            warnings += fields.unknown(besides: ["Type", "Port"]).map {
                "key Backend.\($0) of the network config has no meaning for the udp backend and is ignored"
            }
        case "vxlan", "host-gw", "alloc", "wireguard", "ipip", "ipsec", "extension", "ali-vpc", "aws-vpc", "gce",
            "tencent-vpc":
            throw NetworkConfigError(
                key: "Backend.Type",
                problem: "found \"\(type)\", a backend of flannel's that this overlayd does not have; expected \"udp\"")
        default:
            throw NetworkConfigError(
                key: "Backend.Type", problem: "found \"\(type)\", which is no backend; expected \"udp\"")
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
