import Addressing
import CLinux
import Glibc
import LinuxKit

/// Looks at the host before anything is made: what is missing or in the way, and what to do about it.
package struct Preflight {
    let layout: ClusterLayout

    package init(_ layout: ClusterLayout) { self.layout = layout }

    /// Everything found, all at once; empty when a cluster can be made.
    package func findings() -> [String] {
        guard geteuid() == 0 else { return ["not root: namespaces, mounts and links need it; run it with sudo"] }
        return kernel() + programs() + names() + networks() + files()
    }

    private func kernel() -> [String] {
        var found: [String] = []
        if !FileContents.exists("/dev/net/tun") {
            found.append(
                "/dev/net/tun is missing: load the module (modprobe tun), or ask the machine's provider to allow TUN devices"
            )
        } else if (try? OwnedDescriptor(opening: "/dev/net/tun", O_RDWR)) == nil {
            found.append(
                "/dev/net/tun cannot be opened: the container or VM that this is does not allow TUN devices; its provider has to"
            )
        }
        for (file, name) in [
            ("net", "network"), ("mnt", "mount"), ("uts", "UTS"), ("pid", "PID"), ("cgroup", "cgroup"), ("ipc", "IPC"),
        ]
        where !FileContents.exists("/proc/self/ns/\(file)") {
            found.append("the kernel has no \(name) namespaces: it needs CONFIG_NAMESPACES with all kinds")
        }
        do throws(SyscallError) {
            try DedicatedThread.runAndWait(name: "preflight") { () throws(SyscallError) in
                try SyscallError.checkShim("unshare", "network and mount namespace") {
                    clinux_unshare(CInt(CLONE_NEWNET) | CInt(CLONE_NEWNS))
                }
            }
        } catch {
            found.append(
                "namespaces cannot be made (\(error)): run on a whole machine or VM, or in a privileged container")
        }
        let hierarchies = (try? MachineCgroups.hierarchies()) ?? []
        if hierarchies.isEmpty {
            found.append("no cgroups are mounted on /sys/fs/cgroup: mount -t cgroup2 none /sys/fs/cgroup")
        } else if let first = hierarchies.first(where: { access($0.mountPoint, W_OK) != 0 }) {
            found.append("\(first.mountPoint) is read-only: run on a whole machine or VM, or in a privileged container")
        }
        let filesystems = FileContents.text("/proc/filesystems") ?? ""
        if !filesystems.contains("overlay") { found.append("the kernel does not know overlayfs: modprobe overlay") }
        if !filesystems.contains("bpf") {
            found.append("the kernel has no eBPF file system: it needs CONFIG_BPF_SYSCALL")
        }
        // A VM made from a container image bears its marks too, so they say something only where something is missing.
        if !found.isEmpty, let host = SharedKernelHost.detect() {
            found.insert("this is \(host.name), which shares its kernel with others: \(host.advice)", at: 0)
        }
        return found
    }

    private func programs() -> [String] {
        var needed = [("nsenter", "util-linux"), ("unshare", "util-linux"), ("nft", "nftables")]
        // Nodes' container runtime, and what it and the CNI plugins call.
        needed += [("containerd", "containerd"), ("runc", "runc"), ("iptables", "iptables")]
        if layout.store == .etcd || layout.isHardWay { needed.append(("etcd", "etcd-server")) }
        if layout.images != nil { needed.append(("docker-registry", "docker-registry")) }
        var missing = needed.filter { Installation.find($0.0) == nil }
        if !FileContents.exists("/usr/lib/cni/bridge") {
            missing.append(("the CNI plugins in /usr/lib/cni", "containernetworking-plugins"))
        }
        if !FileContents.exists(Installation.program("overlayd")) {
            return [
                "\(Installation.program("overlayd")) is missing: it belongs beside fjord; build both (swift build -c release)"
            ] + Self.install(missing)
        }
        return Self.install(missing)
    }

    private static func install(_ missing: [(String, String)]) -> [String] {
        guard !missing.isEmpty else { return [] }
        var packages: [String] = []
        for (_, package) in missing where !packages.contains(package) { packages.append(package) }
        return [
            "missing: \(missing.map(\.0).joined(separator: ", ")); install: apt-get install --no-install-recommends \(packages.joined(separator: " "))"
        ]
    }

    private func names() -> [String] {
        var found: [String] = []
        let name = layout.name
        if name.isEmpty || name.utf8.count > 11
            || !name.utf8.allSatisfy({ (97...122).contains($0) || (48...57).contains($0) || $0 == 45 })
        {
            found.append(
                "--name \(name): 1 to 11 lower-case letters, digits and dashes are allowed, as interfaces are named after it"
            )
        }
        let journal = Journal(path: "\(layout.directory)/journal").entries()
        for namespace in [layout.lanNamespace] + layout.machines.map(layout.namespace)
        where NetworkNamespace.named(namespace).exists && !journal.contains(.namespace(namespace)) {
            found.append(
                "a network namespace \(namespace) exists and is not ours: ip netns delete \(namespace), or take another --name"
            )
        }
        if let link = try? NetlinkSocket().link(named: layout.hostLink), !journal.contains(.link(link.name)) {
            found.append(
                "an interface \(link.name) exists and is not ours: ip link delete \(link.name), or take another --name")
        }
        return found
    }

    /// What no network between machines can have (RFC 6890).
    private static let reserved: [(IPv4Prefix, String)] = [
        ("0.0.0.0/8", "addresses that are not known yet"), ("127.0.0.0/8", "loopback"),
        ("169.254.0.0/16", "addresses of one link"), ("224.0.0.0/3", "multicast and experiments"),
    ].compactMap { text, use in IPv4Prefix(text).map { ($0, use) } }

    /// Whether a route of the host would be hidden or cut by a range of the cluster.
    private func networks() -> [String] {
        var found: [String] = []
        let ranges = [
            ("--lan", layout.lan), ("--pod-network", layout.podNetwork), ("--portal-net", layout.portalNetwork),
        ]
        for (index, first) in ranges.enumerated() {
            for second in ranges[(index + 1)...] where first.1.overlaps(second.1) {
                found.append(
                    "\(first.0) \(first.1) and \(second.0) \(second.1) overlap: give one of them another range")
            }
        }
        for (flag, range) in ranges {
            for (reserved, use) in Self.reserved where reserved.overlaps(range) {
                found.append(
                    "\(flag) \(range) overlaps \(reserved), which is for \(use): take a private range (RFC 1918)")
            }
        }
        if layout.lan.count < UInt64(layout.machines.count) + 12 {
            found.append(
                "--lan \(layout.lan) is too small for \(layout.machines.count) machines, the first at its tenth address: take a /24"
            )
        }
        guard let host = try? NetlinkSocket(), let routes = try? host.routes() else { return found }
        let own = try? host.link(named: layout.hostLink)?.index
        for (flag, range) in ranges {
            for route in routes where route.destination.length > 0 && route.destination.overlaps(range) {
                if let own, route.interface == own { continue }
                if route.destination == range, route.action.refuses { continue }
                let device = route.interface.flatMap { try? host.link(index: $0)?.name }.map { " on \($0)" } ?? ""
                found.append(
                    "\(flag) \(range) overlaps the host's route \(route.destination)\(device): take another range with \(flag)"
                )
            }
        }
        return found
    }

    private func files() -> [String] {
        if let images = layout.images, !FileContents.exists("\(images)/docker") {
            return ["--images \(images) is no registry's storage: make it with contrib/images.sh \(images)"]
        }
        var path = layout.directory
        while !FileContents.exists(path), let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            path = String(path[..<slash])
        }
        if clinux_filesystem_type(path) == 0x794C_7630 {  // OVERLAYFS_SUPER_MAGIC, <linux/magic.h>
            return [
                "\(path) is on overlayfs, which containers cannot use for their own overlays: give a directory of a disk with --dir"
            ]
        }
        return []
    }
}
