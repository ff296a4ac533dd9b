package import Addressing
import CLinux
import Glibc

/// A network interface as the kernel last described it.
package struct Link: Hashable, Sendable {
    package var index: Int32
    package var name: String
    /// `veth`, `bridge`, `tun`, `vxlan` …; `nil` for hardware and loopback.
    package var kind: String?
    /// Bytes of the largest packet, network header included.
    package var mtu: Int
    /// `IFF_…` of netdevice(7).
    package var flags: UInt32
    /// The bridge that it is a port of.
    package var master: Int32?
    /// The index of a veth's other end, in the namespace where that is.
    package var peer: Int32?
    package var hardwareAddress: MACAddress?
    /// Of a VXLAN device only.
    package var vxlan: VXLANSettings?

    package var isUp: Bool { flags & UInt32(IFF_UP) != 0 }
    package var isLoopback: Bool { flags & UInt32(IFF_LOOPBACK) != 0 }
    /// Up, with a carrier.
    package var isRunning: Bool { flags & UInt32(IFF_RUNNING) != 0 }

    /// Reads a `RTM_NEWLINK` or `RTM_DELLINK`.
    init?(_ reply: NetlinkReply) {
        guard let header = reply.header(ifinfomsg.self) else { return nil }
        let attributes = reply.attributes(after: ifinfomsg.self)
        index = header.ifi_index
        flags = header.ifi_flags
        name = attributes.text(IFLA_IFNAME) ?? ""
        kind = attributes.nested(IFLA_LINKINFO)?.text(IFLA_INFO_KIND)
        mtu = Int(attributes.value(IFLA_MTU, as: UInt32.self) ?? 0)
        master = attributes.value(IFLA_MASTER, as: Int32.self)
        peer = attributes.value(IFLA_LINK, as: Int32.self)
        hardwareAddress = attributes.bytes(IFLA_ADDRESS).flatMap { MACAddress(octets: $0) }
        if kind == "vxlan" {
            vxlan = attributes.nested(IFLA_LINKINFO)?.nested(IFLA_INFO_DATA).map { VXLANSettings($0) }
        }
    }
}

/// Where an interface is to be made, and how it is to be called.
package struct LinkPlace: Sendable {
    /// At most 15 bytes (`IFNAMSIZ`).
    package var name: String
    /// `nil` for the namespace of the socket.
    package var namespace: NetworkNamespace?
    package var hardwareAddress: MACAddress?

    package init(_ name: String, in namespace: NetworkNamespace? = nil, hardwareAddress: MACAddress? = nil) {
        self.name = name
        self.namespace = namespace
        self.hardwareAddress = hardwareAddress
    }
}

extension NetlinkSocket {
    /// All interfaces of the namespace.
    package func links() throws(SyscallError) -> [Link] {
        var message = NetlinkMessage(RTM_GETLINK, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(ifinfomsg())
        return try query(message, "RTM_GETLINK", "all").compactMap { Link($0) }
    }

    /// The interface of that name; `nil` when there is none.
    package func link(named name: String) throws(SyscallError) -> Link? {
        var message = NetlinkMessage(RTM_GETLINK, flags: 0)
        message.append(ifinfomsg())
        message.attribute(IFLA_IFNAME, text: name)
        return try one(message, name)
    }

    /// The interface with that index; `nil` when there is none.
    package func link(index: Int32) throws(SyscallError) -> Link? {
        var message = NetlinkMessage(RTM_GETLINK, flags: 0)
        message.append(Self.header(index))
        return try one(message, "index \(index)")
    }

    /// The interface of that name.
    ///
    /// - Throws: `ENODEV` when there is none.
    package func requiredLink(_ name: String) throws(SyscallError) -> Link {
        guard let link = try link(named: name) else {
            throw SyscallError(call: "RTM_GETLINK", subject: name, code: ENODEV)
        }
        return link
    }

    /// Makes a pair of virtual Ethernet interfaces, both down, each in its place.
    package func createVeth(_ first: LinkPlace, _ second: LinkPlace, mtu: Int? = nil) throws(SyscallError) {
        let namespaces = try NamespaceDescriptors(first.namespace, second.namespace)
        var message = NetlinkMessage(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL)
        message.append(ifinfomsg())
        message.place(first, namespace: namespaces.first, mtu: mtu)
        message.nested(IFLA_LINKINFO) { message in
            message.attribute(IFLA_INFO_KIND, text: "veth")
            message.nested(IFLA_INFO_DATA) { message in
                message.nested(VETH_INFO_PEER) { message in
                    message.append(ifinfomsg())
                    message.place(second, namespace: namespaces.second, mtu: mtu)
                }
            }
        }
        try change(message, "RTM_NEWLINK", "veth \(first.name) \(second.name)")
    }

    /// Makes a bridge, down and without ports.
    package func createBridge(_ name: String) throws(SyscallError) {
        var message = NetlinkMessage(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL)
        message.append(ifinfomsg())
        message.attribute(IFLA_IFNAME, text: name)
        message.nested(IFLA_LINKINFO) { $0.attribute(IFLA_INFO_KIND, text: "bridge") }
        try change(message, "RTM_NEWLINK", "bridge \(name)")
    }

    /// Deletes an interface; a veth's other end goes with it. Does nothing when there is none with that name.
    package func deleteLink(_ name: String) throws(SyscallError) {
        guard let link = try link(named: name) else { return }
        var message = NetlinkMessage(RTM_DELLINK, flags: 0)
        message.append(Self.header(link.index))
        do throws(SyscallError) {
            try change(message, "RTM_DELLINK", name)
        } catch {
            guard error.code == ENODEV else { throw error }  // gone meanwhile
        }
    }

    /// Sets an interface up or down.
    package func setLink(_ index: Int32, up: Bool) throws(SyscallError) {
        var header = Self.header(index)
        header.ifi_flags = up ? UInt32(IFF_UP) : 0
        header.ifi_change = UInt32(IFF_UP)
        var message = NetlinkMessage(RTM_NEWLINK, flags: 0)
        message.append(header)
        try change(message, "RTM_NEWLINK", "index \(index) \(up ? "up" : "down")")
    }

    /// Sets the MTU in bytes.
    package func setLink(_ index: Int32, mtu: Int) throws(SyscallError) {
        try set(index, "mtu \(mtu)") { $0.attribute(IFLA_MTU, UInt32(mtu)) }
    }

    /// Makes an interface a port of the bridge `master`, or of none.
    package func setLink(_ index: Int32, master: Int32?) throws(SyscallError) {
        try set(index, "master") { $0.attribute(IFLA_MASTER, master ?? 0) }
    }

    /// Renames an interface, which must be down on kernels before 6.2.
    package func setLink(_ index: Int32, name: String) throws(SyscallError) {
        try set(index, "name \(name)") { $0.attribute(IFLA_IFNAME, text: name) }
    }

    /// Sets the length of the transmit queue in packets.
    package func setLink(_ index: Int32, transmitQueueLength: Int) throws(SyscallError) {
        try set(index, "txqlen") { $0.attribute(IFLA_TXQLEN, UInt32(transmitQueueLength)) }
    }

    private func set(_ index: Int32, _ what: String, _ body: (inout NetlinkMessage) -> Void) throws(SyscallError) {
        var message = NetlinkMessage(RTM_NEWLINK, flags: 0)
        message.append(Self.header(index))
        body(&message)
        try change(message, "RTM_NEWLINK", "index \(index) \(what)")
    }

    private func one(_ message: NetlinkMessage, _ subject: String) throws(SyscallError) -> Link? {
        do throws(SyscallError) {
            return try query(message, "RTM_GETLINK", subject).first.flatMap { Link($0) }
        } catch {
            if error.code == ENODEV { return nil }
            throw error
        }
    }

    private static func header(_ index: Int32) -> ifinfomsg {
        var header = ifinfomsg()
        header.ifi_index = index
        return header
    }
}

extension NetlinkMessage {
    fileprivate mutating func place(_ place: LinkPlace, namespace: CInt?, mtu: Int?) {
        attribute(IFLA_IFNAME, text: place.name)
        if let address = place.hardwareAddress { attribute(IFLA_ADDRESS, bytes: address.octets) }
        if let mtu { attribute(IFLA_MTU, UInt32(mtu)) }
        if let namespace { attribute(IFLA_NET_NS_FD, UInt32(bitPattern: namespace)) }
    }
}

/// Open descriptors of up to two namespaces, for as long as a request needs them.
private struct NamespaceDescriptors: ~Copyable {
    private let a: CInt
    private let b: CInt
    var first: CInt? { a < 0 ? nil : a }
    var second: CInt? { b < 0 ? nil : b }

    init(_ first: NetworkNamespace?, _ second: NetworkNamespace?) throws(SyscallError) {
        let one = try first.map { (namespace) throws(SyscallError) in
            try OwnedDescriptor(opening: namespace.path, O_RDONLY).release()
        }
        do throws(SyscallError) {
            b =
                try second.map { (namespace) throws(SyscallError) in
                    try OwnedDescriptor(opening: namespace.path, O_RDONLY).release()
                } ?? -1
        } catch {
            if let one { close(one) }
            throw error
        }
        a = one ?? -1
    }

    deinit {
        if a >= 0 { close(a) }
        if b >= 0 { close(b) }
    }
}
