import Glibc
import LinuxKit
import Testing

/// The tests of this target need a node of their own: network, mounts, processes and host name apart from the machine's,
/// with containerd's directories empty. The first test of the target makes one and runs the others in it.
enum NodeNamespaces {
    private static let variable = "FJORD_TEST_NODE"

    /// Whether this process is inside.
    static var isInside: Bool { getenv(variable) != nil }

    static let why = "needs root, containerd, runc, CNI plugins, ctr, tini and busybox"
    static var canBeMade: Bool {
        geteuid() == 0
            && ["/usr/bin/containerd", "/usr/sbin/runc", "/usr/lib/cni/bridge", "/usr/bin/tini", "/bin/busybox"]
                .allSatisfy { FileContents.exists($0) }
    }

    /// Runs the tests of this target that are marked for it in a node of their own and returns their exit code.
    static func runTests(filter: String, scratch: String) async throws -> CInt {
        let script = """
            set -e
            hostname kubelet-test
            mount --make-rshared /
            if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
            for d in /run /var/lib/cni /var/lib/kubelet /var/lib/containerd /var/log /etc/cni /etc/containerd; do
              mkdir -p $d; mount -t tmpfs -o mode=755 tmpfs $d; done
            ip link set lo up
            ip link add eth0 type veth peer name peer0; ip link set peer0 up; ip addr add 10.240.0.11/24 dev eth0; ip link set eth0 up
            sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.route_localnet=1
            mkdir -p /run/flannel
            printf 'FLANNEL_NETWORK=10.244.0.0/16\\nFLANNEL_SUBNET=10.244.1.1/24\\nFLANNEL_MTU=1400\\nFLANNEL_IPMASQ=false\\n' > /run/flannel/subnet.env
            exec tini -s -- "$@"
            """
        // mkdir above may have to make mount points; they are the distribution's own directories.
        let executable = CommandLine.arguments[0]
        var program = ProgramStart(
            "unshare",
            arguments: [
                "unshare", "--mount", "--uts", "--pid", "--net", "--fork", "--kill-child", "--mount-proc",
                "--propagation", "private",
                "sh", "-c", script, "sh", executable, "--testing-library", "swift-testing", "--no-parallel", "--filter",
                filter,
            ])
        var environment: [String: String] = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", variable: scratch]
        for name in ["HOME", "LD_LIBRARY_PATH"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        program.environment = environment
        let process = try program.spawn()
        defer { removeCgroups() }
        return try await DedicatedThread.run(name: "waitpid") {
            var status: CInt = 0
            while waitpid(process, &status, 0) < 0 && errno == EINTR {}
            return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
        }
    }

    /// Cgroups are the one thing that the node shares with the machine; the pods' parents are still there.
    private static func removeCgroups() {
        func remove(_ path: String) {
            for name in DirectoryListing.names(in: path) where FileContents.exists("\(path)/\(name)/cgroup.procs") {
                remove("\(path)/\(name)")
            }
            rmdir(path)
        }
        for hierarchy in [""] + DirectoryListing.names(in: "/sys/fs/cgroup").map({ "/" + $0 }) {
            let path = "/sys/fs/cgroup\(hierarchy)/\(NodeUnderTest.cgroupRoot)"
            if FileContents.exists(path) { remove(path) }
        }
    }

    /// A directory for this run that outlives the node; only inside.
    static var scratch: String { getenv(variable).map { String(cString: $0) } ?? "/tmp" }
}

@Suite struct NodeNamespacesTests {
    @Test(.enabled(if: NodeNamespaces.canBeMade && !NodeNamespaces.isInside, Comment(rawValue: NodeNamespaces.why)))
    func `the kubelet passes its tests on a node of its own`() async throws {
        #expect(try await NodeNamespaces.runTests(filter: "KubeletOnNodeTests", scratch: "/run") == 0)
    }
}
