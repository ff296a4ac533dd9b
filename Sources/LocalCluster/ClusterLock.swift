import Glibc
import LinuxKit

/// Lets one command at a time work on a cluster; ends with the process.
struct ClusterLock: ~Copyable {
    private let file: OwnedDescriptor
    private let path: String

    static func path(_ name: String) -> String { "/run/fjord/\(name).lock" }

    /// - Throws: When another command works on the cluster.
    init(_ name: String) throws {
        let path = Self.path(name)
        try FileContents.makeDirectories("/run/fjord")
        let file = try OwnedDescriptor(opening: path, O_RDWR | O_CREAT)
        guard flock(file.number, LOCK_EX | LOCK_NB) == 0 else {
            throw ClusterError("another fjord command works on cluster \(name); wait for it to end")
        }
        self.path = path
        self.file = file
    }

    /// Removes the file while the lock is still held.
    borrowing func removeFile() {
        unlink(path)
        rmdir("/run/fjord")  // stays when another cluster has files in it
    }
}
