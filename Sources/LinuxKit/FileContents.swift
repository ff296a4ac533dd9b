import Glibc

/// Small files as a whole: procfs, sysfs and state files.
package enum FileContents {
    /// Reads a file to its end; works where the size is reported as 0.
    package static func read(_ path: String) throws(SyscallError) -> [UInt8] {
        let file = try OwnedDescriptor(opening: path, O_RDONLY)
        var contents: [UInt8] = []
        while let piece = try file.read(atMost: 65_536), !piece.isEmpty { contents += piece }
        return contents
    }

    /// Reads a file as text without the white space at its end; `nil` when it cannot be read.
    package static func text(_ path: String) -> String? {
        guard var bytes = try? read(path)[...] else { return nil }
        while let last = bytes.last, last == 10 || last == 32 || last == 0 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes over an existing file in one go, as control files want it.
    package static func write(_ text: String, to path: String) throws(SyscallError) {
        let file = try OwnedDescriptor(opening: path, O_WRONLY)
        let bytes = Array(text.utf8)
        try SyscallError.check("write", path) { Glibc.write(file.number, bytes, bytes.count) }
    }

    /// Replaces or makes a file so that a reader or a crash sees the old or the new contents, never a part.
    package static func replace(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o644) throws(SyscallError) {
        let temporary = "\(path).new"
        do {
            let file = try OwnedDescriptor(opening: temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: mode)
            try file.write(bytes)
            try SyscallError.check("fsync", temporary) { fsync(file.number) }
        }
        try SyscallError.check("rename", path) { rename(temporary, path) }
    }

    /// Makes a directory and those above it; existing ones are left alone.
    package static func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws(SyscallError) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        let code = errno
        guard code == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw SyscallError(call: "mkdir", subject: path, code: code)
        }
        try makeDirectories(String(path[..<slash]), mode: mode)
        if mkdir(path, mode) != 0, errno != EEXIST { throw SyscallError(call: "mkdir", subject: path, code: errno) }
    }

    /// Whether anything is at `path`, a dangling link included.
    package static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }
}
