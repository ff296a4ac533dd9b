import CLinux
import Glibc
import Synchronization

/// A rtnetlink socket: reads and changes links, addresses, routes and neighbours of one network namespace.
///
/// It stays in the namespace in which it was opened, whichever thread uses it. Requests from several threads take
/// turns.
/// A request blocks for as long as the kernel works on it, which is microseconds, or milliseconds for long dumps.
package final class NetlinkSocket: Sendable {
    private struct State: ~Copyable {
        let descriptor: OwnedDescriptor
        var sequence: UInt32 = 0
    }
    private let state: Mutex<State>

    /// Opens a socket in the calling thread's namespace.
    package init() throws(SyscallError) {
        state = Mutex(State(descriptor: try Self.open(groups: 0)))
    }

    /// Opens a socket of another netlink family (`NETLINK_…`) in the calling thread's namespace.
    ///
    /// - Parameter strict: Has the kernel check dump requests and heed all that they ask for, such as another
    ///   namespace (`NETLINK_GET_STRICT_CHK`, from 4.20).
    package init(protocol number: CInt, strict: Bool = false) throws(SyscallError) {
        let descriptor = try Self.open(groups: 0, protocol: number)
        if strict {
            var on: CInt = 1
            setsockopt(descriptor.number, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, 4)
        }
        state = Mutex(State(descriptor: descriptor))
    }

    /// Opens a socket in another namespace. Needs CAP_SYS_ADMIN.
    package init(in namespace: NetworkNamespace) throws(SyscallError) {
        let number = try namespace.runAndWait { () throws(SyscallError) in try Self.open(groups: 0).release() }
        state = Mutex(State(descriptor: OwnedDescriptor(owning: number)))
    }

    /// Opens a bound socket that is told of changes to the multicast `groups` (`RTMGRP_…`).
    ///
    /// - Parameter everyNamespace: Also of those in the namespaces that this one has numbers for: at the other ends of
    ///   its veth pairs (`NETLINK_LISTEN_ALL_NSID`).
    static func open(
        groups: UInt32, protocol family: CInt = NETLINK_ROUTE, everyNamespace: Bool = false
    ) throws(SyscallError) -> OwnedDescriptor {
        let number = try SyscallError.check("socket", "AF_NETLINK") {
            socket(AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue), family)
        }
        let descriptor = OwnedDescriptor(owning: number)
        var on: CInt = 1
        setsockopt(number, SOL_NETLINK, NETLINK_EXT_ACK, &on, 4)  // the kernel's own words in errors, from 4.12
        if everyNamespace { setsockopt(number, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, 4) }
        var size: CInt = 1 << 20
        setsockopt(number, SOL_SOCKET, SO_RCVBUF, &size, 4)
        var address = sockaddr_nl()
        address.nl_family = sa_family_t(AF_NETLINK)
        address.nl_groups = groups
        try SyscallError.check("bind", "AF_NETLINK") {
            withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(number, $0, socklen_t(MemoryLayout<sockaddr_nl>.size))
                }
            }
        }
        return descriptor
    }

    /// Sends a change and waits until the kernel has made it.
    ///
    /// - Parameter subject: What is changed, for the error.
    package func change(_ message: NetlinkMessage, _ call: String, _ subject: @autoclosure () -> String)
        throws(SyscallError)
    {
        _ = try exchange(message, call, subject, acknowledged: true)
    }

    /// Sends a question, a dump (`NLM_F_DUMP`) or for one object, and returns the answers.
    package func query(_ message: NetlinkMessage, _ call: String, _ subject: @autoclosure () -> String)
        throws(SyscallError) -> [NetlinkReply]
    {
        try exchange(message, call, subject, acknowledged: false)
    }

    private func exchange(
        _ message: NetlinkMessage, _ call: String, _ subject: () -> String, acknowledged: Bool
    ) throws(SyscallError) -> [NetlinkReply] {
        try state.withLock { (state) throws(SyscallError) in
            state.sequence &+= 1
            let sequence = state.sequence
            let number = state.descriptor.number
            let bytes = message.encoded(sequence: sequence, acknowledged: acknowledged)
            try SyscallError.check("send", call) { send(number, bytes, bytes.count, 0) }
            var answers: [NetlinkReply] = []
            while true {
                for reply in NetlinkReply.parse(try Self.receive(number)) where reply.sequence == sequence {
                    switch CInt(reply.type) {
                    case NLMSG_DONE:
                        return answers
                    case NLMSG_ERROR:
                        let code = -reply.payload.loadNative(CInt.self, at: 0)
                        guard code == 0 else {
                            throw SyscallError(call: call, subject: subject() + Self.explanation(reply), code: code)
                        }
                        return answers
                    default:
                        answers.append(reply)
                        if !acknowledged, reply.flags & UInt16(NLM_F_MULTI) == 0 { return answers }
                    }
                }
            }
        }
    }

    /// One datagram from the kernel, whole.
    static func receive(_ number: CInt) throws(SyscallError) -> [UInt8] {
        let size = try SyscallError.check("recv", "AF_NETLINK") {
            recv(number, nil, 0, CInt(MSG_PEEK) | CInt(MSG_TRUNC))
        }
        var buffer = [UInt8](repeating: 0, count: size)
        let count = try SyscallError.check("recv", "AF_NETLINK") {
            buffer.withUnsafeMutableBytes { recv(number, $0.baseAddress, $0.count, 0) }
        }
        return Array(buffer.prefix(count))
    }

    /// The text that newer kernels add to an error, with a colon before it.
    private static func explanation(_ reply: NetlinkReply) -> String {
        guard reply.flags & UInt16(NLM_F_ACK_TLVS) != 0, reply.payload.count >= 20 else { return "" }
        // The error code, then the request's header, and the rest of the request unless it was capped.
        let echoed = reply.flags & UInt16(NLM_F_CAPPED) != 0 ? 16 : Int(reply.payload.loadNative(UInt32.self, at: 4))
        let text = NetlinkAttributes(reply.payload.dropFirst(4 + (echoed + 3) & ~3)).text(NLMSGERR_ATTR_MSG.rawValue)
        return text.map { ": \($0)" } ?? ""
    }
}
