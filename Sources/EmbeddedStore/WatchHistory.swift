import ClusterStore
import FoundationEssentials
import GRDB

/// Reads for watches what happened before they were live.
enum WatchHistory {
    /// A page ends with the revision that reaches one of these.
    private static let eventsPerPage = 1000
    private static let weightPerPage = 1 << 20
    /// Revisions that one read looks at, so that it ends soon when few of them are wanted.
    private static let revisionsPerPage: Int64 = 20_000

    /// One page of whole revisions.
    ///
    /// - Returns: Its `revision` is the last that was looked at.
    static func page(
        _ request: WatchRequest, from first: Int64, through last: Int64, in db: Database
    ) throws -> WatchDelivery {
        // Revisions up to the compacted one may have been swept.
        let compacted = try db.counter("compacted")
        if first <= compacted { throw StoreError.compacted(oldest: compacted) }
        let end = min(last, first + revisionsPerPage - 1)
        let sql = """
            SELECT key, value, created, id, version, lease, previous FROM records
            WHERE id >= ? AND id < ? AND \(request.range.condition) ORDER BY id
            """
        let arguments: StatementArguments =
            [RecordID.first(of: first), RecordID.first(of: end + 1)] + request.range.arguments
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: arguments)
        var events: [PublishedEvent] = []
        var weight = 0
        while let row = try rows.next() {
            let keyValue = KeyValue(row)
            if let previous = events.last?.event.keyValue.modRevision, previous < keyValue.modRevision,
                events.count >= eventsPerPage || weight >= weightPerPage
            {
                return WatchDelivery(revision: previous, events: events)
            }
            let event = StoreEvent(
                keyValue.version == 0 ? .delete : .put, keyValue,
                previous: request.previous ? try previous(row[6], in: db) : nil)
            events.append(PublishedEvent(event))
            weight += events[events.count - 1].weight
        }
        return WatchDelivery(revision: end, events: events)
    }

    private static func previous(_ id: Int64, in db: Database) throws -> KeyValue? {
        let sql = "SELECT key, value, created, id, version, lease FROM records WHERE id = ? AND version > 0"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [id]).map { KeyValue($0) }
    }
}
