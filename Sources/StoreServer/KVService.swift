import ClusterStore
import FoundationEssentials
import GRPCCore

/// etcd's `KV` service.
struct KVService: Etcdserverpb_KV.SimpleServiceProtocol {
    let store: any ClusterStore

    func range(
        request: Etcdserverpb_RangeRequest, context: ServerContext
    ) async throws -> Etcdserverpb_RangeResponse {
        guard !request.key.isEmpty else { throw RPCError(code: .invalidArgument, message: EtcdErrorText.emptyKey) }
        return try await Answers.translate {
            let query = RangeQuery(request)
            let answer = try await store.range(query.request)
            var message = query.message(answer)
            message.header = Answers.header(answer.revision)
            return message
        }
    }

    func put(request: Etcdserverpb_PutRequest, context: ServerContext) async throws -> Etcdserverpb_PutResponse {
        guard !request.key.isEmpty else { throw RPCError(code: .invalidArgument, message: EtcdErrorText.emptyKey) }
        return try await Answers.translate {
            var message = Etcdserverpb_PutResponse()
            if request.ignoreValue || request.ignoreLease {
                let (revision, old) = try await putKeeping(request)
                message.header = Answers.header(revision)
                if request.prevKv { message.prevKv = old.message }
                return message
            }
            let key = [UInt8](request.key)
            let put = StoreOperation.put(key: key, value: [UInt8](request.value), lease: request.lease)
            let operations = request.prevKv ? [.range(RangeRequest(KeyRange(start: key, end: []))), put] : [put]
            let answer = try await store.transact(Transaction(then: operations))
            message.header = Answers.header(answer.revision)
            if case .range(let before)? = answer.results.first, let old = before.keyValues.first {
                message.prevKv = old.message
            }
            return message
        }
    }

    /// A put that keeps the key's value or lease, which must exist: repeated until no other write came in between.
    private func putKeeping(_ request: Etcdserverpb_PutRequest) async throws -> (revision: Int64, old: KeyValue) {
        if request.ignoreValue, !request.value.isEmpty {
            throw RPCError(code: .invalidArgument, message: EtcdErrorText.valueProvided)
        }
        if request.ignoreLease, request.lease != 0 {
            throw RPCError(code: .invalidArgument, message: EtcdErrorText.leaseProvided)
        }
        let key = [UInt8](request.key)
        while true {
            guard let old = try await store.range(RangeRequest(KeyRange(start: key, end: []))).keyValues.first else {
                throw RPCError(code: .invalidArgument, message: EtcdErrorText.keyNotFound)
            }
            let answer = try await store.transact(
                Transaction(
                    if: [Comparison(key, .equal, .modRevision(old.modRevision))],
                    then: [
                        .put(
                            key: key, value: request.ignoreValue ? old.value : [UInt8](request.value),
                            lease: request.ignoreLease ? old.lease : request.lease)
                    ]))
            if answer.succeeded { return (answer.revision, old) }
        }
    }

    func deleteRange(
        request: Etcdserverpb_DeleteRangeRequest, context: ServerContext
    ) async throws -> Etcdserverpb_DeleteRangeResponse {
        guard !request.key.isEmpty else { throw RPCError(code: .invalidArgument, message: EtcdErrorText.emptyKey) }
        return try await Answers.translate {
            let range = KeyRange(start: [UInt8](request.key), end: [UInt8](request.rangeEnd))
            let answer = try await store.transact(Transaction(then: [.delete(range, previous: request.prevKv)]))
            var message = Etcdserverpb_DeleteRangeResponse()
            message.header = Answers.header(answer.revision)
            if case .delete(let count, let previous)? = answer.results.first {
                message.deleted = count
                message.prevKvs = previous.map(\.message)
            }
            return message
        }
    }

    func txn(request: Etcdserverpb_TxnRequest, context: ServerContext) async throws -> Etcdserverpb_TxnResponse {
        let plan = try TransactionPlan(request)
        return try await Answers.translate { plan.message(try await store.transact(plan.transaction)) }
    }

    func compact(
        request: Etcdserverpb_CompactionRequest, context: ServerContext
    ) async throws -> Etcdserverpb_CompactionResponse {
        try await Answers.translate {
            try await store.compact(to: request.revision)
            var message = Etcdserverpb_CompactionResponse()
            message.header = Answers.header(try await store.revision())
            return message
        }
    }
}
