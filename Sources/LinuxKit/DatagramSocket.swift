package import Addressing
import CLinux
import Glibc

/// An IPv4 UDP socket that sends and receives whole trains of datagrams (`UDP_SEGMENT`, `UDP_GRO`; udp(7)).
package struct DatagramSocket: ~Copyable, Sendable {
    private let descriptor: OwnedDescriptor

    /// Opens and binds a socket. With port 0 the kernel chooses one.
    ///
    /// - Parameters:
    ///   - shared: Lets other sockets bind the same address and port; the kernel spreads flows over them.
    ///   - bufferBytes: Asked for in both directions, 0 for the kernel's default; its limits apply unless the process
    ///     may exceed them.
    /// - Throws: With `EADDRINUSE` when another process has the port.
    package init(address: IPv4Address, port: UInt16, shared: Bool, bufferBytes: Int) throws(SyscallError) {
        let subject = "UDP \(address):\(port)"
        let descriptor = OwnedDescriptor(
            owning: try SyscallError.check("socket", subject) {
                Glibc.socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
            })
        let number = descriptor.number
        if shared { try Self.set(number, SOL_SOCKET, SO_REUSEPORT, 1, subject) }
        for (forced, plain) in [(SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)] where bufferBytes > 0 {
            if (try? Self.set(number, SOL_SOCKET, forced, CInt(bufferBytes), subject)) == nil {
                try Self.set(number, SOL_SOCKET, plain, CInt(bufferBytes), subject)
            }
        }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = address.networkOrder
        try SyscallError.check("bind", subject) {
            withUnsafePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        self.descriptor = descriptor
    }

    /// The descriptor's number, to wait on.
    package var number: CInt { descriptor.number }

    /// The local port, also of a socket that was bound to port 0.
    package borrowing func boundPort() throws(SyscallError) -> UInt16 {
        var name = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let number = descriptor.number
        try SyscallError.check("getsockname", "UDP socket") {
            withUnsafeMutablePointer(to: &name) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &length) }
            }
        }
        return UInt16(bigEndian: name.sin_port)
    }

    /// Has the TOS byte reported, and trains of datagrams from one sender delivered in one piece if `joined`. Kernels
    /// before 5.0 have no `UDP_GRO`; then every datagram comes alone.
    package borrowing func enableReceiveOffload(joined: Bool = true) throws(SyscallError) {
        if joined { _ = try? Self.set(descriptor.number, CInt(CLINUX_SOL_UDP), CInt(CLINUX_UDP_GRO), 1, "UDP_GRO") }
        try Self.set(descriptor.number, CInt(IPPROTO_IP), IP_RECVTOS, 1, "IP_RECVTOS")
    }

    /// Has errors on the way reported by the next call that sends, and kept for ``takeError()`` (`IP_RECVERR`; ip(7)).
    package borrowing func enableErrorReports() throws(SyscallError) {
        try Self.set(descriptor.number, CInt(IPPROTO_IP), IP_RECVERR, 1, "IP_RECVERR")
    }

    /// An error on the way of a datagram.
    package struct PathError {
        /// Where the datagram was to go, network byte order.
        package var destination: UInt32
        /// The `errno` it stands for: `EMSGSIZE` for one that was too big.
        package var code: CInt
        /// With `EMSGSIZE`, the largest outer packet that passes.
        package var mtu: Int
    }

    /// Takes the oldest error that was kept, or returns `nil`.
    package borrowing func takeError() -> PathError? {
        var error = clinux_datagram_error()
        guard clinux_take_datagram_error(descriptor.number, &error) == 1 else { return nil }
        return PathError(destination: error.destination, code: CInt(error.code), mtu: Int(error.info))
    }

    /// Lets a wait on this socket poll the network interface's queue (`SO_BUSY_POLL`), where the driver can.
    package borrowing func enableBusyPolling(microseconds: Int) {
        // Without CAP_NET_ADMIN, or without support in the kernel, the interrupt is waited for, as always.
        _ = try? Self.set(descriptor.number, SOL_SOCKET, SO_BUSY_POLL, CInt(clamping: microseconds), "SO_BUSY_POLL")
    }

    private static func set(
        _ number: CInt, _ level: CInt, _ option: CInt, _ value: CInt, _ subject: String
    ) throws(SyscallError) {
        var value = value
        try SyscallError.check("setsockopt \(option)", subject) {
            setsockopt(number, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
        }
    }
}
