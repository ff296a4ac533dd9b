/// A store that can say what leases it holds. Only tools ask: `etcdctl lease list` and `timetolive`.
package protocol LeaseInspection: ClusterStore {
    /// The numbers of all leases.
    func leases() async throws(StoreError) -> [Int64]

    /// What is left of a lease.
    ///
    /// - Throws: ``StoreError/leaseNotFound(_:)``.
    func leaseStatus(_ id: Int64) async throws(StoreError) -> LeaseStatus
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
