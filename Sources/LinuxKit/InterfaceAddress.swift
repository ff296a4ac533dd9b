package import Addressing
import CLinux
import Glibc

/// An IPv4 address of an interface.
package struct InterfaceAddress: Hashable, Sendable {
    package var interface: Int32
    package var address: IPv4Address
    /// How many bits of the address the link's network has, 0...32.
    package var prefixLength: Int
    /// `RT_SCOPE_…`: 0 everywhere, 253 on the link, 254 on this machine.
    package var scope: UInt8

    package init(interface: Int32, address: IPv4Address, prefixLength: Int, scope: UInt8 = 0) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
        self.scope = scope
    }

    /// The network on the link.
    package var network: IPv4Prefix { IPv4Prefix(address, length: prefixLength) }

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(ifaddrmsg.self), header.ifa_family == UInt8(AF_INET) else { return nil }
        let attributes = reply.attributes(after: ifaddrmsg.self)
        guard let bits = attributes.value(IFA_LOCAL, as: UInt32.self) ?? attributes.value(IFA_ADDRESS, as: UInt32.self)
        else { return nil }
        self.init(
            interface: Int32(bitPattern: header.ifa_index), address: IPv4Address(networkOrder: bits),
            prefixLength: min(Int(header.ifa_prefixlen), 32), scope: header.ifa_scope)
    }

    fileprivate func message(_ type: some BinaryInteger, flags: CInt) -> NetlinkMessage {
        var header = ifaddrmsg()
        header.ifa_family = UInt8(AF_INET)
        header.ifa_prefixlen = UInt8(prefixLength)
        header.ifa_scope = scope
        header.ifa_index = UInt32(bitPattern: interface)
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.attribute(IFA_LOCAL, address.networkOrder)
        message.attribute(IFA_ADDRESS, address.networkOrder)
        if prefixLength < 31 { message.attribute(IFA_BROADCAST, network.last.networkOrder) }
        return message
    }
}

extension NetlinkSocket {
    /// The IPv4 addresses of the namespace, or of one interface.
    package func addresses(of interface: Int32? = nil) throws(SyscallError) -> [InterfaceAddress] {
        var header = ifaddrmsg()
        header.ifa_family = UInt8(AF_INET)
        var message = NetlinkMessage(RTM_GETADDR, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(header)
        return try query(message, "RTM_GETADDR", "all").compactMap { InterfaceAddress($0) }
            .filter { interface == nil || $0.interface == interface }
    }

    /// Gives an interface an address. Does nothing when it has it.
    package func addAddress(_ address: InterfaceAddress) throws(SyscallError) {
        try change(
            address.message(RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE), "RTM_NEWADDR",
            "\(address.address)/\(address.prefixLength)")
    }

    /// Takes an address away.
    ///
    /// - Throws: `EADDRNOTAVAIL` when the interface does not have it.
    package func deleteAddress(_ address: InterfaceAddress) throws(SyscallError) {
        try change(address.message(RTM_DELADDR, flags: 0), "RTM_DELADDR", "\(address.address)/\(address.prefixLength)")
    }
}
