import ClusterStore
import EmbeddedStore
import FoundationEssentials
import GRPCCore
import GRPCTransport
import SwiftProtobuf

/// etcd's `Lease` service.
struct LeaseCalls {
    let context: CallContext

    var methods: [String: GRPCMethod] {
        let store = context.store
        return [
            "/etcdserverpb.Lease/LeaseGrant": context.taskMethod(grant),
            "/etcdserverpb.Lease/LeaseRevoke": context.taskMethod(revoke),
            "/etcdserverpb.Lease/LeaseKeepAlive": .streaming { KeepAliveStream(stream: $0, store: store) },
            "/etcdserverpb.Lease/LeaseTimeToLive": context.taskMethod(timeToLive),
            "/etcdserverpb.Lease/LeaseLeases": context.taskMethod(leases),
        ]
    }

    private func grant(_ request: Etcdserverpb_LeaseGrantRequest) async throws -> Etcdserverpb_LeaseGrantResponse {
        let lease = try await context.store.grantLease(timeToLive: request.ttl, id: request.id)
        var message = Etcdserverpb_LeaseGrantResponse()
        message.header = Answers.header(context.store.revision)
        message.id = lease.id
        message.ttl = lease.timeToLive
        return message
    }

    private func revoke(_ request: Etcdserverpb_LeaseRevokeRequest) async throws -> Etcdserverpb_LeaseRevokeResponse {
        try await context.store.revokeLease(request.id)
        var message = Etcdserverpb_LeaseRevokeResponse()
        message.header = Answers.header(context.store.revision)
        return message
    }

    private func timeToLive(
        _ request: Etcdserverpb_LeaseTimeToLiveRequest
    ) async throws -> Etcdserverpb_LeaseTimeToLiveResponse {
        var message = Etcdserverpb_LeaseTimeToLiveResponse()
        message.header = Answers.header(context.store.revision)
        message.id = request.id
        do {
            let status = try await context.store.leaseStatus(request.id)
            message.ttl = status.remaining
            message.grantedTtl = status.timeToLive
            if request.keys { message.keys = status.keys.map { Data($0) } }
        } catch {
            guard error == .leaseNotFound(request.id) else { throw error }
            message.ttl = -1
        }
        return message
    }

    private func leases(_ request: Etcdserverpb_LeaseLeasesRequest) async throws -> Etcdserverpb_LeaseLeasesResponse {
        var message = Etcdserverpb_LeaseLeasesResponse()
        message.header = Answers.header(context.store.revision)
        message.leases = try await context.store.leases().map { id in
            var status = Etcdserverpb_LeaseStatus()
            status.id = id
            return status
        }
        return message
    }
}

/// Renewals, answered in order. They touch no disk, so they need no task.
private final class KeepAliveStream: GRPCStreamReceiver {
    private let stream: GRPCServerStream
    private let store: EmbeddedStore

    init(stream: GRPCServerStream, store: EmbeddedStore) {
        self.stream = stream
        self.store = store
    }

    func receive(_ message: [UInt8]) {
        do {
            let request = try Etcdserverpb_LeaseKeepAliveRequest(serializedBytes: message)
            var answer = Etcdserverpb_LeaseKeepAliveResponse()
            answer.header = Answers.header(store.revision)
            answer.id = request.id
            answer.ttl = store.renew(request.id) ?? 0  // 0 says that there is no such lease
            stream.send(try answer.serializedBytes())
        } catch {
            stream.finish(Status(code: .internalError, message: "grpc: error unmarshalling request: \(error)"))
        }
    }

    func receivedEnd() { stream.finish(Status(code: .ok, message: "")) }
    func becameWritable() {}
    func ended() {}
}
