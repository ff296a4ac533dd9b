import CLinux
import Glibc

/// A change that the kernel reported.
package enum NetworkChange: Sendable {
    case link(Link)
    case linkRemoved(Link)
    case address(InterfaceAddress)
    case addressRemoved(InterfaceAddress)
    case route(Route)
    case routeRemoved(Route)
    case neighbour(Neighbour)
    case neighbourRemoved(Neighbour)
    /// Changes came faster than they were read and some are lost: look at everything again.
    case overflow
    /// An IPv6 address or route came, went or changed.
    case ipv6

    init?(_ reply: NetlinkReply) {
        switch Int(reply.type) {
        case Int(RTM_NEWLINK): if let link = Link(reply) { self = .link(link) } else { return nil }
        case Int(RTM_DELLINK): if let link = Link(reply) { self = .linkRemoved(link) } else { return nil }
        case Int(RTM_NEWADDR): self = InterfaceAddress(reply).map { .address($0) } ?? .ipv6
        case Int(RTM_DELADDR): self = InterfaceAddress(reply).map { .addressRemoved($0) } ?? .ipv6
        case Int(RTM_NEWROUTE): self = Route(reply).map { .route($0) } ?? .ipv6
        case Int(RTM_DELROUTE): self = Route(reply).map { .routeRemoved($0) } ?? .ipv6
        case Int(RTM_NEWNEIGH): if let neighbour = Neighbour(reply) { self = .neighbour(neighbour) } else { return nil }
        case Int(RTM_DELNEIGH):
            if let neighbour = Neighbour(reply) { self = .neighbourRemoved(neighbour) } else { return nil }
        default: return nil
        }
    }
}

/// What to be told of.
package struct NetworkChangeGroups: OptionSet, Sendable {
    /// The `RTMGRP_…` bits.
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let links = NetworkChangeGroups(rawValue: UInt32(RTMGRP_LINK))
    package static let addresses = NetworkChangeGroups(rawValue: UInt32(RTMGRP_IPV4_IFADDR))
    package static let routes = NetworkChangeGroups(rawValue: UInt32(RTMGRP_IPV4_ROUTE))
    package static let ipv6Addresses = NetworkChangeGroups(rawValue: UInt32(RTMGRP_IPV6_IFADDR))
    package static let ipv6Routes = NetworkChangeGroups(rawValue: UInt32(RTMGRP_IPV6_ROUTE))
    package static let neighbours = NetworkChangeGroups(rawValue: UInt32(RTMGRP_NEIGH))
}

/// Listens for changes in one network namespace on a thread of its own.
package enum NetworkMonitor {
    /// Reports the changes from now on, until the stream's reader stops. So: subscribe first, then list.
    ///
    /// - Parameters:
    ///   - namespace: `nil` for that of the calling thread.
    ///   - everyNamespace: Reports changes at the other ends of this namespace's veth pairs too, as if they were here:
    ///     the indices of interfaces mean nothing then.
    package static func changes(
        of groups: NetworkChangeGroups, in namespace: NetworkNamespace? = nil, everyNamespace: Bool = false
    ) throws(SyscallError) -> AsyncStream<NetworkChange> {
        let number: CInt
        if let namespace {
            number = try namespace.runAndWait { () throws(SyscallError) in
                try NetlinkSocket.open(groups: groups.rawValue, everyNamespace: everyNamespace).release()
            }
        } else {
            number = try NetlinkSocket.open(groups: groups.rawValue, everyNamespace: everyNamespace).release()
        }
        let wake = clinux_eventfd()
        guard wake >= 0 else {
            close(number)
            throw SyscallError(call: "eventfd", subject: "network monitor", code: -wake)
        }
        let (stream, continuation) = AsyncStream<NetworkChange>.makeStream(bufferingPolicy: .unbounded)
        continuation.onTermination = { _ in
            // Only while the thread still polls it: the thread closes both after it has seen this value.
            clinux_eventfd_signal(wake)
        }
        do throws(SyscallError) {
            try DedicatedThread.start(name: "netlink", detached: true) {
                listen(number, wake, continuation)
                close(number)
                close(wake)
            }
        } catch {
            close(number)
            close(wake)
            throw error
        }
        return stream
    }

    private static func listen(_ number: CInt, _ wake: CInt, _ continuation: AsyncStream<NetworkChange>.Continuation) {
        var polled = [
            pollfd(fd: number, events: Int16(POLLIN), revents: 0), pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
        ]
        while true {
            guard poll(&polled, 2, -1) >= 0 || errno == EINTR else { continue }
            if polled[1].revents != 0 { return }
            if polled[0].revents == 0 { continue }
            do throws(SyscallError) {
                for reply in NetlinkReply.parse(try NetlinkSocket.receive(number)) {
                    if let change = NetworkChange(reply) { continuation.yield(change) }
                }
            } catch {
                if error.code == ENOBUFS { continuation.yield(.overflow) }
            }
        }
    }
}
