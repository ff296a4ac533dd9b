import ClusterStore
import FoundationEssentials
import GRPCCore

/// etcd's `Cluster` service, for a cluster of one.
struct ClusterService: Etcdserverpb_Cluster.SimpleServiceProtocol {
    let store: any ClusterStore
    let clientURL: String

    func memberList(
        request: Etcdserverpb_MemberListRequest, context: ServerContext
    ) async throws -> Etcdserverpb_MemberListResponse {
        var member = Etcdserverpb_Member()
        member.id = Answers.memberID
        member.name = "fjord"
        member.clientUrls = [clientURL]
        var message = Etcdserverpb_MemberListResponse()
        message.header = Answers.header(try await Answers.translate { try await store.revision() })
        message.members = [member]
        return message
    }
}

/// etcd's `Maintenance` service: what `etcdctl endpoint status` and `health` ask for.
struct MaintenanceService: Etcdserverpb_Maintenance.SimpleServiceProtocol {
    let store: any ClusterStore

    func alarm(request: Etcdserverpb_AlarmRequest, context: ServerContext) async throws -> Etcdserverpb_AlarmResponse {
        var message = Etcdserverpb_AlarmResponse()
        message.header = Answers.header(try await Answers.translate { try await store.revision() })
        return message
    }

    func status(
        request: Etcdserverpb_StatusRequest, context: ServerContext
    ) async throws -> Etcdserverpb_StatusResponse {
        try await Answers.translate {
            let revision = try await store.revision()
            var message = Etcdserverpb_StatusResponse()
            message.header = Answers.header(revision)
            message.version = Answers.version
            message.leader = Answers.memberID
            message.raftTerm = Answers.term
            message.raftIndex = UInt64(max(0, revision))
            message.raftAppliedIndex = message.raftIndex
            if let inspection = store as? any StoreInspection {
                let size = try await inspection.size()
                message.dbSize = size.total
                message.dbSizeInUse = size.used
            }
            return message
        }
    }

    /// Nothing to do: the store gives freed space back by itself after each compaction.
    func defragment(
        request: Etcdserverpb_DefragmentRequest, context: ServerContext
    ) async throws -> Etcdserverpb_DefragmentResponse {
        var message = Etcdserverpb_DefragmentResponse()
        message.header = Answers.header(try await Answers.translate { try await store.revision() })
        return message
    }
}

/// etcd's `Auth` service of a cluster without users.
struct AuthService: Etcdserverpb_Auth.SimpleServiceProtocol {
    func authenticate(
        request: Etcdserverpb_AuthenticateRequest, context: ServerContext
    ) async throws -> Etcdserverpb_AuthenticateResponse {
        throw RPCError(code: .failedPrecondition, message: EtcdErrorText.authNotEnabled)
    }
}
