package import Addressing
package import ClusterStore

/// Where a node's subnet comes from and where it learns the other nodes'. The store implements it
/// (``StoreSubnetSource``); Node objects can.
package protocol SubnetSource: Sendable {
    /// Reads the network's configuration.
    func networkConfig() async throws(SubnetError) -> NetworkConfig

    /// Claims a subnet: the one this node has already by its public address, else `previous` if nobody else has it,
    /// else a random free one. Never takes a subnet that is another node's.
    ///
    /// - Throws: ``SubnetError/poolDry(_:leases:)`` when every subnet is taken; asking again later may succeed.
    func acquire(
        _ attributes: LeaseAttributes, in config: NetworkConfig, previous: IPv4Prefix?
    ) async throws(SubnetError) -> HeldLease

    /// Prolongs the claim and checks that it still stands.
    ///
    /// - Throws: ``SubnetError/leaseLost(_:reason:)`` when it does not; no other error means that.
    func renew(_ lease: HeldLease) async throws(SubnetError) -> HeldLease

    /// Gives the claim back, for a node that leaves for good.
    func release(_ lease: HeldLease) async throws(SubnetError)

    /// All other nodes' leases, whole each time and only the newest kept for a slow reader. Survives every outage of
    /// the source; ends when the reading task is cancelled.
    func tables(own: Lease, in config: NetworkConfig) -> AsyncStream<LeaseTable>
}

/// A lease that this node holds.
package struct HeldLease: Hashable, Sendable {
    package var lease: Lease
    /// How long the claim stands without renewal; `nil` for a reservation, which needs none.
    package var timeToLive: Duration?
    /// The source's own name for the claim: the store's lease number, 0 for a reservation.
    package var handle: Int64

    package init(lease: Lease, timeToLive: Duration?, handle: Int64) {
        self.lease = lease
        self.timeToLive = timeToLive
        self.handle = handle
    }
}

/// The network as one node sees it.
package struct LeaseTable: Hashable, Sendable {
    /// What the source says about this node's own subnet.
    package enum Own: Hashable, Sendable {
        case held
        /// No lease stands there: it ended, or was deleted.
        case missing
        /// Another node, of that public address, has it.
        case taken(by: IPv4Address)
    }

    /// The other nodes' leases that can be used, in order of subnets.
    package var peers: [Lease]
    package var own: Own
    /// Whether the source answers at present; while it does not, the table is the last one known.
    package var isCurrent: Bool

    package init(peers: [Lease], own: Own, isCurrent: Bool) {
        self.peers = peers
        self.own = own
        self.isCurrent = isCurrent
    }
}

/// Why a node has no subnet, or not the one it had.
package enum SubnetError: Error, Hashable, Sendable, CustomStringConvertible {
    case configMissing(key: String)
    case configInvalid(key: String, NetworkConfigError)
    /// All subnets of the network are leased.
    case poolDry(IPv4Prefix, leases: Int)
    case leaseLost(IPv4Prefix, reason: String)
    case store(StoreError)

    package var description: String {
        switch self {
        case .configMissing(let key):
            "no network config: the key \(key) does not exist; write one, such as "
                + "etcdctl put \(key) '{\"Network\":\"10.244.0.0/16\",\"Backend\":{\"Type\":\"udp\"}}'"
        case .configInvalid(let key, let error): "the network config in \(key) can't be used: \(error)"
        case .poolDry(let network, let leases):
            "no free subnet in \(network): all are leased (\(leases) leases); wait for one to end, delete the lease of a "
                + "node that is gone, or widen SubnetMin and SubnetMax"
        case .leaseLost(let subnet, let reason): "the lease of \(subnet) is lost: \(reason)"
        case .store(let error): "\(error)"
        }
    }
}
