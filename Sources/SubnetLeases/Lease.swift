package import Addressing

/// One node's claim on a subnet: a key below `subnets/` with its value.
package struct Lease: Hashable, Sendable {
    package var subnet: IPv4Prefix
    /// The node's IPv6 subnet, in dual stack.
    package var ipv6Subnet: IPv6Prefix?
    package var attributes: LeaseAttributes

    package init(subnet: IPv4Prefix, ipv6Subnet: IPv6Prefix? = nil, attributes: LeaseAttributes) {
        self.subnet = subnet
        self.ipv6Subnet = ipv6Subnet
        self.attributes = attributes
    }
}

/// What a lease says about its node: flannel's `LeaseAttrs`.
package struct LeaseAttributes: Hashable, Sendable {
    /// Where the other nodes send encapsulated packets to.
    package var publicIP: IPv4Address
    /// The address for an IPv6 underlay, as text.
    package var publicIPv6: String?
    /// Absent for the `udp` backend, as flanneld writes it.
    package var backendType: String?
    /// Belongs to the backend; what is unknown in it is kept.
    package var backendData: JSONValue?
    package var backendV6Data: JSONValue?

    package init(
        publicIP: IPv4Address, publicIPv6: String? = nil, backendType: String? = nil, backendData: JSONValue? = nil,
        backendV6Data: JSONValue? = nil
    ) {
        self.publicIP = publicIP
        self.publicIPv6 = publicIPv6
        self.backendType = backendType
        self.backendData = backendData
        self.backendV6Data = backendV6Data
    }

    /// The backend that the node runs: flanneld leaves the field out for `udp`.
    package var effectiveBackend: String { backendType ?? "udp" }
}

/// A key or value below `subnets/` that is no lease.
package struct LeaseFormatError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
}

extension Lease {
    /// The last part of the lease's key: `10.244.49.0-24`.
    package static func keyName(of subnet: IPv4Prefix) -> String { "\(subnet.address)-\(subnet.length)" }

    /// The last part of this lease's key; in dual stack `10.244.56.0-24&fd10:0:0:5e::-64`.
    package var keyName: String {
        Self.keyName(of: subnet) + (ipv6Subnet.map { "&\($0.address)-\($0.length)" } ?? "")
    }

    /// Reads the IPv6 half of a dual-stack key's last part; `nil` when there is none.
    package static func ipv6Subnet(ofKeyName name: some StringProtocol) throws(LeaseFormatError) -> IPv6Prefix? {
        guard let mark = name.firstIndex(of: "&") else { return nil }
        let half = name[name.index(after: mark)...]
        guard let dash = half.lastIndex(of: "-"),
            let prefix = IPv6Prefix("\(half[..<dash])/\(half[half.index(after: dash)...])")
        else {
            throw LeaseFormatError(
                description: "the key \"\(name)\" names no IPv6 subnet behind its &; expected one such as "
                    + "10.244.49.0-24&fd10:0:0:5e::-64")
        }
        return prefix
    }

    /// Reads the last part of a key: `10.244.49.0-24`, in dual stack `10.244.56.0-24&fd10:0:0:5e::-64`, of which the
    /// IPv4 half is returned.
    package static func subnet(ofKeyName name: some StringProtocol) throws(LeaseFormatError) -> IPv4Prefix {
        let half = name.split(separator: "&", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let parts = half.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let prefix = IPv4Prefix("\(parts[0])/\(parts[1])"), "\(prefix.address)" == parts[0]
        else {
            throw LeaseFormatError(
                description: "the key \"\(name)\" names no subnet; expected one such as 10.244.49.0-24")
        }
        return prefix
    }
}

extension LeaseAttributes {
    /// Reads a lease's value. Unknown keys are passed over.
    package init(parsing bytes: [UInt8]) throws(LeaseFormatError) {
        let document: JSONValue
        do {
            document = try JSONValue(parsing: bytes)
        } catch {
            throw LeaseFormatError(description: "\(error)")
        }
        guard let object = document.objectValue else {
            throw LeaseFormatError(description: "found \(document.described), expected an object with a PublicIP key")
        }
        guard let text = object["PublicIP"]?.stringValue, let publicIP = IPv4Address(text) else {
            let found = object["PublicIP"]?.described ?? "nothing"
            throw LeaseFormatError(description: "PublicIP: found \(found), expected an IPv4 address")
        }
        self.init(
            publicIP: publicIP, publicIPv6: object["PublicIPv6"]?.stringValue,
            backendType: object["BackendType"]?.stringValue,
            backendData: object["BackendData"].flatMap { $0 == .null ? nil : $0 },
            backendV6Data: object["BackendV6Data"].flatMap { $0 == .null ? nil : $0 })
    }

    /// The value exactly as flanneld writes it: its order of keys, `PublicIPv6` always there, the rest only if set.
    package var encoded: [UInt8] {
        var text = "{\"PublicIP\":\"\(publicIP)\",\"PublicIPv6\":"
        text += publicIPv6.map { JSONValue.string($0).text } ?? "null"
        if let backendType { text += ",\"BackendType\":" + JSONValue.string(backendType).text }
        if let backendData { text += ",\"BackendData\":" + backendData.text }
        if let backendV6Data { text += ",\"BackendV6Data\":" + backendV6Data.text }
        return Array((text + "}").utf8)
    }
}
