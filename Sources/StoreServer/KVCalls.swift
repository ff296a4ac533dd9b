import ClusterStore
import EmbeddedStore
import FoundationEssentials
import GRPCCore
import GRPCTransport

/// etcd's `KV` service.
struct KVCalls {
    let context: CallContext

    var methods: [String: GRPCMethod] {
        [
            "/etcdserverpb.KV/Range": context.method(range),
            "/etcdserverpb.KV/Put": context.method(limitsSize: true, put),
            "/etcdserverpb.KV/DeleteRange": context.method(limitsSize: true, deleteRange),
            "/etcdserverpb.KV/Txn": context.method(limitsSize: true, transaction),
            "/etcdserverpb.KV/Compact": context.taskMethod(compact),
        ]
    }

    private func range(
        _ request: Etcdserverpb_RangeRequest,
        _ reply: @escaping @Sendable (Result<Etcdserverpb_RangeResponse, any Error>) -> Void
    ) {
        context.store.range(RangeQuery(request)) { result in
            reply(
                result.map { response in
                    Etcdserverpb_RangeResponse(response, header: Answers.header(response.revision))
                }.mapError { $0 })
        }
    }

    private func put(
        _ request: Etcdserverpb_PutRequest,
        _ reply: @escaping @Sendable (Result<Etcdserverpb_PutResponse, any Error>) -> Void
    ) {
        context.store.apply(.put(PutRequest(request))) { result in
            reply(
                result.map { applied in
                    var message = Etcdserverpb_PutResponse()
                    if case .put(_, let previous?) = applied.outcome { message.prevKv = previous.message }
                    message.header = Answers.header(applied.revision)
                    return message
                }.mapError { $0 })
        }
    }

    private func deleteRange(
        _ request: Etcdserverpb_DeleteRangeRequest,
        _ reply: @escaping @Sendable (Result<Etcdserverpb_DeleteRangeResponse, any Error>) -> Void
    ) {
        context.store.apply(.delete(KeyRange(request.key, request.rangeEnd), previous: request.prevKv)) { result in
            reply(
                result.map { applied in
                    var message = Etcdserverpb_DeleteRangeResponse()
                    if case .delete(_, let count, let previous) = applied.outcome {
                        message.deleted = count
                        message.prevKvs = previous.map(\.message)
                    }
                    message.header = Answers.header(applied.revision)
                    return message
                }.mapError { $0 })
        }
    }

    private func transaction(
        _ request: Etcdserverpb_TxnRequest,
        _ reply: @escaping @Sendable (Result<Etcdserverpb_TxnResponse, any Error>) -> Void
    ) {
        do throws(StoreError) {
            context.store.apply(.transaction(try Branches(request))) { result in
                reply(
                    result.map { applied in
                        var message = Etcdserverpb_TxnResponse(applied.outcome)
                        message.header = Answers.header(applied.revision)
                        return message
                    }.mapError { $0 })
            }
        } catch {
            reply(.failure(error))
        }
    }

    private func compact(_ request: Etcdserverpb_CompactionRequest) async throws -> Etcdserverpb_CompactionResponse {
        try await context.store.compact(to: request.revision)
        var message = Etcdserverpb_CompactionResponse()
        message.header = Answers.header(context.store.revision)
        return message
    }
}
