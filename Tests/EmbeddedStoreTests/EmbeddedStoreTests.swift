import ClusterStore
import Foundation
import GRDB
import Logging
import Synchronization
import Testing

@testable import EmbeddedStore

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

final class TemporaryStore: Sendable {
    let path = FileManager.default.temporaryDirectory.path + "/fjord-embedded-\(UUID().uuidString)/store"
    deinit { try? FileManager.default.removeItem(atPath: String(path.dropLast("/store".count))) }
}

/// Runs a test with a store that is closed after it.
func withStore(
    _ file: TemporaryStore, configuration: EmbeddedStore.Configuration = .init(), clock: StoreClock = .continuous,
    _ body: @escaping @Sendable (EmbeddedStore) async throws -> Void
) async throws {
    let store = try EmbeddedStore(path: file.path, configuration: configuration, clock: clock, logger: quiet)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.run() }
        try await body(store)
        group.cancelAll()
        while await group.nextResult() != nil {}
    }
}

func eventually(_ body: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while try await !body() {
        try #require(ContinuousClock.now < deadline, "the deadline passed")
        try await Task.sleep(for: .milliseconds(10))
    }
}

struct EmbeddedStoreTests {
    @Test
    func everyCommitIsSynced() throws {
        let file = TemporaryStore()
        let database = try StoreDatabase(path: file.path)
        let (mode, synchronous, vacuum) = try database.pool.writeWithoutTransaction { db in
            (
                try String.fetchOne(db, sql: "PRAGMA journal_mode"), try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                try Int.fetchOne(db, sql: "PRAGMA auto_vacuum")
            )
        }
        #expect(mode == "wal")
        #expect(synchronous == 2, "2 is FULL: the log is synced at each commit")
        #expect(vacuum == 2, "2 is incremental")
    }

    @Test
    func aSecondOpeningIsRefused() throws {
        let file = TemporaryStore()
        let first = try EmbeddedStore(path: file.path, logger: quiet)
        #expect(throws: StoreError.self) { try EmbeddedStore(path: file.path, logger: quiet) }
        withExtendedLifetime(first) {}
    }

    @Test
    func revisionsKeysHistoryAndLeasesAreThereAgain() async throws {
        let file = TemporaryStore()
        let revision = Mutex<Int64>(0)
        try await withStore(file) { store in
            _ = try await store.grantLease(timeToLive: 500, id: 9)
            try await store.put("a", [1], lease: 9)
            let last = try await store.put("a", [2], lease: 9)
            revision.withLock { $0 = last }
        }
        let last = revision.withLock { $0 }
        try await withStore(file) { store in
            let found = try await store.get("a")
            #expect(found?.modRevision == last)
            #expect(try await store.range(RangeRequest(.key("a"), revision: last - 1)).keyValues.first?.value == [1])
            #expect(try await store.renewLease(9) == 500)
            #expect(try await store.put("b", []) == last + 1)
        }
    }

    @Test
    func compactionDeletesInSlicesAllThatIsSuperseded() async throws {
        let file = TemporaryStore()
        try await withStore(file) { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for key in 0..<20 {
                    group.addTask { for value in 0..<150 { try await store.put("k\(key)", [UInt8(value)]) } }
                }
                try await group.waitForAll()
            }
            try await store.delete(.key("k0"))
            let last = try await store.put("end", [])
            try await store.compact(to: last)
        }
        // Opened anew, so that a sweep cut short by the end of the first process goes on by itself.
        try await withStore(file) { store in
            try await eventually {
                let pool = try DatabasePool(path: file.path)
                return try await pool.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM records") } == 20
            }
            #expect(try await store.range(RangeRequest(.prefix("k"))).count == 19)
        }
    }

    @Test
    func leasesRunOnTheGivenClock() async throws {
        let shared = ClockBox()
        let clock = StoreClock(
            now: { shared.now.withLock { $0 } }, sleep: { _ in try await Task.sleep(for: .milliseconds(2)) })
        try await withStore(TemporaryStore(), clock: clock) { store in
            let lease = try await store.grantLease(timeToLive: 3600, id: 0)
            try await store.put("l", [1], lease: lease.id)
            shared.now.withLock { $0 = .seconds(3599) }
            #expect(try await store.leaseStatus(lease.id).remaining == 1)
            _ = try await store.renewLease(lease.id)
            shared.now.withLock { $0 = .seconds(3599 + 3599) }
            #expect(try await store.get("l") != nil)
            shared.now.withLock { $0 = .seconds(3599 + 3600) }
            try await eventually { try await store.get("l") == nil }
            await #expect(throws: StoreError.leaseNotFound(lease.id)) { _ = try await store.renewLease(lease.id) }
        }
    }

    private final class ClockBox: Sendable {
        let now = Mutex<Duration>(.zero)
    }
}
