import Addressing
import Glibc
import LinuxKit

/// Takes away everything that overlayd makes on a machine, in whatever state it was left.
package enum Clean {
    /// Removes device, routes, rules and files. Returns what was there, one line each.
    package static func run(deviceName: String, subnetFile: String) throws(DaemonError) -> [String] {
        var removed: [String] = []
        do {
            let netlink = try NetlinkSocket()
            removed += try KernelPath.remove(netlink: netlink)
            removed += try removeRoutes(of: IPv4Address.self, netlink)
            removed += try removeRoutes(of: IPv6Address.self, netlink)
            for link in try netlink.links() where isOurs(link) {
                try netlink.deleteLink(link.name)
                removed.append("device \(link.name)")
            }
            if let link = try netlink.link(named: deviceName) {
                guard link.kind == "tun" else {
                    throw DaemonError(
                        "\(deviceName) is no TUN device (\(link.kind ?? "no virtual device")) and is left alone")
                }
                try netlink.deleteLink(deviceName)
                removed.append("device \(deviceName)")
            }
        } catch let error as DaemonError {
            throw error
        } catch {
            throw DaemonError("can't clean up: \(error)")
        }
        if !PacketFilter.current().isEmpty {
            try PacketFilter.remove()
            removed.append("nftables table \(PacketFilter.table)")
        }
        var configuration = DaemonConfiguration(underlay: UnderlayRequest())
        configuration.subnetFile = subnetFile
        for path in [subnetFile, configuration.stateFile] where FileContents.exists(path) {
            guard unlink(path) == 0 || errno == ENOENT else {
                throw DaemonError("can't remove \(path): \(String(cString: strerror(errno)))")
            }
            removed.append(path)
        }
        return removed
    }

    private static func removeRoutes<Address: InternetAddress>(
        of family: Address.Type, _ netlink: NetlinkSocket
    ) throws(SyscallError) -> [String] {
        var removed: [String] = []
        for route in try netlink.routes(of: family) where route.protocolTag == OverlayNetwork.routeProtocol {
            try netlink.deleteRoute(route)
            removed.append("route \(route.destination)")
        }
        return removed
    }

    /// A VXLAN device named as flannel names them: after the identifier.
    private static func isOurs(_ link: Link) -> Bool {
        guard let identifier = link.vxlan?.identifier else { return false }
        return link.name == "flannel.\(identifier)" || link.name == "flannel-v6.\(identifier)"
    }
}
