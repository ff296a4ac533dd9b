import ClusterStore
import FoundationEssentials
import GRDB
import Glibc

/// The file that a store lives in, and the lock that keeps a second process off it.
///
/// WAL with `synchronous=FULL`: the log is synced at every commit, so what was acknowledged survives a crash of the
/// machine, as with etcd. The schema:
///
/// - `keys`: the present value of each key.
/// - `history`: every version of every key since the last compaction, deletions included.
/// - `leases`: numbers and times to live; deadlines are kept in memory and begin anew at each start, as etcd's do.
/// - `meta`: `revision`; `compacted`, before which history is gone; `swept`, up to which its rows are deleted.
struct StoreDatabase: Sendable {
    let pool: DatabasePool
    private let lock: FileLock

    init(path: String) throws(StoreError) {
        let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        do {
            if !directory.isEmpty {
                try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
            }
        } catch {
            throw .refused("cannot make the store's directory \(directory): \(error)")
        }
        lock = try FileLock(path: path + ".lock")
        do {
            var configuration = Configuration()
            configuration.maximumReaderCount = 4
            configuration.prepareDatabase { db in
                if !db.configuration.readonly { try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
            }
            pool = try DatabasePool(path: path, configuration: configuration)
            try pool.writeWithoutTransaction { db in
                // After the pool is made: setting up WAL mode lowers it to NORMAL.
                try db.execute(sql: "PRAGMA synchronous = FULL")
                try db.inTransaction {
                    try db.execute(sql: Self.schema)
                    return .commit
                }
            }
        } catch {
            throw .refused("cannot open the store \(path): \(error)")
        }
    }

    private static let schema = """
        CREATE TABLE IF NOT EXISTS keys (
            key BLOB PRIMARY KEY, value BLOB NOT NULL, created INTEGER NOT NULL, modified INTEGER NOT NULL,
            version INTEGER NOT NULL, lease INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS keys_by_lease ON keys (lease) WHERE lease <> 0;
        CREATE TABLE IF NOT EXISTS history (
            key BLOB NOT NULL, revision INTEGER NOT NULL, position INTEGER NOT NULL, value BLOB NOT NULL,
            created INTEGER NOT NULL, version INTEGER NOT NULL, lease INTEGER NOT NULL,
            PRIMARY KEY (key, revision)
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS history_by_revision ON history (revision, position);
        CREATE TABLE IF NOT EXISTS leases (id INTEGER PRIMARY KEY, ttl INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
        INSERT OR IGNORE INTO meta VALUES ('revision', 1), ('compacted', 0), ('swept', 0);
        """
}

extension Database {
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
private final class FileLock: Sendable {
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
