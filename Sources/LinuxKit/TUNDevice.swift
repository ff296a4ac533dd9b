import CLinux
import Glibc

/// One queue of a TUN device that carries bare IP packets with virtio-net headers before them.
///
/// The device goes when its last queue is closed, unless it was made persistent. Needs `CAP_NET_ADMIN` and
/// /dev/net/tun. Source: Documentation/networking/tuntap.rst.
package struct TUNDevice: ~Copyable, Sendable {
    /// The packets that may be passed to this side unfinished.
    package struct Offloads: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let checksum = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_CHECKSUM))
        package static let tcp4 = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_TSO4))
        package static let tcp6 = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_TSO6))
        package static let tcpCongestion = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_TSO_ECN))
        package static let udp4 = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_USO4))
        package static let udp6 = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_USO6))
    }

    private let descriptor: OwnedDescriptor

    /// Opens a queue of the device `name`, which is made if it does not exist. Reads do not block.
    ///
    /// - Parameters:
    ///   - name: At most 15 bytes.
    ///   - multiQueue: Whether the device may have more than one queue; the same for all of them.
    package init(name: String, multiQueue: Bool) throws(SyscallError) {
        let descriptor = try OwnedDescriptor(opening: "/dev/net/tun", O_RDWR | O_NONBLOCK)
        let number = descriptor.number
        try SyscallError.checkShim("ioctl TUNSETIFF", name) { clinux_tun_attach(number, name, multiQueue ? 1 : 0) }
        self.descriptor = descriptor
    }

    /// The descriptor's number, to wait on.
    package var number: CInt { descriptor.number }

    /// Asks for unfinished packets, taking away the newest offloads until the kernel agrees. Returns what it granted.
    package borrowing func enable(_ wanted: Offloads) -> Offloads {
        for offloads in [wanted, wanted.subtracting([.udp4, .udp6]), wanted.intersection([.checksum])] {
            if clinux_tun_set_offloads(descriptor.number, offloads.rawValue) == 0 { return offloads }
        }
        return []
    }

    /// Keeps the device, with its addresses, routes and programs, when its last queue is closed; whoever opens it by
    /// name then has it. Otherwise it goes.
    package borrowing func setPersistent(_ persistent: Bool) throws(SyscallError) {
        let number = descriptor.number
        try SyscallError.checkShim("ioctl TUNSETPERSIST", "TUN device") {
            clinux_tun_set_persistent(number, persistent ? 1 : 0)
        }
    }

    /// Reads one packet with its header. Returns its bytes, or `nil` when there is none.
    package borrowing func read(into buffer: UnsafeMutableRawPointer, count: Int) throws(SyscallError) -> Int? {
        while true {
            let received = Glibc.read(descriptor.number, buffer, count)
            if received >= 0 { return received }
            let code = errno
            if code == EAGAIN { return nil }
            if code != EINTR { throw SyscallError(call: "read", subject: "TUN device", code: code) }
        }
    }

    /// Writes one packet whose pieces, its virtio-net header first, are in `pieces`. Returns whether the kernel took
    /// it; a packet it finds malformed, or has no memory for, it does not take.
    package borrowing func write(_ pieces: borrowing ScatterList) throws(SyscallError) -> Bool {
        while true {
            if writev(descriptor.number, pieces.vectors, CInt(pieces.count)) >= 0 { return true }
            let code = errno
            switch code {
            case EINTR: continue
            case EINVAL, ENOMEM, ENOBUFS, EAGAIN, EIO: return false
            default: throw SyscallError(call: "writev", subject: "TUN device", code: code)
            }
        }
    }
}
