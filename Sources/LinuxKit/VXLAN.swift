package import Addressing
import CLinux
import Glibc

/// How a VXLAN device is set up (RFC 7348; `IFLA_VXLAN_…` of <linux/if_link.h>). Another value of any of them needs
/// another device.
package struct VXLANSettings: Hashable, Sendable {
    /// The network identifier, 24 bits.
    package var identifier: UInt32
    /// The interface that encapsulated packets leave by.
    package var underlay: Int32
    /// The outer source address: one of the two families.
    package var local: IPv4Address?
    package var localIPv6: IPv6Address?
    /// The UDP port of all end points.
    package var port: UInt16
    /// Learns from packets which MAC is behind which end point.
    package var isLearning = false
    /// Carries the group policy extension (draft-smith-vxlan-group-policy) in its header.
    package var hasGroupPolicy = false

    package init(identifier: UInt32, underlay: Int32, port: UInt16) {
        self.identifier = identifier
        self.underlay = underlay
        self.port = port
    }

    init(_ attributes: NetlinkAttributes) {
        identifier = attributes.value(IFLA_VXLAN_ID, as: UInt32.self) ?? 0
        underlay = attributes.value(IFLA_VXLAN_LINK, as: Int32.self) ?? 0
        local = attributes.bytes(IFLA_VXLAN_LOCAL).flatMap { IPv4Address(octets: $0) }
        localIPv6 = attributes.bytes(IFLA_VXLAN_LOCAL6).flatMap { IPv6Address(octets: $0) }
        port = UInt16(bigEndian: attributes.value(IFLA_VXLAN_PORT, as: UInt16.self) ?? 0)
        isLearning = attributes.value(IFLA_VXLAN_LEARNING, as: UInt8.self) == 1
        hasGroupPolicy = attributes.bytes(IFLA_VXLAN_GBP) != nil
    }
}

extension NetlinkSocket {
    /// Makes a VXLAN device, down.
    ///
    /// - Throws: `EEXIST` when the name, or identifier and port together, are in use; `EADDRINUSE` when another
    ///   process has the port.
    package func createVXLAN(_ place: LinkPlace, _ settings: VXLANSettings) throws(SyscallError) {
        var message = NetlinkMessage(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL)
        message.append(ifinfomsg())
        message.attribute(IFLA_IFNAME, text: place.name)
        if let address = place.hardwareAddress { message.attribute(IFLA_ADDRESS, bytes: address.octets) }
        message.nested(IFLA_LINKINFO) { message in
            message.attribute(IFLA_INFO_KIND, text: "vxlan")
            message.nested(IFLA_INFO_DATA) { message in
                message.attribute(IFLA_VXLAN_ID, settings.identifier)
                message.attribute(IFLA_VXLAN_LINK, settings.underlay)
                if let local = settings.local { message.attribute(IFLA_VXLAN_LOCAL, bytes: local.octets) }
                if let local = settings.localIPv6 { message.attribute(IFLA_VXLAN_LOCAL6, bytes: local.octets) }
                message.attribute(IFLA_VXLAN_PORT, settings.port.bigEndian)
                message.attribute(IFLA_VXLAN_LEARNING, UInt8(settings.isLearning ? 1 : 0))
                if settings.hasGroupPolicy { message.attribute(IFLA_VXLAN_GBP, bytes: []) }
            }
        }
        try change(message, "RTM_NEWLINK", "vxlan \(place.name)")
    }
}
