import Foundation
import NIOCore
import NIOPosix

/// The measured work against one server.
struct Workloads {
    let target: Target
    let serverPID: Int32?
    let storePID: Int32?
    /// Distinguishes names of runs on a server that is not new.
    let run = String(Int(Date().timeIntervalSince1970) % 1_000_000, radix: 36)

    /// What a workload cost.
    struct Cost {
        var seconds: Double
        var serverCPU: Double?
        var storeCPU: Double?
    }

    private func usage(_ pid: Int32?) -> Double? { pid.flatMap { try? ProcessUsage($0).cpu } }

    func measure(_ body: () async throws -> Void) async throws -> Cost {
        let (server, store, begin) = (usage(serverPID), usage(storePID), NIODeadline.now())
        try await body()
        let seconds = Double((NIODeadline.now() - begin).nanoseconds) / 1e9
        return Cost(
            seconds: seconds, serverCPU: server.flatMap { before in usage(serverPID).map { $0 - before } },
            storeCPU: store.flatMap { before in usage(storePID).map { $0 - before } })
    }

    func connect(_ count: Int) async throws -> [Client] {
        var clients: [Client] = []
        let group = MultiThreadedEventLoopGroup.singleton
        while clients.count < count {
            let batch = (0..<min(64, count - clients.count)).map { _ in target.connect(on: group.next()) }
            for client in batch { clients.append(try await client.get()) }
        }
        return clients
    }

    func close(_ clients: [Client]) async {
        for client in clients { try? await client.channel.close().get() }
    }

    func perform(_ work: Work, with clients: [Client]) async throws {
        let runs = clients.map { $0.run(work) }
        for run in runs { try await run.get() }
    }

    func prepare() async throws {
        let clients = try await connect(1)
        // 409 on a server that has been measured before.
        try? await perform(Work(count: 1, expecting: 201) { _ in Pods.createNamespace() }, with: clients)
        await close(clients)
    }

    /// Creates pods named `<prefix>-<number>` by `clients` connections at once.
    func create(_ count: Int, prefix: String, clients: Int, node: (@Sendable (Int) -> String)? = nil) async throws -> (
        Cost, Work
    ) {
        let connections = try await connect(clients)
        let run = run
        let work = Work(count: count, expecting: 201) { Pods.create("\(prefix)-\(run)-\($0)", node: node?($0)) }
        let cost = try await measure { try await perform(work, with: connections) }
        await close(connections)
        return (cost, work)
    }

    func get(_ count: Int, prefix: String, among created: Int, clients: Int, query: String) async throws -> (Cost, Work)
    {
        let connections = try await connect(clients)
        let run = run
        let work = Work(count: count, expecting: 200) {
            Pods.get("\(Pods.collection)/\(prefix)-\(run)-\(($0 &* 7919) % created)\(query)")
        }
        let cost = try await measure { try await perform(work, with: connections) }
        await close(connections)
        return (cost, work)
    }

    func list(query: String, times: Int) async throws -> (Cost, Work) {
        let connections = try await connect(1)
        let work = Work(count: times, expecting: 200) { _ in Pods.get("\(Pods.collection)\(query)") }
        let cost = try await measure { try await perform(work, with: connections) }
        await close(connections)
        return (cost, work)
    }

    /// Opens watches, creates pods, and waits until all watches have told all of it.
    ///
    /// - Parameter events: Lines that all watches together must receive.
    /// - Returns: What it took from the first create to the last line, what the creates alone took, and lines received.
    func watch(
        _ paths: [String], creates: Int, prefix: String, clients: Int, events: Int,
        node: (@Sendable (Int) -> String)? = nil
    ) async throws -> (all: Cost, creates: Double, lines: Int) {
        let watchers = try await connect(paths.count)
        let lines = LineCount()
        for (watcher, path) in zip(watchers, paths) { try await watcher.watch(path, lines).get() }
        let connections = try await connect(clients)
        let run = run
        let work = Work(count: creates, expecting: 201) { Pods.create("\(prefix)-\(run)-\($0)", node: node?($0)) }
        var createSeconds = 0.0
        var lineSeconds = 0.0
        var cost = try await measure {
            let begin = NIODeadline.now()
            try await perform(work, with: connections)
            createSeconds = Double((NIODeadline.now() - begin).nanoseconds) / 1e9
            while lines.value < events {
                guard NIODeadline.now() - begin < .seconds(120) else {
                    throw BenchmarkError("\(lines.value) of \(events) events came within 120 s")
                }
                try await Task.sleep(for: .milliseconds(1))
            }
            lineSeconds = Double((lines.last - begin).nanoseconds) / 1e9
        }
        cost.seconds = max(lineSeconds, 1e-9)
        await close(connections)
        await close(watchers)
        return (cost, createSeconds, lines.value)
    }

    /// The version from which a watch sees only what comes.
    func currentVersion() async throws -> String {
        let connections = try await connect(1)
        let work = Work(count: 1, expecting: 200) { _ in Pods.get("\(Pods.collection)?limit=1") }
        try await perform(work, with: connections)
        await close(connections)
        let mark = "\"resourceVersion\":\""
        guard let range = work.text.range(of: mark) else { throw BenchmarkError("a list without a resourceVersion") }
        return String(work.text[range.upperBound...].prefix { $0.isNumber })
    }
}
