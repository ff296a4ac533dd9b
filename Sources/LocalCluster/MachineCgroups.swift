import CLinux
import Glibc
import LinuxKit

/// The cgroups of one machine: one subtree of every hierarchy, which the machine sees as the whole.
enum MachineCgroups {
    /// A mounted cgroup hierarchy.
    struct Hierarchy: Hashable {
        var mountPoint: String
        /// Version 2, where controllers share one tree.
        var isUnified: Bool
        /// What to mount a version 1 hierarchy with: its controllers or `name=…`.
        var options: String
    }

    /// The hierarchies that this mount namespace shows whole.
    static func hierarchies() throws(SyscallError) -> [Hierarchy] {
        var seen: Set<String> = []
        return try Mounts.list().compactMap { entry in
            guard entry.type == "cgroup" || entry.type == "cgroup2", entry.root == "/",
                entry.mountPoint.hasPrefix("/sys/fs/cgroup"),
                seen.insert(entry.mountPoint).inserted
            else { return nil }
            let general: Set<String> = [
                "rw", "ro", "xattr", "nsdelegate", "memory_recursiveprot", "clone_children", "noprefix",
            ]
            let options = entry.superOptions.filter { !general.contains($0) && !$0.hasPrefix("release_agent=") }
            return Hierarchy(
                mountPoint: entry.mountPoint, isUnified: entry.type == "cgroup2",
                options: options.joined(separator: ","))
        }
    }

    /// Moves this process into the machine's cgroups and makes those the root of all that this thread and
    /// its children see. Returns the hierarchies.
    static func enter(_ cgroup: String) throws -> [Hierarchy] {
        let hierarchies = try hierarchies()  // before the mounts are seen from inside
        for hierarchy in hierarchies {
            let directory = hierarchy.mountPoint + cgroup
            if hierarchy.isUnified {
                // Controllers can be handed on only by groups without processes (cgroup-v2.rst, "No Internal Process
                // Constraint"), so the machine's own processes get a leaf.
                try FileContents.makeDirectories(directory + "/machine")
                enableControllers(in: hierarchy.mountPoint)
                try FileContents.write("0", to: directory + "/machine/cgroup.procs")
                enableControllers(in: directory)
            } else {
                try FileContents.makeDirectories(directory)
                inheritCpuset(directory)
                try FileContents.write("0", to: directory + "/cgroup.procs")
            }
        }
        try SyscallError.checkShim("unshare", "CLONE_NEWCGROUP") { clinux_unshare(CInt(CLONE_NEWCGROUP)) }
        return hierarchies
    }

    /// Mounts the machine's view of all hierarchies on `/sys/fs/cgroup`.
    ///
    /// On a machine with version 1 controllers the almost empty version 2 tree is left out: crun refuses to work with
    /// both.
    static func mountInside(_ hierarchies: [Hierarchy]) throws(SyscallError) {
        if hierarchies.allSatisfy(\.isUnified) {
            try Mounts.mount("cgroup2", on: "/sys/fs/cgroup", type: "cgroup2")
            return
        }
        try Mounts.tmpfs(on: "/sys/fs/cgroup")
        for hierarchy in hierarchies where !hierarchy.isUnified {
            try FileContents.makeDirectories(hierarchy.mountPoint)
            let options = hierarchy.options.hasPrefix("name=") ? "none,\(hierarchy.options)" : hierarchy.options
            try Mounts.mount("cgroup", on: hierarchy.mountPoint, type: "cgroup", data: options)
        }
    }

    /// Removes the machine's cgroups, which must be empty of processes. Returns those that would not go.
    static func remove(_ cgroup: String) -> [String] {
        ((try? hierarchies()) ?? []).flatMap { removeTree($0.mountPoint + cgroup) }
    }

    /// Whether any cgroup of the machine is left.
    static func exist(_ cgroup: String) -> Bool {
        ((try? hierarchies()) ?? []).contains { FileContents.exists($0.mountPoint + cgroup) }
    }

    /// The processes in the machine's cgroups; not all of it while it starts.
    static func processes(_ cgroup: String) -> Set<Int32> {
        var found: Set<Int32> = []
        func visit(_ directory: String) {
            guard let text = FileContents.text(directory + "/cgroup.procs") else { return }
            for line in text.split(separator: "\n") { if let pid = Int32(line) { found.insert(pid) } }
            for name in DirectoryListing.names(in: directory)
            where FileContents.exists("\(directory)/\(name)/cgroup.procs") {
                visit("\(directory)/\(name)")
            }
        }
        for hierarchy in (try? hierarchies()) ?? [] { visit(hierarchy.mountPoint + cgroup) }
        return found
    }

    private static func removeTree(_ directory: String) -> [String] {
        guard FileContents.exists(directory) else { return [] }
        var left: [String] = []
        for name in DirectoryListing.names(in: directory) where FileContents.exists("\(directory)/\(name)/cgroup.procs")
        {
            left += removeTree("\(directory)/\(name)")
        }
        // EBUSY passes when the last process has been reaped.
        for _ in 0..<50 {
            if rmdir(directory) == 0 || errno == ENOENT { return left }
            usleep(20_000)
        }
        return left + [directory]
    }

    private static func enableControllers(in directory: String) {
        for controller in (FileContents.text(directory + "/cgroup.controllers") ?? "").split(separator: " ") {
            try? FileContents.write("+\(controller)", to: directory + "/cgroup.subtree_control")
        }
    }

    /// A new version 1 cpuset takes no process before it has CPUs and memory nodes (cgroup-v1/cpusets.rst).
    private static func inheritCpuset(_ directory: String) {
        guard FileContents.text(directory + "/cpuset.cpus") == "" else { return }
        let parent = directory.prefix(upTo: directory.lastIndex(of: "/") ?? directory.startIndex)
        for file in ["cpuset.cpus", "cpuset.mems"] {
            if let value = FileContents.text("\(parent)/\(file)") {
                try? FileContents.write(value, to: "\(directory)/\(file)")
            }
        }
    }
}
