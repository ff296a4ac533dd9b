package import LinuxKit

/// One file of a volume that is made from objects.
package struct ProjectedFile: Sendable, Equatable {
    package var contents: [UInt8]
    package var mode: UInt32
    package init(contents: [UInt8], mode: UInt32) {
        self.contents = contents
        self.mode = mode
    }
}

/// Writes a set of files so that a reader sees all of the old or all of the new ones.
///
/// The files live in a directory of their own that `..data` links to, and each visible name links through `..data`:
/// the swap of that one link is the update. The layout is Kubernetes' own, which some programs watch for.
package enum AtomicWriter {
    /// Makes `directory` show exactly `files`, keyed by relative path.
    ///
    /// - Returns: whether anything had to change.
    @discardableResult
    package static func write(_ files: [String: ProjectedFile], to directory: String) throws(SyscallError) -> Bool {
        let current = FileTree.target(ofLink: directory + "/..data")
        if let current, holds(files, in: "\(directory)/\(current)") { return false }
        try FileContents.makeDirectories(directory)
        var serial = 1
        while FileContents.exists("\(directory)/..\(serial)") { serial += 1 }
        let fresh = "\(directory)/..\(serial)"
        try FileContents.makeDirectories(fresh)
        for (path, file) in files {
            let target = "\(fresh)/\(path)"
            if let slash = target.lastIndex(of: "/") { try FileContents.makeDirectories(String(target[..<slash])) }
            try FileContents.replace(target, with: file.contents, mode: file.mode)
            try FileTree.setMode(target, file.mode)
        }
        try FileTree.link(directory + "/..data", to: "..\(serial)")
        let visible = Set(files.keys.compactMap { $0.split(separator: "/").first.map(String.init) })
        for name in visible where FileTree.target(ofLink: "\(directory)/\(name)") != "..data/\(name)" {
            try FileTree.link("\(directory)/\(name)", to: "..data/\(name)")
        }
        for name in DirectoryListing.names(in: directory)
        where !visible.contains(name) && name != "..data" && name != "..\(serial)" {
            try FileTree.remove("\(directory)/\(name)")
        }
        return true
    }

    /// Whether `directory` holds exactly `files`.
    private static func holds(_ files: [String: ProjectedFile], in directory: String) -> Bool {
        var found = 0
        var pending = [""]
        while let prefix = pending.popLast() {
            for name in DirectoryListing.names(in: directory + "/" + prefix) {
                let path = prefix.isEmpty ? name : prefix + "/" + name
                if FileTree.isDirectory("\(directory)/\(path)") {
                    pending.append(path)
                } else {
                    guard let file = files[path], (try? FileContents.read("\(directory)/\(path)")) == file.contents
                    else { return false }
                    found += 1
                }
            }
        }
        return found == files.count
    }
}
