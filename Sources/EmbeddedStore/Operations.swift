package import ClusterStore

// What the store executes: etcd's own operations. `ClusterStore` offers a part of them; the server all.

/// A read of a range, with etcd's orders and filters.
package struct RangeQuery: Hashable, Sendable {
    /// What the answer is ordered by.
    package enum Order: Hashable, Sendable { case key, version, createRevision, modRevision, value }

    /// Range, revision and limit; the limit counts what the filters let through.
    package var request: RangeRequest
    package var order: Order
    package var isDescending: Bool
    /// The limit takes the first keys, and the order is theirs: etcd's way with a target of an order but no direction.
    package var limitsBeforeOrdering = false
    /// Least and greatest revisions of the keys in the answer; 0 for no bound. They don't change its `count`.
    package var leastModRevision: Int64 = 0
    package var greatestModRevision: Int64 = 0
    package var leastCreateRevision: Int64 = 0
    package var greatestCreateRevision: Int64 = 0

    package init(_ request: RangeRequest, order: Order = .key, isDescending: Bool = false) {
        self.request = request
        self.order = order
        self.isDescending = isDescending
    }

    /// Whether keys can be left out by something else than the limit.
    var isFiltered: Bool {
        leastModRevision != 0 || greatestModRevision != 0 || leastCreateRevision != 0 || greatestCreateRevision != 0
    }
}

/// A write of one key.
package struct PutRequest: Hashable, Sendable {
    package var key: [UInt8]
    package var value: [UInt8]
    package var lease: Int64
    /// Asks for the key as it was before.
    package var previous: Bool
    /// Keeps the value that the key has; the key must exist.
    package var keepsValue: Bool
    /// Keeps the lease that the key has; the key must exist.
    package var keepsLease: Bool

    package init(
        key: [UInt8], value: [UInt8], lease: Int64 = 0, previous: Bool = false, keepsValue: Bool = false,
        keepsLease: Bool = false
    ) {
        self.key = key
        self.value = value
        self.lease = lease
        self.previous = previous
        self.keepsValue = keepsValue
        self.keepsLease = keepsLease
    }
}

/// A condition on every key of a range; on the key itself, made or not, for a range of one.
package struct Condition: Hashable, Sendable {
    package var range: KeyRange
    package var relation: Comparison.Relation
    package var target: Comparison.Target

    package init(_ range: KeyRange, _ relation: Comparison.Relation, _ target: Comparison.Target) {
        self.range = range
        self.relation = relation
        self.target = target
    }
}

/// Two lists of operations and the conditions that choose between them.
package struct Branches: Hashable, Sendable {
    package var conditions: [Condition]
    package var success: [Operation]
    package var failure: [Operation]

    package init(conditions: [Condition] = [], success: [Operation], failure: [Operation] = []) {
        self.conditions = conditions
        self.success = success
        self.failure = failure
    }
}

package enum Operation: Hashable, Sendable {
    case range(RangeQuery)
    case put(PutRequest)
    /// `previous` asks for the deleted keys.
    case delete(KeyRange, previous: Bool)
    case transaction(Branches)

    /// Whether the operation may make the store larger: what a full store refuses.
    var mayGrow: Bool {
        switch self {
        case .range, .delete: false
        case .put: true
        case .transaction(let branches):
            branches.success.contains(where: \.mayGrow)
                || branches.failure.contains(where: \.mayGrow)
        }
    }
}

/// What an operation did. Revisions are the store's at that point of the transaction.
package enum Outcome: Hashable, Sendable {
    case range(RangeResponse)
    case put(revision: Int64, previous: KeyValue?)
    case delete(revision: Int64, count: Int64, previous: [KeyValue])
    case transaction(succeeded: Bool, outcomes: [Outcome])
}

/// What an operation did, once it is durable.
package struct Applied: Hashable, Sendable {
    /// The store's revision after it.
    package var revision: Int64
    package var outcome: Outcome
}

extension Branches {
    init(_ transaction: Transaction) {
        self.init(
            conditions: transaction.comparisons.map {
                Condition(KeyRange(start: $0.key, end: []), $0.relation, $0.target)
            }, success: transaction.success.map { Operation($0) }, failure: transaction.failure.map { Operation($0) })
    }
}

extension Operation {
    init(_ operation: StoreOperation) {
        switch operation {
        case .put(let key, let value, let lease): self = .put(PutRequest(key: key, value: value, lease: lease))
        case .delete(let range, let previous): self = .delete(range, previous: previous)
        case .range(let request): self = .range(RangeQuery(request))
        }
    }
}

extension TransactionResponse {
    init(_ applied: Applied) {
        guard case .transaction(let succeeded, let outcomes) = applied.outcome else {
            preconditionFailure("a transaction's outcome is a transaction's")
        }
        self.init(
            succeeded: succeeded, revision: applied.revision,
            results: outcomes.map { outcome in
                switch outcome {
                case .range(let response): .range(response)
                case .delete(_, let count, let previous): .delete(count: count, previous: previous)
                case .put, .transaction: .put
                }
            })
    }
}
