import ClusterStore
import GRPCCore

/// What every answer of the server has in common.
enum Answers {
    /// The one member of the one cluster that a Fjord store is.
    static let clusterID: UInt64 = 0xF10_4D
    static let memberID: UInt64 = 1
    static let term: UInt64 = 1
    /// The release whose API is spoken; clients look at it to know what they may ask for.
    static let version = "3.5.13"

    static func header(_ revision: Int64) -> Etcdserverpb_ResponseHeader {
        var header = Etcdserverpb_ResponseHeader()
        header.clusterID = clusterID
        header.memberID = memberID
        header.revision = revision
        header.raftTerm = term
        return header
    }

    /// The header of an answer inside a transaction's.
    static func innerHeader(_ revision: Int64) -> Etcdserverpb_ResponseHeader {
        var header = Etcdserverpb_ResponseHeader()
        header.revision = revision
        return header
    }

    /// etcd's status for a failure, code and words.
    static func status(_ error: any Error) -> Status {
        guard let error = error as? StoreError else {
            if let error = error as? RPCError { return Status(code: Status.Code(error.code), message: error.message) }
            return Status(code: .unknown, message: "\(error)")
        }
        return switch error {
        case .compacted: Status(code: .outOfRange, message: EtcdErrorText.compacted)
        case .futureRevision: Status(code: .outOfRange, message: EtcdErrorText.futureRevision)
        case .leaseNotFound: Status(code: .notFound, message: EtcdErrorText.leaseNotFound)
        case .leaseExists: Status(code: .failedPrecondition, message: EtcdErrorText.leaseExists)
        case .unavailable(let reason): Status(code: .unavailable, message: reason)
        case .cancelled: Status(code: .cancelled, message: "context canceled")
        case .refused(let reason): Status(code: code(of: reason), message: reason)
        }
    }

    private static func code(of refusal: String) -> Status.Code {
        switch refusal {
        case EtcdErrorText.leaseTooLarge: .outOfRange
        case EtcdErrorText.noSpace: .resourceExhausted
        default: .invalidArgument
        }
    }
}
