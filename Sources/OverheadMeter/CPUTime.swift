import Glibc
import LinuxKit

/// What all processors of the machine did since it started, in seconds, from `/proc/stat` (proc_stat(5)).
package struct CPUTime: Hashable, Sendable {
    /// Spent on anything but waiting: user, nice, system, interrupts.
    package var busySeconds: Double
    /// Wanted by this machine and given to another one on the same hardware.
    package var stolenSeconds: Double
    /// All of the time, idle included.
    package var totalSeconds: Double

    /// Reads the first line of `/proc/stat`; `nil` when it is not what is expected.
    ///
    /// - Parameter ticksPerSecond: `USER_HZ`.
    package init?(statLine line: some StringProtocol, ticksPerSecond: Double) {
        let fields = line.split(separator: " ")
        guard fields.first == "cpu", fields.count >= 9 else { return nil }
        let ticks = fields[1...8].compactMap { Double($0) }
        guard ticks.count == 8 else { return nil }
        // user nice system idle iowait irq softirq steal
        busySeconds = (ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]) / ticksPerSecond
        stolenSeconds = ticks[7] / ticksPerSecond
        totalSeconds = ticks.reduce(0, +) / ticksPerSecond
    }

    /// Up to now.
    package static func now() -> CPUTime? {
        guard let text = FileContents.text("/proc/stat"), let line = text.split(separator: "\n").first else {
            return nil
        }
        return CPUTime(statLine: line, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))))
    }
}
