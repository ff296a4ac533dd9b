import Foundation

/// What the kernel has counted for a process, as /proc tells it (proc_pid_stat(5)).
struct ProcessUsage: Sendable {
    /// Seconds of processor time in user and kernel mode.
    var cpu: Double
    /// MiB resident now.
    var resident: Double

    init(_ pid: Int32) throws {
        let text = try String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)
        // The name may hold spaces and brackets; what is counted begins behind its end.
        guard let close = text.lastIndex(of: ")") else { throw BenchmarkError("cannot read /proc/\(pid)/stat") }
        let fields = text[text.index(after: close)...].split(separator: " ")
        guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
            let pages = Double(fields[21])
        else { throw BenchmarkError("cannot read /proc/\(pid)/stat") }
        cpu = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        resident = pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
        // The clock of stat ticks every 10 ms; schedstat counts nanoseconds, a thread at a time.
        // Threads that have ended are missing there: then the coarse figure is the right one.
        if let fine = Self.nanoseconds(pid), abs(fine / 1e9 - cpu) < 0.05 + cpu / 50 { cpu = fine / 1e9 }
    }

    private static func nanoseconds(_ pid: Int32) -> Double? {
        guard let threads = try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task") else {
            return nil
        }
        var sum = 0.0
        for thread in threads {
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(thread)/schedstat", encoding: .utf8),
                let spent = text.split(separator: " ").first.flatMap({ Double($0) })
            else { continue }
            sum += spent
        }
        return sum > 0 ? sum : nil
    }
}
