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

    /// The file's contents: config and leases in flannel's own form, so that a person can read them.
    private struct Document: Codable {
        struct KeyValue: Codable {
            var key: String
            var value: JSONValue
        }
        var config: JSONValue
        var own: KeyValue
        var peers: [KeyValue]
        var current: Bool
        var process: Int32
    }

    /// Reads the file; `nil` when there is none or it makes no sense.
    package init?(file: String) {
        var warnings: [String] = []
        guard let bytes = try? FileContents.read(file),
            let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)),
            let config = try? NetworkConfig(parsing: Array(document.config.text.utf8), warnings: &warnings),
            let own = Self.lease(document.own)
        else { return nil }
        self.init(
            config: config, own: own, peers: document.peers.compactMap(Self.lease), isCurrent: document.current,
            process: document.process)
    }

    /// Replaces the file, atomically.
    package func write(to file: String) throws(SyscallError) {
        let document = Document(
            config: config.document, own: Self.keyValue(own), peers: peers.map(Self.keyValue), current: isCurrent,
            process: process)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(document)) ?? Data()  // strings and numbers: nothing that could fail
        try FileContents.replace(file, with: Array(data), mode: 0o600)
    }

    private static func keyValue(_ lease: Lease) -> Document.KeyValue {
        Document.KeyValue(key: lease.keyName, value: (try? JSONValue(parsing: lease.attributes.encoded)) ?? .null)
    }

    private static func lease(_ keyValue: Document.KeyValue) -> Lease? {
        guard let subnet = try? Lease.subnet(ofKeyName: keyValue.key),
            let attributes = try? LeaseAttributes(parsing: Array(keyValue.value.text.utf8))
        else { return nil }
        return Lease(
            subnet: subnet, ipv6Subnet: (try? Lease.ipv6Subnet(ofKeyName: keyValue.key)) ?? nil,
            attributes: attributes)
    }
}
