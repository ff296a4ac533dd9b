import Foundation
import HTTPTypes
import KubeSchema
import Synchronization
import Testing

/// What a client that only follows one watch, resuming it where it was, has been told.
private final class Follower: Sendable {
    struct State {
        var version: Int64
        /// Each object's name with the version under which it was announced.
        var added: [String: Int64] = [:]
        var problems: [String] = []
        var resumed = 0
    }

    private let state: Mutex<State>

    init(from version: Int64) { state = Mutex(State(version: version)) }

    var snapshot: State { state.withLock { $0 } }

    /// Follows the watch at any of the servers until cancelled.
    func run(_ servers: ServerProcesses, _ path: String) async {
        var index = Int.random(in: 0..<servers.ports.count)
        while !Task.isCancelled {
            let version = state.withLock { $0.version }
            let query = "?watch=true&resourceVersion=\(version)&allowWatchBookmarks=true"
            try? await servers.watch(path + query, at: index) { event in take(event) }
            index = (index + 1) % servers.ports.count
            state.withLock { $0.resumed += 1 }
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private func take(_ event: JSON) -> Bool {
        let type = event["type"]?.string ?? ""
        let object = event["object"] ?? .null
        let version = object["metadata", "resourceVersion"]?.string.flatMap { Int64($0) } ?? 0
        let name = object["metadata", "name"]?.string ?? ""
        return state.withLock { state in
            guard type != "ERROR" else {
                state.problems.append("ERROR \(object["message"]?.string ?? "") at \(state.version)")
                return true
            }
            if type != "BOOKMARK" {
                if version <= state.version { state.problems.append("\(name) \(version) after \(state.version)") }
                if let before = state.added.updateValue(version, forKey: name) {
                    state.problems.append("\(name) twice: \(before), \(version)")
                }
            }
            state.version = max(state.version, version)
            return false
        }
    }
}

/// What writers know to be stored.
private final class Ledger: Sendable {
    private let acknowledged = Mutex<[String: String]>([:])
    private let stopped = Atomic<Bool>(false)

    var all: [String: String] { acknowledged.withLock { $0 } }
    func stop() { stopped.store(true, ordering: .relaxed) }

    /// Creates objects one after another, at any server, until stopped; says which were acknowledged with what version.
    func write(_ servers: ServerProcesses, _ path: String, writer: Int) async {
        var number = 0
        while !stopped.load(ordering: .relaxed) {
            number += 1
            let name = "w\(writer)-\(number)"
            let object: JSON = [
                "kind": "ConfigMap", "apiVersion": "v1", "metadata": ["name": .string(name)], "data": ["k": "v"],
            ]
            let index = Int.random(in: 0..<servers.ports.count)
            guard let answer = try? await servers.call(.post, path, object, at: index) else {
                try? await Task.sleep(for: .milliseconds(2))
                continue
            }
            if answer.code == 201, let version = answer.json["metadata", "resourceVersion"]?.string {
                acknowledged.withLock { $0[name] = version }
                // Whoever asks after the answer must see it, at whichever server.
                let other = Int.random(in: 0..<servers.ports.count)
                let found = try? await servers.call(.get, "\(path)/\(name)", at: other)
                if let found, found.code == 404 { Issue.record("\(name) was acknowledged, and is not found") }
            }
        }
    }
}

@Suite(.serialized, .timeLimit(.minutes(20))) struct CrashTests {
    private static let isLong = ProcessInfo.processInfo.environment["FJORD_LONG"] != nil
    private static let maps = "/api/v1/namespaces/default/configmaps"

    /// Lists at one server: names with versions, and the list's version.
    private func list(_ servers: ServerProcesses, at index: Int = 0) async throws -> ([String: String], Int64) {
        let answer = try await servers.call(.get, Self.maps, at: index)
        var objects: [String: String] = [:]
        for item in answer.json["items"]?.array ?? [] {
            objects[item["metadata", "name"]?.string ?? ""] = item["metadata", "resourceVersion"]?.string ?? ""
        }
        let version = answer.json["metadata", "resourceVersion"]?.string.flatMap { Int64($0) }
        return (objects, try #require(version))
    }

    /// Writes and watches while `disturb` runs; then everybody must know the same.
    private func check(_ servers: ServerProcesses, _ disturb: () async throws -> Void) async throws {
        for index in servers.ports.indices {
            try servers.start(index)
            try await servers.waitUntilReady(index)
        }
        let (present, version) = try await list(servers)
        let followers = (0..<3).map { _ in Follower(from: version) }
        let ledger = Ledger()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for follower in followers { group.addTask { await follower.run(servers, Self.maps) } }
            let writers = Task {
                await withTaskGroup { group in
                    for writer in 0..<4 { group.addTask { await ledger.write(servers, Self.maps, writer: writer) } }
                }
            }
            do { try await disturb() } catch { Issue.record("\(error)") }
            ledger.stop()
            await writers.value
            let (objects, last) = try await list(servers)
            for (name, version) in ledger.all where objects[name] != version {
                Issue.record("\(name) was acknowledged with version \(version), and is \(objects[name] ?? "lost")")
            }
            #expect(ledger.all.count > 10)
            for index in servers.ports.indices { #expect(try await list(servers, at: index).0 == objects) }
            let created = objects.filter { present[$0.key] == nil }
            let newest = created.values.compactMap { Int64($0) }.max() ?? last
            for follower in followers {
                let deadline = ContinuousClock.now + .seconds(30)
                while follower.snapshot.version < newest, ContinuousClock.now < deadline {
                    try await Task.sleep(for: .milliseconds(10))
                }
                let seen = follower.snapshot
                #expect(seen.problems.isEmpty)
                #expect(seen.added.mapValues { String($0) } == created, "resumed \(seen.resumed) times")
            }
            group.cancelAll()
        }
    }

    @Test(arguments: [ServerProcesses.Store.embedded, .etcd])
    func `a server that is killed while it writes loses nothing, and watches resume`(store: ServerProcesses.Store)
        async throws
    {
        let servers = try ServerProcesses(store)
        try await check(servers) {
            for _ in 0..<(Self.isLong ? 100 : 3) {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...500)))
                servers.kill()
                try servers.start()
                try await servers.waitUntilReady()
            }
        }
    }

    @Test func `three servers on one etcd serve one view, also while they are killed in turn`() async throws {
        let servers = try ServerProcesses(.etcd, count: 3)
        try await check(servers) {
            for round in 0..<(Self.isLong ? 30 : 3) {
                try await Task.sleep(for: .milliseconds(Int.random(in: 100...400)))
                servers.kill(round % 3)
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...100)))
                try servers.start(round % 3)
                try await servers.waitUntilReady(round % 3)
            }
        }
    }
}
