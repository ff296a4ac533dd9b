package import Addressing
import CNftables

/// The rules that overlayd has in the kernel: one nftables table of its own, replaced as a whole in one transaction.
///
/// Masquerading follows flanneld: not inside the network, for what leaves it (multicast excepted), and for what enters
/// it from elsewhere unless it is for this node's own subnet; packets marked 0x4000 are exempt.
package struct PacketFilter: Hashable, Sendable {
    /// The table's name, in family `ip`.
    package static let table = "overlayd"

    package var network: IPv4Prefix
    package var subnet: IPv4Prefix
    package var masquerade: Bool
    package var forward: Bool

    package init(network: IPv4Prefix, subnet: IPv4Prefix, masquerade: Bool, forward: Bool) {
        self.network = network
        self.subnet = subnet
        self.masquerade = masquerade
        self.forward = forward
    }

    /// The whole table as nft(8) input. Declaring it first makes the deletion succeed where there is none.
    package var script: String {
        var chains: [String] = []
        if masquerade {
            chains.append(
                """
                  chain postrouting {
                    type nat hook postrouting priority srcnat; policy accept;
                    meta mark & 0x4000 == 0x4000 return
                    ip saddr \(network) ip daddr \(network) return
                    ip saddr \(network) ip daddr != 224.0.0.0/4 masquerade fully-random
                    ip saddr != \(network) ip daddr \(subnet) return
                    ip saddr != \(network) ip daddr \(network) masquerade fully-random
                  }
                """)
        }
        if forward {
            chains.append(
                """
                  chain forward {
                    type filter hook forward priority filter; policy accept;
                    ip saddr \(network) accept
                    ip daddr \(network) accept
                  }
                """)
        }
        return "table ip \(Self.table)\ndelete table ip \(Self.table)\n"
            + (chains.isEmpty ? "" : "table ip \(Self.table) {\n\(chains.joined(separator: "\n"))\n}\n")
    }

    /// Replaces the table. Returns it as the kernel prints it, to compare with ``current()`` later.
    package func apply() throws(DaemonError) -> String {
        try Self.run(script)
        return Self.current()
    }

    /// The table as it is now; empty when there is none.
    package static func current() -> String { (try? run("list table ip \(table)\n")) ?? "" }

    /// Removes the table, if there is one.
    package static func remove() throws(DaemonError) { try run("table ip \(table)\ndelete table ip \(table)\n") }

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
