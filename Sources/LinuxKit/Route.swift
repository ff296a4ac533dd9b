package import Addressing
import CLinux
import Glibc

/// What a route does with a packet (`RTN_…`, rtnetlink(7)).
package enum RouteAction: UInt8, Hashable, Sendable {
    case unicast = 1
    case local = 2
    case broadcast = 3
    case anycast = 4
    case multicast = 5
    case blackhole = 6
    case unreachable = 7
    case prohibit = 8
    case `throw` = 9
    case nat = 10
    case xresolve = 11
}

package typealias Route = InternetRoute<IPv4Address>
package typealias IPv6Route = InternetRoute<IPv6Address>

/// A route of one address family.
package struct InternetRoute<Address: InternetAddress>: Hashable, Sendable {
    package typealias Action = RouteAction

    /// `0.0.0.0/0` or `::/0` for the default route.
    package var destination: Address.Prefix
    package var action: Action = .unicast
    package var gateway: Address?
    package var interface: Int32?
    /// The source address that the machine's own packets get.
    package var source: Address?
    /// The table, 254 for the main one.
    package var table: UInt32 = UInt32(RT_TABLE_MAIN.rawValue)
    /// Who made it (`RTPROT_…`): 2 the kernel, 3 at boot, 4 an administrator; others are free to choose.
    package var protocolTag: UInt8 = UInt8(RTPROT_STATIC)
    /// Of routes to one destination the lowest counts. 0 when not given.
    package var metric: UInt32 = 0
    /// The gateway is taken to be on the link though no address says so.
    package var onLink: Bool = false
    /// Bytes of the largest packet, if less than the interface's.
    package var mtu: Int?

    package init(
        to destination: Address.Prefix, via gateway: Address? = nil, interface: Int32? = nil,
        source: Address? = nil,
        action: Action = .unicast, protocolTag: UInt8 = UInt8(RTPROT_STATIC), metric: UInt32 = 0, onLink: Bool = false,
        mtu: Int? = nil,
        table: UInt32 = UInt32(RT_TABLE_MAIN.rawValue)
    ) {
        self.destination = destination
        self.action = action
        self.gateway = gateway
        self.interface = interface
        self.source = source
        self.table = table
        self.protocolTag = protocolTag
        self.metric = metric
        self.onLink = onLink
        self.mtu = mtu
    }

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(rtmsg.self), header.rtm_family == Address.family,
            let action = Action(rawValue: header.rtm_type),
            Int(header.rtm_dst_len) <= Address.octetCount * 8
        else { return nil }
        let attributes = reply.attributes(after: rtmsg.self)
        func address(_ type: rtattr_type_t) -> Address? {
            attributes.bytes(type.rawValue).flatMap { Address(octets: $0) }
        }
        self.init(
            to: Address.Prefix(address(RTA_DST) ?? .unspecified, length: Int(header.rtm_dst_len)),
            via: address(RTA_GATEWAY),
            interface: attributes.value(RTA_OIF.rawValue, as: Int32.self), source: address(RTA_PREFSRC), action: action,
            protocolTag: header.rtm_protocol, metric: attributes.value(RTA_PRIORITY.rawValue, as: UInt32.self) ?? 0,
            onLink: header.rtm_flags & UInt32(RTNH_F_ONLINK) != 0,
            mtu: attributes.nested(RTA_METRICS.rawValue)?.value(RTAX_MTU, as: UInt32.self).map(Int.init),
            table: attributes.value(RTA_TABLE.rawValue, as: UInt32.self) ?? UInt32(header.rtm_table))
    }

    /// - Parameter pattern: For a deletion: leaves open what the kernel would compare though the caller may not know
    ///  it.
    fileprivate func message(_ type: some BinaryInteger, flags: CInt, pattern: Bool = false) -> NetlinkMessage {
        var header = rtmsg()
        header.rtm_family = Address.family
        header.rtm_dst_len = UInt8(destination.length)
        header.rtm_table = table < 256 ? UInt8(table) : UInt8(RT_TABLE_UNSPEC.rawValue)
        header.rtm_protocol = protocolTag
        header.rtm_type = action.rawValue
        let scope: rt_scope_t =
            action == .local ? RT_SCOPE_HOST : action == .unicast && gateway == nil ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE
        header.rtm_scope = UInt8(scope.rawValue)
        if pattern {
            header.rtm_scope = UInt8(RT_SCOPE_NOWHERE.rawValue)
            header.rtm_protocol = UInt8(RTPROT_UNSPEC)
            if action == .unicast { header.rtm_type = UInt8(RTN_UNSPEC) }
        }
        if onLink { header.rtm_flags = UInt32(RTNH_F_ONLINK) }
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.attribute(RTA_DST.rawValue, bytes: destination.address.octets)
        message.attribute(RTA_TABLE.rawValue, table)
        if let gateway { message.attribute(RTA_GATEWAY.rawValue, bytes: gateway.octets) }
        if let interface { message.attribute(RTA_OIF.rawValue, interface) }
        if let source { message.attribute(RTA_PREFSRC.rawValue, bytes: source.octets) }
        if metric != 0 { message.attribute(RTA_PRIORITY.rawValue, metric) }
        if let mtu { message.nested(RTA_METRICS.rawValue) { $0.attribute(RTAX_MTU, UInt32(mtu)) } }
        return message
    }
}

extension NetlinkSocket {
    /// The IPv4 routes of one table, in the kernel's order.
    package func routes(table: UInt32 = UInt32(RT_TABLE_MAIN.rawValue)) throws(SyscallError) -> [Route] {
        try routes(of: IPv4Address.self, table: table)
    }

    /// The routes of one table and one address family, in the kernel's order.
    package func routes<Address: InternetAddress>(
        of family: Address.Type, table: UInt32 = UInt32(RT_TABLE_MAIN.rawValue)
    ) throws(SyscallError) -> [InternetRoute<Address>] {
        var header = rtmsg()
        header.rtm_family = Address.family
        var message = NetlinkMessage(RTM_GETROUTE, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(header)
        return try query(message, "RTM_GETROUTE", "all").compactMap { InternetRoute<Address>($0) }
            .filter { $0.table == table }
    }

    /// Adds a route.
    ///
    /// - Throws: `EEXIST` when there is one with the same destination, table and metric.
    package func addRoute<Address>(_ route: InternetRoute<Address>) throws(SyscallError) {
        try change(route.message(RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_EXCL), "RTM_NEWROUTE", "\(route)")
    }

    /// Adds a route, or puts it in the place of the one with the same destination, table and metric.
    package func replaceRoute<Address>(_ route: InternetRoute<Address>) throws(SyscallError) {
        try change(route.message(RTM_NEWROUTE, flags: NLM_F_CREATE | NLM_F_REPLACE), "RTM_NEWROUTE", "\(route)")
    }

    /// Deletes the first route with the destination and table of `route`, and with its gateway, interface, source and
    /// metric where given; whoever made it. An action other than `unicast` must match too. Returns whether there was
    /// one.
    @discardableResult
    package func deleteRoute<Address>(_ route: InternetRoute<Address>) throws(SyscallError) -> Bool {
        do throws(SyscallError) {
            try change(route.message(RTM_DELROUTE, flags: 0, pattern: true), "RTM_DELROUTE", "\(route)")
            return true
        } catch {
            if error.code == ESRCH { return false }
            throw error
        }
    }

    /// The route that a packet of this machine to `address` takes now, with the source address that it gets.
    ///
    /// - Throws: `ENETUNREACH` or `EHOSTUNREACH` when there is none.
    package func route<Address: InternetAddress>(
        to address: Address
    ) throws(SyscallError) -> InternetRoute<Address> {
        var header = rtmsg()
        header.rtm_family = Address.family
        header.rtm_dst_len = UInt8(Address.octetCount * 8)
        var message = NetlinkMessage(RTM_GETROUTE, flags: 0)
        message.append(header)
        message.attribute(RTA_DST.rawValue, bytes: address.octets)
        let answers = try query(message, "RTM_GETROUTE", "\(address)")
        guard let route = answers.first.flatMap({ InternetRoute<Address>($0) }) else {
            throw SyscallError(call: "RTM_GETROUTE", subject: "\(address)", code: ENETUNREACH)
        }
        return route
    }
}

extension InternetAddress {
    /// `AF_INET` or `AF_INET6`, as netlink's headers hold it.
    static var family: UInt8 { UInt8(octetCount == 4 ? AF_INET : AF_INET6) }
}

extension InternetRoute: CustomStringConvertible {
    /// As `ip route` writes it, roughly.
    package var description: String {
        var text = action == .unicast ? "\(destination)" : "\(action) \(destination)"
        if let gateway { text += " via \(gateway)" }
        if let interface { text += " dev index \(interface)" }
        return text
    }
}
