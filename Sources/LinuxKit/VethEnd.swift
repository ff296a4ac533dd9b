package import Addressing
import CLinux
import Glibc

/// This namespace's end of a veth pair whose other end is in another namespace: a pod, as a rule.
package struct VethEnd: Hashable, Sendable {
    package var interface: Int32
    package var name: String
    package var hardwareAddress: MACAddress
    /// The other end's index, in its namespace.
    package var peerInterface: Int32
    package var peerHardwareAddress: MACAddress
    /// The IPv4 addresses of the other end.
    package var peerAddresses: [IPv4Address]
}

/// Looks across veth pairs into the namespaces at their other ends, without entering them.
///
/// The kernel gives a namespace that an interface here is paired with a number (`IFLA_LINK_NETNSID`), and answers
/// questions about that namespace by that number (`IFLA_TARGET_NETNSID`, `IFA_TARGET_NETNSID`, kernel 4.20).
package final class PeerNamespaces: Sendable {
    private let netlink: NetlinkSocket

    /// Works in the calling thread's namespace.
    package init() throws(SyscallError) {
        netlink = try NetlinkSocket(protocol: NETLINK_ROUTE, strict: true)
    }

    /// Every veth end with its other end in another namespace. One that goes meanwhile is left out.
    package func vethEnds() throws(SyscallError) -> [VethEnd] {
        var message = NetlinkMessage(RTM_GETLINK, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(ifinfomsg())
        var ends: [VethEnd] = []
        for reply in try netlink.query(message, "RTM_GETLINK", "all") {
            guard let link = Link(reply), link.kind == "veth", let peer = link.peer, let mac = link.hardwareAddress,
                let namespace = reply.attributes(after: ifinfomsg.self).value(IFLA_LINK_NETNSID, as: Int32.self)
            else { continue }
            do throws(SyscallError) {
                guard let peerMAC = try hardwareAddress(of: peer, in: namespace) else { continue }
                ends.append(
                    VethEnd(
                        interface: link.index, name: link.name, hardwareAddress: mac, peerInterface: peer,
                        peerHardwareAddress: peerMAC, peerAddresses: try addresses(of: peer, in: namespace)))
            } catch {
                guard [ENODEV, EINVAL, ENONET].contains(error.code) else { throw error }
            }
        }
        return ends
    }

    private func hardwareAddress(of interface: Int32, in namespace: Int32) throws(SyscallError) -> MACAddress? {
        var header = ifinfomsg()
        header.ifi_index = interface
        var message = NetlinkMessage(RTM_GETLINK, flags: 0)
        message.append(header)
        message.attribute(IFLA_TARGET_NETNSID, namespace)
        return try netlink.query(message, "RTM_GETLINK", "index \(interface) in namespace \(namespace)").first
            .flatMap { Link($0) }?.hardwareAddress
    }

    private func addresses(of interface: Int32, in namespace: Int32) throws(SyscallError) -> [IPv4Address] {
        var header = ifaddrmsg()
        header.ifa_family = UInt8(AF_INET)
        header.ifa_index = UInt32(bitPattern: interface)
        var message = NetlinkMessage(RTM_GETADDR, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(header)
        message.attribute(IFA_TARGET_NETNSID, namespace)
        return try netlink.query(message, "RTM_GETADDR", "namespace \(namespace)").compactMap {
            InterfaceAddress($0)
        }.filter { $0.interface == interface }.map(\.address)
    }
}
