/// Kernel settings under `/proc/sys`. Those under `net.` belong to the calling thread's network namespace.
package enum Sysctl {
    /// The value of a setting such as `net.ipv4.ip_forward`; `nil` when the kernel does not have it.
    package static func read(_ name: String) -> String? { FileContents.text(path(name)) }

    /// Sets a value.
    ///
    /// - Throws: `ENOENT` when the kernel does not have the setting.
    package static func write(_ name: String, _ value: String) throws(SyscallError) {
        try FileContents.write(value, to: path(name))
    }

    /// `/` in a name stands for a dot inside one part, as in `net.ipv4.conf.eth0/100.forwarding` (sysctl(8)).
    package static func path(_ name: String) -> String {
        "/proc/sys/" + String(name.map { $0 == "." ? "/" : $0 == "/" ? "." : $0 })
    }
}
