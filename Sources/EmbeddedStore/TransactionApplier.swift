import ClusterStore
import FoundationEssentials
import GRDB

/// Applies transactions, one after the other, inside one transaction of the database.
///
/// A transaction is checked before it writes anything, so that a refused one leaves no trace among the others.
struct TransactionApplier {
    let db: Database
    /// The store's revision, with all that was applied so far.
    private(set) var revision: Int64
    /// What the transactions changed, in order; every put of a key that existed and every deletion has its `previous`.
    private(set) var events: [StoreEvent] = []

    init(_ db: Database) throws {
        self.db = db
        revision = try db.counter("revision")
    }

    /// Writes the counters; the last step before the commit.
    func finish() throws { try db.setCounter("revision", revision) }

    mutating func apply(_ transaction: Transaction) throws -> TransactionResponse {
        let succeeded = try transaction.comparisons.allSatisfy { try holds($0) }
        let operations = succeeded ? transaction.success : transaction.failure
        try check(transaction.success)
        try check(transaction.failure)
        try checkLeasesAndRevisions(operations)
        var change = Change(revision: revision + 1)
        var results: [TransactionResponse.Result] = []
        for operation in operations {
            switch operation {
            case .put(let key, let value, let lease):
                try put(key, value, lease, &change)
                results.append(.put)
            case .delete(let range, let previous):
                let deleted = try delete(range, &change)
                results.append(.delete(count: Int64(deleted.count), previous: previous ? deleted : []))
            case .range(let request):
                let seen = change.events.isEmpty ? revision : change.revision
                results.append(.range(try RangeReader.read(request, in: db, revision: seen)))
            }
        }
        commit(change)
        return TransactionResponse(succeeded: succeeded, revision: revision, results: results)
    }

    /// Deletes a lease and its keys, the latter in one revision.
    mutating func endLease(_ id: Int64) throws {
        try db.run("DELETE FROM leases WHERE id = ?", [id])
        var change = Change(revision: revision + 1)
        let keys = try Data.fetchAll(
            db.cachedStatement(sql: "SELECT key FROM keys WHERE lease = ? AND lease <> 0 ORDER BY key"), arguments: [id]
        )
        for key in keys { _ = try delete(KeyRange(start: [UInt8](key), end: []), &change) }
        commit(change)
    }

    /// The writes of one revision.
    private struct Change {
        let revision: Int64
        var events: [StoreEvent] = []
    }

    private mutating func commit(_ change: Change) {
        guard !change.events.isEmpty else { return }
        revision = change.revision
        events += change.events
    }

    private func put(_ key: [UInt8], _ value: [UInt8], _ lease: Int64, _ change: inout Change) throws {
        let old = try current(key)
        let new = KeyValue(
            key: key, value: value, createRevision: old?.createRevision ?? change.revision,
            modRevision: change.revision, version: (old?.version ?? 0) + 1, lease: lease)
        try db.run(
            "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, ?)",
            [Data(key), Data(value), new.createRevision, new.modRevision, new.version, lease])
        try record(new, change)
        change.events.append(StoreEvent(.put, new, previous: old))
    }

    private func delete(_ range: KeyRange, _ change: inout Change) throws -> [KeyValue] {
        let found = try RangeReader.read(RangeRequest(range), in: db, revision: revision).keyValues
        for old in found {
            try db.run("DELETE FROM keys WHERE key = ?", [Data(old.key)])
            let gone = KeyValue(key: old.key, value: [], modRevision: change.revision)
            try record(gone, change)
            change.events.append(StoreEvent(.delete, gone, previous: old))
        }
        return found
    }

    private func record(_ keyValue: KeyValue, _ change: Change) throws {
        try db.run(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                Data(keyValue.key), change.revision, change.events.count, Data(keyValue.value),
                keyValue.createRevision, keyValue.version, keyValue.lease,
            ])
    }

    private func current(_ key: [UInt8]) throws -> KeyValue? {
        let sql = "SELECT key, value, created, modified, version, lease FROM keys WHERE key = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [Data(key)]).map { KeyValue($0) }
    }

    private func holds(_ comparison: Comparison) throws -> Bool {
        let found = try current(comparison.key)
        func compare<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
            switch comparison.relation {
            case .equal: left == right
            case .notEqual: left != right
            case .greater: left > right
            case .less: left < right
            }
        }
        switch comparison.target {
        case .version(let version): return compare(found?.version ?? 0, version)
        case .createRevision(let revision): return compare(found?.createRevision ?? 0, revision)
        case .modRevision(let revision): return compare(found?.modRevision ?? 0, revision)
        case .lease(let lease): return compare(found?.lease ?? 0, lease)
        case .value(let value):
            // A key that does not exist has no value, which compares as false in every relation: etcd's rule.
            guard let found else { return false }
            switch comparison.relation {
            case .equal: return found.value == value
            case .notEqual: return found.value != value
            case .greater: return value.lexicographicallyPrecedes(found.value)
            case .less: return found.value.lexicographicallyPrecedes(value)
            }
        }
    }

    /// No key may be written twice by one branch, since it gets one version a revision.
    private func check(_ operations: [StoreOperation]) throws {
        var puts: Set<[UInt8]> = []
        var deletions: [KeyRange] = []
        for operation in operations {
            switch operation {
            case .put(let key, _, _):
                guard !key.isEmpty else { throw StoreError.refused(EtcdErrorText.emptyKey) }
                guard puts.insert(key).inserted else { throw StoreError.refused(EtcdErrorText.duplicateKey) }
            case .delete(let range, _):
                guard !range.start.isEmpty else { throw StoreError.refused(EtcdErrorText.emptyKey) }
                deletions.append(range)
            case .range(let request):
                guard !request.range.start.isEmpty else { throw StoreError.refused(EtcdErrorText.emptyKey) }
            }
        }
        for range in deletions where puts.contains(where: { range.contains($0) }) {
            throw StoreError.refused(EtcdErrorText.duplicateKey)
        }
    }

    private func checkLeasesAndRevisions(_ operations: [StoreOperation]) throws {
        for operation in operations {
            switch operation {
            case .put(_, _, let lease) where lease != 0:
                let sql = "SELECT 1 FROM leases WHERE id = ?"
                guard try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: [lease]) != nil else {
                    throw StoreError.leaseNotFound(lease)
                }
            case .range(let request) where request.revision > 0:
                if request.revision > revision { throw StoreError.futureRevision }
                let compacted = try db.counter("compacted")
                if request.revision < compacted { throw StoreError.compacted(oldest: compacted) }
            default: break
            }
        }
    }
}
