import FoundationEssentials
import Glibc
import LinuxKit

/// What was made outside the cluster's directory, or changed on the host: written before it is done, so that whatever
/// happens `fjord down` knows what to undo.
struct Journal {
    enum Entry: Codable, Hashable {
        case namespace(String)
        /// An interface in the host's namespace.
        case link(String)
        /// A route that stood in the way and was taken out; put back at the end.
        case removedRoute(SavedRoute)
        /// A host setting and the value that it had.
        case setting(name: String, value: String)
        /// A setting that this cluster needs no longer, see ``SharedTraces``.
        case releasedSetting(String)
        /// A table of nftables, family `ip`.
        case filterTable(String)
        case cgroup(String)
        /// A directory that was not there; removed when it is empty.
        case directory(String)
    }

    /// The parts of a host route that are put back.
    struct SavedRoute: Codable, Hashable {
        var destination: String
        var action: UInt8
        var metric: UInt32
        var table: UInt32
        var protocolTag: UInt8
    }

    let path: String

    /// The entries in the order in which they were made; a last line that a crash cut short is left out.
    func entries() -> [Entry] {
        guard let text = FileContents.text(path) else { return [] }
        var seen: Set<Entry> = []
        return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Entry.self, from: Data($0.utf8)) }
            .filter { seen.insert($0).inserted }
    }

    /// Writes entries to the disk that are not there yet. Of settings only the first value counts.
    func record(_ new: Entry...) throws {
        let known = entries()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let file = try OwnedDescriptor(opening: path, O_WRONLY | O_CREAT | O_APPEND)
        for entry in new where !known.contains(where: { $0.isSameThing(as: entry) }) {
            try file.write(Array(try encoder.encode(entry)) + [10])
        }
        try SyscallError.check("fsync", path) { fsync(file.number) }
    }
}

extension Journal.Entry {
    fileprivate func isSameThing(as other: Self) -> Bool {
        if case .setting(let name, _) = self, case .setting(let otherName, _) = other { return name == otherName }
        return self == other
    }
}
