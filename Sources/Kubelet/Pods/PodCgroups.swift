import Glibc
import LinuxKit

/// The cgroups that the runtime makes above containers and leaves behind.
enum PodCgroups {
    /// Removes a pod's cgroups from every hierarchy. One that is still in use stays.
    static func remove(uid: String, under kubepods: String) {
        for root in roots() {
            for level in ["", "/burstable", "/besteffort"] {
                removeTree("\(root)\(kubepods)\(level)/pod\(uid)")
            }
        }
    }

    /// The roots of all hierarchies: `/sys/fs/cgroup` itself, or one directory a controller.
    private static func roots() -> [String] {
        let base = "/sys/fs/cgroup"
        if FileContents.exists(base + "/cgroup.controllers") { return [base] }
        return DirectoryListing.names(in: base).map { "\(base)/\($0)" }
    }

    private static func removeTree(_ path: String) {
        guard FileTree.isDirectory(path) else { return }
        for name in DirectoryListing.names(in: path) where FileTree.isDirectory("\(path)/\(name)") {
            removeTree("\(path)/\(name)")
        }
        rmdir(path)
    }
}
