import Glibc
import KubeSchema
import LinuxKit

/// Reads a container's log files in pieces, the way a reader asked for, and follows them as they grow.
struct ContainerLogReader {
    private static let pieceBytes = 65_536
    private let path: String
    private let options: ContainerLogOptions
    private var filter: ContainerLogFilter
    private var file: OwnedDescriptorBox?
    private var offset = 0

    init(path: String, options: ContainerLogOptions) {
        self.path = path
        self.options = options
        filter = ContainerLogFilter(options)
    }

    /// Returns the next piece of what there is to show; `nil` when everything that is written by now has been shown, or
    /// the limit on bytes is used up.
    ///
    /// - Throws: when there is no such log.
    mutating func next() throws(SyscallError) -> [UInt8]? {
        while !filter.isExhausted {
            if file == nil { try open() }
            guard let file else { return nil }
            var bytes = try file.read(atMost: Self.pieceBytes, at: offset)
            if bytes.isEmpty {
                // The end of this file: of the log too, unless another one has taken its name since.
                guard let inode = Self.inode(path), inode != file.inode else { return nil }
                // Only since then nothing more is written to this one: what came in between is still to be read.
                bytes = try file.read(atMost: Self.pieceBytes, at: offset)
                if bytes.isEmpty {
                    self.file = try OwnedDescriptorBox(opening: successor(of: file.inode))
                    offset = 0
                    continue
                }
            }
            offset += bytes.count
            let shown = filter.feed(bytes)
            if !shown.isEmpty { return shown }
        }
        return nil
    }

    var isExhausted: Bool { filter.isExhausted }

    /// Opens the file in which the first line to be shown is: the oldest that is kept, or the one that the wanted number
    /// of lines reaches back to.
    private mutating func open() throws(SyscallError) {
        var files = ContainerLogFiles(path: path).former
        if files.isEmpty || FileContents.exists(path) { files.append(path) }  // not there while it is set aside
        guard var missing = options.tailLines else {
            file = try OwnedDescriptorBox(opening: files[0])
            return
        }
        while let last = files.popLast() {
            let bytes = try FileContents.read(last)
            let found = LogTail.find(in: bytes, lastLines: missing)
            file = try OwnedDescriptorBox(opening: last)
            offset = found.offset
            missing -= found.lines
            if missing <= 0 { return }
        }
    }

    /// The file that was begun after the one with `inode`: several may have been since the last look.
    private func successor(of inode: UInt64) -> String {
        let files = ContainerLogFiles(path: path).former + [path]
        let own = files.firstIndex { Self.inode($0) == inode } ?? -1  // deleted since: the oldest that is left
        return files[min(own + 1, files.count - 1)]
    }

    private static func inode(_ path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    /// The last `lines` lines of the log at `path`, at most `bytes` bytes; empty when there is none.
    static func tail(of path: String, lines: Int, bytes: Int) -> String {
        var options = ContainerLogOptions()
        options.tailLines = lines
        var reader = ContainerLogReader(path: path, options: options)
        var text: [UInt8] = []
        while let piece = try? reader.next() { text += piece }
        return String(decoding: text.suffix(bytes), as: UTF8.self)
    }
}

/// An open log file that its reader may hand on.
private final class OwnedDescriptorBox: Sendable {
    private let descriptor: OwnedDescriptor
    /// Tells the file from another one of the same name.
    let inode: UInt64

    init(opening path: String) throws(SyscallError) {
        let descriptor = try OwnedDescriptor(opening: path, O_RDONLY)
        var status = stat()
        try SyscallError.check("fstat", path) { fstat(descriptor.number, &status) }
        inode = UInt64(status.st_ino)
        self.descriptor = descriptor
    }

    func read(atMost count: Int, at offset: Int) throws(SyscallError) -> [UInt8] {
        var code: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let got = pread(descriptor.number, buffer.baseAddress, count, offset)
            code = got < 0 ? errno : 0
            initialized = max(got, 0)
        }
        if code != 0, code != EINTR { throw SyscallError(call: "pread", subject: "a container's log", code: code) }
        return bytes
    }
}
