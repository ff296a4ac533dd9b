import DataPlane
import Glibc
import LinuxKit

/// What is checked, and said in plain words, before anything is made.
package enum Preflight {
    /// - Throws: ``DaemonError`` for anyone but root.
    package static func checkRoot() throws(DaemonError) {
        guard geteuid() == 0 else {
            throw DaemonError(
                "overlayd sets up interfaces and routes and must be root; run it with sudo or as a service")
        }
    }

    /// - Throws: ``DaemonError`` where the kernel has no TUN devices for us.
    static func checkTunnelDevice() throws(DaemonError) {
        guard FileContents.exists("/dev/net/tun") else {
            throw DaemonError(
                "/dev/net/tun is missing: load the module (modprobe tun), or give the container the device "
                    + "(--device /dev/net/tun)")
        }
    }
}

extension OverlayNetwork {
    /// What a failure to start the engine means to the operator.
    static func explain(_ error: SyscallError, port: UInt16, address: String, device: String) -> DaemonError {
        switch error.code {
        case EADDRINUSE:
            DaemonError(
                "UDP port \(port) of \(address) is taken by another process: stop the other overlayd or flanneld "
                    + "(ss -lunp 'sport = \(port)' names it), or set Backend.Port in the network config")
        case EBUSY:
            DaemonError(
                "device \(device) belongs to another process: stop the other overlayd or flanneld (ip -d link show \(device))"
            )
        case EADDRNOTAVAIL:
            DaemonError("\(address) is no address of this machine any more: \(error)")
        case EPERM, EACCES:
            DaemonError("not allowed to make the device \(device) (\(error)): run as root with CAP_NET_ADMIN")
        case ENOENT, ENODEV, ENXIO:
            DaemonError("no TUN driver (\(error)): load the module with modprobe tun")
        default:
            DaemonError("the packet engine can't start: \(error)")
        }
    }
}
