import ClusterStore
import Foundation
import Synchronization
import Testing

/// The real program: killed, without space, backed up, over TLS.
@Suite(.serialized, .timeLimit(.minutes(20)))
struct StoreProgramTests {
    private static let isLong = ProcessInfo.processInfo.environment["FJORD_LONG"] == "1"

    /// What clients were told is written.
    private final class Acknowledged: Sendable {
        private let keys = Mutex<[String: Int64]>([:])
        var all: [String: Int64] { keys.withLock { $0 } }
        func add(_ key: String, _ revision: Int64) { keys.withLock { $0[key] = revision } }
    }

    @Test
    func noAcknowledgedWriteIsLostHoweverOftenTheProgramIsKilled() async throws {
        let directory = try TemporaryDirectory()
        let server = try StoreProgram(in: directory.path)
        let acknowledged = Acknowledged()
        let rounds = Self.isLong ? 100 : 5
        for round in 0..<rounds {
            let program = try server.start()
            defer { program.kill() }
            try await withEtcdStore(server.endpoint) { store in
                let found = try await store.range(RangeRequest(.prefix("k/"), keysOnly: true))
                let revisions = Dictionary(uniqueKeysWithValues: found.keyValues.map { ($0.keyText, $0.modRevision) })
                let missing = acknowledged.all.filter { revisions[$0.key] != $0.value }
                #expect(missing.isEmpty, "round \(round): \(missing.count) of \(acknowledged.all.count)")
                await withTaskGroup(of: Void.self) { group in
                    for writer in 0..<16 {
                        group.addTask {
                            for number in 0... {
                                let key = "k/\(round)/\(writer)/\(number)"
                                do {
                                    acknowledged.add(key, try await store.put(key, [UInt8](repeating: 1, count: 100)))
                                } catch { return }
                            }
                        }
                    }
                    // Not always in the same phase of commits and checkpoints.
                    try? await Task.sleep(for: .milliseconds(Int.random(in: 150...900)))
                    program.kill()
                }
            }
        }
        #expect(acknowledged.all.count > rounds * 50)
        let summary = try await StoreProgram.run("backup", directory.path + "/backup", "--store-path", server.storePath)
        #expect(summary.status == 0, "the file is sound: \(summary.output)")
    }

    @Test
    func aFullDiskRefusesPutsWhileReadsAndDeletionsGoOnAndHeals() async throws {
        let directory = try TemporaryDirectory()
        let disk = directory.path + "/disk"
        let mounted = try await command("/bin/sh", ["-c", "mkdir \(disk) && mount -t tmpfs -o size=64m none \(disk)"])
        try #require(mounted.status == 0, "\(mounted.output)")
        defer { umount2(disk, CInt(MNT_DETACH)) }
        let server = try StoreProgram(in: disk)
        let program = try server.start()
        defer { program.kill() }
        do { try await Self.fill(disk, of: server) } catch { Issue.record("\(error): \(program.output)") }
        #expect(program.isRunning)
    }

    private static func fill(_ disk: String, of server: StoreProgram) async throws {
        try await withEtcdStore(server.endpoint) { store in
            try await store.put("kept", [1])
            let value = [UInt8](repeating: 7, count: 64 << 10)
            var refusal: StoreError?
            for number in 0..<2000 where refusal == nil {
                do throws(StoreError) { try await store.put("fill/\(number)", value) } catch { refusal = error }
            }
            #expect(refusal == .refused(EtcdErrorText.noSpace))
            #expect(try await store.get("kept")?.value == [1])
            let alarms = try await etcdctl(server.port, ["alarm", "list"])
            #expect(alarms.output == "memberID:1 alarm:NOSPACE \n")
            #expect(try await store.delete(.prefix("fill/")) > 50)
            _ = try await eventually { try? await store.put("again", [2]) }
            let quiet = try await etcdctl(server.port, ["alarm", "list"])
            #expect(quiet.output == "")

            // Somebody else fills the disk to the last byte.
            _ = try await command("/bin/sh", ["-c", "cat /dev/zero > \(disk)/other; true"])
            _ = try await eventually {
                do throws(StoreError) {
                    try await store.put("more", value)
                    return nil as Bool?
                } catch { return error == .refused(EtcdErrorText.noSpace) ? true : nil }
            }
            #expect(try await store.get("again")?.value == [2])
            unlink(disk + "/other")
            _ = try await eventually { try? await store.put("more", [3]) }
            #expect(try await store.get("kept")?.value == [1])
        }
    }

    @Test
    func aQuotaIsKeptAndDeletionsMakeRoom() async throws {
        let directory = try TemporaryDirectory()
        let server = try StoreProgram(in: directory.path, arguments: ["--quota-backend-bytes", "4000000"])
        let program = try server.start()
        defer { program.kill() }
        try await withEtcdStore(server.endpoint) { store in
            let value = [UInt8](repeating: 7, count: 16 << 10)
            var refusal: StoreError?
            for number in 0..<2000 where refusal == nil {
                do throws(StoreError) { try await store.put("fill/\(number)", value) } catch { refusal = error }
            }
            #expect(refusal == .refused(EtcdErrorText.noSpace))
            let refused = await #expect(throws: StoreError.self) {
                _ = try await store.grantLease(timeToLive: 5, id: 0)
            }
            #expect(refused == .refused(EtcdErrorText.noSpace))
            try await store.delete(.prefix("fill/1"))
            _ = try await eventually { try? await store.put("again", [2]) }
        }
    }

    @Test
    func aBackupIsOneMomentOfAStoreInUseAndBecomesAStore() async throws {
        let directory = try TemporaryDirectory()
        let folder = directory.path
        let server = try StoreProgram(in: folder)
        let program = try server.start()
        defer { program.kill() }
        try await withEtcdStore(server.endpoint) { store in
            for number in 0..<50 { try await store.put("k/\(number)", [UInt8(number)]) }
            let acknowledged = Acknowledged()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Two keys that change together must be equal in every backup.
                    for number in 0... {
                        guard !Task.isCancelled else { return }
                        let value = Array("\(number)".utf8)
                        let done = try await store.transact(
                            Transaction(then: [
                                .put(key: Array("pair/a".utf8), value: value),
                                .put(key: Array("pair/b".utf8), value: value),
                            ]))
                        acknowledged.add("pair", done.revision)
                    }
                }
                _ = try await eventually { acknowledged.all["pair", default: 0] > 60 ? true : nil }
                let file = try await StoreProgram.run("backup", folder + "/b1", "--store-path", server.storePath)
                #expect(file.status == 0, "\(file)")
                let network = try await StoreProgram.run("backup", folder + "/b2", "--endpoints", server.endpoint)
                #expect(network.status == 0, "\(network)")
                let snapshot = try await etcdctl(server.port, ["snapshot", "save", folder + "/b3"])
                #expect(snapshot.status == 0, "\(snapshot)")
                group.cancelAll()
                while await group.nextResult() != nil {}
            }
        }
        let again = try await StoreProgram.run("backup", folder + "/b1", "--store-path", server.storePath)
        #expect(again.status != 0 && again.output.contains("exists already"), "\(again)")

        for name in ["b1", "b2", "b3"] {
            let home = "\(folder)/from-\(name)"
            let restored = try StoreProgram(in: home)
            let done = try await StoreProgram.run("restore", "\(folder)/\(name)", "--store-path", restored.storePath)
            #expect(done.status == 0, "\(done)")
            let twice = try await StoreProgram.run("restore", "\(folder)/\(name)", "--store-path", restored.storePath)
            #expect(twice.status != 0 && twice.output.contains("exists already"), "\(twice)")
            let program = try restored.start()
            defer { program.kill() }
            try await withEtcdStore(restored.endpoint) { store in
                #expect(try await store.range(RangeRequest(.prefix("k/"))).count == 50)
                let pair = try await store.range(RangeRequest(.prefix("pair/"))).keyValues
                #expect(pair.count == 2 && pair[0].value == pair[1].value)
                let written = try await store.put("after", [1])
                #expect(written > pair[0].modRevision)
            }
        }
    }

    @Test
    func aDamagedBackupIsRefusedAndLeavesNothing() async throws {
        let directory = try TemporaryDirectory()
        let folder = directory.path
        let server = try StoreProgram(in: folder)
        let program = try server.start()
        defer { program.kill() }
        try await withEtcdStore(server.endpoint) { store in
            for number in 0..<200 { try await store.put("k/\(number)", [UInt8](repeating: 3, count: 500)) }
            let snapshot = try await etcdctl(server.port, ["snapshot", "save", folder + "/good"])
            #expect(snapshot.status == 0, "\(snapshot)")
        }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/good"))
        bytes[bytes.count / 2] ^= 0xFF
        try bytes.write(to: URL(fileURLWithPath: folder + "/flipped"))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: folder + "/short"))
        try Data("no store at all".utf8).write(to: URL(fileURLWithPath: folder + "/text"))
        for name in ["flipped", "short", "text", "absent"] {
            let target = "\(folder)/restored-\(name)/store.db"
            let done = try await StoreProgram.run("restore", "\(folder)/\(name)", "--store-path", target)
            #expect(done.status != 0 && !done.output.isEmpty, "\(name): \(done)")
            #expect(!FileManager.default.fileExists(atPath: target))
        }
    }

    @Test
    func aRestoredStoreCanMoveItsRevisionOn() async throws {
        let directory = try TemporaryDirectory()
        let server = try StoreProgram(in: directory.path)
        let program = try server.start()
        defer { program.kill() }
        try await withEtcdStore(server.endpoint) { store in _ = try await store.put("k", [1]) }
        let backup = try await StoreProgram.run(
            "backup", directory.path + "/b", "--store-path", server.storePath)
        #expect(backup.status == 0, "\(backup)")
        let restored = try StoreProgram(in: directory.path + "/restored")
        let done = try await StoreProgram.run(
            "restore", directory.path + "/b", "--store-path", restored.storePath, "--bump-revision", "1000000")
        #expect(done.status == 0, "\(done)")
        let second = try restored.start()
        defer { second.kill() }
        try await withEtcdStore(restored.endpoint) { store in
            let kept = try await store.get("k")
            #expect(kept?.value == [1])
            var watch = store.watch(WatchRequest(.key("k"), from: 3)).makeAsyncIterator()
            let error = await #expect(throws: StoreError.self) { _ = try await watch.next() }
            #expect(error == .compacted(oldest: 1_000_002), "who saw later revisions learns of it")
            let written = try await store.put("k", [2])
            #expect(written == 1_000_003)
        }
    }
}
