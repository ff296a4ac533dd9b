/// A store that can say what it holds. Only tools ask: `etcdctl lease list`, `lease timetolive`, `endpoint status`.
package protocol StoreInspection: ClusterStore {
    /// The numbers of all leases.
    func leases() async throws(StoreError) -> [Int64]

    /// What is left of a lease.
    ///
    /// - Throws: ``StoreError/leaseNotFound(_:)``.
    func leaseStatus(_ id: Int64) async throws(StoreError) -> LeaseStatus

    /// Bytes that the store takes, and of those the ones in use.
    func size() async throws(StoreError) -> (total: Int64, used: Int64)
}

/// A lease as it stands.
package struct LeaseStatus: Hashable, Sendable {
    /// Seconds until the lease ends, rounded down.
    package var remaining: Int64
    /// Seconds that a renewal gives.
    package var timeToLive: Int64
    /// The keys that end with the lease.
    package var keys: [[UInt8]]

    package init(remaining: Int64, timeToLive: Int64, keys: [[UInt8]]) {
        self.remaining = remaining
        self.timeToLive = timeToLive
        self.keys = keys
    }
}
