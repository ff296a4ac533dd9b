import LinuxKit

/// A host on which this system shares the kernel with others, so that it may lack rights a cluster needs.
struct SharedKernelHost: Hashable {
    let name: String
    let advice: String

    /// Recognised by the marks that each leaves; `nil` on a whole machine or VM.
    static func detect() -> SharedKernelHost? {
        let environment = FileContents.text("/proc/1/environ") ?? ""
        return identify(
            hasFile: FileContents.exists,
            container: environment.split(separator: "\0").first { $0.hasPrefix("container=") }.map {
                String($0.dropFirst(10))
            })
    }

    /// - Parameter container: What the first process's environment calls `container` (systemd's container interface).
    static func identify(hasFile: (String) -> Bool, container: String?) -> SharedKernelHost? {
        // A host node of OpenVZ has both directories, a container of it only the first.
        if hasFile("/proc/vz"), !hasFile("/proc/bc") {
            return SharedKernelHost(
                name: "an OpenVZ container", advice: "it cannot make namespaces and mounts; take a KVM machine")
        }
        if container == "lxc" || container == "lxc-libvirt" {
            return SharedKernelHost(
                name: "an LXC container",
                advice: "it needs nesting, cgroups and /dev/net/tun allowed by its host; a VM needs nothing")
        }
        if hasFile("/.dockerenv") || container == "docker" {
            return SharedKernelHost(
                name: "a Docker container", advice: "run it with --privileged and a volume for --dir, or on the host")
        }
        if hasFile("/run/.containerenv") || container == "podman" {
            return SharedKernelHost(
                name: "a Podman container", advice: "run it with --privileged and a volume for --dir, or on the host")
        }
        return nil
    }
}
