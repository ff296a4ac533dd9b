package import Addressing

/// flannel's `subnet.env`: how the node's subnet reaches CNI plugins, Docker and the kubelet.
package struct SubnetFile: Hashable, Sendable {
    package var network: IPv4Prefix
    package var subnet: IPv4Prefix
    package var mtu: Int
    package var masquerade: Bool

    package init(network: IPv4Prefix, subnet: IPv4Prefix, mtu: Int, masquerade: Bool) {
        self.network = network
        self.subnet = subnet
        self.mtu = mtu
        self.masquerade = masquerade
    }

    /// The lines in flanneld's order. The subnet stands with its first usable address, the bridge's.
    package var text: String {
        """
        FLANNEL_NETWORK=\(network)
        FLANNEL_SUBNET=\(subnet.address.advanced(by: 1))/\(subnet.length)
        FLANNEL_MTU=\(mtu)
        FLANNEL_IPMASQ=\(masquerade)

        """
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
        self.init(network: network, subnet: subnet, mtu: mtu, masquerade: values["FLANNEL_IPMASQ"] == "true")
    }
}
