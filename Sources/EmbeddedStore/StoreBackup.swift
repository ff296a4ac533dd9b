package import ClusterStore
import Crypto
import FoundationEssentials
import GRDB
import Glibc

/// Copies of a store: made while it is used, checked, and turned into a store again.
///
/// A backup is a whole SQLite database; one that came over etcd's `Snapshot` call has its SHA-256 behind it, 32 bytes.
package enum StoreBackup {
    /// What a backup holds.
    package struct Summary: Hashable, Sendable {
        package var revision: Int64
        package var keys: Int64
        package var bytes: Int64
    }

    private static let digestBytes = 32
    /// SQLite's pages, and so whole databases, are multiples of this.
    private static let blockBytes: Int64 = 512
    private static let chunkBytes = 1 << 20

    /// Writes a consistent copy of a store into a new file. Other processes may write to the store meanwhile.
    ///
    /// - Throws: ``StoreError/refused(_:)`` when the file exists, or the store cannot be read.
    @discardableResult
    package static func copy(from store: String, to file: String) throws(StoreError) -> Summary {
        try refuseExisting(file)
        guard FileManager.default.fileExists(atPath: store) else { throw .refused("there is no store \(store)") }
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let queue = try DatabaseQueue(path: store, configuration: configuration)
            try queue.inDatabase { db in
                try StoreDatabase.checkFormat(db)
                try db.execute(sql: "VACUUM INTO ?", arguments: [file])
            }
            try synchronize(file)
            try synchronize(StoreDatabase.directory(of: file))
            return try summary(of: file)
        } catch {
            throw refusal("cannot back the store \(store) up to \(file)", error)
        }
    }

    /// Checks a backup: its digest if it has one, and all of SQLite's structures.
    package static func verify(_ file: String) throws(StoreError) -> Summary {
        guard FileManager.default.fileExists(atPath: file) else { throw .refused("there is no backup \(file)") }
        let scratch = file + ".verify-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        try copyDatabase(in: file, to: scratch)
        return try checked(scratch, origin: file)
    }

    /// Makes a store of a backup.
    ///
    /// - Parameter bump: Added to its revision, with all history given up: so that clients which have seen revisions
    ///   after the backup notice that they did not happen. 0 keeps revision and history.
    /// - Throws: ``StoreError/refused(_:)`` when the store exists, or the backup is damaged; nothing is left then.
    package static func restore(from file: String, to store: String, bump: Int64 = 0) throws(StoreError) -> Summary {
        for suffix in ["", "-wal", "-shm"] { try refuseExisting(store + suffix) }
        guard FileManager.default.fileExists(atPath: file) else { throw .refused("there is no backup \(file)") }
        let directory = StoreDatabase.directory(of: store)
        let scratch = store + ".restore-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw .refused("cannot make the directory \(directory): \(error)")
        }
        try copyDatabase(in: file, to: scratch)
        var summary = try checked(scratch, origin: file)
        do {
            if bump > 0 {
                let queue = try DatabaseQueue(path: scratch)
                summary.revision = try queue.write { db in
                    let revision = try db.counter("revision") + bump
                    try db.setCounter("revision", revision)
                    try db.setCounter("compacted", revision)
                    return revision
                }
                try queue.close()
            }
            try synchronize(scratch)
            // A link fails where a rename would overwrite.
            guard link(scratch, store) == 0 else {
                throw StoreError.refused("cannot make \(store): \(String(cString: strerror(errno)))")
            }
            try synchronize(directory)
        } catch {
            throw refusal("cannot restore \(file) to \(store)", error)
        }
        return summary
    }

    // MARK: Parts

    private static func refuseExisting(_ file: String) throws(StoreError) {
        if FileManager.default.fileExists(atPath: file) {
            throw .refused("\(file) exists already, and is not overwritten; move it away or give another path")
        }
    }

    private static func refusal(_ what: String, _ error: any Error) -> StoreError {
        if case StoreError.refused(let reason) = error { return .refused("\(what): \(reason)") }
        return .refused("\(what): \(error)")
    }

    private static func checked(_ scratch: String, origin: String) throws(StoreError) -> Summary {
        do {
            let queue = try DatabaseQueue(path: scratch)
            let problem: String? = try queue.read { db in
                try StoreDatabase.checkFormat(db)
                guard try db.tableExists("records") else { return "the store's tables are missing" }
                let answer = try String.fetchOne(db, sql: "PRAGMA integrity_check(1)") ?? "no answer"
                return answer == "ok" ? nil : answer
            }
            try queue.close()
            if let problem { throw StoreError.refused(problem) }
            return try summary(of: scratch)
        } catch {
            throw refusal("\(origin) is no sound backup of a store", error)
        }
    }

    private static func summary(of file: String) throws -> Summary {
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: file, configuration: configuration)
        let (revision, keys) = try queue.read { db in
            (
                try db.counter("revision"),
                try Int64.fetchOne(db, sql: "SELECT count(*) FROM keys WHERE version > 0") ?? 0
            )
        }
        return Summary(revision: revision, keys: keys, bytes: size(of: file))
    }

    private static func size(of file: String) -> Int64 {
        var status = stat()
        return stat(file, &status) == 0 ? Int64(status.st_size) : 0
    }

    /// Copies the database in a backup, without the digest behind it, which must be right.
    private static func copyDatabase(in file: String, to target: String) throws(StoreError) {
        let size = size(of: file)
        let hasDigest = size % blockBytes == Int64(digestBytes)
        let length = hasDigest ? size - Int64(digestBytes) : size
        do {
            let source = try OpenFile(reading: file)
            let destination = try OpenFile(creating: target)
            var digest = SHA256()
            var left = length
            while left > 0 {
                let chunk = try source.read(atMost: Int(min(left, Int64(chunkBytes))))
                guard !chunk.isEmpty else { throw StoreError.refused("it ends \(left) bytes early") }
                digest.update(data: chunk)
                try destination.write(chunk)
                left -= Int64(chunk.count)
            }
            if hasDigest, Array(digest.finalize()) != (try source.read(atMost: digestBytes)) {
                throw StoreError.refused("its SHA-256 does not match what is in it: it is damaged")
            }
        } catch {
            throw refusal("cannot read the backup \(file)", error)
        }
    }

    private static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError.refused("open \(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else {
            throw StoreError.refused("fsync \(path): \(String(cString: strerror(errno)))")
        }
    }
}

/// An open file of a copy; closed with its last reference.
private final class OpenFile {
    private let descriptor: CInt
    private let path: String

    init(reading path: String) throws(StoreError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { throw .refused("open \(path): \(String(cString: strerror(errno)))") }
    }

    init(creating path: String) throws(StoreError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0 { throw .refused("create \(path): \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    func read(atMost count: Int) throws(StoreError) -> [UInt8] {
        var code: CInt = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let got = Glibc.read(descriptor, buffer.baseAddress, count)
            code = got < 0 ? errno : 0
            filled = max(0, got)
        }
        if code != 0 { throw .refused("read \(path): \(String(cString: strerror(code)))") }
        return bytes
    }

    func write(_ bytes: [UInt8]) throws(StoreError) {
        var written = 0
        while written < bytes.count {
            let result = bytes.withUnsafeBytes { buffer in
                Glibc.write(descriptor, buffer.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else { throw .refused("write \(path): \(String(cString: strerror(errno)))") }
            written += result
        }
    }
}
