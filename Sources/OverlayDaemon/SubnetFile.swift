package import Addressing
import SubnetLeases

/// flannel's `subnet.env`: how the node's subnet reaches CNI plugins, Docker and the kubelet.
package struct SubnetFile: Hashable, Sendable {
    package var network: IPv4Prefix
    package var subnet: IPv4Prefix
    package var mtu: Int
    package var masquerade: Bool
    /// The IPv6 half, in dual stack.
    package var ipv6Network: IPv6Prefix?
    package var ipv6Subnet: IPv6Prefix?

    package init(
        network: IPv4Prefix, subnet: IPv4Prefix, ipv6Network: IPv6Prefix? = nil, ipv6Subnet: IPv6Prefix? = nil,
        mtu: Int, masquerade: Bool
    ) {
        self.network = network
        self.subnet = subnet
        self.ipv6Network = ipv6Network
        self.ipv6Subnet = ipv6Subnet
        self.mtu = mtu
        self.masquerade = masquerade
    }

    /// The lines in flanneld's order. The subnet stands with its first usable address, the bridge's.
    package var text: String {
        var lines = [
            "FLANNEL_NETWORK=\(network)",
            "FLANNEL_SUBNET=\(subnet.address.advanced(by: 1))/\(subnet.length)",
        ]
        if let ipv6Network, let ipv6Subnet {
            lines.append("FLANNEL_IPV6_NETWORK=\(ipv6Network)")
            lines.append("FLANNEL_IPV6_SUBNET=\(ipv6Subnet.address.advanced(by: 1))/\(ipv6Subnet.length)")
        }
        lines.append("FLANNEL_MTU=\(mtu)")
        lines.append("FLANNEL_IPMASQ=\(masquerade)")
        return lines.joined(separator: "\n") + "\n"
    }

    /// What pods of `lease` are set up by.
    init(_ config: NetworkConfig, _ lease: Lease, mtu: Int, masquerade: Bool) {
        self.init(
            network: config.network, subnet: lease.subnet, ipv6Network: config.ipv6?.network,
            ipv6Subnet: lease.ipv6Subnet, mtu: mtu, masquerade: masquerade)
    }

    /// Reads a file that overlayd or flanneld wrote; `nil` when a line is missing or makes no sense.
    package init?(_ text: String) {
        var values: [Substring: Substring] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[line[..<equals]] = line[line.index(after: equals)...]
        }
        guard let network = values["FLANNEL_NETWORK"].flatMap({ IPv4Prefix($0) }),
            let subnet = values["FLANNEL_SUBNET"].flatMap({ IPv4Prefix($0) }),
            let mtu = values["FLANNEL_MTU"].flatMap({ Int($0) })
        else { return nil }
        self.init(
            network: network, subnet: subnet,
            ipv6Network: values["FLANNEL_IPV6_NETWORK"].flatMap { IPv6Prefix($0) },
            ipv6Subnet: values["FLANNEL_IPV6_SUBNET"].flatMap { IPv6Prefix($0) }, mtu: mtu,
            masquerade: values["FLANNEL_IPMASQ"] == "true")
    }
}
