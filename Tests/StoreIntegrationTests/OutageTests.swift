import ClusterStore
import EmbeddedStore
import Foundation
import Synchronization
import Testing

/// Stores that go away while they are used.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct OutageTests {
    @Test
    func aWatchOutlivesAnEtcdThatStopsAndStarts() async throws {
        let etcd = try RealEtcd()
        let programs = Programs()
        try programs.add(etcd.start())
        defer { programs.killAll() }
        try await withEtcdStore(etcd.endpoint) { store in
            let start = try await store.put("o", [1])
            let values = Values()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await batch in store.watch(WatchRequest(.key("o"), from: start)) {
                        values.add(batch.events.map { $0.keyValue.value[0] })
                        if values.all.count == 3 { return }
                    }
                }
                _ = try await eventually { values.all == [1] ? true : nil }
                try await store.put("o", [2])
                programs.killAll()
                let error = await #expect(throws: StoreError.self) { try await store.put("o", [9]) }
                guard case .unavailable? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                try programs.add(etcd.start())
                _ = try await eventually { try? await store.put("o", [3]) }
                try await group.waitForAll()
            }
            #expect(values.all == [1, 2, 3])
        }
    }
}

/// What a watch has delivered so far.
private final class Values: Sendable {
    private let values = Mutex<[UInt8]>([])
    var all: [UInt8] { values.withLock { $0 } }
    func add(_ more: [UInt8]) { values.withLock { $0 += more } }
}

/// Programs that a test has started.
private final class Programs: Sendable {
    private let programs = Mutex<[ChildProgram]>([])
    func add(_ program: ChildProgram) { programs.withLock { $0.append(program) } }
    func killAll() { for program in programs.withLock({ $0 }) { program.kill() } }
}
