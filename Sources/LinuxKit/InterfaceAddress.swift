package import Addressing
import CLinux
import Glibc

package typealias InterfaceAddress = InternetInterfaceAddress<IPv4Address>
package typealias IPv6InterfaceAddress = InternetInterfaceAddress<IPv6Address>

/// An address of an interface.
package struct InternetInterfaceAddress<Address: InternetAddress>: Hashable, Sendable {
    package var interface: Int32
    package var address: Address
    /// How many bits of the address the link's network has, 0...32 or 0...128.
    package var prefixLength: Int
    /// `RT_SCOPE_…`: 0 everywhere, 253 on the link, 254 on this machine.
    package var scope: UInt8

    package init(interface: Int32, address: Address, prefixLength: Int, scope: UInt8 = 0) {
        self.interface = interface
        self.address = address
        self.prefixLength = prefixLength
        self.scope = scope
    }

    /// The network on the link.
    package var network: Address.Prefix { Address.Prefix(address, length: prefixLength) }

    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(ifaddrmsg.self), header.ifa_family == Address.family else { return nil }
        let attributes = reply.attributes(after: ifaddrmsg.self)
        guard let octets = attributes.bytes(IFA_LOCAL) ?? attributes.bytes(IFA_ADDRESS),
            let address = Address(octets: octets)
        else { return nil }
        self.init(
            interface: Int32(bitPattern: header.ifa_index), address: address,
            prefixLength: min(Int(header.ifa_prefixlen), Address.octetCount * 8), scope: header.ifa_scope)
    }

    fileprivate func message(_ type: some BinaryInteger, flags: CInt) -> NetlinkMessage {
        var header = ifaddrmsg()
        header.ifa_family = Address.family
        header.ifa_prefixlen = UInt8(prefixLength)
        header.ifa_scope = scope
        header.ifa_index = UInt32(bitPattern: interface)
        var message = NetlinkMessage(type, flags: flags)
        message.append(header)
        message.attribute(IFA_LOCAL, bytes: address.octets)
        message.attribute(IFA_ADDRESS, bytes: address.octets)
        if Address.octetCount == 4 {
            let host = ~UInt32(0) >> UInt32(prefixLength)
            if prefixLength < 31, let first = IPv4Address(octets: network.address.octets) {
                message.attribute(IFA_BROADCAST, IPv4Address(bits: first.bits | host).networkOrder)
            }
        } else {
            message.attribute(IFA_FLAGS, UInt32(IFA_F_NODAD))  // nobody else can have it: no second of waiting
        }
        return message
    }
}

extension NetlinkSocket {
    /// The IPv4 addresses of the namespace, or of one interface.
    package func addresses(of interface: Int32? = nil) throws(SyscallError) -> [InterfaceAddress] {
        try addresses(IPv4Address.self, of: interface)
    }

    /// The addresses of one family, of the namespace or of one interface.
    package func addresses<Address: InternetAddress>(
        _ family: Address.Type, of interface: Int32? = nil
    ) throws(SyscallError) -> [InternetInterfaceAddress<Address>] {
        var header = ifaddrmsg()
        header.ifa_family = Address.family
        var message = NetlinkMessage(RTM_GETADDR, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(header)
        return try query(message, "RTM_GETADDR", "all").compactMap { InternetInterfaceAddress<Address>($0) }
            .filter { interface == nil || $0.interface == interface }
    }

    /// Gives an interface an address. Does nothing when it has it.
    package func addAddress<Address>(_ address: InternetInterfaceAddress<Address>) throws(SyscallError) {
        try change(
            address.message(RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE), "RTM_NEWADDR",
            "\(address.address)/\(address.prefixLength)")
    }

    /// Takes an address away.
    ///
    /// - Throws: `EADDRNOTAVAIL` when the interface does not have it.
    package func deleteAddress<Address>(_ address: InternetInterfaceAddress<Address>) throws(SyscallError) {
        try change(
            address.message(RTM_DELADDR, flags: 0), "RTM_DELADDR", "\(address.address)/\(address.prefixLength)")
    }
}
