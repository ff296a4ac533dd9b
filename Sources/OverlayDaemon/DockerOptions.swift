import Addressing

/// Docker's way into the overlay: its own bridge gets the lease. The job of flannel's `mk-docker-opts.sh`, with that
/// script's variables.
package struct DockerOptions: Hashable, Sendable {
    package var subnetFile: SubnetFile
    /// Leaves `--ip-masq` out.
    package var omitsMasquerade = false

    package init(_ subnetFile: SubnetFile) { self.subnetFile = subnetFile }

    private var options: [(variable: String, option: String)] {
        let subnet = subnetFile.subnet
        var options = [("DOCKER_OPT_BIP", "--bip=\(subnet.address.advanced(by: 1))/\(subnet.length)")]
        // Docker masquerades only where overlayd does not.
        if !omitsMasquerade { options.append(("DOCKER_OPT_IPMASQ", "--ip-masq=\(!subnetFile.masquerade)")) }
        options.append(("DOCKER_OPT_MTU", "--mtu=\(subnetFile.mtu)"))
        return options
    }

    /// One variable for each option.
    package var individual: String { options.map { "\($0.variable)=\"\($0.option)\"\n" }.joined() }

    /// All options in the variable `key`.
    package func combined(key: String) -> String {
        "\(key)=\" \(options.map(\.option).joined(separator: " "))\"\n"
    }
}
