import Glibc

/// Where the running program and those that came with it are.
package enum Installation {
    /// The directory of the running executable.
    package static var directory: String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return "/usr/bin" }
        let path = String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "/"
    }

    /// The path of one of our programs, `fjord` or `overlayd`.
    package static func program(_ name: String) -> String { "\(directory)/\(name)" }

    /// The path of a program of the system; `nil` when it is not installed.
    package static func find(_ name: String) -> String? {
        ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"].map { "\($0)/\(name)" }.first {
            access($0, X_OK) == 0
        }
    }
}
