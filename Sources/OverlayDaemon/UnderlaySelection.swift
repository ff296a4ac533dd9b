package import Addressing
package import LinuxKit

/// How to find the interface whose address the other nodes send to. The first way that is given and leads to an
/// interface wins: ``interfaces`` and ``pattern``, ``canReach``, ``publicIP``, ``storeAddresses``, the default route.
package struct UnderlayRequest: Sendable {
    /// Names or addresses, in order of preference.
    package var interfaces: [String] = []
    /// Matches an interface's name or address, whole.
    package var pattern: String?
    /// An address that must be reachable through the interface.
    package var canReach: IPv4Address?
    /// The address to give to the others, where it is not the interface's own (behind NAT).
    package var publicIP: IPv4Address?
    /// The IPv6 address to give to the others in a dual-stack network, likewise.
    package var publicIPv6: IPv6Address?
    /// Where the store is: nodes that share a store reach each other the way they reach it.
    package var storeAddresses: [IPv4Address] = []

    package init() {}
}

/// The interface towards the other nodes.
package struct Underlay: Hashable, Sendable {
    package var interface: UnderlayInterface
    /// What goes into the lease.
    package var publicIP: IPv4Address
    /// The interface's own global IPv6 address.
    package var ipv6: IPv6Address?
    /// What goes into the lease in dual stack, if it is not the interface's own.
    package var publicIPv6: IPv6Address?
    /// How it was chosen, for the log.
    package var reason: String
}

extension Underlay {
    /// Whether a node that was set up for one needs no change for the other. The MTU is followed without that.
    func isSame(as other: Underlay) -> Bool {
        interface.link.index == other.interface.link.index && interface.address == other.interface.address
            && publicIP == other.publicIP && ipv6 == other.ipv6 && publicIPv6 == other.publicIPv6
    }
}

extension UnderlayRequest {
    /// Looks at the interfaces and routes of the socket's namespace.
    ///
    /// - Throws: ``DaemonError`` naming what was asked for and what there is.
    package func resolve(_ netlink: NetlinkSocket) throws(DaemonError) -> Underlay {
        do {
            let (interface, reason) = try choose(netlink)
            let ipv6 = try netlink.addresses(IPv6Address.self, of: interface.link.index).filter {
                $0.scope == 0 && !$0.address.isLinkLocal
            }
            return Underlay(
                interface: interface, publicIP: publicIP ?? interface.address,
                ipv6: ipv6.map(\.address).first { $0 == publicIPv6 } ?? ipv6.first?.address, publicIPv6: publicIPv6,
                reason: reason)
        } catch let error as DaemonError {
            throw error
        } catch {
            throw DaemonError("the interfaces can't be read: \(error)")
        }
    }

    private func choose(_ netlink: NetlinkSocket) throws -> (UnderlayInterface, String) {
        if !interfaces.isEmpty || pattern != nil {
            for wanted in interfaces {
                if let address = IPv4Address(wanted) {
                    if let found = try netlink.interface(holding: address) {
                        return (found, "it has the address \(wanted)")
                    }
                } else if let found = try netlink.interface(named: wanted) {
                    return (found, "--iface names it")
                }
            }
            if let pattern, let found = try matching(pattern, netlink) { return (found, "it matches \(pattern)") }
            let asked = (interfaces + [pattern].compactMap { $0 }).joined(separator: ", ")
            throw DaemonError("no interface with an IPv4 address matches \(asked); there is \(try candidates(netlink))")
        }
        if let canReach {
            if let found = try towards(canReach, netlink) { return (found, "it leads to \(canReach)") }
            throw DaemonError(
                "no interface leads to \(canReach) (--iface-can-reach); there is \(try candidates(netlink))")
        }
        if let publicIP, let found = try netlink.interface(holding: publicIP) {
            return (found, "it has the public address")
        }
        for address in storeAddresses where !IPv4Prefix(IPv4Address(127, 0, 0, 0), length: 8).contains(address) {
            if let found = try towards(address, netlink) { return (found, "it leads to the store at \(address)") }
        }
        if let found = try netlink.defaultInterface() { return (found, "it has the default route") }
        throw DaemonError(
            "can't tell which interface leads to the other nodes: no route to the store and no default route; "
                + "name one with --iface; there is \(try candidates(netlink))")
    }

    /// The interface that packets to `address` leave by, or the one that has it.
    private func towards(_ address: IPv4Address, _ netlink: NetlinkSocket) throws -> UnderlayInterface? {
        if let own = try netlink.interface(holding: address) { return own }
        guard let route = try? netlink.route(to: address), let index = route.interface,
            let link = try netlink.link(index: index),
            !link.isLoopback
        else { return nil }
        if let source = route.source, let found = try netlink.interface(holding: source) { return found }
        return try netlink.interface(named: link.name)
    }

    private func matching(_ pattern: String, _ netlink: NetlinkSocket) throws -> UnderlayInterface? {
        let regex: Regex<AnyRegexOutput>
        do { regex = try Regex(pattern) } catch {
            throw DaemonError("--iface-regex \(pattern) is no regular expression: \(error)")
        }
        return try all(netlink).first {
            $0.link.name.wholeMatch(of: regex) != nil || $0.address.description.wholeMatch(of: regex) != nil
        }
    }

    private func all(_ netlink: NetlinkSocket) throws -> [UnderlayInterface] {
        let addresses = try netlink.addresses()
        return try netlink.links().filter { !$0.isLoopback }.flatMap { link in
            addresses.filter { $0.interface == link.index }.map {
                UnderlayInterface(link: link, address: $0.address, prefixLength: $0.prefixLength)
            }
        }
    }

    private func candidates(_ netlink: NetlinkSocket) throws -> String {
        let texts = try all(netlink).map { "\($0.link.name) (\($0.address)/\($0.prefixLength))" }
        return texts.isEmpty ? "none with an IPv4 address" : texts.joined(separator: ", ")
    }
}
