/// The configuration of a containerd that the kubelet runs itself.
package struct ContainerdConfiguration: Sendable {
    package var root = "/var/lib/containerd"
    package var state = "/run/containerd"
    package var socket = "/run/containerd/containerd.sock"
    package var sandboxImage = "registry.k8s.io/pause:3.9"
    package var cniBinaryDirectory = "/usr/lib/cni"
    package var cniConfigurationDirectory = "/etc/cni/net.d"
    package var registryConfigurationDirectory = "/etc/containerd/certs.d"
    package var snapshotter = "overlayfs"

    package init() {}

    /// The file as containerd 1.6 reads it.
    ///
    /// `restrict_oom_score_adj` clamps what the kubelet's user may not lower, where CAP_SYS_RESOURCE is missing;
    /// snapshotters that the kubelet never uses would only log that they cannot be loaded.
    package var toml: String {
        let unused = ["aufs", "btrfs", "devmapper", "zfs"].map { "\"io.containerd.snapshotter.v1.\($0)\"" }
        return """
            # Written by the kubelet, which runs this containerd. Changes are lost when the kubelet starts.
            version = 2
            root = \(quoted(root))
            state = \(quoted(state))
            disabled_plugins = [\(unused.joined(separator: ", "))]

            [debug]
              level = "warn"

            [grpc]
              address = \(quoted(socket))

            [ttrpc]
              address = \(quoted(socket + ".ttrpc"))

            [plugins."io.containerd.internal.v1.opt"]
              path = \(quoted(root + "/opt"))

            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = \(quoted(sandboxImage))
              restrict_oom_score_adj = true
              netns_mounts_under_state_dir = true
              stream_server_address = "127.0.0.1"
              stream_server_port = "0"
              max_container_log_line_size = 16384
              [plugins."io.containerd.grpc.v1.cri".cni]
                bin_dir = \(quoted(cniBinaryDirectory))
                conf_dir = \(quoted(cniConfigurationDirectory))
              [plugins."io.containerd.grpc.v1.cri".containerd]
                snapshotter = \(quoted(snapshotter))
                default_runtime_name = "runc"
                [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
                  runtime_type = "io.containerd.runc.v2"
              [plugins."io.containerd.grpc.v1.cri".registry]
                config_path = \(quoted(registryConfigurationDirectory))

            """
    }

    /// `text` as a TOML basic string.
    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
