package import Addressing
import CLinux
import Glibc

/// An IPv4 TCP connection, or a socket that waits for some. All calls block.
package struct StreamSocket: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    private static func open(_ subject: String) throws(SyscallError) -> OwnedDescriptor {
        OwnedDescriptor(
            owning: try SyscallError.check("socket", subject) {
                Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            })
    }

    private init(accepted: consuming OwnedDescriptor) { descriptor = accepted }

    /// Waits for connections to `address`, `0.0.0.0` for all, and `port`.
    ///
    /// - Throws: With `EADDRINUSE` when another process has the port.
    package init(listeningOn address: IPv4Address, port: UInt16) throws(SyscallError) {
        let subject = "TCP \(address):\(port)"
        let descriptor = try Self.open(subject)
        let number = descriptor.number
        var on: CInt = 1
        setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        var name = Self.name(address, port)
        try SyscallError.check("bind", subject) { Self.withName(&name) { bind(number, $0, $1) } }
        try SyscallError.check("listen", subject) { listen(number, 16) }
        self.descriptor = descriptor
    }

    /// Connects to `address`, giving up after `timeoutSeconds` (`EINPROGRESS`).
    package init(to address: IPv4Address, port: UInt16, timeoutSeconds: Int) throws(SyscallError) {
        let subject = "TCP \(address):\(port)"
        let descriptor = try Self.open(subject)
        let number = descriptor.number
        Self.limit(number, seconds: timeoutSeconds)
        var name = Self.name(address, port)
        try SyscallError.check("connect", subject) { Self.withName(&name) { connect(number, $0, $1) } }
        self.descriptor = descriptor
    }

    /// Waits for the next connection.
    package borrowing func accept() throws(SyscallError) -> StreamSocket {
        let number = descriptor.number
        let accepted = try SyscallError.check("accept", "TCP socket") { Glibc.accept(number, nil, nil) }
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        return StreamSocket(accepted: OwnedDescriptor(owning: accepted))
    }

    /// Has every later call fail with `EAGAIN` that makes no progress for so long.
    package borrowing func setTimeout(seconds: Int) { Self.limit(descriptor.number, seconds: seconds) }

    private static func limit(_ number: CInt, seconds: Int) {
        var limit = timeval(tv_sec: seconds, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(number, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    /// Sends at least one byte of `buffer`. Returns how many.
    package borrowing func send(_ buffer: UnsafeRawBufferPointer) throws(SyscallError) -> Int {
        let number = descriptor.number
        return try SyscallError.check("send", "TCP socket") {
            Glibc.send(number, buffer.baseAddress, buffer.count, CInt(MSG_NOSIGNAL))
        }
    }

    /// Receives into `buffer`. Returns how many bytes, 0 at the end.
    package borrowing func receive(_ buffer: UnsafeMutableRawBufferPointer) throws(SyscallError) -> Int {
        let number = descriptor.number
        return try SyscallError.check("recv", "TCP socket") { recv(number, buffer.baseAddress, buffer.count, 0) }
    }

    /// Says that nothing more will be sent.
    package borrowing func finishSending() { _ = shutdown(descriptor.number, CInt(SHUT_WR)) }

    private static func name(_ address: IPv4Address, _ port: UInt16) -> sockaddr_in {
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address.networkOrder
        return name
    }

    private static func withName(_ name: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt)
        -> CInt
    {
        withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }
}
