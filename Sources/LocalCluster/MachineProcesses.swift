import CLinux
import Glibc
import LinuxKit

/// Finds and ends the processes of machines.
enum MachineProcesses {
    /// Process ids, seen from here, of all that run in a network namespace.
    static func all(in namespace: NetworkNamespace) -> [Int32] {
        guard let inode = namespace.inode else { return [] }
        let own = getpid()
        return ProcessStatus.allProcessIdentifiers().filter {
            $0 != own && ProcessStatus.namespaceInode($0, "net") == inode
        }
    }

    /// A machine's process ids: outside and inside.
    static func numbers(in namespace: NetworkNamespace) -> [(outside: Int32, inside: Int32)] {
        all(in: namespace).compactMap { pid in
            guard let inside = namespacedIdentifiers(pid), inside.count == 2 else { return nil }
            return (pid, inside[1])
        }
    }

    /// The machine's first process; `nil` when it is off.
    static func first(in namespace: NetworkNamespace) -> Int32? {
        numbers(in: namespace).first { $0.inside == 1 && ProcessStatus($0.outside)?.state != "Z" }?.outside
    }

    /// Kills everything in the namespace and the cgroups at once, first processes first, and waits until it is gone.
    ///
    /// - Throws: When something is left after `seconds`.
    static func killAll(in namespace: NetworkNamespace, cgroup: String?, seconds: Int = 20) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while true {
            let own = getpid()
            var left = Set(all(in: namespace))
            if let cgroup { left.formUnion(MachineCgroups.processes(cgroup)) }
            left = left.filter { $0 != own && $0 != 0 && (ProcessStatus($0).map { $0.state != "Z" } ?? false) }
            if left.isEmpty { return }
            guard ContinuousClock.now < deadline else {
                throw ClusterError(
                    "processes \(left.sorted()) of \(namespace.path) do not end; look at them with ps and run the command again"
                )
            }
            for pid in left { kill(pid, SIGKILL) }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// `NSpid` of proc_pid_status(5): a process's ids, from this PID namespace inwards.
    private static func namespacedIdentifiers(_ pid: Int32) -> [Int32]? {
        guard let text = FileContents.text("/proc/\(pid)/status"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("NSpid:") })
        else { return nil }
        return line.dropFirst(6).split(whereSeparator: { $0 == " " || $0 == "\t" }).compactMap { Int32($0) }
    }
}
