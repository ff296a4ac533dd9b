import Glibc
import LinuxKit

/// What the machine says of itself.
struct NodeFacts: Sendable, Equatable {
    var cpus: Int
    var memoryBytes: Int64
    var diskBytes: Int64
    var kernelVersion: String, osImage: String, machineID: String, bootID: String, systemUUID: String
    var architecture: String

    /// Asks the machine; `root` is where the disk is measured.
    static func read(root: String) -> NodeFacts {
        var system = utsname()
        uname(&system)
        let release = withUnsafeBytes(of: &system.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let machine = withUnsafeBytes(of: &system.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        var disk = statvfs()
        let diskBytes = statvfs(root, &disk) == 0 ? Int64(disk.f_blocks) * Int64(disk.f_frsize) : 0
        let memory = FileContents.text("/proc/meminfo")?.split(separator: "\n").first { $0.hasPrefix("MemTotal:") }
        let kibibytes = memory?.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0
        let names = ["x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "riscv64": "riscv64"]
        return NodeFacts(
            cpus: max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), memoryBytes: kibibytes * 1024,
            diskBytes: diskBytes, kernelVersion: release, osImage: operatingSystem(),
            machineID: FileContents.text("/etc/machine-id") ?? "",
            bootID: FileContents.text("/proc/sys/kernel/random/boot_id") ?? "",
            systemUUID: FileContents.text("/sys/class/dmi/id/product_uuid") ?? FileContents.text("/etc/machine-id")
                ?? "",
            architecture: names[machine] ?? machine)
    }

    private static func operatingSystem() -> String {
        let line = FileContents.text("/etc/os-release")?.split(separator: "\n").first { $0.hasPrefix("PRETTY_NAME=") }
        return line.map { $0.dropFirst(12).filter { $0 != "\"" } } ?? "Linux"
    }

    /// This machine's host name in the form of an object's name.
    static func hostname() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        gethostname(&buffer, buffer.count - 1)
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).lowercased()
    }
}
