import Glibc

/// The one owner of an open file descriptor. The end of its life closes it, once.
public struct OwnedDescriptor: ~Copyable, Sendable {
    /// The descriptor's number, for calls that this type does not wrap. Must not be closed or kept by the caller.
    public let number: CInt

    /// Takes over `number`: nobody else may close it from now on.
    public init(owning number: CInt) { self.number = number }

    /// Opens `path` close-on-exec. A call that a signal interrupts is made again.
    public init(opening path: String, _ flags: CInt, mode: UInt32 = 0o644) throws(SyscallError) {
        number = try SyscallError.check("open", path) { open(path, flags | O_CLOEXEC, mode) }
    }

    /// Reads at most `count` bytes: empty at the end of the file, `nil` when it would have to wait.
    public borrowing func read(atMost count: Int) throws(SyscallError) -> [UInt8]? {
        let number = self.number
        while true {
            var (got, code) = (0, CInt(0))
            let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                got = Glibc.read(number, buffer.baseAddress, count)
                code = errno
                initialized = max(got, 0)
            }
            if got >= 0 { return bytes }
            if code == EAGAIN { return nil }
            if code != EINTR { throw SyscallError(call: "read", subject: "fd \(number)", code: code) }
        }
    }

    /// Writes all of `bytes`, in several calls if the kernel takes them in pieces.
    public borrowing func write(_ bytes: [UInt8]) throws(SyscallError) {
        let number = self.number
        var written = 0
        while written < bytes.count {
            let offset = written
            written += try SyscallError.check("write", "fd \(number)") {
                bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress! + offset, $0.count - offset) }
            }
        }
    }

    /// Gives the descriptor away: the caller must close it.
    public consuming func release() -> CInt {
        let number = self.number
        discard self
        return number
    }

    deinit { _ = close(number) }  // not retried: Linux frees the number even when it reports EINTR
}
