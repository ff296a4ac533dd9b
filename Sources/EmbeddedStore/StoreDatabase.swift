import ClusterStore
import FoundationEssentials
import GRDB
import Glibc

/// The file that a store lives in, and the lock that keeps a second process off it.
///
/// WAL with `synchronous=FULL`: the log is synced at every commit, so what was acknowledged survives a crash of the
/// machine, as with etcd. The schema:
///
/// - `records`: every version of every key since the last compaction, deletions (version 0) included, once. A record's
///   number is its revision and its place in it, so writes append and a watch's history is a scan. `previous` is the
///   number of the key's record before, 0 or gone where none is kept: no index of versions has to be written.
/// - `keys`: the last record of each key, a deletion too for as long as history has it.
/// - `leases`: numbers and times to live; deadlines are kept in memory and begin anew at each start, as etcd's do.
/// - `meta`: `revision`; `compacted`, before which history is gone, -1 while it is whole; `swept`, up to which its
///   records are deleted.
struct StoreDatabase: Sendable {
    /// "Fjrd", so that `file(1)` and ``StoreBackup`` know a store when they see one.
    static let applicationID: Int32 = 0x466A_7264
    /// Counted up when an older program could no longer read the file.
    static let format: Int32 = 3

    /// The writer's own page cache. Readers have SQLite's small ones, and the system's behind them.
    private static let writerCacheKilobytes = 16 << 10

    let pool: DatabasePool
    let path: String
    private let lock: FileLock

    init(path: String) throws(StoreError) {
        let directory = Self.directory(of: path)
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw .refused("cannot make the store's directory \(directory): \(error)")
        }
        self.path = path
        lock = try FileLock(path: path + ".lock")
        do {
            var configuration = Configuration()
            configuration.maximumReaderCount = 4
            configuration.prepareDatabase { db in
                if !db.configuration.readonly { try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
            }
            pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                try Self.checkFormat(db)
                // After the pool is made: setting up WAL mode lowers it to NORMAL.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                // Checkpointer does it beside the writers; this is for a program that has none.
                try db.execute(sql: "PRAGMA wal_autocheckpoint = \(Checkpointer.hardLimitPages)")
                try db.execute(sql: "PRAGMA journal_size_limit = \(Checkpointer.logBytes)")
                try db.execute(sql: "PRAGMA cache_size = -\(Self.writerCacheKilobytes)")
                // Overwriting what is deleted with zeros, Debian's default, doubles what compaction writes.
                try db.execute(sql: "PRAGMA secure_delete = OFF")
                try db.inTransaction {
                    try db.execute(sql: Self.schema)
                    return .commit
                }
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw .refused("cannot open the store \(path): \(error)")
        }
    }

    /// The directory of a file, `.` where the path names none.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// - Throws: ``StoreError/refused(_:)`` for a file that something else wrote.
    static func checkFormat(_ db: Database) throws {
        let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") ?? 0
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let found = try Int32.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard tables > 0 else { return }
        guard application == applicationID else {
            throw StoreError.refused("the file is a SQLite database, but not one of a store in today's format")
        }
        guard found == format else {
            throw StoreError.refused("the file has format \(found), this program reads format \(format)")
        }
    }

    private static let schema = """
        PRAGMA application_id = \(applicationID);
        PRAGMA user_version = \(format);
        CREATE TABLE IF NOT EXISTS records (
            id INTEGER PRIMARY KEY, key BLOB NOT NULL, value BLOB NOT NULL, created INTEGER NOT NULL,
            version INTEGER NOT NULL, lease INTEGER NOT NULL, previous INTEGER NOT NULL
        );
        CREATE TABLE IF NOT EXISTS keys (
            key BLOB PRIMARY KEY, record INTEGER NOT NULL, created INTEGER NOT NULL, version INTEGER NOT NULL,
            lease INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS keys_by_lease ON keys (lease) WHERE lease <> 0;
        CREATE TABLE IF NOT EXISTS leases (id INTEGER PRIMARY KEY, ttl INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT OR IGNORE INTO meta VALUES ('revision', 1), ('compacted', -1), ('swept', 0);
        """
}

/// The number of a record: its revision, and its place among the writes of that revision.
enum RecordID {
    private static let positionBits: Int64 = 20
    /// The most keys that one revision can write or delete.
    static let positions: Int64 = 1 << positionBits

    /// The first number of a revision; everything below belongs to earlier ones.
    static func first(of revision: Int64) -> Int64 { revision << positionBits }
    static func revision(of id: Int64) -> Int64 { id >> positionBits }
}

extension Database {
    /// Bytes of the database's pages, and of those that hold something. The log beside it is not counted.
    func size() throws -> (total: Int64, used: Int64) {
        func number(_ name: String) throws -> Int64 {
            try Int64.fetchOne(cachedStatement(sql: "PRAGMA \(name)")) ?? 0
        }
        let page = try number("page_size")
        let pages = try number("page_count")
        return (page * pages, page * (pages - (try number("freelist_count"))))
    }

    /// Reads one of the store's counters.
    func counter(_ name: String) throws -> Int64 {
        try Int64.fetchOne(cachedStatement(sql: "SELECT value FROM meta WHERE name = ?"), arguments: [name]) ?? 0
    }

    /// Writes one of the store's counters.
    func setCounter(_ name: String, _ value: Int64) throws {
        try run("UPDATE meta SET value = ? WHERE name = ?", [value, name])
    }

    /// Executes a statement that is compiled once a connection.
    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

/// An advisory lock on a file, held until the process ends or the last reference goes away.
final class FileLock: Sendable {
    private let descriptor: CInt

    init(path: String) throws(StoreError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .refused("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            guard code == EWOULDBLOCK else { throw .refused("cannot lock \(path): \(String(cString: strerror(code)))") }
            throw .refused("another process has the store open (it holds \(path)); stop it, or give another path")
        }
    }

    deinit { close(descriptor) }
}
