import Glibc
import LinuxKit

/// Where the maps of the eBPF path are pinned, so that they outlive the process.
enum BPFFileSystem {
    /// A mount of overlayd's own: /sys may be read-only, or belong to other nodes too.
    static let path = "/run/overlayd/bpf"

    /// The directory of one daemon: its device's name, and the number of the network namespace that it is in.
    ///
    /// Mounts the file system where it is not there yet.
    static func directory(for device: String) throws(SyscallError) -> String {
        if try !isMounted {
            try FileContents.makeDirectories(path)
            try Mounts.mount("bpf", on: path, type: "bpf", data: "mode=0700")
        }
        let directory = try name(for: device)
        try FileContents.makeDirectories(directory)
        return directory
    }

    /// Unpins the maps of this network namespace's daemon, whatever device it had, and unmounts the file system after
    /// the last. Attached programs keep their maps. Returns whether there was anything.
    static func removeAll() throws(SyscallError) -> Bool {
        guard try isMounted else { return false }
        let suffix = "-\(try namespaceNumber())"
        var found = false
        for name in DirectoryListing.names(in: path) where name.hasSuffix(suffix) {
            for pin in DirectoryListing.names(in: "\(path)/\(name)") { unlink("\(path)/\(name)/\(pin)") }
            rmdir("\(path)/\(name)")
            found = true
        }
        if DirectoryListing.names(in: path).allSatisfy({ $0.hasSuffix(".debug") }) {  // the file system's own
            try Mounts.unmount(path, detach: true)
            rmdir(path)
        }
        return found
    }

    /// Where that directory is, whether it is there or not.
    static func name(for device: String) throws(SyscallError) -> String {
        // bpffs keeps names with a dot to itself.
        "\(path)/\(String(device.map { $0 == "." ? "_" : $0 }))-\(try namespaceNumber())"
    }

    private static var isMounted: Bool {
        get throws(SyscallError) { try Mounts.list().contains { $0.mountPoint == path && $0.type == "bpf" } }
    }

    private static func namespaceNumber() throws(SyscallError) -> UInt64 {
        var status = stat()
        try SyscallError.check("stat", "/proc/self/ns/net") { stat("/proc/self/ns/net", &status) }
        return UInt64(status.st_ino)
    }
}
