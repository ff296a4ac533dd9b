import Glibc
import LinuxKit

/// What clusters on one host have in common: settings that several of them need, the directory of named namespaces.
///
/// Each cluster notes in its own journal how it was before the first of them. Whoever goes while others still need it
/// leaves it alone, so that the last one puts it back.
struct SharedTraces {
    let cluster: String
    let journal: Journal

    /// Gives a host setting the value that this cluster needs.
    func set(_ name: String, to value: String) throws {
        let lock = try HostLock()
        guard let now = Sysctl.read(name) else { return }
        let before = others().lazy.compactMap { $0.settings[name] }.first ?? now
        if before != value { try journal.record(.setting(name: name, value: before)) }
        if now != value { try Sysctl.write(name, value) }
        withExtendedLifetime(lock) {}
    }

    /// Notes that `directory` is made, by this cluster or by another one before it, and goes with the last.
    func note(directory: String) throws {
        let lock = try HostLock()
        if !FileContents.exists(directory) || others().contains(where: { $0.directories.contains(directory) }) {
            try journal.record(.directory(directory))
        }
        withExtendedLifetime(lock) {}
    }

    /// Puts a setting back, unless another cluster needs it as it is.
    func putBack(_ name: String, _ value: String) throws {
        let lock = try HostLock()
        // First, so that of two clusters that go at the same time the second one finds itself the last.
        try journal.record(.releasedSetting(name))
        if !others().contains(where: { $0.settings[name] != nil }) { try Sysctl.write(name, value) }
        withExtendedLifetime(lock) {}
    }

    /// What another cluster needs.
    private struct Needs {
        var settings: [String: String] = [:]
        var directories: Set<String> = []

        init(_ entries: [Journal.Entry]) {
            for entry in entries {
                switch entry {
                case .setting(let name, let value): settings[name] = value
                case .releasedSetting(let name): settings[name] = nil
                case .directory(let path): directories.insert(path)
                default: break
                }
            }
        }
    }

    private func others() -> [Needs] {
        DirectoryListing.names(in: ClusterLayout.clusters).filter { $0 != cluster }.map {
            Needs(Journal(path: "\(ClusterLayout.defaultDirectory($0))/journal").entries())
        }
    }
}

/// Lets one command at a time look at and change what clusters share; ends with its scope. Waits for the other one.
private struct HostLock: ~Copyable {
    private let directory: OwnedDescriptor

    init() throws(SyscallError) {
        try FileContents.makeDirectories(ClusterLayout.clusters)
        let directory = try OwnedDescriptor(opening: ClusterLayout.clusters, O_RDONLY | O_DIRECTORY)
        while flock(directory.number, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw SyscallError(call: "flock", subject: ClusterLayout.clusters, code: errno)
            }
        }
        self.directory = directory
    }
}
