import ClusterStore
import GRPCCore

/// What every answer of the server has in common.
enum Answers {
    /// The one member of the one cluster that a Fjord store is.
    static let clusterID: UInt64 = 0xF10_4D
    static let memberID: UInt64 = 1
    static let term: UInt64 = 1
    /// The release whose API is spoken; clients look at it to know what they may ask for.
    static let version = "3.4.0"

    static func header(_ revision: Int64) -> Etcdserverpb_ResponseHeader {
        var header = Etcdserverpb_ResponseHeader()
        header.clusterID = clusterID
        header.memberID = memberID
        header.revision = revision
        header.raftTerm = term
        return header
    }

    /// etcd's status for a failure, code and words.
    static func error(_ error: StoreError) -> RPCError {
        switch error {
        case .compacted: RPCError(code: .outOfRange, message: EtcdErrorText.compacted)
        case .futureRevision: RPCError(code: .outOfRange, message: EtcdErrorText.futureRevision)
        case .leaseNotFound: RPCError(code: .notFound, message: EtcdErrorText.leaseNotFound)
        case .leaseExists: RPCError(code: .failedPrecondition, message: EtcdErrorText.leaseExists)
        case .unavailable(let reason): RPCError(code: .unavailable, message: reason)
        case .cancelled: RPCError(code: .cancelled, message: "context canceled")
        case .refused(EtcdErrorText.leaseTooLarge): RPCError(code: .outOfRange, message: EtcdErrorText.leaseTooLarge)
        case .refused(let reason): RPCError(code: .invalidArgument, message: reason)
        }
    }

    /// Runs `body` and turns its failure into etcd's.
    static func translate<Answer>(_ body: () async throws -> Answer) async throws -> Answer {
        do {
            return try await body()
        } catch let failure as StoreError {
            throw error(failure)
        }
    }
}

extension ClusterStore {
    /// The revision of the store, for answers whose call does not tell it.
    func revision() async throws(StoreError) -> Int64 {
        try await range(RangeRequest(KeyRange(start: [0], end: []), countOnly: true)).revision
    }
}
