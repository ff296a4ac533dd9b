import Addressing
package import ClusterStore
package import Logging

/// Leases in the cluster store, under flannel's keys: `config` and `subnets/…` below a prefix.
package struct StoreSubnetSource: SubnetSource {
    /// flanneld's: a day.
    package static let defaultTimeToLive: Duration = .seconds(86400)

    let store: any ClusterStore
    let prefix: String
    let timeToLive: Duration
    /// How often the watch is verified by a list.
    let verificationInterval: Duration
    let clock: any Clock<Duration>
    let logger: Logger

    /// - Parameters:
    ///   - prefix: flanneld's `--etcd-prefix`, such as `/coreos.com/network`; slashes at its end don't matter.
    ///   - timeToLive: How long a lease stands without renewal; whole seconds.
    package init(
        store: any ClusterStore, prefix: String, timeToLive: Duration = Self.defaultTimeToLive,
        verificationInterval: Duration = .seconds(300), clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.store = store
        self.prefix = String(prefix.reversed().drop { $0 == "/" }.reversed())
        self.timeToLive = timeToLive
        self.verificationInterval = verificationInterval
        self.clock = clock
        self.logger = logger
    }

    /// The key of the network's configuration.
    package var configKey: String { prefix + "/config" }
    /// What all leases' keys begin with.
    package var leasePrefix: String { prefix + "/subnets/" }

    package func networkConfig() async throws(SubnetError) -> NetworkConfig {
        let found: KeyValue?
        do { found = try await store.get(configKey) } catch { throw .store(error) }
        guard let found else { throw .configMissing(key: configKey) }
        var warnings: [String] = []
        do {
            let config = try NetworkConfig(parsing: found.value, warnings: &warnings)
            for warning in warnings { logger.warning("\(warning)") }
            return config
        } catch {
            throw .configInvalid(key: configKey, error)
        }
    }

    package func renew(_ held: HeldLease) async throws(SubnetError) -> HeldLease {
        let subnet = held.lease.subnet
        let name = key(of: held.lease)
        let found: KeyValue?
        do throws(StoreError) {
            if held.handle != 0 { _ = try await store.renewLease(held.handle) }
            found = try await store.get(name)
        } catch .leaseNotFound {
            throw .leaseLost(subnet, reason: "it ended in the store without having been renewed in time")
        } catch {
            throw .store(error)
        }
        guard let found else { throw .leaseLost(subnet, reason: "the key \(name) is gone") }
        guard let holder = try? LeaseAttributes(parsing: found.value).publicIP, holder == held.lease.attributes.publicIP
        else {
            throw .leaseLost(
                subnet, reason: "the key \(name) now holds \(String(decoding: found.value, as: UTF8.self))")
        }
        guard found.lease == held.handle else {
            throw .leaseLost(subnet, reason: "the key \(name) hangs on another lease of the store")
        }
        return held
    }

    package func release(_ held: HeldLease) async throws(SubnetError) {
        let name = Array(key(of: held.lease).utf8)
        do throws(StoreError) {
            let mine = Comparison(name, .equal, .value(held.lease.attributes.encoded))
            _ = try await store.transact(
                Transaction(if: [mine], then: [.delete(KeyRange(start: name, end: []))]))
            if held.handle != 0 { try await store.revokeLease(held.handle) }
        } catch .leaseNotFound {
            return  // ended already
        } catch {
            throw .store(error)
        }
    }

    func key(of lease: Lease) -> String { leasePrefix + lease.keyName }
}
