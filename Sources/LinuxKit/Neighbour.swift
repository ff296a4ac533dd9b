package import Addressing
import CLinux
import Glibc

package typealias Neighbour = InternetNeighbour<IPv4Address>
package typealias IPv6Neighbour = InternetNeighbour<IPv6Address>

/// An entry of the ARP or NDP table: where an address is on a link.
package struct InternetNeighbour<Address: InternetAddress>: Hashable, Sendable {
    package var interface: Int32
    package var address: Address
    /// `nil` while unresolved.
    package var hardwareAddress: MACAddress?
    /// `NUD_…`: 0x80 permanent, 0x02 reachable.
    package var state: UInt16

    package init(
        interface: Int32, address: Address, hardwareAddress: MACAddress?, state: UInt16 = UInt16(NUD_PERMANENT)
    ) {
        self.interface = interface
        self.address = address
        self.hardwareAddress = hardwareAddress
        self.state = state
    }

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(ndmsg.self), header.ndm_family == Address.family else { return nil }
        let attributes = reply.attributes(after: ndmsg.self)
        guard let address = attributes.bytes(NDA_DST).flatMap({ Address(octets: $0) }) else { return nil }
        self.init(
            interface: header.ndm_ifindex, address: address,
            hardwareAddress: attributes.bytes(NDA_LLADDR).flatMap { MACAddress(octets: $0) }, state: header.ndm_state)
    }

    fileprivate func message(_ type: some BinaryInteger, flags: CInt) -> NetlinkMessage {
        var header = ndmsg()
        header.ndm_family = Address.family
        header.ndm_ifindex = interface
        header.ndm_state = state
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.attribute(NDA_DST, bytes: address.octets)
        if let hardwareAddress { message.attribute(NDA_LLADDR, bytes: hardwareAddress.octets) }
        return message
    }
}

package typealias ForwardingEntry = InternetForwardingEntry<IPv4Address>
package typealias IPv6ForwardingEntry = InternetForwardingEntry<IPv6Address>

/// An entry of a VXLAN device's or bridge's forwarding database.
package struct InternetForwardingEntry<Address: InternetAddress>: Hashable, Sendable {
    package var interface: Int32
    package var hardwareAddress: MACAddress
    /// The tunnel end point behind which the address is.
    package var destination: Address?

    package init(interface: Int32, hardwareAddress: MACAddress, destination: Address?) {
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
            destination: attributes.bytes(NDA_DST).flatMap { Address(octets: $0) })
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
        if let destination { message.attribute(NDA_DST, bytes: destination.octets) }
        return message
    }
}

extension NetlinkSocket {
    /// The IPv4 neighbours of the namespace.
    package func neighbours() throws(SyscallError) -> [Neighbour] { try neighbours(IPv4Address.self) }

    /// The neighbours of one family.
    package func neighbours<Address: InternetAddress>(
        _ family: Address.Type
    ) throws(SyscallError) -> [InternetNeighbour<Address>] {
        try dumpNeighbours(CInt(Address.family)).compactMap { InternetNeighbour<Address>($0) }
    }

    /// Adds or replaces a neighbour.
    package func replaceNeighbour<Address>(_ neighbour: InternetNeighbour<Address>) throws(SyscallError) {
        try change(
            neighbour.message(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE), "RTM_NEWNEIGH", "\(neighbour.address)"
        )
    }

    /// - Throws: `ENOENT` when there is none.
    package func deleteNeighbour<Address>(_ neighbour: InternetNeighbour<Address>) throws(SyscallError) {
        try change(neighbour.message(RTM_DELNEIGH, flags: 0), "RTM_DELNEIGH", "\(neighbour.address)")
    }

    /// The forwarding databases of the namespace.
    package func forwardingEntries() throws(SyscallError) -> [ForwardingEntry] {
        try forwardingEntries(IPv4Address.self)
    }

    /// The forwarding databases, with those tunnel end points that are of one family.
    package func forwardingEntries<Address: InternetAddress>(
        _ family: Address.Type
    ) throws(SyscallError) -> [InternetForwardingEntry<Address>] {
        try dumpNeighbours(AF_BRIDGE).compactMap { InternetForwardingEntry<Address>($0) }
    }

    /// Adds or replaces a forwarding entry.
    package func replaceForwardingEntry<Address>(
        _ entry: InternetForwardingEntry<Address>
    ) throws(SyscallError) {
        try change(
            entry.message(RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE), "RTM_NEWNEIGH", "\(entry.hardwareAddress)"
        )
    }

    /// - Throws: `ENOENT` when there is none.
    package func deleteForwardingEntry<Address>(_ entry: InternetForwardingEntry<Address>) throws(SyscallError) {
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
