import LinuxKit

/// What a node, or one container, has used by a moment.
struct ResourceUsage: Sendable, Equatable {
    /// CPU time since the beginning, in nanoseconds of one core.
    var cpuNanoseconds: UInt64
    /// Memory that cannot be taken back without a loss: all but file pages that have not been used for long.
    var workingSetBytes: UInt64
}

/// What the whole node uses: of its cgroup where it is one of several nodes on a kernel, of the machine otherwise.
enum NodeUsage {
    /// - Parameter read: The contents of a file; replaced in tests.
    static func read(_ read: (String) -> String? = FileContents.text) -> ResourceUsage {
        let base = "/sys/fs/cgroup"
        let cpu =
            read("\(base)/cpuacct/cpuacct.usage").flatMap(number)
            ?? read("\(base)/cpu.stat").flatMap { field("usage_usec", of: $0) }.map { $0 * 1000 }
            ?? read("/proc/stat").map(machineCPU) ?? 0
        let memory =
            group(read, "\(base)/memory/memory.usage_in_bytes", "\(base)/memory/memory.stat", "total_inactive_file")
            ?? group(read, "\(base)/memory.current", "\(base)/memory.stat", "inactive_file")
            ?? read("/proc/meminfo").map(machineMemory) ?? 0
        return ResourceUsage(cpuNanoseconds: cpu, workingSetBytes: memory)
    }

    private static func group(
        _ read: (String) -> String?, _ usage: String, _ statistics: String, _ inactive: String
    ) -> UInt64? {
        guard let used = read(usage).flatMap(number) else { return nil }
        let idle = read(statistics).flatMap { field(inactive, of: $0) } ?? 0
        return used > idle ? used - idle : 0
    }

    private static func number(_ text: String) -> UInt64? { UInt64(text.filter { !$0.isWhitespace }) }

    /// The value behind `name`, in a file of lines `name value`.
    private static func field(_ name: String, of text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == ":" })
            if words.count > 1, words[0] == name { return UInt64(words[1]) }
        }
        return nil
    }

    /// Of proc_stat(5), in hundredths of a second: all but what was idle or waited for a disk.
    private static func machineCPU(_ text: String) -> UInt64 {
        let values = text.prefix { !$0.isNewline }.split(separator: " ").dropFirst().compactMap { UInt64($0) }
        let busy = values.enumerated().filter { $0.offset != 3 && $0.offset != 4 && $0.offset < 8 }
        return busy.reduce(0) { $0 + $1.element } * 10_000_000
    }

    private static func machineMemory(_ text: String) -> UInt64 {
        let kibibytes = { field($0, of: text) ?? 0 }
        let idle = kibibytes("MemFree") + kibibytes("Buffers") + kibibytes("Inactive(file)")
        return (kibibytes("MemTotal") - min(idle, kibibytes("MemTotal"))) * 1024
    }
}
