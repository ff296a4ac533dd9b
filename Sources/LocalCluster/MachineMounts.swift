import Glibc
import LinuxKit

/// O_PATH of open(2), which Glibc's module map leaves out: a descriptor that only stands for a file.
private let pathOnly: CInt = 0o10000000

/// The file system as a machine sees it: the host's programs, and state of its own.
enum MachineMounts {
    /// Makes all mounts of `spec` in the calling thread's mount namespace, which must be new and private.
    static func make(_ spec: MachineSpec, _ hierarchies: [MachineCgroups.Hierarchy]) throws {
        // Sources are held open, as mounts made below may cover their paths.
        var sources: [(descriptor: CInt, target: String, isDirectory: Bool)] = []
        defer { for source in sources { close(source.descriptor) } }
        for bind in spec.binds {
            let descriptor = try OwnedDescriptor(opening: bind.source, pathOnly).release()
            var status = stat()
            fstat(descriptor, &status)
            sources.append((descriptor, bind.target, status.st_mode & S_IFMT == S_IFDIR))
        }
        // Other machines' namespaces are mounted below /run; a copy here would keep them alive.
        for entry in try Mounts.list().reversed() where entry.mountPoint.hasPrefix("/run/") {
            try? Mounts.unmount(entry.mountPoint, detach: true)
        }
        for overlay in spec.overlays {
            try Mounts.mount(
                "overlay", on: overlay.path, type: "overlay",
                data: "lowerdir=\(overlay.path),upperdir=\(overlay.upper),workdir=\(overlay.work)")
        }
        for directory in spec.temporary {
            try FileContents.makeDirectories(directory)
            try Mounts.tmpfs(on: directory)
        }
        for source in sources {
            if source.isDirectory {
                try FileContents.makeDirectories(source.target)
            } else if !FileContents.exists(source.target) {
                _ = try OwnedDescriptor(opening: source.target, O_CREAT | O_WRONLY)
            }
            try Mounts.bind("/proc/self/fd/\(source.descriptor)", on: source.target)
        }
        // A new sysfs shows this network namespace's interfaces; what was mounted in the old one is mounted anew.
        try Mounts.mount("sysfs", on: "/sys", type: "sysfs")
        try MachineCgroups.mountInside(hierarchies)
        try? Mounts.mount("bpf", on: "/sys/fs/bpf", type: "bpf")
        try Mounts.makeRootShared()
    }
}
