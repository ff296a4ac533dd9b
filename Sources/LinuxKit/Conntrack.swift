package import Addressing
import CLinux
import Glibc

/// A connection as one of its two directions.
package struct FlowTuple: Hashable, Sendable {
    package var source: IPv4Address
    package var destination: IPv4Address
    /// `IPPROTO_…`.
    package var transport: UInt8
    /// Ports, or an ICMP echo's identifier in both.
    package var sourcePort: UInt16
    package var destinationPort: UInt16

    package init(
        source: IPv4Address, destination: IPv4Address, transport: UInt8, sourcePort: UInt16, destinationPort: UInt16
    ) {
        self.source = source
        self.destination = destination
        self.transport = transport
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
    }

    fileprivate init?(_ attributes: NetlinkAttributes?) {
        guard let ip = attributes?.nested(CTA_TUPLE_IP.rawValue),
            let inner = attributes?.nested(CTA_TUPLE_PROTO.rawValue),
            let source = ip.value(CTA_IP_V4_SRC.rawValue, as: UInt32.self),
            let destination = ip.value(CTA_IP_V4_DST.rawValue, as: UInt32.self),
            let transport = inner.value(CTA_PROTO_NUM.rawValue, as: UInt8.self)
        else { return nil }
        let identifier = inner.value(CTA_PROTO_ICMP_ID.rawValue, as: UInt16.self)
        self.init(
            source: IPv4Address(networkOrder: source), destination: IPv4Address(networkOrder: destination),
            transport: transport,
            sourcePort: UInt16(bigEndian: inner.value(CTA_PROTO_SRC_PORT.rawValue, as: UInt16.self) ?? identifier ?? 0),
            destinationPort: UInt16(
                bigEndian: inner.value(CTA_PROTO_DST_PORT.rawValue, as: UInt16.self) ?? identifier ?? 0))
    }
}

/// The kernel's table of tracked connections, in one namespace (ctnetlink, <linux/netfilter/nfnetlink_conntrack.h>).
package enum Conntrack {
    /// Both directions of every tracked IPv4 connection of the calling thread's namespace: they differ by more than
    /// their order where addresses are translated. Empty when nothing has ever been tracked.
    package static func tuples() throws(SyscallError) -> [FlowTuple] {
        let netlink: NetlinkSocket
        do throws(SyscallError) {
            netlink = try NetlinkSocket(protocol: NETLINK_NETFILTER)
        } catch {
            guard error.code != EPROTONOSUPPORT else { return [] }
            throw error
        }
        let type = UInt16(NFNL_SUBSYS_CTNETLINK) << 8 | UInt16(IPCTNL_MSG_CT_GET.rawValue)
        var message = NetlinkMessage(type, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(nfgenmsg(nfgen_family: UInt8(AF_INET), version: UInt8(NFNETLINK_V0), res_id: 0))
        do throws(SyscallError) {
            return try netlink.query(message, "IPCTNL_MSG_CT_GET", "all").flatMap { reply in
                let attributes = reply.attributes(after: nfgenmsg.self)
                return [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY].compactMap {
                    FlowTuple(attributes.nested($0.rawValue))
                }
            }
        } catch {
            guard error.code != EINVAL else { return [] }  // the kernel's part for it is not there
            throw error
        }
    }
}
