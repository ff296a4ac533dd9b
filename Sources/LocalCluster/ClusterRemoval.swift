import Glibc
import LinuxKit

/// Undoes all that a cluster's journal names, whatever state it is in.
package struct ClusterRemoval {
    let name: String
    let report: (String) -> Void

    package init(_ name: String, report: @escaping (String) -> Void) {
        self.name = name
        self.report = report
    }

    /// Removes every process, namespace, mount, cgroup, link, table, setting, route and file of the cluster. Goes on
    /// past what fails and says all of it at the end; may be run again and again.
    ///
    /// - Returns: Whether there was anything.
    @discardableResult
    package func run() async throws -> Bool {
        guard geteuid() == 0 else {
            throw ClusterError("not root: removing namespaces and links needs it; run it with sudo")
        }
        let lock = try ClusterLock(name)
        defer { lock.removeFile() }
        let standard = ClusterLayout.defaultDirectory(name)
        guard FileContents.exists(standard) else { return false }
        let directory = realPath(standard) ?? standard
        let journal = Journal(path: "\(directory)/journal")
        let entries = journal.entries()
        let shared = SharedTraces(cluster: name, journal: journal)
        var problems: [String] = []
        func attempt(_ body: () async throws -> Void) async {
            do { try await body() } catch { problems.append("\(error)") }
        }

        let namespaces = entries.compactMap { if case .namespace(let name) = $0 { name } else { nil } }
        let cgroups = entries.compactMap { if case .cgroup(let path) = $0 { path } else { nil } }
        for namespace in namespaces {
            await attempt { try await MachineProcesses.killAll(in: .named(namespace), cgroup: nil) }
        }
        for cgroup in cgroups {
            await attempt {
                try await MachineProcesses.killAll(in: .named("-"), cgroup: cgroup)
                let left = MachineCgroups.remove(cgroup)
                if !left.isEmpty {
                    throw ClusterError(
                        "cgroups \(left.joined(separator: ", ")) cannot be removed; something else uses them")
                }
            }
        }
        report("processes and cgroups are gone")
        for entry in entries.reversed() {
            await attempt {
                switch entry {
                case .link(let link): try NetlinkSocket().deleteLink(link)
                case .filterTable(let table): try Uplink.delete(table, in: directory)
                case .setting(let setting, let value): try shared.putBack(setting, value)
                case .namespace(let namespace): try NetworkNamespace.named(namespace).delete()
                case .removedRoute, .cgroup, .directory, .releasedSetting: break
                }
            }
        }
        // Only now nothing of ours stands in their place.
        for case .removedRoute(let route) in entries { await attempt { try LocalAreaNetwork.putBack(route) } }
        for case .directory(let path) in entries { rmdir(path) }
        report("links, namespaces, routes, settings and tables are as they were")
        guard problems.isEmpty else {
            throw ClusterError(
                "not all of cluster \(name) could be removed; run `fjord down` again:\n"
                    + problems.map { "  - \($0)" }.joined(separator: "\n"))
        }
        // The journal goes last: until then another run knows what to do.
        for file in DirectoryListing.names(in: directory) where file != "journal" {
            try FileTree.remove("\(directory)/\(file)")
        }
        try FileTree.remove(directory)
        if standard != directory { unlink(standard) }
        rmdir(ClusterLayout.clusters)  // stays when another cluster is in it
        return true
    }

    /// The directory that a link leads to.
    private func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
