import Addressing
import DataPlane
package import SubnetLeases

/// What the eBPF path serves: one lease in one network, with its peers.
struct KernelPathState: Hashable, Sendable {
    struct Peer: Hashable, Sendable {
        var subnet: IPv4Prefix
        var address: IPv4Address
        var vtepMAC: MACAddress?
        var isUserSpaceOnly: Bool
    }

    var network: IPv4Prefix
    var subnet: IPv4Prefix
    var underlayAddress: IPv4Address
    var underlay: Int32
    var device: Int32
    var encapsulation: FastPathSettings.Encapsulation
    /// Bytes around each inner packet.
    var overhead: Int
    var peers: [Peer]
}

extension KernelPathState.Peer {
    /// What a peer's lease says in a `udp` network. Only nodes of ours say what they can take: from anybody else, finished packets.
    init(_ lease: Lease) {
        self.init(
            subnet: lease.subnet, address: lease.attributes.publicIP, vtepMAC: nil,
            isUserSpaceOnly: lease.attributes.backendData != KernelPath.capability)
    }
}

extension KernelPathState.Peer {
    /// A peer in a `vxlan` network: its device takes whatever ours sends.
    init(_ peer: VXLANPeer<IPv4Address>) {
        self.init(subnet: peer.subnet, address: peer.endPoint, vtepMAC: peer.mac, isUserSpaceOnly: false)
    }
}

extension KernelPath {
    /// What the lease of a node says that strips packets in the kernel: it takes super-packets whole, and packets with
    /// unfinished checksums, over an underlay that passes them. flanneld passes over it.
    package static let capability = JSONValue.object(["Decapsulation": .string("kernel")])
}
