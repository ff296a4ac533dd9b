package import Addressing
import CLinux
import Glibc

/// An entry of the ARP table: where an IPv4 address is on a link.
package struct Neighbour: Hashable, Sendable {
    package var interface: Int32
    package var address: IPv4Address
    /// `nil` while unresolved.
    package var hardwareAddress: MACAddress?
    /// `NUD_…`: 0x80 permanent, 0x02 reachable.
    package var state: UInt16

    package init(
        interface: Int32, address: IPv4Address, hardwareAddress: MACAddress?, state: UInt16 = UInt16(NUD_PERMANENT)
    ) {
        self.interface = interface
        self.address = address
        self.hardwareAddress = hardwareAddress
        self.state = state
    }

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(ndmsg.self), header.ndm_family == UInt8(AF_INET) else { return nil }
        let attributes = reply.attributes(after: ndmsg.self)
        guard let bits = attributes.value(NDA_DST, as: UInt32.self) else { return nil }
        self.init(
            interface: header.ndm_ifindex, address: IPv4Address(networkOrder: bits),
            hardwareAddress: attributes.bytes(NDA_LLADDR).flatMap { MACAddress(octets: $0) }, state: header.ndm_state)
    }

    fileprivate func message(_ type: some BinaryInteger, flags: CInt) -> NetlinkMessage {
        var header = ndmsg()
        header.ndm_family = UInt8(AF_INET)
        header.ndm_ifindex = interface
        header.ndm_state = state
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.attribute(NDA_DST, address.networkOrder)
        if let hardwareAddress { message.attribute(NDA_LLADDR, bytes: hardwareAddress.octets) }
        return message
    }
}

/// An entry of a VXLAN device's or bridge's forwarding database.
package struct ForwardingEntry: Hashable, Sendable {
    package var interface: Int32
    package var hardwareAddress: MACAddress
    /// The tunnel end point behind which the address is.
    package var destination: IPv4Address?

    package init(interface: Int32, hardwareAddress: MACAddress, destination: IPv4Address?) {
        self.interface = interface
        self.hardwareAddress = hardwareAddress
        self.destination = destination
    }

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(ndmsg.self), header.ndm_family == UInt8(AF_BRIDGE) else { return nil }
        let attributes = reply.attributes(after: ndmsg.self)
        guard let address = attributes.bytes(NDA_LLADDR).flatMap({ MACAddress(octets: $0) }) else { return nil }
        self.init(
            interface: header.ndm_ifindex, hardwareAddress: address,
            destination: attributes.value(NDA_DST, as: UInt32.self).map(IPv4Address.init(networkOrder:)))
    }

    fileprivate func message(_ type: some BinaryInteger, flags: CInt) -> NetlinkMessage {
        var header = ndmsg()
        header.ndm_family = UInt8(AF_BRIDGE)
        header.ndm_ifindex = interface
        header.ndm_state = UInt16(NUD_PERMANENT)
        header.ndm_flags = UInt8(NTF_SELF)
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.attribute(NDA_LLADDR, bytes: hardwareAddress.octets)
        if let destination { message.attribute(NDA_DST, destination.networkOrder) }
        return message
    }
}

extension NetlinkSocket {
    /// The IPv4 neighbours of the namespace.
    package func neighbours() throws(SyscallError) -> [Neighbour] {
        try dumpNeighbours(AF_INET).compactMap { Neighbour($0) }
    }

    /// Adds or replaces a neighbour.
    package func replaceNeighbour(_ neighbour: Neighbour) throws(SyscallError) {
        try change(
            neighbour.message(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE), "RTM_NEWNEIGH", "\(neighbour.address)"
        )
    }

    /// - Throws: `ENOENT` when there is none.
    package func deleteNeighbour(_ neighbour: Neighbour) throws(SyscallError) {
        try change(neighbour.message(RTM_DELNEIGH, flags: 0), "RTM_DELNEIGH", "\(neighbour.address)")
    }

    /// The forwarding databases of the namespace.
    package func forwardingEntries() throws(SyscallError) -> [ForwardingEntry] {
        try dumpNeighbours(AF_BRIDGE).compactMap { ForwardingEntry($0) }
    }

    /// Adds or replaces a forwarding entry.
    package func replaceForwardingEntry(_ entry: ForwardingEntry) throws(SyscallError) {
        try change(
            entry.message(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE), "RTM_NEWNEIGH", "\(entry.hardwareAddress)"
        )
    }

    /// - Throws: `ENOENT` when there is none.
    package func deleteForwardingEntry(_ entry: ForwardingEntry) throws(SyscallError) {
        try change(entry.message(RTM_DELNEIGH, flags: 0), "RTM_DELNEIGH", "\(entry.hardwareAddress)")
    }

    private func dumpNeighbours(_ family: CInt) throws(SyscallError) -> [NetlinkReply] {
        var header = ndmsg()
        header.ndm_family = UInt8(family)
        var message = NetlinkMessage(RTM_GETNEIGH, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(header)
        return try query(message, "RTM_GETNEIGH", "all")
    }
}
