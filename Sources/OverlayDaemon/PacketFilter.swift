package import Addressing
import CNftables

/// The rules that overlayd has in the kernel: one nftables table of its own for each address family, replaced as a
/// whole in one transaction.
///
/// Masquerading follows flanneld: not inside the network, for what leaves it (multicast excepted), and for what enters
/// it from elsewhere unless it is for this node's own subnet; packets marked 0x4000 are exempt.
package struct PacketFilter: Hashable, Sendable {
    /// The table's name, in the families `ip` and `ip6`.
    package static let table = "overlayd"

    package var network: IPv4Prefix
    package var subnet: IPv4Prefix
    package var masquerade: Bool
    package var forward: Bool
    /// The IPv6 half, in dual stack.
    package var ipv6Network: IPv6Prefix?
    package var ipv6Subnet: IPv6Prefix?

    package init(
        network: IPv4Prefix, subnet: IPv4Prefix, masquerade: Bool, forward: Bool, ipv6Network: IPv6Prefix? = nil,
        ipv6Subnet: IPv6Prefix? = nil
    ) {
        self.network = network
        self.subnet = subnet
        self.masquerade = masquerade
        self.forward = forward
        self.ipv6Network = ipv6Network
        self.ipv6Subnet = ipv6Subnet
    }

    /// The tables as nft(8) input. Declaring each first makes the deletion succeed where there is none.
    package var script: String {
        var script = Self.removal + table("ip", "\(network)", "\(subnet)", multicast: "224.0.0.0/4")
        if let ipv6Network, let ipv6Subnet {
            script += table("ip6", "\(ipv6Network)", "\(ipv6Subnet)", multicast: "ff00::/8")
        }
        return script
    }

    private func table(_ family: String, _ network: String, _ subnet: String, multicast: String) -> String {
        var chains: [String] = []
        if masquerade {
            chains.append(
                """
                  chain postrouting {
                    type nat hook postrouting priority srcnat; policy accept;
                    meta mark & 0x4000 == 0x4000 return
                    \(family) saddr \(network) \(family) daddr \(network) return
                    \(family) saddr \(network) \(family) daddr != \(multicast) masquerade fully-random
                    \(family) saddr != \(network) \(family) daddr \(subnet) return
                    \(family) saddr != \(network) \(family) daddr \(network) masquerade fully-random
                  }
                """)
        }
        if forward {
            chains.append(
                """
                  chain forward {
                    type filter hook forward priority filter; policy accept;
                    \(family) saddr \(network) accept
                    \(family) daddr \(network) accept
                  }
                """)
        }
        return chains.isEmpty ? "" : "table \(family) \(Self.table) {\n\(chains.joined(separator: "\n"))\n}\n"
    }

    private static let removal =
        "table ip \(table)\ndelete table ip \(table)\ntable ip6 \(table)\ndelete table ip6 \(table)\n"

    /// Replaces the tables. Returns them as the kernel prints them, to compare with ``current()`` later.
    package func apply() throws(DaemonError) -> String {
        try Self.run(script)
        return Self.current()
    }

    /// The tables as they are now; empty when there is none.
    package static func current() -> String {
        ["ip", "ip6"].map { (try? run("list table \($0) \(table)\n")) ?? "" }.joined()
    }

    /// Removes the tables, if there are any.
    package static func remove() throws(DaemonError) { try run(removal) }

    /// Runs commands in one transaction, in the calling thread's network namespace. Returns what they print.
    @discardableResult
    private static func run(_ commands: String) throws(DaemonError) -> String {
        guard let context = nft_ctx_new(0) else { throw DaemonError("libnftables: out of memory") }
        defer { nft_ctx_free(context) }
        nft_ctx_buffer_output(context)
        nft_ctx_buffer_error(context)
        guard nft_run_cmd_from_buffer(context, commands) == 0 else {
            let reason = nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? ""
            throw DaemonError("nftables refused the rules: \(reason.split(separator: "\n").first ?? "no reason given")")
        }
        return nft_ctx_get_output_buffer(context).map { String(cString: $0) } ?? ""
    }
}
