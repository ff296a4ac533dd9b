import LinuxKit
import Logging

/// Whether a backend's packets take the eBPF path, and why.
struct KernelPathChoice: Sendable {
    /// The eBPF path, where it is in use.
    var path: KernelPath?
    var reason = "starting"

    init() {}

    /// Loads the eBPF path's programs, where they are wanted and the kernel takes them. Otherwise takes away what an
    /// earlier start may have left to carry packets without us.
    ///
    /// - Parameter device: The overlay device's name.
    /// - Throws: With `--datapath ebpf`, when the kernel does not take them.
    init(_ wanted: DatapathChoice, device: String, netlink: NetlinkSocket, logger: Logger) throws(DaemonError) {
        reason = "asked for"
        if wanted != .tun {
            do throws(DaemonError) {
                path = try KernelPath(device: device, netlink: netlink, logger: logger)
                if wanted == .auto { reason = "the kernel has what it needs" }
                return
            } catch {
                guard wanted == .auto else { throw error }
                logger.notice("packets do not take the eBPF path: \(error)")
                reason = "\(error)"
            }
        }
        do throws(SyscallError) {
            for removed in try KernelPath.remove(netlink: netlink) {
                logger.info("removed: \(removed)")
            }
        } catch {
            throw DaemonError("the programs of an earlier start can't be removed: \(error)")
        }
    }
}
