import Addressing
import ClusterStore
import Logging
import SubnetLeases
import Testing

/// Leases in a real etcd under what breaks flannel's: crowds, a dry pool, and death between any two calls.
@Suite(.serialized, .enabled(if: EtcdProgram.isPossible, "needs etcd-server"), .timeLimit(.minutes(2)))
struct LeaseFaultTests {
    static let prefix = "/net"
    /// 255 subnets of 16 addresses.
    static let small = NetworkConfig(
        network: IPv4Prefix(IPv4Address(10, 250, 0, 0), length: 20), subnetLength: 28,
        subnetMin: IPv4Address(10, 250, 0, 16), subnetMax: IPv4Address(10, 250, 15, 240))

    static func source(_ store: any ClusterStore, timeToLive: Duration = .seconds(600)) -> StoreSubnetSource {
        StoreSubnetSource(store: store, prefix: prefix, timeToLive: timeToLive, logger: quiet)
    }

    static func node(_ number: Int) -> LeaseAttributes {
        LeaseAttributes(publicIP: IPv4Address(192, 0, UInt8(number / 250), UInt8(number % 250 + 1)))
    }

    /// Which node holds which subnet, from the store itself.
    static func owners(_ store: any ClusterStore) async throws -> [String: String] {
        let listed = try await store.range(RangeRequest(.prefix(prefix + "/subnets/"))).keyValues
        return Dictionary(
            uniqueKeysWithValues: listed.map { ($0.keyText, String(decoding: $0.value, as: UTF8.self)) })
    }

    @Test func twoHundredAtOnceGetDistinctSubnetsAndADryPoolHeals() async throws {
        let etcd = try EtcdProgram()
        try etcd.start()
        try await withClient([etcd.endpoint]) { store in
            let config = Self.small
            let held = try await withThrowingTaskGroup(of: HeldLease.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        // A call may be late when two hundred nodes come at once on a small machine: they ask again.
                        var backOff = BackOff()
                        while true {
                            do {
                                return try await Self.source(store).acquire(
                                    Self.node(number), in: config, previous: nil)
                            } catch SubnetError.store {
                                try await Task.sleep(for: backOff.next())
                            }
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(held.map(\.lease.subnet)).count == 200)
            #expect(try await Self.owners(store).count == 200)

            for number in 200..<config.capacity {
                _ = try await Self.source(store).acquire(Self.node(number), in: config, previous: nil)
            }
            let late = Self.node(999)
            let error = await #expect(throws: SubnetError.self) {
                _ = try await Self.source(store).acquire(late, in: config, previous: nil)
            }
            #expect(error == .poolDry(config.network, leases: config.capacity))
            let leaving = try #require(held.first)
            try await Self.source(store).release(leaving)
            let taken = try await Self.source(store).acquire(late, in: config, previous: nil)
            #expect(taken.lease.subnet == leaving.lease.subnet, "the one that became free")
        }
    }

    enum Step: String, Sendable, CaseIterable { case acquire, renew, release }

    /// The node that comes back has one lease and a rival another, wherever the first life ended.
    @Test(arguments: Step.allCases)
    func deathAtAnyCallLeavesOneOwner(_ step: Step) async throws {
        let etcd = try EtcdProgram()
        try etcd.start()
        try await withClient([etcd.endpoint]) { store in
            let config = Self.small
            for death in FailingStore.Death.allCases {
                var calls = 0
                while true {
                    calls += 1
                    try #require(calls < 50, "the step does not come to its end")
                    let clean = Self.source(store)
                    let first =
                        step == .acquire
                        ? nil : try await clean.acquire(Self.node(1), in: config, previous: nil)
                    let dying = FailingStore(store, diesAt: calls, death)
                    do throws(SubnetError) {
                        switch (step, first) {
                        case (.renew, let first?): _ = try await Self.source(dying).renew(first)
                        case (.release, let first?): try await Self.source(dying).release(first)
                        default: _ = try await Self.source(dying).acquire(Self.node(1), in: config, previous: nil)
                        }
                    } catch {
                        #expect(error == .store(.unavailable("killed")))
                    }
                    let again = try await clean.acquire(Self.node(1), in: config, previous: first?.lease.subnet)
                    let rival = try await clean.acquire(Self.node(2), in: config, previous: again.lease.subnet)
                    #expect(again.lease.subnet != rival.lease.subnet)
                    if let first { #expect(again.lease.subnet == first.lease.subnet, "\(death) \(calls)") }
                    #expect(try await Self.owners(store).count == 2, "\(death) \(calls)")
                    _ = try await clean.renew(again)
                    try await clean.release(again)
                    try await clean.release(rival)
                    #expect(try await Self.owners(store).isEmpty)
                    if !dying.isDead { break }
                }
                #expect(calls > 1)
            }
        }
    }

    @Test func aSubnetGivenAwayWhileANodeWasCutOffIsLeftToItsNewOwner() async throws {
        let etcd = try EtcdProgram()
        try etcd.start()
        try await withClient([etcd.endpoint]) { store in
            let source = Self.source(store)
            let held = try await source.acquire(Self.node(1), in: Self.small, previous: nil)
            try await store.revokeLease(held.handle)
            let other = try await source.acquire(Self.node(2), in: Self.small, previous: held.lease.subnet)
            #expect(other.lease.subnet == held.lease.subnet)

            let log = LogLines()
            let node = RunningNode(held, store, Self.small, logger: log.logger)
            defer { node.stop() }
            try await eventually("the loser has moved") { node.lease.subnet != held.lease.subnet }
            #expect(
                log.lines.contains { $0.contains("critical") && $0.contains("\(held.lease.subnet) belongs to another") }
            )
            _ = try await source.renew(other)
            let owners = try await Self.owners(store)
            #expect(owners.count == 2 && Set(owners.values).count == 2)
        }
    }
}
