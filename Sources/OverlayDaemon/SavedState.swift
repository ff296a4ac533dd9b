import Addressing
import FoundationEssentials
package import LinuxKit
package import SubnetLeases

/// What the daemon knew last, kept in a file so that it can go on without the store, and that `overlayd status` reads.
package struct SavedState: Hashable, Sendable {
    package var config: NetworkConfig
    package var own: Lease
    package var peers: [Lease]
    /// Whether the store confirmed it when it was written; `false` while the store is away.
    package var isCurrent: Bool
    /// The process that wrote it.
    package var process: Int32

    package init(config: NetworkConfig, own: Lease, peers: [Lease], isCurrent: Bool, process: Int32) {
        self.config = config
        self.own = own
        self.peers = peers
        self.isCurrent = isCurrent
        self.process = process
    }

    /// The file's contents: plain strings, so that a person can read it.
    private struct Document: Codable {
        struct Peer: Codable {
            var subnet: String
            var publicIP: String
            var data: JSONValue?
        }
        var network: String
        var subnetLength: Int
        var subnetMin: String
        var subnetMax: String
        var port: UInt16
        var own: Peer
        var peers: [Peer]
        var current: Bool
        var process: Int32
    }

    /// Reads the file; `nil` when there is none or it makes no sense.
    package init?(file: String) {
        guard let bytes = try? FileContents.read(file),
            let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)),
            let network = IPv4Prefix(document.network), let min = IPv4Address(document.subnetMin),
            let max = IPv4Address(document.subnetMax), let own = Self.lease(document.own),
            (network.length...30).contains(document.subnetLength)
        else { return nil }
        let config = NetworkConfig(
            network: network, subnetLength: document.subnetLength, subnetMin: min, subnetMax: max,
            backend: .udp(port: document.port))
        self.init(
            config: config, own: own, peers: document.peers.compactMap(Self.lease), isCurrent: document.current,
            process: document.process)
    }

    /// Replaces the file, atomically.
    package func write(to file: String) throws(SyscallError) {
        func peer(_ lease: Lease) -> Document.Peer {
            Document.Peer(
                subnet: "\(lease.subnet)", publicIP: "\(lease.attributes.publicIP)", data: lease.attributes.backendData)
        }
        let document = Document(
            network: "\(config.network)", subnetLength: config.subnetLength, subnetMin: "\(config.subnetMin)",
            subnetMax: "\(config.subnetMax)", port: config.backend.port ?? 0, own: peer(own), peers: peers.map(peer),
            current: isCurrent,
            process: process)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(document)) ?? Data()  // strings and numbers: nothing that could fail
        try FileContents.replace(file, with: Array(data), mode: 0o600)
    }

    private static func lease(_ peer: Document.Peer) -> Lease? {
        guard let subnet = IPv4Prefix(peer.subnet), let publicIP = IPv4Address(peer.publicIP) else { return nil }
        return Lease(subnet: subnet, attributes: LeaseAttributes(publicIP: publicIP, backendData: peer.data))
    }
}

extension SavedState {
    /// For a person to read.
    package var report: String {
        let isRunning = ProcessStatus(process).map { $0.command == "overlayd" } ?? false
        let store = isCurrent ? "confirmed by the store" : "STALE: the store was away when this was written"
        var lines = [
            "network   \(config.network), backend \(config.backend.name), UDP port \(config.backend.port ?? 0)",
            "lease     \(own.subnet), public address \(own.attributes.publicIP)",
            "daemon    " + (isRunning ? "running, process \(process)" : "not running: no packets move"),
            "peers     \(peers.count), \(store)",
        ]
        lines += peers.map { "          \($0.subnet) at \($0.attributes.publicIP)" }
        return lines.joined(separator: "\n")
    }
}
