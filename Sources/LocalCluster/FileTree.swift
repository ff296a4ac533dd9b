import Glibc
import LinuxKit

/// Directory trees of a cluster.
enum FileTree {
    /// Deletes a file or a directory with all in it; symbolic links are deleted, not followed. Does nothing where
    /// there is nothing.
    ///
    /// - Throws: When something is mounted below it that cannot be unmounted: what is mounted must never be deleted.
    static func remove(_ path: String) throws {
        for entry in try Mounts.list().reversed()
        where entry.mountPoint == path || entry.mountPoint.hasPrefix(path + "/") {
            try Mounts.unmount(entry.mountPoint, detach: true)
        }
        try removeUnmounted(path)
    }

    private static func removeUnmounted(_ path: String) throws(SyscallError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw SyscallError(call: "unlink", subject: path, code: errno) }
        for name in DirectoryListing.names(in: path) { try removeUnmounted("\(path)/\(name)") }
        if rmdir(path) != 0, errno != ENOENT { throw SyscallError(call: "rmdir", subject: path, code: errno) }
    }

    /// Writes a text file, with the directories above it. Leaves one with the same text alone.
    static func write(_ path: String, _ text: String, mode: UInt32 = 0o644) throws(SyscallError) {
        if let old = try? FileContents.read(path), old == Array(text.utf8) { return }  // may be in use
        if let slash = path.lastIndex(of: "/") { try FileContents.makeDirectories(String(path[..<slash])) }
        try FileContents.replace(path, with: Array(text.utf8), mode: mode)
    }

    /// Makes a symbolic link, in place of one that is there.
    static func link(_ path: String, to target: String) throws(SyscallError) {
        unlink(path)
        try SyscallError.check("symlink", path) { symlink(target, path) }
    }
}
