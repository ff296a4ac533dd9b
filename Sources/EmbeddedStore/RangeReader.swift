import ClusterStore
import FoundationEssentials
import GRDB

/// Reads of key ranges, at the newest revision or at an older one.
enum RangeReader {
    /// Reads inside a snapshot of the database.
    ///
    /// - Parameter revision: The store's revision in this snapshot.
    static func read(_ request: RangeRequest, in db: Database, revision: Int64) throws -> RangeResponse {
        if request.revision > revision { throw StoreError.futureRevision }
        if request.revision > 0 {
            let compacted = try db.counter("compacted")
            if request.revision < compacted { throw StoreError.compacted(oldest: compacted) }
        }
        let old = request.revision > 0 && request.revision < revision
        let (condition, bounds) = request.range.condition
        // A bare column next to max() is the one of the row that has the maximum.
        let source =
            old
            ? """
            (SELECT key, value, created, max(revision) AS modified, version, lease FROM history
             WHERE \(condition) AND revision <= \(request.revision) GROUP BY key HAVING version > 0)
            """
            : "keys"
        let filter = old ? "" : "WHERE \(condition)"
        func count() throws -> Int64 {
            try Int64.fetchOne(db.cachedStatement(sql: "SELECT count(*) FROM \(source) \(filter)"), arguments: bounds)
                ?? 0
        }
        if request.countOnly {
            return RangeResponse(revision: revision, keyValues: [], count: try count(), more: false)
        }
        let value = request.keysOnly ? "x'' AS value" : "value"
        let limit = request.limit > 0 ? request.limit : -1
        let sql =
            "SELECT key, \(value), created, modified, version, lease FROM \(source) \(filter) ORDER BY key LIMIT \(limit)"
        let rows = try Row.fetchCursor(
            old ? db.makeStatement(sql: sql) : db.cachedStatement(sql: sql), arguments: bounds)
        var keyValues: [KeyValue] = []
        while let row = try rows.next() { keyValues.append(KeyValue(row)) }
        let found = Int64(keyValues.count)
        let total = limit > 0 && found == limit ? try count() : found
        return RangeResponse(revision: revision, keyValues: keyValues, count: total, more: total > found)
    }
}

extension KeyRange {
    /// SQL for the keys of the range, on a column `key`.
    var condition: (sql: String, arguments: StatementArguments) {
        if end.isEmpty { return ("key = ?", [Data(start)]) }
        if end == [0] { return ("key >= ?", [Data(start)]) }
        return ("key >= ? AND key < ?", [Data(start), Data(end)])
    }

    /// Whether the key lies in the range.
    func contains(_ key: [UInt8]) -> Bool {
        if end.isEmpty { return key == start }
        return !key.lexicographicallyPrecedes(start) && (end == [0] || key.lexicographicallyPrecedes(end))
    }
}

extension KeyValue {
    /// From the columns key, value, created, modified, version, lease.
    init(_ row: Row) {
        self.init(
            key: [UInt8](row[0] as Data), value: [UInt8](row[1] as Data), createRevision: row[2], modRevision: row[3],
            version: row[4], lease: row[5])
    }
}
