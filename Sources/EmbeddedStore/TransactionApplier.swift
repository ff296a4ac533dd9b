import ClusterStore
import FoundationEssentials
import GRDB

/// Applies operations, one after the other, inside one transaction of the database.
///
/// An operation is checked before it writes anything, so that a refused one leaves no trace among the others.
struct TransactionApplier {
    let db: Database
    /// The store's revision, with all that was applied so far.
    private(set) var revision: Int64
    /// What the operations changed, in order. Deletions have their `previous`, puts where they looked it up.
    private(set) var events: [StoreEvent] = []
    private let initialRevision: Int64
    /// Whether puts look up what they replace, though nobody asked with them.
    private let readsPrevious: Bool

    init(_ db: Database, readsPrevious: Bool) throws {
        self.db = db
        self.readsPrevious = readsPrevious
        revision = try db.counter("revision")
        initialRevision = revision
    }

    /// Writes the counters; the last step before the commit.
    func finish() throws {
        if revision != initialRevision { try db.setCounter("revision", revision) }
    }

    /// Applies one operation, all of it in one revision.
    ///
    /// - Throws: `StoreError` before anything was written; what else is thrown undoes the whole transaction.
    mutating func apply(_ operation: Operation) throws -> Applied {
        let decision = try decide(operation)
        try check(operation, decision)
        var change = Change(revision: revision + 1)
        let outcome = try execute(operation, decision, &change)
        commit(change)
        return Applied(revision: revision, outcome: outcome)
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

    // MARK: Execution

    private func execute(_ operation: Operation, _ decision: Decision, _ change: inout Change) throws -> Outcome {
        switch operation {
        case .range(let query): .range(try RangeReader.read(query, in: db, revision: revision(seenIn: change)))
        case .put(let put):
            .put(revision: change.revision, previous: try self.put(put, &change))
        case .delete(let range, let previous):
            try {
                let deleted = try delete(range, &change)
                return .delete(
                    revision: revision(seenIn: change), count: Int64(deleted.count), previous: previous ? deleted : [])
            }()
        case .transaction(let branches):
            .transaction(
                succeeded: decision.succeeded,
                outcomes: try zip(decision.branch(of: branches), decision.nested).map {
                    try execute($0, $1, &change)
                })
        }
    }

    /// Reads inside a transaction see what it wrote before them, at the revision that it will have.
    private func revision(seenIn change: Change) -> Int64 { change.events.isEmpty ? revision : change.revision }

    /// Returns the key as it was if that was asked for.
    private func put(_ put: PutRequest, _ change: inout Change) throws -> KeyValue? {
        let head = try head(put.key)
        let old = head.flatMap { $0.version > 0 ? $0 : nil }
        let needsOld = put.previous || put.keepsValue || readsPrevious
        let previous = needsOld ? try old.flatMap { try keyValue(put.key, $0) } : nil
        let new = KeyValue(
            key: put.key, value: put.keepsValue ? previous?.value ?? [] : put.value,
            createRevision: old?.created ?? change.revision, modRevision: change.revision,
            version: (old?.version ?? 0) + 1, lease: put.keepsLease ? old?.lease ?? 0 : put.lease)
        try record(new, after: head, change)
        change.events.append(StoreEvent(.put, new, previous: previous))
        return put.previous ? previous : nil
    }

    private func delete(_ range: KeyRange, _ change: inout Change) throws -> [KeyValue] {
        let found = try RangeReader.read(RangeQuery(RangeRequest(range)), in: db, revision: revision).keyValues
        for old in found {
            let gone = KeyValue(key: old.key, value: [], modRevision: change.revision)
            try record(gone, after: try head(old.key), change)
            change.events.append(StoreEvent(.delete, gone, previous: old))
        }
        return found
    }

    /// The newest record of a key, a deletion included.
    private struct Head {
        let record: Int64
        let created: Int64
        let version: Int64
        let lease: Int64
    }

    private func head(_ key: [UInt8]) throws -> Head? {
        let sql = "SELECT record, created, version, lease FROM keys WHERE key = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [Data(key)]).map {
            Head(record: $0[0], created: $0[1], version: $0[2], lease: $0[3])
        }
    }

    private func keyValue(_ key: [UInt8], _ head: Head) throws -> KeyValue? {
        let sql = "SELECT value FROM records WHERE id = ?"
        return try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [head.record]).map { row in
            KeyValue(
                key: key, value: row.bytes(0), createRevision: head.created,
                modRevision: RecordID.revision(of: head.record), version: head.version, lease: head.lease)
        }
    }

    private func record(_ new: KeyValue, after head: Head?, _ change: Change) throws {
        let id = RecordID.first(of: change.revision) + Int64(change.events.count)
        let key = Data(new.key)
        try db.run(
            "INSERT INTO records VALUES (?, ?, ?, ?, ?, ?, ?)",
            [id, key, Data(new.value), new.createRevision, new.version, new.lease, head?.record ?? 0])
        if head == nil {
            try db.run(
                "INSERT INTO keys VALUES (?, ?, ?, ?, ?)", [key, id, new.createRevision, new.version, new.lease])
        } else {
            try db.run(
                "UPDATE keys SET record = ?, created = ?, version = ?, lease = ? WHERE key = ?",
                [id, new.createRevision, new.version, new.lease, key])
        }
    }

    private func current(_ key: [UInt8]) throws -> KeyValue? {
        guard let head = try head(key), head.version > 0 else { return nil }
        return try keyValue(key, head)
    }

    // MARK: Decisions and checks

    /// Which branch each transaction takes. All conditions are judged before anything is written, nested ones too.
    private struct Decision {
        var succeeded = true
        /// One for each operation of the branch taken.
        var nested: [Decision] = []

        func branch(of branches: Branches) -> [Operation] { succeeded ? branches.success : branches.failure }
    }

    private func decide(_ operation: Operation) throws -> Decision {
        guard case .transaction(let branches) = operation else { return Decision() }
        var decision = Decision(succeeded: try branches.conditions.allSatisfy { try holds($0) })
        decision.nested = try decision.branch(of: branches).map { try decide($0) }
        return decision
    }

    /// Checks what will be executed; first all writes, then all reads, since that decides which error is told.
    private func check(_ operation: Operation, _ decision: Decision) throws {
        let operations = executed(operation, decision)
        for operation in operations { try checkWrite(operation) }
        for case .range(let query) in operations {
            try RangeReader.check(query.request.revision, in: db, revision: revision)
        }
    }

    /// The operations of the branches taken, without the transactions around them.
    private func executed(_ operation: Operation, _ decision: Decision) -> [Operation] {
        guard case .transaction(let branches) = operation else { return [operation] }
        return zip(decision.branch(of: branches), decision.nested).flatMap { executed($0, $1) }
    }

    private func checkWrite(_ operation: Operation) throws {
        switch operation {
        case .range, .transaction: break
        case .delete(let range, _):
            guard !range.end.isEmpty else { break }
            let limit = RecordID.positions / 2
            let sql = "SELECT count(*) FROM (SELECT 1 FROM keys WHERE \(range.condition) LIMIT \(limit))"
            let count = try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: range.arguments) ?? 0
            if count >= limit { throw StoreError.refused(EtcdErrorText.tooManyOperations) }
        case .put(let put):
            if put.keepsValue || put.keepsLease, try (head(put.key)?.version ?? 0) == 0 {
                throw StoreError.refused(EtcdErrorText.keyNotFound)
            }
            if put.lease != 0 {
                let sql = "SELECT 1 FROM leases WHERE id = ?"
                guard try Int64.fetchOne(db.cachedStatement(sql: sql), arguments: [put.lease]) != nil else {
                    throw StoreError.leaseNotFound(put.lease)
                }
            }
        }
    }

    private func holds(_ condition: Condition) throws -> Bool {
        if condition.range.end.isEmpty { return try condition.holds(for: current(condition.range.start)) }
        let found = try RangeReader.read(RangeQuery(RangeRequest(condition.range)), in: db, revision: revision)
        if found.keyValues.isEmpty { return condition.holds(for: nil) }
        return found.keyValues.allSatisfy { condition.holds(for: $0) }
    }
}

extension Condition {
    /// Whether the condition holds for a key; all numbers of one that does not exist are 0.
    func holds(for found: KeyValue?) -> Bool {
        func compare<Value: Comparable>(_ left: Value, _ right: Value) -> Bool {
            switch relation {
            case .equal: left == right
            case .notEqual: left != right
            case .greater: left > right
            case .less: left < right
            }
        }
        switch target {
        case .version(let version): return compare(found?.version ?? 0, version)
        case .createRevision(let revision): return compare(found?.createRevision ?? 0, revision)
        case .modRevision(let revision): return compare(found?.modRevision ?? 0, revision)
        case .lease(let lease): return compare(found?.lease ?? 0, lease)
        case .value(let value):
            // A key that does not exist has no value, which compares as false in every relation: etcd's rule.
            guard let found else { return false }
            switch relation {
            case .equal: return found.value == value
            case .notEqual: return found.value != value
            case .greater: return value.lexicographicallyPrecedes(found.value)
            case .less: return found.value.lexicographicallyPrecedes(value)
            }
        }
    }
}
