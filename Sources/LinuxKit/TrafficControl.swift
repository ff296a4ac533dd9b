import CLinux
import Glibc

/// What queueing and classifying there is at an interface (tc(8), <linux/pkt_sched.h>).
package struct TrafficControl: Sendable {
    /// A classifier at an interface's clsact hook.
    package struct Filter: Hashable, Sendable {
        package var kind: String
        package var priority: UInt32
    }

    /// The kinds of queueing disciplines by interface.
    private let disciplines: [Int32: Set<String>]
    private let netlink: NetlinkSocket

    /// Reads all disciplines of the socket's namespace once.
    package init(_ netlink: NetlinkSocket) throws(SyscallError) {
        var message = NetlinkMessage(RTM_GETQDISC, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(tcmsg())
        var disciplines: [Int32: Set<String>] = [:]
        for reply in try netlink.query(message, "RTM_GETQDISC", "all") {
            guard let header = reply.header(tcmsg.self),
                let kind = reply.attributes(after: tcmsg.self).text(TCA_KIND)
            else { continue }
            disciplines[header.tcm_ifindex, default: []].insert(kind)
        }
        self.disciplines = disciplines
        self.netlink = netlink
    }

    /// Disciplines that shape or order packets: all but `noqueue` and the hooks `clsact` and `ingress`.
    package func queueing(on interface: Int32) -> [String] {
        (disciplines[interface] ?? []).subtracting(["noqueue", "clsact", "ingress"]).sorted()
    }

    /// The classifiers at the ingress hook of an interface. Empty when it has no hook, or is gone.
    package func ingressFilters(of interface: Int32) throws(SyscallError) -> [Filter] {
        try filters(of: interface, hook: 0xFFFF_FFF2)  // TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)
    }

    /// The classifiers at the egress hook of an interface.
    package func egressFilters(of interface: Int32) throws(SyscallError) -> [Filter] {
        try filters(of: interface, hook: 0xFFFF_FFF3)  // TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS)
    }

    private func filters(of interface: Int32, hook: UInt32) throws(SyscallError) -> [Filter] {
        guard disciplines[interface]?.isDisjoint(with: ["clsact", "ingress"]) == false else { return [] }
        var header = tcmsg()
        header.tcm_ifindex = interface
        header.tcm_parent = hook
        var message = NetlinkMessage(RTM_GETTFILTER, flags: NLM_F_ROOT | NLM_F_MATCH)
        message.append(header)
        do throws(SyscallError) {
            return try netlink.query(message, "RTM_GETTFILTER", "index \(interface)").compactMap { reply in
                guard let header = reply.header(tcmsg.self),
                    let kind = reply.attributes(after: tcmsg.self).text(TCA_KIND)
                else { return nil }
                return Filter(kind: kind, priority: header.tcm_info >> 16)
            }
        } catch {
            guard [ENODEV, EINVAL, ENOENT].contains(error.code) else { throw error }
            return []
        }
    }
}
