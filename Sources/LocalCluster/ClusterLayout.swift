public import Addressing

/// One machine of a cluster: its short name and its address on the LAN.
package struct MachineIdentity: Codable, Hashable, Sendable {
    /// The host name inside, such as `node-1`.
    package var name: String
    package var address: IPv4Address
    /// Whether pods run on it.
    package var isNode: Bool

    package init(name: String, address: IPv4Address, isNode: Bool) {
        self.name = name
        self.address = address
        self.isNode = isNode
    }
}

/// What a cluster consists of, and what everything made for it is called. Kept as `cluster.json` in its directory.
package struct ClusterLayout: Codable, Hashable, Sendable {
    package enum Store: String, Codable, Hashable, Sendable, CaseIterable { case embedded, etcd }

    package var name: String
    /// Where the cluster's files are.
    package var directory: String
    package var machines: [MachineIdentity]
    package var lan: IPv4Prefix
    package var podNetwork: IPv4Prefix
    package var portalNetwork: IPv4Prefix
    package var store: Store = .embedded
    /// `host:port` of the registry that stands for every other one.
    package var registry: String?
    /// The storage directory of a registry that the master serves in every other one's place.
    package var images: String?
    /// Whether the machines reach the outside through the host.
    package var hasUplink: Bool
    /// Whether `fjord hard-way` made it from unit files.
    package var isHardWay: Bool

    package init(
        name: String, directory: String, machines: [MachineIdentity], lan: IPv4Prefix, podNetwork: IPv4Prefix,
        portalNetwork: IPv4Prefix,
        hasUplink: Bool, isHardWay: Bool = false
    ) {
        self.name = name
        self.directory = directory
        self.machines = machines
        self.lan = lan
        self.podNetwork = podNetwork
        self.portalNetwork = portalNetwork
        self.hasUplink = hasUplink
        self.isHardWay = isHardWay
    }

    /// A master at the LAN's tenth address and nodes behind it.
    package static func machines(nodes: Int, lan: IPv4Prefix) -> [MachineIdentity] {
        let base = lan.address.advanced(by: 10)
        return [MachineIdentity(name: "master", address: base, isNode: false)]
            + (0..<nodes).map {
                MachineIdentity(name: "node-\($0 + 1)", address: base.advanced(by: UInt32($0) + 1), isNode: true)
            }
    }

    package var master: MachineIdentity { machines[0] }
    package var nodes: [MachineIdentity] { machines.filter(\.isNode) }
    /// The host's address on the LAN.
    package var hostAddress: IPv4Address { lan.address.advanced(by: 1) }
    /// The address of the `kubernetes` service.
    package var portalAddress: IPv4Address { portalNetwork.address.advanced(by: 1) }
    /// The host's interface on the LAN.
    package var hostLink: String { "\(name)-lan" }
    package var lanNamespace: NetworkNamespaceName { "\(name)-lan" }
    package var filterTable: String { "\(name)-uplink" }
    /// The registry that stands for every other one, if any.
    package var mirror: String? { images == nil ? registry : "\(master.address):5000" }
    package var kubeconfig: String { "\(directory)/admin.kubeconfig" }
    package var apiServer: String { isHardWay ? "http://\(master.address):8080" : "https://\(master.address):6443" }

    /// The network namespace of a machine, also the name of its cgroup.
    package func namespace(_ machine: MachineIdentity) -> NetworkNamespaceName { "\(name)-\(machine.name)" }
    package func cgroup(_ machine: MachineIdentity) -> String { "/\(name)-\(machine.name)" }
    package func directory(_ machine: MachineIdentity) -> String { "\(directory)/machines/\(machine.name)" }
    package func machine(_ name: String) -> MachineIdentity? { machines.first { $0.name == name } }

    package typealias NetworkNamespaceName = String

    /// Where all clusters of the host are found.
    static let clusters = "/var/lib/fjord"
    /// Where a cluster of that name is found: a directory, or a link to the one given with `--dir`.
    package static func defaultDirectory(_ name: String) -> String { "\(clusters)/\(name)" }
}

extension IPv4Address: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = IPv4Address(text) else { throw ClusterError("\(text) is no IPv4 address") }
        self = address
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension IPv4Prefix: Codable {
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let prefix = IPv4Prefix(text) else { throw ClusterError("\(text) is no IPv4 network") }
        self = prefix
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
