import Addressing
import Glibc
import LinuxKit

/// The machines' way to the outside: the host forwards for them and stands for them with its own address.
struct Uplink {
    let layout: ClusterLayout
    let journal: Journal

    /// Makes the one table and the one setting that it takes.
    func make() throws {
        try journal.record(.filterTable(layout.filterTable))
        try Self.runFilterTool(
            """
            table ip \(layout.filterTable)
            delete table ip \(layout.filterTable)
            table ip \(layout.filterTable) {
                chain postrouting {
                    type nat hook postrouting priority srcnat;
                    ip saddr \(layout.lan) ip daddr != { \(layout.lan), \(layout.podNetwork), \(layout.portalNetwork) } masquerade
                }
            }

            """, in: layout.directory)
        try SharedTraces(cluster: layout.name, journal: journal).set("net.ipv4.ip_forward", to: "1")
    }

    /// Deletes a table; does nothing when there is none.
    static func delete(_ table: String, in directory: String) throws {
        // Naming the table first makes it, so that deleting it cannot fail.
        try runFilterTool("table ip \(table)\ndelete table ip \(table)\n", in: directory)
    }

    private static func runFilterTool(_ rules: String, in directory: String) throws {
        guard let tool = Installation.find("nft") else {
            throw ClusterError("nft is missing; install it: apt-get install nftables")
        }
        let file = "\(directory)/uplink.nft"
        let log = "\(directory)/uplink.log"
        try FileTree.write(file, rules)
        let output = try OwnedDescriptor(opening: log, O_WRONLY | O_CREAT | O_TRUNC)
        var program = ProgramStart(tool, arguments: ["nft", "-f", file])
        program.standardOutput = output.number
        program.standardError = output.number
        let pid = try program.spawn()
        var status: CInt = 0
        try SyscallError.check("waitpid", "nft") { waitpid(pid, &status, 0) }
        guard status == 0 else { throw ClusterError("nft refused the uplink's rules: \(FileContents.text(log) ?? "")") }
    }

    /// The name servers that machines can use: the host's own, unless they listen on its loopback only.
    static func nameServers() -> [String] {
        func servers(_ path: String) -> [String] {
            (FileContents.text(path) ?? "").split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                guard words.count > 1, words[0] == "nameserver", !words[1].hasPrefix("127.") else { return nil }
                return String(words[1])
            }
        }
        let own = servers("/etc/resolv.conf")
        return own.isEmpty ? servers("/run/systemd/resolve/resolv.conf") : own
    }
}
