import ClusterStore
import FoundationEssentials
import GRPCCore

/// An etcd transaction as one of the store's, and the way back for its answer.
struct TransactionPlan {
    /// How the results of one etcd operation are found in the store's answer.
    private enum Step {
        case range(RangeQuery)
        /// `previous`: a read of the key stands before the put.
        case put(previous: Bool)
        case delete
    }

    let transaction: Transaction
    private let success: [Step]
    private let failure: [Step]

    /// - Throws: `UNIMPLEMENTED` naming the field that a Fjord store does not offer.
    init(_ message: Etcdserverpb_TxnRequest) throws {
        let (successOperations, success) = try Self.plan(message.success)
        let (failureOperations, failure) = try Self.plan(message.failure)
        self.success = success
        self.failure = failure
        transaction = Transaction(
            if: try message.compare.map(Self.comparison), then: successOperations, else: failureOperations)
    }

    func message(_ answer: TransactionResponse) -> Etcdserverpb_TxnResponse {
        var message = Etcdserverpb_TxnResponse()
        message.header = Answers.header(answer.revision)
        message.succeeded = answer.succeeded
        var results = answer.results.makeIterator()
        for step in answer.succeeded ? success : failure {
            var response = Etcdserverpb_ResponseOp()
            switch step {
            case .range(let query):
                if case .range(let found)? = results.next() { response.responseRange = query.message(found) }
                response.responseRange.header = Answers.header(answer.revision)
            case .put(let previous):
                response.responsePut.header = Answers.header(answer.revision)
                if previous, case .range(let before)? = results.next(), let old = before.keyValues.first {
                    response.responsePut.prevKv = old.message
                }
                _ = results.next()
            case .delete:
                response.responseDeleteRange.header = Answers.header(answer.revision)
                if case .delete(let count, let previous)? = results.next() {
                    response.responseDeleteRange.deleted = count
                    response.responseDeleteRange.prevKvs = previous.map(\.message)
                }
            }
            message.responses.append(response)
        }
        return message
    }

    private static func plan(_ requests: [Etcdserverpb_RequestOp]) throws -> ([StoreOperation], [Step]) {
        var operations: [StoreOperation] = []
        var steps: [Step] = []
        for request in requests {
            switch request.request {
            case .requestRange(let range):
                let query = RangeQuery(range)
                operations.append(.range(query.request))
                steps.append(.range(query))
            case .requestPut(let put):
                guard !put.ignoreValue, !put.ignoreLease else {
                    throw unimplemented("ignore_value and ignore_lease in a transaction")
                }
                let key = [UInt8](put.key)
                if put.prevKv { operations.append(.range(RangeRequest(KeyRange(start: key, end: [])))) }
                operations.append(.put(key: key, value: [UInt8](put.value), lease: put.lease))
                steps.append(.put(previous: put.prevKv))
            case .requestDeleteRange(let delete):
                operations.append(
                    .delete(
                        KeyRange(start: [UInt8](delete.key), end: [UInt8](delete.rangeEnd)), previous: delete.prevKv))
                steps.append(.delete)
            case .requestTxn: throw unimplemented("request_txn, a transaction inside a transaction")
            case nil: throw RPCError(code: .invalidArgument, message: EtcdErrorText.keyNotFound)
            }
        }
        return (operations, steps)
    }

    private static func comparison(_ message: Etcdserverpb_Compare) throws -> Comparison {
        guard message.rangeEnd.isEmpty else { throw unimplemented("range_end in a comparison") }
        let relation: Comparison.Relation
        switch message.result {
        case .equal: relation = .equal
        case .greater: relation = .greater
        case .less: relation = .less
        case .notEqual: relation = .notEqual
        case .UNRECOGNIZED(let number): throw unimplemented("comparison result \(number)")
        }
        let target: Comparison.Target
        switch message.target {
        case .version: target = .version(message.version)
        case .create: target = .createRevision(message.createRevision)
        case .mod: target = .modRevision(message.modRevision)
        case .value: target = .value([UInt8](message.value))
        case .lease: target = .lease(message.lease)
        case .UNRECOGNIZED(let number): throw unimplemented("comparison target \(number)")
        }
        return Comparison([UInt8](message.key), relation, target)
    }

    private static func unimplemented(_ what: String) -> RPCError {
        RPCError(code: .unimplemented, message: "fjord store does not offer \(what)")
    }
}
