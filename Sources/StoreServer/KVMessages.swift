import ClusterStore
import EmbeddedStore
import FoundationEssentials

// etcd's requests as the store's operations, and the way back for what they did.

extension KeyRange {
    init(_ key: Data, _ rangeEnd: Data) { self.init(start: [UInt8](key), end: [UInt8](rangeEnd)) }
}

extension RangeQuery {
    init(_ message: Etcdserverpb_RangeRequest) {
        self.init(
            RangeRequest(
                KeyRange(message.key, message.rangeEnd), revision: message.revision, limit: message.limit,
                keysOnly: message.keysOnly, countOnly: message.countOnly),
            order: Order(message.sortTarget), isDescending: message.sortOrder == .descend)
        limitsBeforeOrdering = message.sortOrder == .none && message.sortTarget != .key
        leastModRevision = message.minModRevision
        greatestModRevision = message.maxModRevision
        leastCreateRevision = message.minCreateRevision
        greatestCreateRevision = message.maxCreateRevision
    }
}

extension RangeQuery.Order {
    fileprivate init(_ target: Etcdserverpb_RangeRequest.SortTarget) {
        self =
            switch target {
            case .version: .version
            case .create: .createRevision
            case .mod: .modRevision
            case .value: .value
            default: .key
            }
    }
}

extension PutRequest {
    init(_ message: Etcdserverpb_PutRequest) {
        self.init(
            key: [UInt8](message.key), value: [UInt8](message.value), lease: message.lease, previous: message.prevKv,
            keepsValue: message.ignoreValue, keepsLease: message.ignoreLease)
    }
}

extension Branches {
    init(_ message: Etcdserverpb_TxnRequest) throws(StoreError) {
        self.init(conditions: [], success: [], failure: [])
        for compare in message.compare { conditions.append(try Condition(compare)) }
        for request in message.success { success.append(try Operation(request)) }
        for request in message.failure { failure.append(try Operation(request)) }
    }
}

extension Operation {
    fileprivate init(_ message: Etcdserverpb_RequestOp) throws(StoreError) {
        switch message.request {
        case .requestRange(let range): self = .range(RangeQuery(range))
        case .requestPut(let put): self = .put(PutRequest(put))
        case .requestDeleteRange(let delete):
            self = .delete(KeyRange(delete.key, delete.rangeEnd), previous: delete.prevKv)
        case .requestTxn(let transaction): self = .transaction(try Branches(transaction))
        case nil: throw .refused(EtcdErrorText.keyNotFound)
        }
    }
}

extension Condition {
    fileprivate init(_ message: Etcdserverpb_Compare) throws(StoreError) {
        let relation: Comparison.Relation
        switch message.result {
        case .equal: relation = .equal
        case .greater: relation = .greater
        case .less: relation = .less
        case .notEqual: relation = .notEqual
        case .UNRECOGNIZED(let number): throw .refused("unknown result \(number) of a comparison")
        }
        let target: Comparison.Target
        switch message.target {
        case .version: target = .version(message.version)
        case .create: target = .createRevision(message.createRevision)
        case .mod: target = .modRevision(message.modRevision)
        case .value: target = .value([UInt8](message.value))
        case .lease: target = .lease(message.lease)
        case .UNRECOGNIZED(let number): throw .refused("unknown target \(number) of a comparison")
        }
        self.init(KeyRange(message.key, message.rangeEnd), relation, target)
    }
}

extension Etcdserverpb_RangeResponse {
    init(_ response: RangeResponse, header: Etcdserverpb_ResponseHeader) {
        self.init()
        self.header = header
        count = response.count
        more = response.more
        kvs = response.keyValues.map(\.message)
    }
}

extension Etcdserverpb_TxnResponse {
    /// Inner answers carry a revision and no more of a header, an inner transaction not even that.
    init(_ outcome: Outcome) {
        self.init()
        header = Etcdserverpb_ResponseHeader()
        guard case .transaction(let succeeded, let outcomes) = outcome else { return }
        self.succeeded = succeeded
        responses = outcomes.map { outcome in
            var response = Etcdserverpb_ResponseOp()
            switch outcome {
            case .range(let found):
                response.responseRange = .init(found, header: Answers.innerHeader(found.revision))
            case .put(let revision, let previous):
                response.responsePut.header = Answers.innerHeader(revision)
                if let previous { response.responsePut.prevKv = previous.message }
            case .delete(let revision, let count, let previous):
                response.responseDeleteRange.header = Answers.innerHeader(revision)
                response.responseDeleteRange.deleted = count
                response.responseDeleteRange.prevKvs = previous.map(\.message)
            case .transaction: response.responseTxn = .init(outcome)
            }
            return response
        }
    }
}
