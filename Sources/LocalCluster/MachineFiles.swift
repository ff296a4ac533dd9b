import Addressing
import LinuxKit

/// The directories and configuration files of one machine, below the cluster's directory.
struct MachineFiles {
    let layout: ClusterLayout
    let machine: MachineIdentity

    private var directory: String { layout.directory(machine) }
    /// State that survives a power-off.
    var data: String { "\(directory)/data" }
    func log(_ service: String) -> String { "\(directory)/log/\(service).log" }

    /// The machine's mounts and settings, as yet without services.
    func spec() -> MachineSpec {
        var spec = MachineSpec(
            hostname: machine.name, cgroup: layout.cgroup(machine), stateFile: "\(directory)/state.json")
        // The host's /etc, with the machine's own changes; /var is the machine's own altogether.
        spec.overlays = [.init(path: "/etc", upper: "\(directory)/etc", work: "\(directory)/etc.work")]
        spec.temporary = ["/run", "/dev/shm"]
        spec.binds = [
            .init("\(directory)/var", at: "/var"),
            .init("\(directory)/kubernetes", at: "/etc/kubernetes"),
            .init("\(directory)/cni", at: "/etc/cni"),
            .init("\(directory)/containerd", at: "/etc/containerd"),
            .init(layout.directory, at: layout.directory),
        ]
        if let images = layout.images, !machine.isNode { spec.binds.append(.init(images, at: Self.registryStorage)) }
        spec.settings = [
            "net.ipv4.ip_forward": "1",
            // hostPorts are reachable on 127.0.0.1 too (portmap).
            "net.ipv4.conf.all.route_localnet": "1",
            // Service and overlay traffic comes in by another interface than the route back names.
            "net.ipv4.conf.all.rp_filter": "0",
            "net.ipv4.conf.default.rp_filter": "0",
        ]
        return spec
    }

    private static let registryStorage = "/run/registry"

    /// The registry that the master runs, if the cluster has its images in a directory.
    func registryServices() -> [MachineSpec.Service] {
        guard layout.images != nil, !machine.isNode else { return [] }
        return [
            .init("registry", ["/usr/bin/docker-registry", "serve", "\(directory)/registry.yml"], log: log("registry"))
        ]
    }

    /// Makes the directories and writes what a machine's own `/etc` has.
    func write() throws {
        for name in ["data", "log", "etc", "etc.work", "kubernetes", "cni/net.d", "containerd/certs.d"] {
            try FileContents.makeDirectories("\(directory)/\(name)")
        }
        for name in ["lib/kubelet", "lib/containerd", "lib/cni", "log/pods", "log/containers", "tmp", "cache", "spool"]
        {
            try FileContents.makeDirectories("\(directory)/var/\(name)")
        }
        if !FileContents.exists("\(directory)/var/run") {
            try FileTree.link("\(directory)/var/run", to: "/run")
        }
        let hosts = layout.machines.map { "\($0.address) \($0.name)" }.joined(separator: "\n")
        try FileTree.write("\(directory)/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n\(hosts)\n")
        try FileTree.write("\(directory)/etc/hostname", "\(machine.name)\n")
        let servers = layout.hasUplink ? Uplink.nameServers() : []
        try FileTree.write("\(directory)/etc/resolv.conf", servers.map { "nameserver \($0)\n" }.joined())
        if layout.images != nil, !machine.isNode {
            try FileTree.write(
                "\(directory)/registry.yml",
                """
                version: 0.1
                log: {level: error, accesslog: {disabled: true}}
                storage:
                  filesystem: {rootdirectory: \(Self.registryStorage)}
                http: {addr: ":5000"}

                """)
        }
        guard machine.isNode else { return }
        try FileTree.write("\(directory)/containerd/config.toml", Self.containerdConfiguration)
        if let registry = layout.mirror {
            try FileTree.write(
                "\(directory)/containerd/certs.d/_default/hosts.toml",
                """
                # One registry stands for all others.
                server = "http://\(registry)"
                [host."http://\(registry)"]
                  capabilities = ["pull", "resolve"]

                """)
        }
    }

    /// containerd 1.6's configuration where it differs from its defaults.
    ///
    /// `restrict_oom_score_adj` clamps what root may not lower where CAP_SYS_RESOURCE is missing; snapshotters that are
    /// never used would only log that they cannot be loaded; CNI plugins are where Debian has them.
    static let containerdConfiguration = """
        version = 2
        disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
        [debug]
          level = "warn"
        [plugins."io.containerd.internal.v1.opt"]
          path = "/var/lib/containerd/opt"
        [plugins."io.containerd.grpc.v1.cri"]
          sandbox_image = "registry.k8s.io/pause:3.9"
          restrict_oom_score_adj = true
          netns_mounts_under_state_dir = true
          stream_server_address = "127.0.0.1"
          stream_server_port = "0"
          [plugins."io.containerd.grpc.v1.cri".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "/etc/cni/net.d"
          [plugins."io.containerd.grpc.v1.cri".containerd]
            snapshotter = "overlayfs"
            default_runtime_name = "runc"
            [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
              runtime_type = "io.containerd.runc.v2"
          [plugins."io.containerd.grpc.v1.cri".registry]
            config_path = "/etc/containerd/certs.d"

        """
}
