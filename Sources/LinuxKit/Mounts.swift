import CLinux
import Glibc

/// Mounts of the calling thread's mount namespace.
package enum Mounts {
    /// One line of `/proc/self/mountinfo` (proc_pid_mountinfo(5)).
    package struct Entry: Hashable, Sendable {
        /// The directory of the mounted file system that is shown, `/` for all of it.
        package var root: String
        package var mountPoint: String
        package var type: String
        package var source: String
        /// Options of the file system, such as the controllers of a cgroup v1 hierarchy.
        package var superOptions: [String]
    }

    /// mount(2). `flags` are `MS_…`.
    package static func mount(
        _ source: String, on target: String, type: String?, flags: UInt = 0, data: String? = nil
    ) throws(SyscallError) {
        try SyscallError.check("mount", "\(type ?? "") \(source) on \(target)") {
            Glibc.mount(source, target, type, flags, data)
        }
    }

    /// Shows the file or directory `source` at `target`, which must exist and be of the same sort.
    package static func bind(_ source: String, on target: String, recursive: Bool = false) throws(SyscallError) {
        try mount(source, on: target, type: nil, flags: UInt(MS_BIND) | (recursive ? UInt(MS_REC) : 0))
    }

    /// Mounts an empty tmpfs. `options` as in tmpfs(5), such as `mode=711`.
    package static func tmpfs(on target: String, options: String = "mode=755") throws(SyscallError) {
        try mount("tmpfs", on: target, type: "tmpfs", data: options)
    }

    /// Makes mounts under `/` propagate among the containers of this mount namespace.
    package static func makeRootShared() throws(SyscallError) {
        try mount("none", on: "/", type: nil, flags: UInt(MS_SHARED) | UInt(MS_REC))
    }

    /// Unmounts what is topmost at `target`. With `detach` it disappears at once, even when in use.
    package static func unmount(_ target: String, detach: Bool = false) throws(SyscallError) {
        try SyscallError.check("umount", target) { umount2(target, detach ? CInt(MNT_DETACH) : 0) }
    }

    /// All mounts, in the order in which they were made.
    package static func list() throws(SyscallError) -> [Entry] {
        parse(String(decoding: try FileContents.read("/proc/thread-self/mountinfo"), as: UTF8.self))
    }

    /// Parses the text of a `mountinfo` file; lines that do not have its form are left out.
    package static func parse(_ text: String) -> [Entry] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            // Optional fields stand between the sixth and a lone dash.
            guard fields.count > 9, let dash = fields[6...].firstIndex(of: "-"), dash + 3 < fields.count else {
                return nil
            }
            return Entry(
                root: unescape(fields[3]), mountPoint: unescape(fields[4]), type: String(fields[dash + 1]),
                source: unescape(fields[dash + 2]),
                superOptions: fields[dash + 3].split(separator: ",").map(String.init))
        }
    }

    /// Undoes the kernel's `\040` for space, tab, newline and backslash.
    private static func unescape(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
