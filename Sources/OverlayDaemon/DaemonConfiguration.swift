import Addressing

/// What the node's operator decided: flanneld's options as values.
package struct DaemonConfiguration: Sendable {
    /// How the interface towards the other nodes is found.
    package var underlay: UnderlayRequest
    /// flanneld's `--subnet-file`: where the lease is written for whoever sets up pods.
    package var subnetFile = "/run/flannel/subnet.env"
    /// Where to write the CNI network list for this node's subnet, and of which form; `nil` for none.
    package var cni: (directory: String, form: CNIConfiguration.Form)?
    /// Masquerades what leaves the network.
    package var masquerade = false
    /// Accepts forwarded packets from and to the network.
    package var forwardRules = true
    /// How often the kernel's state is compared with what it should be, besides on the kernel's own notice.
    package var resyncInterval: Duration = .seconds(5)
    /// How often the network's configuration is read again.
    package var configInterval: Duration = .seconds(10)
    /// The lease is renewed at a third of its time, and at the latest so long before it ends.
    package var renewMargin: Duration = .seconds(3600)
    /// The TUN device's name.
    package var deviceName = "flannel0"
    /// Queues of the TUN device.
    package var queues = 1
    /// Which path packets take.
    package var datapath = DatapathChoice.auto
    /// Address and port of `/healthz` and `/readyz`; `nil` for none.
    package var health: (address: String, port: Int)?

    package init(underlay: UnderlayRequest) { self.underlay = underlay }

    /// Where the daemon keeps what it needs to go on without the store: beside the subnet file.
    package var stateFile: String {
        let directory = subnetFile.lastIndex(of: "/").map { subnetFile[...$0] } ?? ""
        return directory + "overlayd.json"
    }
}

/// Why overlayd can't run here. One line that says what was found and what to do.
package struct DaemonError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
