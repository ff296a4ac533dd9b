package import Addressing

/// The network that all nodes share: the value of flannel's `config` key, with flannel's defaults filled in.
///
/// Source: flannel, `Documentation/configuration.md` and `pkg/subnet/config.go`.
package struct NetworkConfig: Hashable, Sendable {
    /// The range that holds every node's subnet.
    package var network: IPv4Prefix
    /// Prefix length of a node's subnet.
    package var subnetLength: Int
    /// Network address of the first subnet that may be given out.
    package var subnetMin: IPv4Address
    /// Network address of the last subnet that may be given out.
    package var subnetMax: IPv4Address
    package var backend: BackendConfig

    package init(
        network: IPv4Prefix, subnetLength: Int, subnetMin: IPv4Address, subnetMax: IPv4Address,
        backend: BackendConfig = .udp(port: BackendConfig.defaultUDPPort)
    ) {
        self.network = network
        self.subnetLength = subnetLength
        self.subnetMin = subnetMin
        self.subnetMax = subnetMax
        self.backend = backend
    }

    /// How many subnets may be given out.
    package var capacity: Int { Int((subnetMax.bits - subnetMin.bits) >> UInt32(32 - subnetLength)) + 1 }

    /// The `index`-th subnet of the pool, 0 being the one at `subnetMin`.
    ///
    /// - Precondition: `index` is in `0..<capacity`.
    package func subnet(at index: Int) -> IPv4Prefix {
        precondition((0..<capacity).contains(index), "the pool has no such subnet")
        return IPv4Prefix(subnetMin.advanced(by: UInt32(index) << UInt32(32 - subnetLength)), length: subnetLength)
    }

    /// Whether `subnet` is one that this configuration gives out.
    package func offers(_ subnet: IPv4Prefix) -> Bool {
        subnet.length == subnetLength && subnetMin <= subnet.address && subnet.address <= subnetMax
    }
}

/// How packets travel between nodes, flannel's `Backend` object.
package enum BackendConfig: Hashable, Sendable {
    /// Bare IP packets as UDP payload.
    case udp(port: UInt16)

    /// flanneld's default for the `udp` backend.
    package static let defaultUDPPort: UInt16 = 8285

    /// The UDP port of every node.
    package var port: UInt16 {
        switch self {
        case .udp(let port): port
        }
    }

    /// The name under flannel's `Type` key.
    package var name: String {
        switch self {
        case .udp: "udp"
        }
    }
}

/// A network configuration that can't be used: which key, what stands there, what was expected.
package struct NetworkConfigError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Path of the key below the document, such as `Backend.Port`; empty for the document itself.
    package let key: String
    package let problem: String

    package init(key: String, problem: String) {
        self.key = key
        self.problem = problem
    }

    package var description: String { key.isEmpty ? problem : "\(key): \(problem)" }
}
