package import Addressing
import ClusterStore
import Logging

extension StoreSubnetSource {
    /// Attempts to take a free subnet before the leases are read anew: each failure means that another node got it.
    private static let attemptsPerList = 8

    package func acquire(
        _ attributes: LeaseAttributes, in config: NetworkConfig, previous: IPv4Prefix?
    ) async throws(SubnetError) -> HeldLease {
        let grant: StoreLease
        do { grant = try await store.grantLease(timeToLive: max(1, timeToLive.components.seconds), id: 0) } catch {
            throw .store(error)
        }
        do throws(SubnetError) {
            var backOff = BackOff(first: .milliseconds(10), limit: .seconds(1))
            while true {
                if let held = try await attempt(attributes, in: config, previous: previous, grant: grant) {
                    if held.handle != grant.id { await discard(grant) }
                    return held
                }
                do { try await clock.sleep(for: backOff.next()) } catch { throw .store(.cancelled) }
            }
        } catch {
            await discard(grant)
            throw error
        }
    }

    /// One list, and claims by what it says. `nil` when others were faster each time.
    private func attempt(
        _ attributes: LeaseAttributes, in config: NetworkConfig, previous: IPv4Prefix?, grant: StoreLease
    ) async throws(SubnetError) -> HeldLease? {
        let listed: RangeResponse
        do { listed = try await store.range(RangeRequest(.prefix(leasePrefix))) } catch { throw .store(error) }
        var leased: [IPv4Prefix] = []
        var leasedIPv6: [IPv6Prefix] = []
        var mine: [(lease: Lease, keyValue: KeyValue)] = []
        for keyValue in listed.keyValues {
            let name = keyValue.keyText.dropFirst(leasePrefix.count)
            guard let subnet = try? Lease.subnet(ofKeyName: name) else { continue }
            let ipv6Subnet = try? Lease.ipv6Subnet(ofKeyName: name)
            let holder = try? LeaseAttributes(parsing: keyValue.value).publicIP
            if holder == attributes.publicIP {
                mine.append((Lease(subnet: subnet, ipv6Subnet: ipv6Subnet, attributes: attributes), keyValue))
            } else {
                leased.append(subnet)
                if let ipv6Subnet { leasedIPv6.append(ipv6Subnet) }
            }
        }

        // What is ours already: the subnet used last before any other.
        mine.sort {
            ($0.lease.subnet == previous ? 0 : 1, $0.lease.subnet.address)
                < ($1.lease.subnet == previous ? 0 : 1, $1.lease.subnet.address)
        }
        for (lease, keyValue) in mine {
            let subnet = lease.subnet
            let name = key(of: lease)
            let unchanged = Comparison(keyValue.key, .equal, .modRevision(keyValue.modRevision))
            guard config.offers(lease), !leased.contains(where: { $0.overlaps(subnet) }) else {
                logger.warning("our lease \(name) does not fit the network config any more and is given up")
                _ = try await transact(
                    Transaction(if: [unchanged], then: [.delete(KeyRange(start: keyValue.key, end: []))]))
                continue
            }
            // A reservation, a lease without end, stays one.
            let handle = keyValue.lease == 0 ? 0 : grant.id
            let claim = Transaction(
                if: [unchanged], then: [.put(key: keyValue.key, value: attributes.encoded, lease: handle)])
            guard try await transact(claim) else { return nil }
            logger.info("the lease of \(subnet) is re-used: it bears our public address")
            return held(lease, handle: handle, grant: grant)
        }

        var generator = SystemRandomNumberGenerator()
        var wanted = previous
        for _ in 0..<Self.attemptsPerList {
            let pool = SubnetPool(config, leased: leased)
            let subnet: IPv4Prefix
            if let previous = wanted, pool.isFree(previous) {
                subnet = previous
            } else if let free = pool.randomFree(using: &generator) {
                subnet = free
            } else {
                throw .poolDry(config.network, leases: leased.count)
            }
            let ipv6Subnet = config.ipv6Subnet(for: subnet, leased: leasedIPv6)
            let lease = Lease(subnet: subnet, ipv6Subnet: ipv6Subnet, attributes: attributes)
            let name = Array(key(of: lease).utf8)
            let claim = Transaction(
                if: [Comparison(name, .equal, .createRevision(0))],
                then: [.put(key: name, value: attributes.encoded, lease: grant.id)])
            if try await transact(claim) { return held(lease, handle: grant.id, grant: grant) }
            leased.append(subnet)
            wanted = nil
        }
        return nil
    }

    private func held(_ lease: Lease, handle: Int64, grant: StoreLease) -> HeldLease {
        HeldLease(lease: lease, timeToLive: handle == 0 ? nil : .seconds(grant.timeToLive), handle: handle)
    }

    private func transact(_ transaction: Transaction) async throws(SubnetError) -> Bool {
        do { return try await store.transact(transaction).succeeded } catch { throw .store(error) }
    }

    /// Ends a store lease that holds no key; if that fails it ends by itself.
    private func discard(_ grant: StoreLease) async {
        do { try await store.revokeLease(grant.id) } catch {
            logger.debug("lease \(grant.id) stays until it ends: \(error)")
        }
    }
}
