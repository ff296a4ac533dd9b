import Addressing
import CLinux
import Glibc
import LinuxKit

/// The first process of a machine: sets up its mounts, cgroups, name and network settings, then keeps its services
/// running
/// until SIGTERM. It must be process 1 of a new PID namespace with new mount, UTS and IPC namespaces.
package enum MachineInit {
    /// Runs a machine. Blocks; ends with the machine. Must have SIGTERM, SIGINT and SIGCHLD blocked in all threads.
    package static func run(specFile: String) throws {
        let spec = try JSONFile.read(MachineSpec.self, specFile)
        guard getpid() == 1 else {
            throw ClusterError(
                "machine-init is the first process of a machine: `fjord up` starts it, in a PID namespace of its own")
        }
        let hierarchies = try MachineCgroups.enter(spec.cgroup)
        try MachineMounts.make(spec, hierarchies)
        try SyscallError.checkShim("sethostname", spec.hostname) {
            clinux_sethostname(spec.hostname, UInt(spec.hostname.utf8.count))
        }
        try configureNetwork(spec)
        var supervisor = try ServiceSupervisor(spec)
        try supervisor.run()
    }

    private static func configureNetwork(_ spec: MachineSpec) throws(SyscallError) {
        let socket = try NetlinkSocket()
        try socket.setLink(try socket.requiredLink("lo").index, up: true)
        for (name, value) in spec.settings.sorted(by: { $0.key < $1.key }) {
            do throws(SyscallError) {
                try Sysctl.write(name, value)
            } catch {
                guard error.code == ENOENT else { throw error }  // a kernel without the feature needs no setting
            }
        }
    }
}
