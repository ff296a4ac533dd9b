import Addressing
import ClusterStore
import Logging
import SubnetLeases
import Synchronization
import Testing

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
private let config = NetworkConfig(
    network: IPv4Prefix(IPv4Address(10, 244, 0, 0), length: 16), subnetLength: 24,
    subnetMin: IPv4Address(10, 244, 1, 0),
    subnetMax: IPv4Address(10, 244, 255, 0))

private func source(_ store: MemoryStore, clock: any Clock<Duration> = ContinuousClock()) -> StoreSubnetSource {
    StoreSubnetSource(store: store, prefix: "/net/", clock: clock, logger: quiet)
}

private func node(_ number: Int) -> LeaseAttributes {
    LeaseAttributes(publicIP: IPv4Address(192, 0, UInt8(number / 250), UInt8(number % 250 + 1)))
}

@Suite struct SubnetSourceTests {
    @Test func aClaimIsWrittenAsFlanneldWritesIt() async throws {
        let store = MemoryStore()
        let wanted = IPv4Prefix(IPv4Address(10, 244, 49, 0), length: 24)
        let held = try await source(store).acquire(node(0), in: config, previous: wanted)
        #expect(held.lease.subnet == wanted, "the previous subnet is free")
        #expect(held.timeToLive == .seconds(86400))
        #expect(store.value("/net/subnets/10.244.49.0-24") == #"{"PublicIP":"192.0.0.1","PublicIPv6":null}"#)
    }

    @Test func aNodeGetsItsSubnetBackByItsPublicAddress() async throws {
        let store = MemoryStore()
        let first = try await source(store).acquire(node(0), in: config, previous: nil)
        let again = try await source(store).acquire(node(0), in: config, previous: nil)
        #expect(first.lease == again.lease)
        #expect(store.keyNames().count == 1)
    }

    @Test func aPreviousSubnetOfAnotherIsNotTaken() async throws {
        let store = MemoryStore()
        let first = try await source(store).acquire(node(0), in: config, previous: nil)
        let second = try await source(store).acquire(node(1), in: config, previous: first.lease.subnet)
        #expect(second.lease.subnet != first.lease.subnet)
    }

    @Test func aReservationStaysOne() async throws {
        let store = MemoryStore()
        try await store.put("/net/subnets/10.244.9.0-24", node(0).encoded)
        let held = try await source(store).acquire(node(0), in: config, previous: nil)
        #expect(held.lease.subnet.description == "10.244.9.0/24")
        #expect(held.timeToLive == nil && held.handle == 0)
        _ = try await source(store).renew(held)
    }

    @Test func aLeaseThatTheConfigNoLongerOffersIsGivenUp() async throws {
        let store = MemoryStore()
        try await store.put("/net/subnets/10.99.0.0-24", node(0).encoded)
        let held = try await source(store).acquire(node(0), in: config, previous: nil)
        #expect(config.offers(held.lease.subnet))
        #expect(store.keyNames().count == 1)
    }

    @Test func aDryPoolIsSaidAndHeals() async throws {
        let store = MemoryStore()
        let tiny = NetworkConfig(
            network: IPv4Prefix(IPv4Address(10, 3, 0, 0), length: 28), subnetLength: 30,
            subnetMin: IPv4Address(10, 3, 0, 4),
            subnetMax: IPv4Address(10, 3, 0, 12))
        var held: [HeldLease] = []
        for number in 0..<3 { held.append(try await source(store).acquire(node(number), in: tiny, previous: nil)) }
        #expect(Set(held.map(\.lease.subnet)).count == 3)
        await #expect(throws: SubnetError.poolDry(tiny.network, leases: 3)) {
            try await source(store).acquire(node(3), in: tiny, previous: nil)
        }
        try await source(store).release(held[1])
        let healed = try await source(store).acquire(node(3), in: tiny, previous: nil)
        #expect(healed.lease.subnet == held[1].lease.subnet)
    }

    @Test(arguments: [1, 60, 200])
    func managersThatStartTogetherGetDistinctSubnets(count: Int) async throws {
        let store = MemoryStore()
        // Just enough room, so that they are in each other's way.
        let tight = NetworkConfig(
            network: IPv4Prefix(IPv4Address(10, 3, 0, 0), length: 20), subnetLength: 28,
            subnetMin: IPv4Address(10, 3, 0, 16),
            subnetMax: IPv4Prefix(IPv4Address(10, 3, 0, 16).advanced(by: UInt32(16 * (count - 1))), length: 28).address)
        let subnets = try await withThrowingTaskGroup(of: IPv4Prefix.self) { group in
            for number in 0..<count {
                group.addTask { try await source(store).acquire(node(number), in: tight, previous: nil).lease.subnet }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(subnets).count == count)
        #expect(store.keyNames().count == count)
    }

    @Test func lossIsToldFromAnOutage() async throws {
        let store = MemoryStore()
        let held = try await source(store).acquire(node(0), in: config, previous: nil)
        store.setAway(true)
        await #expect(throws: SubnetError.store(.unavailable("the test said so"))) {
            try await source(store).renew(held)
        }
        store.setAway(false)
        _ = try await source(store).renew(held)
        store.expire(held.handle)
        do {
            _ = try await source(store).renew(held)
            Issue.record("an ended lease was renewed")
        } catch {
            guard case .leaseLost = error else { throw error }
        }
    }

    @Test func configProblemsNameTheKey() async throws {
        let store = MemoryStore()
        await #expect(throws: SubnetError.configMissing(key: "/net/config")) { try await source(store).networkConfig() }
        try await store.put("/net/config", Array(#"{"Network":3}"#.utf8))
        do {
            _ = try await source(store).networkConfig()
            Issue.record("nonsense was accepted")
        } catch {
            #expect(error.description.contains("/net/config") && error.description.contains("Network: found"))
        }
    }

    @Test(.timeLimit(.minutes(1))) func theTableFollowsTheStoreThroughOutageAndCompaction() async throws {
        let store = MemoryStore()
        let clock = ManualClock()
        let mine = try await source(store).acquire(node(0), in: config, previous: nil)
        let newest = Mutex(LeaseTable(peers: [], own: .missing, isCurrent: false))
        let reader = Task {
            for await table in source(store, clock: clock).tables(own: mine.lease, in: config) {
                newest.withLock { $0 = table }
            }
        }
        defer { reader.cancel() }
        let second = try await source(store).acquire(node(1), in: config, previous: nil)
        #expect(await holdsWithinDeadline { newest.withLock { $0 }.peers == [second.lease] })

        store.setAway(true)
        #expect(await holdsWithinDeadline { !newest.withLock { $0 }.isCurrent })
        #expect(newest.withLock { $0 }.peers == [second.lease], "an outage takes nothing away")
        store.setAway(false)
        try await source(store).release(second)
        let third = try await source(store).acquire(node(2), in: config, previous: nil)
        try await store.compact(to: store.revision)
        #expect(
            await holdsWithinDeadline {
                clock.advance(by: .seconds(20))
                return newest.withLock { $0 } == LeaseTable(peers: [third.lease], own: .held, isCurrent: true)
            })
    }
}

@Suite struct LeaseKeeperTests {
    private func keep(
        _ held: HeldLease, _ store: MemoryStore, _ clock: ManualClock
    ) -> (events: EventLog, suspect: AsyncStream<Void>.Continuation, task: Task<Void, Never>) {
        let events = EventLog()
        let (suspicions, suspect) = AsyncStream<Void>.makeStream()
        let keeper = LeaseKeeper(source: source(store, clock: clock), config: config, clock: clock, logger: quiet)
        let task = Task { await keeper.run(held, suspicions: suspicions) { event in events.append(event) } }
        return (events, suspect, task)
    }

    @Test(.timeLimit(.minutes(1))) func renewsAtAThirdOfTheTimeToLive() async throws {
        let store = MemoryStore()
        let clock = ManualClock()
        let held = try await source(store).acquire(node(0), in: config, previous: nil)
        let (events, _, task) = keep(held, store, clock)
        defer { task.cancel() }
        #expect(await holdsWithinDeadline { clock.sleeperCount == 1 })
        clock.advance(by: .seconds(86400 / 3 - 1))
        #expect(store.renewals == 0)
        clock.advance(by: .seconds(1))
        #expect(await holdsWithinDeadline { events.all == [.renewed(held)] })
    }

    @Test(.timeLimit(.minutes(1))) func anOutageOverTheRenewalIsTriedToTheEnd() async throws {
        let store = MemoryStore()
        let clock = ManualClock()
        let held = try await source(store).acquire(node(0), in: config, previous: nil)
        let (events, _, task) = keep(held, store, clock)
        defer { task.cancel() }
        store.setAway(true)
        #expect(
            await holdsWithinDeadline {
                clock.advance(by: .seconds(86400 / 3))
                return events.all.count > 5
            })
        store.setAway(false)
        #expect(
            await holdsWithinDeadline {
                clock.advance(by: .seconds(20))
                return events.all.last == .renewed(held)
            })
    }

    @Test(.timeLimit(.minutes(1))) func aDeletedLeaseIsClaimedAgainAtTheFirstSign() async throws {
        let store = MemoryStore()
        let clock = ManualClock()
        let held = try await source(store).acquire(node(0), in: config, previous: nil)
        let (events, suspect, task) = keep(held, store, clock)
        defer { task.cancel() }
        store.expire(held.handle)
        suspect.yield()
        #expect(await holdsWithinDeadline { !events.all.isEmpty })
        guard case .reclaimed(let again)? = events.all.first else { throw WrongEvents(events.all) }
        #expect(again.lease == held.lease)
    }

    @Test(.timeLimit(.minutes(1))) func aSubnetThatIsAnothersNowIsLeftToIt() async throws {
        let store = MemoryStore()
        let clock = ManualClock()
        let held = try await source(store).acquire(node(0), in: config, previous: nil)
        let (events, suspect, task) = keep(held, store, clock)
        defer { task.cancel() }
        store.expire(held.handle)
        let other = try await source(store).acquire(node(1), in: config, previous: held.lease.subnet)
        #expect(other.lease.subnet == held.lease.subnet)
        suspect.yield()
        #expect(await holdsWithinDeadline { !events.all.isEmpty })
        guard case .moved(let new, let from, _)? = events.all.first else { throw WrongEvents(events.all) }
        #expect(from == held.lease.subnet && new.lease.subnet != from)
        _ = try await source(store).renew(other)
    }
}

private struct WrongEvents: Error {
    let events: [LeaseKeeper.Event]
    init(_ events: [LeaseKeeper.Event]) { self.events = events }
}

/// A list that a task fills and the test reads.
final class EventLog: Sendable {
    private let list = Mutex<[LeaseKeeper.Event]>([])
    var all: [LeaseKeeper.Event] { list.withLock { $0 } }
    func append(_ event: LeaseKeeper.Event) { list.withLock { $0.append(event) } }
}
