import GRPCCore
import GRPCProtobuf
import SwiftProtobuf

/// How a store does, as one of its clients sees it.
package struct StoreHealth: Hashable, Sendable {
    /// A call there and back, without a disk.
    package var roundTrip: Duration
    /// What a write waits for beyond that: its way through the log to the disk, with etcd also to the other members.
    package var commit: Duration
    /// The number of the member that leads; 0 for none.
    package var leader: UInt64
    /// The number of the member that answered.
    package var member: UInt64
    package var version: String
    package var revision: Int64
    /// Bytes of the database.
    package var size: Int64
    /// What the store itself complains of, such as a lack of space.
    package var complaints: [String]

    /// What endangers the store, in words for its operator; empty when nothing does.
    package var warnings: [String] {
        var warnings = complaints.map { "the store complains: \($0)" }
        if leader == 0 { warnings.append("the store has no leader: writes wait for one") }
        if roundTrip > Self.slowRoundTrip {
            warnings.append("a round trip to the store takes \(roundTrip); leases are safe below \(Self.slowRoundTrip)")
        }
        if commit > Self.slowCommit {
            warnings.append(
                "a write waits \(commit) for the store's disk; a healthy one takes under \(Self.slowCommit)")
        }
        return warnings
    }

    private static let slowRoundTrip: Duration = .milliseconds(500)
    /// Half of etcd's election timeout is where its own troubles begin.
    private static let slowCommit: Duration = .milliseconds(500)
}

extension EtcdStore {
    /// Measures the store: a call without a write, then one with the smallest, a lease that is given back at once.
    package func health() async throws(StoreError) -> StoreHealth {
        // The first call may have to connect, which is not what is asked for.
        _ = try await status()
        let start = ContinuousClock.now
        let status = try await status()
        let roundTrip = start.duration(to: .now)
        let lease = try await grantLease(timeToLive: 10, id: 0)
        let granted = start.duration(to: .now) - roundTrip
        try await revokeLease(lease.id)
        return StoreHealth(
            roundTrip: roundTrip, commit: max(.zero, granted - roundTrip), leader: status.leader,
            member: status.header.memberID, version: status.version, revision: status.header.revision,
            size: status.dbSize, complaints: status.errors)
    }

    private func status() async throws(StoreError) -> Etcdserverpb_StatusResponse {
        try await session.call { client, metadata, options in
            try await Etcdserverpb_Maintenance.Client(wrapping: client).status(
                Etcdserverpb_StatusRequest(), metadata: metadata, options: options)
        }
    }

    /// Streams a snapshot of the store, as `etcdctl snapshot save` gets it.
    package func snapshot(_ receive: @escaping @Sendable ([UInt8]) throws -> Void) async throws(StoreError) {
        try await session.call { client, metadata, _ in
            try await Etcdserverpb_Maintenance.Client(wrapping: client).snapshot(
                Etcdserverpb_SnapshotRequest(), metadata: metadata
            ) { response in
                for try await message in response.messages { try receive([UInt8](message.blob)) }
            }
        }
    }
}
