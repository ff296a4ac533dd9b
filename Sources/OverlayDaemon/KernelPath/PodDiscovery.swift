import Addressing
import DataPlane
import LinuxKit

/// Finds the pods of this node: whatever has an address of the node's subnet at the other end of a veth pair.
struct PodDiscovery: Sendable {
    private let namespaces: PeerNamespaces
    private let netlink: NetlinkSocket

    init(netlink: NetlinkSocket) throws(SyscallError) {
        namespaces = try PeerNamespaces()
        self.netlink = netlink
    }

    /// The pods as the kernel knows them now, each with the reason why its packets must go through the stack, if
    /// there is one.
    func pods(in subnet: IPv4Prefix) throws(SyscallError) -> [FastPathPod] {
        let control = try TrafficControl(netlink)
        var pods: [FastPathPod] = []
        for end in try namespaces.vethEnds() {
            guard let address = end.peerAddresses.first(where: { subnet.contains($0) }) else { continue }
            pods.append(
                FastPathPod(
                    address: address, interface: end.interface, podMAC: end.peerHardwareAddress,
                    hostMAC: end.hardwareAddress, stepAside: try reason(for: end, control)))
        }
        return pods
    }

    private func reason(for end: VethEnd, _ control: TrafficControl) throws(SyscallError) -> String? {
        if let kind = control.queueing(on: end.interface).first { return "queueing discipline \(kind) on \(end.name)" }
        if end.peerAddresses.count > 1 { return "\(end.peerAddresses.count) addresses" }
        let foreign = try control.ingressFilters(of: end.interface).first { $0.priority != FastPath.priority }
        return foreign.map { "\($0.kind) classifier of priority \($0.priority) on \(end.name)" }
    }
}
