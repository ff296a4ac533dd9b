import CLinux
import Glibc

/// A network namespace that has a name in the file system. A value: making or dropping one changes nothing.
package struct NetworkNamespace: Hashable, Sendable {
    /// The file that stands for the namespace.
    package let path: String

    package init(path: String) { self.path = path }

    /// The namespace that `ip netns` calls `name`.
    package static func named(_ name: String) -> NetworkNamespace { NetworkNamespace(path: "\(directory)/\(name)") }

    /// The namespace that the process `pid` runs in; valid while it lives.
    package static func process(_ pid: Int32) -> NetworkNamespace { NetworkNamespace(path: "/proc/\(pid)/ns/net") }

    /// Where named namespaces are, as for `ip netns`.
    package static let directory = "/run/netns"

    /// Whether the name stands for a namespace; a left-over file without one does not count.
    package var exists: Bool {
        clinux_filesystem_type(path) == 0x6E73_6673  // NSFS_MAGIC, <linux/magic.h>
    }

    /// The namespace's inode, by which `/proc/PID/ns/net` of its processes is recognised; `nil` when it does not exist.
    package var inode: UInt64? {
        var status = stat()
        return exists && stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// Makes the namespace and keeps it by its name, with its loopback interface down. Needs CAP_SYS_ADMIN.
    ///
    /// - Throws: `EEXIST` when the name is taken.
    package func create() throws(SyscallError) {
        if mkdir(Self.directory, 0o755) != 0, errno != EEXIST {
            throw SyscallError(call: "mkdir", subject: Self.directory, code: errno)
        }
        _ = try OwnedDescriptor(opening: path, O_RDONLY | O_CREAT | O_EXCL, mode: 0o444)
        do throws(SyscallError) {
            try DedicatedThread.runAndWait(name: "netns") { [path] () throws(SyscallError) in
                try SyscallError.checkShim("unshare", "CLONE_NEWNET") { clinux_unshare(CInt(CLONE_NEWNET)) }
                try Mounts.bind("/proc/thread-self/ns/net", on: path)
            }
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Takes the name away; the namespace itself ends with its last process, descriptor or other mount.
    /// Does nothing when there is no such name.
    package func delete() throws(SyscallError) {
        while exists { try Mounts.unmount(path, detach: true) }
        if unlink(path) != 0, errno != ENOENT { throw SyscallError(call: "unlink", subject: path, code: errno) }
    }

    /// Runs a short `body` inside the namespace on a thread made for it, and blocks until it has ended.
    /// Sockets opened there stay in the namespace.
    package func runAndWait<T: Sendable>(_ body: @escaping @Sendable () throws(SyscallError) -> T) throws(SyscallError)
        -> T
    {
        try DedicatedThread.runAndWait(name: "netns") { () throws(SyscallError) in
            try enter()
            return try body()
        }
    }

    /// Runs `body` inside the namespace on a thread made for it, without blocking the cooperative pool.
    package func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await DedicatedThread.run(name: "netns") {
            try enter()
            return try body()
        }
    }

    /// Moves the calling thread into the namespace, for good. Only for threads that end there.
    package func enter() throws(SyscallError) {
        let descriptor = try OwnedDescriptor(opening: path, O_RDONLY)
        try SyscallError.checkShim("setns", path) { clinux_setns(descriptor.number, CInt(CLONE_NEWNET)) }
    }

    /// The names of all named namespaces.
    package static func names() -> [String] { DirectoryListing.names(in: directory).filter { named($0).exists } }
}
