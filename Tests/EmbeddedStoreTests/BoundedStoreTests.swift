import ClusterStore
import Foundation
import GRDB
import Synchronization
import Testing

@testable import EmbeddedStore

/// What must not grow: history, files, and what waits for readers that do not read.
@Suite(.timeLimit(.minutes(3)))
struct BoundedStoreTests {
    /// A clock that stands until it is moved.
    private final class ManualClock: Sendable {
        private let time = Mutex<Duration>(.zero)

        func advance(by step: Duration) { time.withLock { $0 += step } }

        var clock: StoreClock {
            let now: @Sendable () -> Duration = { self.time.withLock { $0 } }
            return StoreClock(now: now) { pause in
                let end = now() + pause
                while now() < end { try await Task.sleep(for: .milliseconds(1)) }
            }
        }
    }

    @Test
    func aDayOfHeartbeatsLeavesTheLastMinutesAndASmallFile() async throws {
        let file = TemporaryStore()
        let manual = ManualClock()
        var configuration = EmbeddedStore.Configuration()
        configuration.compaction = .periodic(.seconds(300))
        let nodes = 20
        let value = [UInt8](repeating: 9, count: 1000)
        try await withStore(file, configuration: configuration, clock: manual.clock) { store in
            for pod in 0..<500 { try await store.put("pods/\(pod)", value) }
            // A watcher that never reads must not keep what others give up.
            let (stuck, token) = store.startWatch(WatchRequest(.prefix(""), from: 1))
            for _ in 0..<(24 * 60) {  // a minute each: one heartbeat of every node
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for node in 0..<nodes { group.addTask { try await store.put("leases/\(node)", value) } }
                    try await group.waitForAll()
                }
                manual.advance(by: .seconds(60))
                await Task.yield()
            }
            try await eventually {
                manual.advance(by: .seconds(30))
                return try await store.recordCount() <= 500 + nodes
            }
            #expect(try await store.range(RangeRequest(.prefix("pods/"))).count == 500)
            let live = Int64((500 + nodes) * (value.count + 20))
            try await eventually { try await store.size().total < live * 2 + 2 << 20 }
            #expect(fileSize(file.path + "-wal") < Int64(Checkpointer.logBytes) * 3)
            withExtendedLifetime((stuck, token)) {}
        }
    }

    @Test
    func theMostRecentRevisionsAreKept() async throws {
        var configuration = EmbeddedStore.Configuration()
        configuration.compaction = .revisions(100)
        let manual = ManualClock()
        try await withStore(TemporaryStore(), configuration: configuration, clock: manual.clock) { store in
            for number in 0..<400 { try await store.put("k", [UInt8(number & 255)]) }
            try await eventually {
                manual.advance(by: .seconds(10))
                return try await store.recordCount() <= 101
            }
            let last = try await store.range(RangeRequest(.key("k"))).revision
            #expect(try await store.range(RangeRequest(.key("k"), revision: last - 99)).keyValues.count == 1)
            await #expect(throws: StoreError.compacted(oldest: last - 100)) {
                _ = try await store.range(RangeRequest(.key("k"), revision: last - 101))
            }
        }
    }

    @Test
    func theFileShrinksAfterManyDeletions() async throws {
        let file = TemporaryStore()
        try await withStore(file) { store in
            let value = [UInt8](repeating: 1, count: 4000)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<8 {
                    group.addTask { for number in 0..<250 { try await store.put("k/\(writer)/\(number)", value) } }
                }
                try await group.waitForAll()
            }
            let full = try await store.size().total
            try await store.delete(.prefix("k/"))
            try await store.compact(to: store.revision)
            try await eventually { try await store.size().total < full / 3 }
        }
    }

    @Test
    func aReaderThatFallsBehindLosesNothingAndHoldsNobodyUp() async throws {
        try await withStore(TemporaryStore()) { store in
            let value = [UInt8](repeating: 5, count: 4096)
            let count: Int64 = 1500
            let start = store.revision + 1
            let (slow, token) = store.startWatch(WatchRequest(.prefix("w/"), from: start, previous: true))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var next = start
                    for try await batch in store.watch(WatchRequest(.prefix("w/"), from: start)) {
                        for event in batch.events {
                            #expect(event.keyValue.modRevision == next)
                            next += 1
                        }
                        if next == start + count { return }
                    }
                }
                for writer in 0..<10 {
                    group.addTask {
                        for _ in 0..<(count / 10) { try await store.put("w/\(writer)", value) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(store.watchers.behind == 1, "6 MB came, of which 1 MB may wait")
            var revisions: [Int64] = []
            while revisions.count < count {
                switch slow.take(orWake: {}) {
                case .delivery(let delivery): revisions += delivery.events.map(\.event.keyValue.modRevision)
                case .behind:
                    let page = try await store.catchUp(slow)
                    for published in page?.events ?? [] {
                        revisions.append(published.event.keyValue.modRevision)
                        #expect(published.event.keyValue.version == 1 || published.event.previous?.value == value)
                    }
                case .failed(let error): throw error
                case .waiting: try await Task.sleep(for: .milliseconds(1))
                }
            }
            #expect(revisions == Array(start..<(start + count)))
            withExtendedLifetime(token) {}
        }
    }

    @Test
    func aReaderBehindWhatIsCompactedIsTold() async throws {
        try await withStore(TemporaryStore()) { store in
            let (slow, token) = store.startWatch(WatchRequest(.prefix("w/")))
            for _ in 0..<400 { try await store.put("w/1", [UInt8](repeating: 5, count: 4096)) }
            try await store.compact(to: store.revision)
            guard case .behind = slow.take(orWake: {}) else {
                Issue.record("the queue was not dropped")
                return
            }
            await #expect(throws: StoreError.compacted(oldest: store.revision)) { _ = try await store.catchUp(slow) }
            withExtendedLifetime(token) {}
        }
    }

    @Test
    func valuesBeforeChangesComeHoweverLateAWatchAsksForThem() async throws {
        try await withStore(TemporaryStore()) { store in
            try await store.put("p", [0])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 1...200 { try await store.put("p", [UInt8(number)]) }
                }
                // Watches that begin while commits are under way, each from the revision it finds.
                for _ in 0..<20 {
                    let start = store.revision
                    group.addTask {
                        for try await batch in store.watch(WatchRequest(.key("p"), from: start, previous: true)) {
                            for event in batch.events {
                                let number = event.keyValue.value[0]
                                #expect(event.previous?.value == (number == 0 ? nil : [number - 1]))
                                if number == 200 { return }
                            }
                        }
                    }
                    try await Task.sleep(for: .milliseconds(1))
                }
                try await group.waitForAll()
            }
        }
    }

    private func fileSize(_ path: String) -> Int64 {
        ((try? FileManager.default.attributesOfItem(atPath: path)[.size]) as? Int64) ?? 0
    }
}

extension EmbeddedStore {
    fileprivate func recordCount() async throws -> Int {
        try await read { try Int.fetchOne($0, sql: "SELECT count(*) FROM records") ?? 0 }
    }
}
