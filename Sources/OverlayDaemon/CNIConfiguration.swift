import SubnetLeases

/// The file by which container runtimes set up pods in the overlay: a CNI network list (CNI specification 0.4.0).
package struct CNIConfiguration: Hashable, Sendable {
    /// Who makes a pod's network.
    package enum Form: String, CaseIterable, Sendable {
        /// The standard plugins `bridge`, `host-local` and `portmap`, with the lease written into the file.
        case bridge
        /// flannel's plugin, which reads the subnet file by itself.
        case flannel
    }

    /// The name that flannel's own manifests give it, so that it replaces theirs.
    package static let fileName = "10-flannel.conflist"

    package var form: Form
    package var subnetFile: SubnetFile
    /// Where the subnet file is, for the `flannel` form.
    package var subnetFilePath: String

    package init(form: Form, subnetFile: SubnetFile, subnetFilePath: String) {
        self.form = form
        self.subnetFile = subnetFile
        self.subnetFilePath = subnetFilePath
    }

    /// The file's contents.
    package var text: String {
        switch form {
        case .bridge: list(bridge)
        case .flannel: list(flannel)
        }
    }

    private func list(_ plugin: String) -> String {
        """
        {
          "cniVersion": "0.4.0",
          "name": "cbr0",
          "plugins": [
        \(plugin),
            { "type": "portmap", "capabilities": { "portMappings": true } }
          ]
        }

        """
    }

    /// The plugin masquerades only where overlayd does not.
    private var bridge: String {
        let ranges = (["\(subnetFile.subnet)"] + (subnetFile.ipv6Subnet.map { ["\($0)"] } ?? [])).map {
            "[{ \"subnet\": \"\($0)\" }]"
        }
        return """
                {
                  "type": "bridge",
                  "bridge": "cni0",
                  "mtu": \(subnetFile.mtu),
                  "isGateway": true,
                  "isDefaultGateway": true,
                  "hairpinMode": true,
                  "ipMasq": \(!subnetFile.masquerade),
                  "ipam": { "type": "host-local", "ranges": [\(ranges.joined(separator: ", "))] }
                }
            """
    }

    private var flannel: String {
        """
            {
              "type": "flannel",
              "subnetFile": \(JSONValue.string(subnetFilePath).text),
              "delegate": { "hairpinMode": true, "isDefaultGateway": true }
            }
        """
    }
}
