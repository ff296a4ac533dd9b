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

    /// Unpins one daemon's maps, and unmounts the file system after the last. Attached programs keep their maps.
    /// Returns whether there was anything.
    static func remove(for device: String) throws(SyscallError) -> Bool {
        guard try isMounted else { return false }
        let directory = try name(for: device)
        let pins = DirectoryListing.names(in: directory)
        for pin in pins { unlink("\(directory)/\(pin)") }
        rmdir(directory)
        if DirectoryListing.names(in: path).isEmpty {
            try Mounts.unmount(path, detach: true)
            rmdir(path)
        }
        return !pins.isEmpty
    }

    /// Where that directory is, whether it is there or not.
    static func name(for device: String) throws(SyscallError) -> String {
        "\(path)/\(device)-\(try namespaceNumber())"
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
