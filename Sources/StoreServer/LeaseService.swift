import ClusterStore
import FoundationEssentials
import GRPCCore

/// etcd's `Lease` service.
struct LeaseService: Etcdserverpb_Lease.SimpleServiceProtocol {
    let store: any ClusterStore

    func leaseGrant(
        request: Etcdserverpb_LeaseGrantRequest, context: ServerContext
    ) async throws -> Etcdserverpb_LeaseGrantResponse {
        try await Answers.translate {
            let lease = try await store.grantLease(timeToLive: request.ttl, id: request.id)
            var message = Etcdserverpb_LeaseGrantResponse()
            message.header = Answers.header(try await store.revision())
            message.id = lease.id
            message.ttl = lease.timeToLive
            return message
        }
    }

    func leaseRevoke(
        request: Etcdserverpb_LeaseRevokeRequest, context: ServerContext
    ) async throws -> Etcdserverpb_LeaseRevokeResponse {
        try await Answers.translate {
            try await store.revokeLease(request.id)
            var message = Etcdserverpb_LeaseRevokeResponse()
            message.header = Answers.header(try await store.revision())
            return message
        }
    }

    func leaseKeepAlive(
        request: RPCAsyncSequence<Etcdserverpb_LeaseKeepAliveRequest, any Error>,
        response: RPCWriter<Etcdserverpb_LeaseKeepAliveResponse>, context: ServerContext
    ) async throws {
        for try await renewal in request {
            let message = try await Answers.translate {
                var message = Etcdserverpb_LeaseKeepAliveResponse()
                message.header = Answers.header(try await store.revision())
                message.id = renewal.id
                do {
                    message.ttl = try await store.renewLease(renewal.id)
                } catch StoreError.leaseNotFound {
                    message.ttl = 0
                }
                return message
            }
            try await response.write(message)
        }
    }

    func leaseTimeToLive(
        request: Etcdserverpb_LeaseTimeToLiveRequest, context: ServerContext
    ) async throws -> Etcdserverpb_LeaseTimeToLiveResponse {
        let inspection = try inspection("LeaseTimeToLive")
        return try await Answers.translate {
            var message = Etcdserverpb_LeaseTimeToLiveResponse()
            message.header = Answers.header(try await store.revision())
            message.id = request.id
            do {
                let status = try await inspection.leaseStatus(request.id)
                message.ttl = status.remaining
                message.grantedTtl = status.timeToLive
                if request.keys { message.keys = status.keys.map { Data($0) } }
            } catch StoreError.leaseNotFound {
                message.ttl = -1
            }
            return message
        }
    }

    func leaseLeases(
        request: Etcdserverpb_LeaseLeasesRequest, context: ServerContext
    ) async throws -> Etcdserverpb_LeaseLeasesResponse {
        let inspection = try inspection("LeaseLeases")
        return try await Answers.translate {
            var message = Etcdserverpb_LeaseLeasesResponse()
            message.header = Answers.header(try await store.revision())
            message.leases = try await inspection.leases().map { id in
                var status = Etcdserverpb_LeaseStatus()
                status.id = id
                return status
            }
            return message
        }
    }

    private func inspection(_ call: String) throws -> any StoreInspection {
        guard let inspection = store as? any StoreInspection else {
            throw RPCError(code: .unimplemented, message: "the store behind this server does not offer \(call)")
        }
        return inspection
    }
}
