import ClusterStore
import FoundationEssentials
import GRDB

/// Deletes history that a compaction has given up, a slice at a time, so that writers never wait for long.
enum Sweeper {
    private static let recordsPerSlice = 500
    private static let pagesPerSlice = 500
    /// Free pages that stay in the file for what is written next, as a part of all and at least.
    private static let freePart = 8
    private static let freePages = 256

    /// Deletes one slice. Returns whether more is to be done.
    ///
    /// Each record between the last sweep and the compacted revision makes the one before of its key superfluous, and
    /// itself if it is a deletion. Every call moves `swept` on, whatever the records are.
    static func sweep(_ db: Database) throws -> Bool {
        let compacted = try db.counter("compacted")
        let swept = try db.counter("swept")
        guard swept < compacted else { return false }
        let end = RecordID.first(of: compacted + 1)
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: "\(select) ORDER BY id LIMIT \(recordsPerSlice)"),
            arguments: [RecordID.first(of: swept + 1), end])
        var last = swept
        for row in rows {
            let id: Int64 = row[0]
            try sweep(row, db)
            last = RecordID.revision(of: id)
        }
        // The last revision of a full slice may go on in the next one, unless it fills the slice alone.
        let isWhole = rows.count < recordsPerSlice
        let reached = isWhole ? compacted : max(last - 1, swept)
        if !isWhole, reached == swept { try sweepAll(of: last, db) }
        let done = !isWhole && reached == swept ? last : reached
        try db.setCounter("swept", done)
        return done < compacted
    }

    /// Sweeps one revision of more records than a slice has.
    private static func sweepAll(of revision: Int64, _ db: Database) throws {
        let rows = try Row.fetchAll(
            db.cachedStatement(sql: select),
            arguments: [RecordID.first(of: revision), RecordID.first(of: revision + 1)])
        for row in rows { try sweep(row, db) }
    }

    private static let select = "SELECT id, key, version, previous FROM records WHERE id >= ? AND id < ?"

    /// Deletes what one record makes superfluous. Of the records before it all but one are gone already.
    private static func sweep(_ row: Row, _ db: Database) throws {
        let id: Int64 = row[0]
        let version: Int64 = row[2]
        let previous: Int64 = row[3]
        if previous != 0 { try db.run("DELETE FROM records WHERE id = ?", [previous]) }
        guard version == 0 else { return }
        try db.run("DELETE FROM records WHERE id = ?", [id])
        try db.run("DELETE FROM keys WHERE key = ? AND record = ?", [row[1] as Data, id])
    }

    /// Gives a slice of the free pages back to the file system. Returns whether more is to be done.
    static func vacuum(_ db: Database) throws -> Bool {
        let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
        let free = try Int.fetchOne(db, sql: "PRAGMA freelist_count") ?? 0
        let excess = free - max(freePages, (pages - free) / freePart)
        guard excess > 0 else { return false }
        // Each step of the statement frees one page.
        let steps = try Row.fetchCursor(db, sql: "PRAGMA incremental_vacuum(\(min(excess, pagesPerSlice)))")
        while try steps.next() != nil {}
        return excess > pagesPerSlice
    }
}
