import ClusterStore
import FoundationEssentials
import GRDB

/// Reads of key ranges, at the newest revision or at an older one.
enum RangeReader {
    /// Reads inside a snapshot of the database.
    ///
    /// - Parameter revision: The store's revision in this snapshot.
    static func read(_ query: RangeQuery, in db: Database, revision: Int64) throws -> RangeResponse {
        let request = query.request
        try check(request.revision, in: db, revision: revision)
        let old = request.revision > 0 && request.revision < revision
        let bounds = request.range.arguments
        let source = old ? past(request.range, request.revision) : present(request.range)
        func count() throws -> Int64 {
            try Int64.fetchOne(
                statement("SELECT count(*) FROM \(source)", db, isCached: !old), arguments: bounds) ?? 0
        }
        if request.countOnly {
            return RangeResponse(revision: revision, keyValues: [], count: try count(), more: false)
        }
        // Values come from the records; without them the index alone answers.
        let needsValue = !request.keysOnly || query.order == .value
        let value = request.keysOnly ? "x''" : "r.value"
        let join = needsValue ? "JOIN records r ON r.id = k.record" : ""
        let limit = request.limit > 0 ? request.limit + 1 : -1  // one more shows that there is more
        let cut = query.limitsBeforeOrdering && !query.isFiltered && request.limit > 0
        let rowSource = cut ? "(SELECT * FROM \(source) ORDER BY k.key LIMIT \(limit)) k" : source
        let sql = """
            SELECT k.key, \(value), k.created, k.record, k.version, k.lease FROM \(rowSource) \(join)
            \(filters(query)) ORDER BY \(order(query)) LIMIT \(limit)
            """
        let rows = try Row.fetchCursor(
            statement(sql, db, isCached: !old && !query.isFiltered && request.limit <= 1), arguments: bounds)
        var keyValues: [KeyValue] = []
        while let row = try rows.next() { keyValues.append(KeyValue(row)) }
        let more = request.limit > 0 && keyValues.count > request.limit
        if more { keyValues.removeLast() }
        let total = more || query.isFiltered ? try count() : Int64(keyValues.count)
        return RangeResponse(revision: revision, keyValues: keyValues, count: total, more: more)
    }

    /// - Throws: ``StoreError/futureRevision`` or ``StoreError/compacted(oldest:)`` for a revision that can't be read.
    static func check(_ requested: Int64, in db: Database, revision: Int64) throws {
        guard requested > 0 else { return }
        if requested > revision { throw StoreError.futureRevision }
        let compacted = try db.counter("compacted")
        if requested < compacted { throw StoreError.compacted(oldest: compacted) }
    }

    private static func statement(_ sql: String, _ db: Database, isCached: Bool) throws -> Statement {
        isCached ? try db.cachedStatement(sql: sql) : try db.makeStatement(sql: sql)
    }

    private static func present(_ range: KeyRange) -> String {
        "(SELECT key, record, created, version, lease FROM keys WHERE \(range.condition) AND version > 0) k"
    }

    /// The last record of each key up to a revision: back from the present one, record by record.
    private static func past(_ range: KeyRange, _ revision: Int64) -> String {
        let bound = RecordID.first(of: revision + 1)
        return """
            (WITH RECURSIVE walk(id) AS (
                 SELECT record FROM keys WHERE \(range.condition)
                 UNION ALL SELECT r.previous FROM walk JOIN records r ON r.id = walk.id WHERE walk.id >= \(bound)
             )
             SELECT p.key, p.id AS record, p.created, p.version, p.lease FROM walk JOIN records p ON p.id = walk.id
             WHERE walk.id < \(bound) AND p.version > 0) k
            """
    }

    private static func filters(_ query: RangeQuery) -> String {
        var conditions: [String] = []
        func bound(_ revision: Int64, _ condition: String) { if revision != 0 { conditions.append(condition) } }
        bound(query.leastModRevision, "k.record >= \(RecordID.first(of: query.leastModRevision))")
        bound(query.greatestModRevision, "k.record < \(RecordID.first(of: query.greatestModRevision &+ 1))")
        bound(query.leastCreateRevision, "k.created >= \(query.leastCreateRevision)")
        bound(query.greatestCreateRevision, "k.created <= \(query.greatestCreateRevision)")
        return conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
    }

    private static func order(_ query: RangeQuery) -> String {
        let direction = query.isDescending ? "DESC" : "ASC"
        return switch query.order {
        case .key: "k.key \(direction)"
        case .version: "k.version \(direction), k.key"
        case .createRevision: "k.created \(direction), k.key"
        // Keys of one revision are equal to etcd, so the place in it must not count.
        case .modRevision: "k.record / \(RecordID.positions) \(direction), k.key"
        case .value: "r.value \(direction), k.key"
        }
    }
}

extension KeyRange {
    /// SQL for the keys of the range, on a column `key`.
    var condition: String {
        if end.isEmpty { return "key = ?" }
        return end == [0] ? "key >= ?" : "key >= ? AND key < ?"
    }

    /// The values for ``condition``.
    var arguments: StatementArguments {
        end.isEmpty || end == [0] ? [Data(start)] : [Data(start), Data(end)]
    }

    /// Whether the key lies in the range.
    func contains(_ key: [UInt8]) -> Bool {
        if end.isEmpty { return key == start }
        return !key.lexicographicallyPrecedes(start) && (end == [0] || key.lexicographicallyPrecedes(end))
    }
}

extension KeyValue {
    /// From the columns key, value, created, record, version, lease.
    init(_ row: Row) {
        self.init(
            key: row.bytes(0), value: row.bytes(1), createRevision: row[2],
            modRevision: RecordID.revision(of: row[3]), version: row[4], lease: row[5])
    }
}

extension Row {
    /// The blob in a column; empty for an empty one, which SQLite gives as no bytes at all.
    func bytes(_ column: Int) -> [UInt8] {
        (try? withUnsafeData(atIndex: column) { data in data.map { [UInt8]($0) } }) ?? []
    }
}
