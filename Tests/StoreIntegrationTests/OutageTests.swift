import ClusterStore
import EmbeddedStore
import Foundation
import Synchronization
import Testing

/// Stores that go away while they are used.
@Suite(.serialized)
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

    @Test
    func killingAStoreLosesNoAcknowledgedWrite() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try EmbeddedStore(path: path + "/store", logger: quiet)
            let acknowledged = open(path + "/acknowledged", O_WRONLY | O_CREAT | O_APPEND, 0o600)
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await store.run() }
                for writer in 0..<8 {
                    group.addTask {
                        for number in 0..<100_000 {
                            try await store.put("k/\(writer)/\(number)", [1])
                            let line = Array("k/\(writer)/\(number)\n".utf8)
                            _ = write(acknowledged, line, line.count)
                            if writer == 0, number == 200 { kill(getpid(), SIGKILL) }
                        }
                    }
                }
            }
        }
        let keys = try String(contentsOfFile: path + "/acknowledged", encoding: .utf8).split(separator: "\n").map(
            String.init)
        #expect(keys.count > 200)
        let store = try EmbeddedStore(path: path + "/store", logger: quiet)
        try await running([store]) {
            let found = Set(try await store.range(RangeRequest(.prefix("k/"))).keyValues.map(\.keyText))
            #expect(keys.filter { !found.contains($0) } == [])
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
