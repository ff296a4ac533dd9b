import ClusterStore
import EmbeddedStore
import GRPCCore
import GRPCTransport
import Synchronization

/// Where clients reach the server; known once its port is.
final class ClientURLs: Sendable {
    private let urls: Mutex<[String]>

    init(_ urls: [String]) { self.urls = Mutex(urls) }

    var all: [String] { urls.withLock { $0 } }

    func set(_ new: [String]) { urls.withLock { $0 = new } }
}

/// etcd's `Maintenance`, `Cluster` and `Auth` services, as far as a cluster of one without users has them.
struct MaintenanceCalls {
    let context: CallContext
    let clientURLs: ClientURLs
    let memberName: String

    private static let alone = "a fjord store is a cluster of one member; run etcd where more are needed"
    private static let noUsers = "a fjord store has no users; admit clients by certificate (--client-cert-auth)"

    var methods: [String: GRPCMethod] {
        let context = self.context
        var methods: [String: GRPCMethod] = [
            "/etcdserverpb.Maintenance/Alarm": context.taskMethod(alarm),
            "/etcdserverpb.Maintenance/Status": context.taskMethod(status),
            "/etcdserverpb.Maintenance/Defragment": context.taskMethod(defragment),
            "/etcdserverpb.Maintenance/Hash": context.taskMethod(hash),
            "/etcdserverpb.Maintenance/HashKV": context.taskMethod(hashKV),
            "/etcdserverpb.Maintenance/Snapshot": .streaming { SnapshotStream(stream: $0, context: context) },
            "/etcdserverpb.Maintenance/MoveLeader": CallContext.refusing(Self.alone),
            "/etcdserverpb.Cluster/MemberList": context.taskMethod(members),
            "/etcdserverpb.Auth/Authenticate": .unary { _, reply in
                reply.fail(Status(code: .failedPrecondition, message: EtcdErrorText.authNotEnabled))
            },
        ]
        for name in ["MemberAdd", "MemberRemove", "MemberUpdate", "MemberPromote"] {
            methods["/etcdserverpb.Cluster/\(name)"] = CallContext.refusing(Self.alone)
        }
        let users = ["Add", "Get", "List", "Delete", "ChangePassword", "GrantRole", "RevokeRole"].map { "User" + $0 }
        let roles = ["Add", "Get", "List", "Delete", "GrantPermission", "RevokePermission"].map { "Role" + $0 }
        for name in ["AuthEnable", "AuthDisable"] + users + roles {
            methods["/etcdserverpb.Auth/\(name)"] = CallContext.refusing(Self.noUsers)
        }
        return methods
    }

    private func members(_ request: Etcdserverpb_MemberListRequest) async throws -> Etcdserverpb_MemberListResponse {
        var member = Etcdserverpb_Member()
        member.id = Answers.memberID
        member.name = memberName
        member.clientUrls = clientURLs.all
        var message = Etcdserverpb_MemberListResponse()
        message.header = Answers.header(context.store.revision)
        message.members = [member]
        return message
    }

    private func alarm(_ request: Etcdserverpb_AlarmRequest) async throws -> Etcdserverpb_AlarmResponse {
        var noSpace = Etcdserverpb_AlarmMember()
        noSpace.memberID = Answers.memberID
        noSpace.alarm = .nospace
        var message = Etcdserverpb_AlarmResponse()
        message.header = Answers.header(context.store.revision)
        let wasRaised = context.store.alarm != nil
        switch request.action {
        case .activate where request.alarm == .nospace:
            context.store.orderAlarm(raised: true)
            message.alarms = [noSpace]
        case .deactivate:
            context.store.orderAlarm(raised: false)
            if wasRaised { message.alarms = [noSpace] }
        default: if wasRaised { message.alarms = [noSpace] }
        }
        return message
    }

    private func status(_ request: Etcdserverpb_StatusRequest) async throws -> Etcdserverpb_StatusResponse {
        let revision = context.store.revision
        var message = Etcdserverpb_StatusResponse()
        message.header = Answers.header(revision)
        message.version = Answers.version
        message.leader = Answers.memberID
        message.raftTerm = Answers.term
        message.raftIndex = UInt64(max(0, revision))
        message.raftAppliedIndex = message.raftIndex
        let size = try await context.store.size()
        message.dbSize = size.total
        message.dbSizeInUse = size.used
        if context.store.alarm != nil { message.errors = ["memberID:\(Answers.memberID) alarm:NOSPACE "] }
        return message
    }

    /// Nothing to do: the store gives freed space back by itself after each compaction.
    private func defragment(
        _ request: Etcdserverpb_DefragmentRequest
    ) async throws -> Etcdserverpb_DefragmentResponse {
        var message = Etcdserverpb_DefragmentResponse()
        message.header = Answers.header(context.store.revision)
        return message
    }

    private func hash(_ request: Etcdserverpb_HashRequest) async throws -> Etcdserverpb_HashResponse {
        var message = Etcdserverpb_HashResponse()
        message.header = Answers.header(context.store.revision)
        message.hash = try await context.store.hash(at: 0).hash
        return message
    }

    private func hashKV(_ request: Etcdserverpb_HashKVRequest) async throws -> Etcdserverpb_HashKVResponse {
        let (hash, compacted) = try await context.store.hash(at: request.revision)
        var message = Etcdserverpb_HashKVResponse()
        message.header = Answers.header(context.store.revision)
        message.hash = hash
        message.compactRevision = compacted
        return message
    }
}
