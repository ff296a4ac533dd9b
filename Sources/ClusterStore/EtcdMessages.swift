import FoundationEssentials
import GRPCCore

// Fjord's values as etcd's messages and back, for the client and for the server.

extension KeyValue {
    /// Reads etcd's message.
    package init(_ message: Mvccpb_KeyValue) {
        self.init(
            key: [UInt8](message.key), value: [UInt8](message.value), createRevision: message.createRevision,
            modRevision: message.modRevision, version: message.version, lease: message.lease)
    }

    /// The value as etcd's message.
    package var message: Mvccpb_KeyValue {
        var message = Mvccpb_KeyValue()
        message.key = Data(key)
        message.value = Data(value)
        message.createRevision = createRevision
        message.modRevision = modRevision
        message.version = version
        message.lease = lease
        return message
    }
}

extension StoreEvent {
    /// Reads etcd's message.
    package init(_ message: Mvccpb_Event) {
        self.init(
            message.type == .delete ? .delete : .put, KeyValue(message.kv),
            previous: message.hasPrevKv ? KeyValue(message.prevKv) : nil)
    }

    /// The event as etcd's message.
    package var message: Mvccpb_Event {
        var message = Mvccpb_Event()
        message.type = kind == .delete ? .delete : .put
        message.kv = keyValue.message
        if let previous { message.prevKv = previous.message }
        return message
    }
}

extension RangeRequest {
    /// The request as etcd's message.
    package var message: Etcdserverpb_RangeRequest {
        var message = Etcdserverpb_RangeRequest()
        message.key = Data(range.start)
        message.rangeEnd = Data(range.end)
        message.limit = limit
        message.revision = revision
        message.keysOnly = keysOnly
        message.countOnly = countOnly
        return message
    }
}

extension RangeResponse {
    /// Reads etcd's message. Inside a transaction the answer has no header of its own: `revision` stands in.
    package init(_ message: Etcdserverpb_RangeResponse, revision: Int64 = 0) {
        self.init(
            revision: message.hasHeader ? message.header.revision : revision,
            keyValues: message.kvs.map { KeyValue($0) }, count: message.count, more: message.more)
    }
}

extension Comparison {
    /// The comparison as etcd's message.
    package var message: Etcdserverpb_Compare {
        var message = Etcdserverpb_Compare()
        message.key = Data(key)
        message.result =
            switch relation {
            case .equal: .equal
            case .greater: .greater
            case .less: .less
            case .notEqual: .notEqual
            }
        switch target {
        case .version(let version):
            message.target = .version
            message.version = version
        case .createRevision(let revision):
            message.target = .create
            message.createRevision = revision
        case .modRevision(let revision):
            message.target = .mod
            message.modRevision = revision
        case .value(let value):
            message.target = .value
            message.value = Data(value)
        case .lease(let lease):
            message.target = .lease
            message.lease = lease
        }
        return message
    }
}

extension StoreOperation {
    /// The operation as etcd's message.
    package var message: Etcdserverpb_RequestOp {
        var message = Etcdserverpb_RequestOp()
        switch self {
        case .put(let key, let value, let lease):
            message.requestPut.key = Data(key)
            message.requestPut.value = Data(value)
            message.requestPut.lease = lease
        case .delete(let range, let previous):
            message.requestDeleteRange.key = Data(range.start)
            message.requestDeleteRange.rangeEnd = Data(range.end)
            message.requestDeleteRange.prevKv = previous
        case .range(let request): message.requestRange = request.message
        }
        return message
    }
}

extension Transaction {
    /// The transaction as etcd's message.
    package var message: Etcdserverpb_TxnRequest {
        var message = Etcdserverpb_TxnRequest()
        message.compare = comparisons.map(\.message)
        message.success = success.map(\.message)
        message.failure = failure.map(\.message)
        return message
    }
}

extension TransactionResponse {
    /// Reads etcd's message.
    package init(_ message: Etcdserverpb_TxnResponse) {
        let revision = message.header.revision
        self.init(
            succeeded: message.succeeded, revision: revision,
            results: message.responses.map { response in
                switch response.response {
                case .responseRange(let range): .range(RangeResponse(range, revision: revision))
                case .responseDeleteRange(let deleted):
                    .delete(count: deleted.deleted, previous: deleted.prevKvs.map { KeyValue($0) })
                default: .put
                }
            })
    }
}

/// etcd's own words for what went wrong: clients compare them to the letter.
///
/// Source: etcd 3.4, the messages its clients receive.
package enum EtcdErrorText {
    package static let compacted = "etcdserver: mvcc: required revision has been compacted"
    package static let futureRevision = "etcdserver: mvcc: required revision is a future revision"
    package static let leaseNotFound = "etcdserver: requested lease not found"
    package static let leaseExists = "etcdserver: lease already exists"
    package static let emptyKey = "etcdserver: key is not provided"
    package static let duplicateKey = "etcdserver: duplicate key given in txn request"
    package static let keyNotFound = "etcdserver: key not found"
    package static let valueProvided = "etcdserver: value is provided"
    package static let leaseProvided = "etcdserver: lease is provided"
    package static let leaseTooLarge = "etcdserver: too large lease TTL"
    package static let authNotEnabled = "etcdserver: authentication is not enabled"
    package static let tooManyOperations = "etcdserver: too many operations in txn request"
    package static let requestTooLarge = "etcdserver: request is too large"
    package static let noSpace = "etcdserver: mvcc: database space exceeded"
    package static let invalidToken = "etcdserver: invalid auth token"
}

extension StoreError {
    /// What a failed call means.
    ///
    /// - Parameter lease: The lease that the call was about.
    package init(_ error: any Error, lease: Int64 = 0) {
        guard let error = error as? RPCError else {
            self = error is CancellationError ? .cancelled : .unavailable("\(error)")
            return
        }
        switch error.code {
        case .cancelled where Task.isCancelled: self = .cancelled
        case .outOfRange where error.message == EtcdErrorText.compacted: self = .compacted(oldest: 0)
        case .outOfRange where error.message == EtcdErrorText.futureRevision: self = .futureRevision
        case .notFound where error.message == EtcdErrorText.leaseNotFound: self = .leaseNotFound(lease)
        case .failedPrecondition where error.message == EtcdErrorText.leaseExists: self = .leaseExists(lease)
        case .unavailable, .cancelled: self = .unavailable(error.message)
        case .deadlineExceeded: self = .unavailable("no answer in time")
        case .unknown where error.cause is CancellationError: self = .cancelled
        default: self = .refused(error.message)
        }
    }
}
