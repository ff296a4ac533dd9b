package import Addressing

/// An interface with the address under which other machines reach this one.
package struct UnderlayInterface: Hashable, Sendable {
    package var link: Link
    package var address: IPv4Address
    package var prefixLength: Int

    package init(link: Link, address: IPv4Address, prefixLength: Int) {
        self.link = link
        self.address = address
        self.prefixLength = prefixLength
    }
}

extension NetlinkSocket {
    /// The interface of the default route with the lowest metric, and its first global address; `nil` when there is
    /// none.
    package func defaultInterface() throws(SyscallError) -> UnderlayInterface? {
        let defaults = try routes().filter {
            $0.destination.length == 0 && $0.action == .unicast && $0.interface != nil
        }
        guard let best = defaults.min(by: { $0.metric < $1.metric }), let index = best.interface,
            let link = try link(index: index)
        else { return nil }
        return try underlay(link, preferring: best.source)
    }

    /// The interface of that name and its first global address; `nil` when either is missing.
    package func interface(named name: String) throws(SyscallError) -> UnderlayInterface? {
        guard let link = try link(named: name) else { return nil }
        return try underlay(link, preferring: nil)
    }

    /// The interface that has `address`; `nil` when none has it.
    package func interface(holding address: IPv4Address) throws(SyscallError) -> UnderlayInterface? {
        guard let found = try addresses().first(where: { $0.address == address }),
            let link = try link(index: found.interface)
        else { return nil }
        return UnderlayInterface(link: link, address: address, prefixLength: found.prefixLength)
    }

    private func underlay(_ link: Link, preferring source: IPv4Address?) throws(SyscallError) -> UnderlayInterface? {
        let candidates = try addresses(of: link.index).filter { $0.scope == 0 }
        guard let chosen = candidates.first(where: { $0.address == source }) ?? candidates.first else { return nil }
        return UnderlayInterface(link: link, address: chosen.address, prefixLength: chosen.prefixLength)
    }
}
