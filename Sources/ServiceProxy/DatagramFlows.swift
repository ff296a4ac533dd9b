import Glibc
import LinuxKit

/// Ends conversations over UDP with endpoints that are gone.
///
/// A TCP client notices that its other side has vanished; a UDP client that goes on sending keeps conntrack's entry
/// alive, and with it the translation to the old endpoint.
struct DatagramFlows: Sendable {
    static let program = "/usr/sbin/conntrack"

    /// Deletes the conntrack entries to `targets`. Runs in the calling thread's network namespace and blocks.
    static func end(_ targets: some Collection<DatagramTarget>) throws(SyscallError) {
        for target in targets {
            var arguments = [
                "conntrack", "-D", "-p", "udp", "--dport", "\(target.port)", "--reply-src", target.endpoint,
            ]
            if let address = target.address { arguments += ["-d", address] }
            let null = try OwnedDescriptor(opening: "/dev/null", O_RDWR)
            var start = ProgramStart(program, arguments: arguments)
            start.standardInput = null.number
            start.standardOutput = null.number
            start.standardError = null.number
            let pid = try start.spawn()
            var status: CInt = 0
            // Its exit code says whether there was an entry: both are right.
            while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        }
    }
}
