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
        let first = Mutex<ChildProgram?>(try etcd.start())
        defer { first.withLock { $0?.kill() } }
        try await withEtcdStore(etcd.endpoint) { store in
            let start = try await store.put("o", [1])
            let values = Mutex<[UInt8]>([])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for try await batch in store.watch(WatchRequest(.key("o"), from: start)) {
                        values.withLock { $0 += batch.events.map { $0.keyValue.value[0] } }
                        if values.withLock({ $0.count }) == 3 { return }
                    }
                }
                _ = try await eventually { values.withLock { $0 == [1] } ? true : nil }
                try await store.put("o", [2])
                first.withLock { $0?.kill() }
                let error = await #expect(throws: StoreError.self) { try await store.put("o", [9]) }
                guard case .unavailable? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                let again = try etcd.start()
                first.withLock { $0 = again }
                _ = try await eventually { try? await store.put("o", [3]) }
                try await group.waitForAll()
            }
            #expect(values.withLock { $0 } == [1, 2, 3])
        }
    }

    @Test
    func killingAStoreLosesNoAcknowledgedWrite() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path] in
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
        let keys = try String(contentsOfFile: path + "/acknowledged", encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(keys.count > 200)
        let store = try EmbeddedStore(path: path + "/store", logger: quiet)
        try await running([store]) {
            let found = Set(try await store.range(RangeRequest(.prefix("k/"))).keyValues.map(\.keyText))
            #expect(keys.filter { !found.contains($0) } == [])
        }
    }
}
