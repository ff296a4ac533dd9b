package import KubeSchema

/// The network configuration list by which the runtime joins pods to the node's bridge.
package enum CNIConfiguration {
    package static let fileName = "10-fjord.conflist"
    package static let bridge = "cni0"

    /// Returns the list for `lease`: a bridge with the overlay's MTU, addresses from this node's subnet, host ports.
    ///
    /// The overlay daemon masquerades what leaves the cluster, hence `ipMasq` is off here.
    ///
    /// Source: CNI specification 0.4.0; documentation of the `bridge`, `host-local` and `portmap` plugins.
    package static func document(for lease: OverlayLease) -> JSON {
        [
            "cniVersion": "0.4.0", "name": "fjord",
            "plugins": [
                [
                    "type": "bridge", "bridge": .string(bridge), "isGateway": true, "hairpinMode": true,
                    "ipMasq": false, "mtu": .integer(Int64(lease.mtu)),
                    "ipam": [
                        "type": "host-local",
                        "ranges": [[["subnet": .string("\(lease.subnet)"), "gateway": .string("\(lease.gateway)")]]],
                        "routes": [["dst": "0.0.0.0/0"]],
                    ],
                ],
                ["type": "portmap", "capabilities": ["portMappings": true], "snat": true],
            ],
        ]
    }
}
