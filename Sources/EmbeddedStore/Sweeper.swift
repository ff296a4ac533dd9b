import ClusterStore
import FoundationEssentials
import GRDB

/// Deletes history that a compaction has given up, a slice at a time, so that writers never wait for long.
enum Sweeper {
    private static let rowsPerSlice: Int64 = 500
    private static let pagesPerSlice = 200

    /// Deletes one slice. Returns whether more is to be done.
    ///
    /// Each row between the last sweep and the compacted revision makes the older versions of its key superfluous,
    /// and itself if it is a deletion. Every call moves `swept` on, whatever the rows are.
    static func sweep(_ db: Database) throws -> Bool {
        let compacted = try db.counter("compacted")
        let swept = try db.counter("swept")
        guard swept < compacted else { return false }
        let bound =
            try Int64.fetchOne(
                db.cachedStatement(
                    sql: """
                        SELECT revision FROM history WHERE revision > ? AND revision <= ?
                        ORDER BY revision LIMIT 1 OFFSET \(rowsPerSlice)
                        """), arguments: [swept, compacted]) ?? compacted
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT key, revision, version FROM history WHERE revision > ? AND revision <= ?"),
            arguments: [swept, bound])
        for row in rows {
            let key: Data = row[0]
            let revision: Int64 = row[1]
            let isDeletion = (row[2] as Int64) == 0
            try db.run(
                "DELETE FROM history WHERE key = ? AND revision < ?", [key, isDeletion ? revision + 1 : revision])
        }
        try db.setCounter("swept", bound)
        return bound < compacted
    }

    /// Gives freed pages back to the file system.
    static func vacuum(_ db: Database) throws {
        try db.execute(sql: "PRAGMA incremental_vacuum(\(pagesPerSlice))")
    }
}
