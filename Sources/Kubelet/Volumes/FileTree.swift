import Glibc
import LinuxKit

/// The file-system calls that volumes need beside those of `LinuxKit`.
enum FileTree {
    /// Makes `path` a symbolic link to `target`, in one step also where there was one before.
    static func link(_ path: String, to target: String) throws(SyscallError) {
        let temporary = path + ".new"
        unlink(temporary)
        try SyscallError.check("symlink", temporary) { symlink(target, temporary) }
        try SyscallError.check("rename", path) { rename(temporary, path) }
    }

    /// Where a symbolic link points; `nil` when there is none.
    static func target(ofLink path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map { readlink(path, $0, buffer.count) } ?? 0
        }
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    /// Sets the permission bits, whatever the process's umask took away when the file was made.
    static func setMode(_ path: String, _ mode: UInt32) throws(SyscallError) {
        try SyscallError.check("chmod", path) { chmod(path, mode) }
    }

    static func setGroup(_ path: String, _ group: UInt32) throws(SyscallError) {
        try SyscallError.check("chown", path) { chown(path, ~0, group) }
    }

    /// Deletes `path` and all that is in it, following no link. What is not there is no error.
    static func remove(_ path: String) throws(SyscallError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in DirectoryListing.names(in: path) { try remove("\(path)/\(name)") }
            try SyscallError.check("rmdir", path) { rmdir(path) }
        } else {
            try SyscallError.check("unlink", path) { unlink(path) }
        }
    }

    /// Whether `path` is a directory itself.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The sort of what `path` leads to, links followed: an `S_IF…` value, or `nil` when there is nothing.
    static func kind(_ path: String) -> UInt32? {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    /// `path` without links and dots; `nil` when it leads nowhere.
    static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
