import ClusterStore
import GRDB
import Logging

/// Moves what the log holds into the database, beside the writers.
///
/// SQLite would do it inside a commit, with two more syncs for its writers to wait for. A connection of our own does
/// nearly all of it meanwhile; the writer then moves only what came in between, after which the log begins anew, in
/// place: overwriting a file syncs faster than growing it.
struct Checkpointer: Sendable {
    /// Pages in the log at which the writer stops for a checkpoint.
    static let hardLimitPages = 16_384
    /// Pages in the log from which on it is made to begin anew.
    private static let restartPages = 2048
    /// The log's file is cut to this when it begins anew.
    static let logBytes = 16 << 20

    private let pool: DatabasePool
    private let queue: DatabaseQueue

    init(pool: DatabasePool, path: String) throws {
        self.pool = pool
        queue = try DatabaseQueue(path: path)
    }

    /// Checkpoints once. Returns the pages that are left in the log.
    func checkpoint() async throws -> Int {
        let left = try await queue.writeWithoutTransaction { try Self.passive($0) }
        guard left.log >= Self.restartPages else { return left.log - left.moved }
        let rest = try await pool.writeWithoutTransaction { try Self.passive($0) }
        return rest.log - rest.moved
    }

    /// Moves everything and cuts the log's file to nothing, while writers wait: to make room on a full disk.
    func empty() async throws {
        try await pool.writeWithoutTransaction { _ = try Row.fetchOne($0, sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    }

    /// Moves what no reader needs; waits for nobody.
    private static func passive(_ db: Database) throws -> (log: Int, moved: Int) {
        guard let row = try Row.fetchOne(db, sql: "PRAGMA wal_checkpoint(PASSIVE)") else { return (0, 0) }
        return (max(0, row[1]), max(0, row[2]))
    }
}
