package import Addressing
package import DataPlane
package import LinuxKit
package import SubnetLeases

/// How packets get to the other nodes: what stands behind `Backend.Type` of the network config. The implementations
/// are siblings that know nothing of each other; what they have in common is done by ``OverlayNetwork``.
///
/// Calls come one at a time and may block for some milliseconds.
package protocol OverlayBackend: Sendable {
    /// The devices that it makes; they stay when the daemon ends.
    var deviceNames: [String] { get }

    /// Makes what a lease has to tell of, before there is one. To be called once.
    func prepare() throws(DaemonError) -> BackendAttributes

    /// Brings the backend's part of the kernel to `goal`, and returns what the rest needs to know.
    func converge(_ goal: BackendGoal) throws -> BackendOutcome

    /// Ends what lives in this process. What the kernel does by itself goes on.
    func stop()

    /// Takes away what ``stop()`` leaves: another backend follows.
    func withdraw() throws(SyscallError)

    /// What moved through this process; `nil` where packets never enter it.
    var counters: TunnelCounters? { get }

    /// The eBPF path, where it is in use.
    var kernelPath: KernelPath? { get }

    /// The path that packets take, and why.
    var path: (choice: PacketPath, reason: String) { get }
}

/// A backend's part of the lease's value.
package struct BackendAttributes: Hashable, Sendable {
    /// As flanneld writes it: nothing for `udp` and `alloc`.
    package var type: String?
    package var data: JSONValue?
    package var ipv6Data: JSONValue?
}

/// What a backend is to bring about.
package struct BackendGoal: Sendable {
    package var config: NetworkConfig
    package var lease: Lease
    /// The other nodes; `nil` while they are not known, so that nothing of them may be taken away.
    package var peers: [Lease]?
}

/// What a backend found and what it wants.
package struct BackendOutcome: Sendable {
    /// What was not as it should be, a line each.
    package var found: [String] = []
    /// The largest packet of a pod, in bytes.
    package var mtu: Int
    package var routes: [Route] = []
    package var ipv6Routes: [IPv6Route] = []
    /// Interfaces that are the backend's own: routes by way of them are nobody else's.
    package var devices: [Int32] = []
    /// Peers that can't be reached so, each with the reason.
    package var unreachable: [String] = []
}

extension OverlayBackend {
    package var counters: TunnelCounters? { nil }
    package var kernelPath: KernelPath? { nil }
    package var path: (choice: PacketPath, reason: String) { (.kernel, "the backend leaves packets to the kernel") }
    package func stop() {}
    package func withdraw() throws(SyscallError) {}
}

/// What all backends are made from.
struct BackendPlace: Sendable {
    let underlay: Underlay
    let netlink: NetlinkSocket

    /// The underlay's MTU as it is now.
    var underlayMTU: Int {
        get throws(SyscallError) {
            try netlink.link(index: underlay.interface.link.index)?.mtu ?? underlay.interface.link.mtu
        }
    }

    /// The IPv6 address for a dual-stack network.
    func requiredIPv6() throws(DaemonError) -> IPv6Address {
        guard let address = underlay.ipv6 else {
            throw DaemonError(
                "the network config has EnableIPv6, but \(underlay.interface.link.name) has no global IPv6 address: "
                    + "give it one, or name another interface with --iface")
        }
        return address
    }

    /// Gives a device its address, MTU and state. Returns what was different.
    func converge<Address: InternetAddress>(_ device: Link, address: Address, mtu: Int) throws(SyscallError) -> [String]
    {
        var found: [String] = []
        if device.mtu != mtu {
            try netlink.setLink(device.index, mtu: mtu)
            found.append("MTU of \(device.name): \(device.mtu), set to \(mtu)")
        }
        let length = Address.octetCount * 8
        let wanted = InternetInterfaceAddress(interface: device.index, address: address, prefixLength: length)
        let present = try netlink.addresses(Address.self, of: device.index).filter { $0.scope == 0 }
        for other in present where other.address != address { try netlink.deleteAddress(other) }
        if !present.contains(where: { $0.address == address && $0.prefixLength == length }) {
            try netlink.addAddress(wanted)
            found.append("\(device.name) had no address \(address)")
        }
        if !device.isUp {
            try netlink.setLink(device.index, up: true)
            found.append("\(device.name) was down")
        }
        return found
    }

    /// Whether packets to `peer` need no router.
    func isOnLink<Address: InternetAddress>(_ peer: Address) -> Bool {
        guard let way = try? netlink.route(to: peer) else { return false }
        return way.gateway == nil && way.action == .unicast
    }
}
