import Glibc

/// A system call that failed: which one, on what, and the `errno` it left.
public struct SyscallError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call, such as `open` or `RTM_NEWLINK`.
    public let call: String
    /// The object it was made on: a path, an interface, with the kernel's own explanation where it gave one.
    public let subject: String
    /// The `errno`, never negative.
    public let code: CInt

    public init(call: String, subject: String, code: CInt) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    public var description: String { "\(call) \(subject): \(String(cString: strerror(code))) (errno \(code))" }

    /// Makes a call again while signals interrupt it. `body` returns -1 and sets `errno` when it fails.
    @discardableResult
    package static func check<T: SignedInteger>(
        _ call: String, _ subject: @autoclosure () -> String, _ body: () -> T
    ) throws(SyscallError) -> T {
        while true {
            let result = body()
            let code = errno  // before anything else can overwrite it
            if result >= 0 { return result }
            if code != EINTR { throw SyscallError(call: call, subject: subject(), code: code) }
        }
    }

    /// Like ``check(_:_:_:)`` for C shims, which return `-errno`.
    @discardableResult
    package static func checkShim(
        _ call: String, _ subject: @autoclosure () -> String, _ body: () -> CInt
    ) throws(SyscallError) -> CInt {
        while true {
            let result = body()
            if result >= 0 { return result }
            if result != -EINTR { throw SyscallError(call: call, subject: subject(), code: -result) }
        }
    }
}
