import FoundationEssentials
import Glibc
import LinuxKit

/// What a host has that a cluster could leave behind.
struct HostSnapshot: Equatable, CustomStringConvertible {
    var namespaces: [String]
    var mounts: [String]
    var links: [String]
    var routes: [String]
    var cgroups: [String]
    var settings: [String]
    var processes: [String]
    var files: [String]

    /// - Parameter name: Only what bears the cluster's name counts where others work on the host too.
    init(cluster name: String) throws {
        namespaces = NetworkNamespace.names().filter { $0.hasPrefix("\(name)-") }
        mounts = try Mounts.list().map(\.mountPoint).filter { $0.contains("/\(name)") }.sorted()
        let socket = try NetlinkSocket()
        links = try socket.links().map(\.name).filter { $0.hasPrefix(name) }.sorted()
        routes = try socket.routes().filter { "\($0.destination)".hasPrefix("10.22") }.map { "\($0)" }.sorted()
        cgroups = try Mounts.list().filter { $0.type.hasPrefix("cgroup") }
            .flatMap { entry in
                DirectoryListing.names(in: entry.mountPoint).filter { $0.hasPrefix("\(name)-") }.map {
                    "\(entry.mountPoint)/\($0)"
                }
            }
            .sorted()
        settings = ["net.ipv4.ip_forward"].map { "\($0)=\(Sysctl.read($0) ?? "")" }
        processes = ProcessStatus.allProcessIdentifiers().filter { pid in
            pid != getpid() && (FileContents.text("/proc/\(pid)/cmdline") ?? "").contains("/\(name)")
        }.map { "\($0)" }
        files = ["/var/lib/fjord/\(name)", "/run/fjord/\(name).lock", "/run/fjord", "/var/lib/fjord"].filter(
            FileContents.exists)
    }

    var description: String {
        "namespaces \(namespaces) mounts \(mounts) links \(links) routes \(routes) cgroups \(cgroups) settings \(settings) processes \(processes) files \(files)"
    }
}
