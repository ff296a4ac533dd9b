import CLinux
import Glibc

/// One queue of a TUN device that carries bare IP packets with virtio-net headers before them.
///
/// The device goes when its last queue is closed, unless it was made persistent; then it stays with its addresses and
/// routes, and drops what is sent to it until a queue is opened again. Needs `CAP_NET_ADMIN` and /dev/net/tun.
/// Source: Documentation/networking/tuntap.rst.
package struct TUNDevice: ~Copyable, Sendable {
    /// The packets that may be passed to this side unfinished.
    package struct Offloads: OptionSet, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let checksum = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_CHECKSUM))
        package static let tcp4 = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_TSO4))
        package static let tcp6 = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_TSO6))
        package static let tcpCongestion = Offloads(rawValue: UInt32(CLINUX_TUN_OFFLOAD_TSO_ECN))
        /// UDP over IPv4 and IPv6: the kernel knows only both together (6.2).
        package static let udp = Offloads(
            rawValue: UInt32(CLINUX_TUN_OFFLOAD_USO4) | UInt32(CLINUX_TUN_OFFLOAD_USO6))
        package static let all: Offloads = [.checksum, .tcp4, .tcp6, .tcpCongestion, .udp]
    }

    private let descriptor: OwnedDescriptor

    /// Opens a queue of the device `name`, which is made if it does not exist. Reads do not block.
    ///
    /// - Parameter name: At most 15 bytes.
    package init(name: String) throws(SyscallError) {
        let descriptor = try OwnedDescriptor(opening: "/dev/net/tun", O_RDWR | O_NONBLOCK)
        let number = descriptor.number
        try SyscallError.checkShim("ioctl TUNSETIFF", name) { clinux_tun_attach(number, name) }
        self.descriptor = descriptor
    }

    /// Takes a descriptor for a device: one that gives and takes a packet with its header at a time, and does not
    /// block when read.
    package init(owning descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }

    /// The descriptor's number, to wait on.
    package var number: CInt { descriptor.number }

    /// Asks for unfinished packets, each kind for itself. Returns what the kernel granted; the same for all queues.
    package borrowing func enable(_ wanted: Offloads) -> Offloads {
        var granted: Offloads = []
        for kind in [.checksum, .tcp4, .tcp6, .tcpCongestion, .udp] as [Offloads] where wanted.contains(kind) {
            if clinux_tun_set_offloads(descriptor.number, granted.union(kind).rawValue) == 0 { granted.insert(kind) }
        }
        return granted
    }

    /// Keeps the device when its last queue is closed, or no longer.
    package borrowing func setPersistent(_ persistent: Bool) throws(SyscallError) {
        try SyscallError.checkShim("ioctl TUNSETPERSIST", "TUN device") {
            clinux_tun_set_persistent(descriptor.number, persistent ? 1 : 0)
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
    /// it; a packet it finds malformed, or has no memory for, it does not take, nor any while the device is down.
    package borrowing func write(_ pieces: borrowing ScatterList) throws(SyscallError) -> Bool {
        while true {
            if writev(descriptor.number, pieces.vectors, CInt(pieces.count)) >= 0 { return true }
            let code = errno
            switch code {
            case EINTR: continue
            case EINVAL, ENOMEM, ENOBUFS, EAGAIN, EIO, EMSGSIZE: return false
            default: throw SyscallError(call: "writev", subject: "TUN device", code: code)
            }
        }
    }
}

/// What the kernel says of a TUN device (`IFLA_TUN_…`).
package struct TUNState: Hashable, Sendable {
    /// Whether it carries bare IP packets; otherwise it is a TAP device.
    package var isTUN: Bool
    /// Whether it may have several queues.
    package var isMultiQueue: Bool
    /// Whether it stays without queues.
    package var isPersistent: Bool
    /// Queues that are open.
    package var queues: Int
}

extension TUNDevice {
    /// Sees to it that a device `name` can be opened with as many queues as one likes: a left-over one that fits stays,
    /// with its addresses and routes; one that does not is deleted.
    ///
    /// - Throws: `EBUSY` when another process has it open, `EEXIST` when `name` is no TUN device.
    package static func makeRoom(for name: String) throws(SyscallError) {
        let netlink = try NetlinkSocket()
        guard let link = try netlink.link(named: name) else { return }
        guard link.kind == "tun", let state = try netlink.tunState(link) else {
            throw SyscallError(
                call: "adopt", subject: "\(name), a \(link.kind ?? "physical") device, as TUN device", code: EEXIST)
        }
        guard state.queues == 0 else {
            throw SyscallError(call: "adopt", subject: "TUN device \(name), open elsewhere", code: EBUSY)
        }
        if !state.isTUN || !state.isMultiQueue { try netlink.deleteLink(name) }
    }
}

extension NetlinkSocket {
    /// The state of a TUN device; `nil` when the kernel does not tell (before 4.17).
    package func tunState(_ link: Link) throws(SyscallError) -> TUNState? {
        var message = NetlinkMessage(RTM_GETLINK, flags: 0)
        var header = ifinfomsg()
        header.ifi_index = link.index
        message.append(header)
        guard let reply = try query(message, "RTM_GETLINK", link.name).first,
            let data = reply.attributes(after: ifinfomsg.self).nested(IFLA_LINKINFO)?.nested(IFLA_INFO_DATA),
            let type = data.value(IFLA_TUN_TYPE, as: UInt8.self)
        else { return nil }
        return TUNState(
            isTUN: type == UInt8(IFF_TUN),
            isMultiQueue: data.value(IFLA_TUN_MULTI_QUEUE, as: UInt8.self) == 1,
            isPersistent: data.value(IFLA_TUN_PERSIST, as: UInt8.self) == 1,
            queues: Int(data.value(IFLA_TUN_NUM_QUEUES, as: UInt32.self) ?? 0))
    }
}
