package import Addressing

/// What the overlay gave this node, as `/run/flannel/subnet.env` tells it.
package struct OverlayLease: Sendable, Equatable {
    /// All pods' network.
    package let network: IPv4Prefix
    /// This node's part of it.
    package let subnet: IPv4Prefix
    /// The first address of the subnet, which the bridge gets.
    package let gateway: IPv4Address
    package let mtu: Int

    /// Why a file is no lease.
    package struct FormatError: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Reads the lines `FLANNEL_NETWORK=`, `FLANNEL_SUBNET=` (gateway address and prefix length) and `FLANNEL_MTU=`;
    /// others are left aside.
    package init(parsing text: String) throws(FormatError) {
        var values: [Substring: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: "=", maxSplits: 1)
            if parts.count == 2 { values[parts[0]] = parts[1].filter { $0 != "\"" && $0 != " " } }
        }
        func value<T>(_ key: Substring, _ read: (String) -> T?) throws(FormatError) -> T {
            guard let text = values[key] else { throw FormatError(description: "\(key) is missing") }
            guard let value = read(text) else { throw FormatError(description: "\(key)=\(text) cannot be read") }
            return value
        }
        // Several networks may be listed, separated by commas; all pods' addresses are in the first one.
        network = try value("FLANNEL_NETWORK") { $0.split(separator: ",").first.flatMap { IPv4Prefix(String($0)) } }
        (gateway, subnet) = try value("FLANNEL_SUBNET") { text -> (IPv4Address, IPv4Prefix)? in
            guard let slash = text.firstIndex(of: "/"), let address = IPv4Address(String(text[..<slash])),
                let length = Int(text[text.index(after: slash)...]), (0...32).contains(length)
            else { return nil }
            return (address, IPv4Prefix(address, length: length))
        }
        mtu = try value("FLANNEL_MTU") { Int($0).flatMap { (68...65535).contains($0) ? $0 : nil } }
    }
}
