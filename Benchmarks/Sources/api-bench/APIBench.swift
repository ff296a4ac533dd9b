import ArgumentParser
import Foundation

/// Loads a Kubernetes API server and says what it costs.
@main
struct APIBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "api-bench",
        abstract: "Measure a Kubernetes API server: its rates, latencies, processor time and memory.",
        discussion: """
            With --fjord (and KUBE_APISERVER=PATH in the environment for a peer) the servers are started here, on \
            loopback, with stores in a temporary folder. With --kubeconfig or --server a running one is measured; it gets \
            a namespace "\(Pods.namespace)" full of pods.
            """)

    @Option(help: "Path of the fjord program.")
    var fjord: String?
    @Option(help: "Measure the server of this kubeconfig's current context.")
    var kubeconfig: String?
    @Option(help: "Measure the server at this URL.")
    var server: String?
    @Option(help: "PEM file of the authority of its certificate.")
    var certificateAuthority: String?
    @Option(help: "PEM file of our certificate.")
    var clientCertificate: String?
    @Option(help: "PEM file of our key.")
    var clientKey: String?
    @Option(help: "Process of that server, for its processor time and memory.")
    var serverPid: Int32?
    @Option(help: "Process of its store.")
    var storePid: Int32?
    @Option(help: "Stores to measure fjord with: embedded, etcd, or both separated by a comma.")
    var stores = "embedded,etcd"
    @Option(help: "Pods for the lists and the memory.")
    var objects = 30_000
    @Option(help: "Connections at once.")
    var clients = 32
    @Option(help: "Watches with a selector each; 0 leaves them out.")
    var selectorWatches = 10_000
    @Option(help: "The growth curve goes to so many pods; 0 leaves it out.")
    var growth = 0
    @Option(help: "Only these, separated by commas: create, single, get, list, watch, selectors, restart.")
    var only = ""
    @Option(help: "Folder of the results; without it they are only printed.")
    var results: String?
    @Option(help: "Folder for stores and certificates.")
    var scratch = NSTemporaryDirectory() + "fjord-api-bench"

    func run() async throws {
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            limit.rlim_cur = limit.rlim_max
            _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        var report = Report(
            machine: try Report.machineLine(),
            command: "cd Benchmarks && swift run -c release api-bench \(Self.arguments)")
        if let target = try runningTarget() {
            let workloads = Workloads(target: target, serverPID: serverPid, storePID: storePid)
            try await measure(workloads, server ?? kubeconfig ?? "", nil, &report)
        } else {
            for subject in try subjects() {
                defer { subject.stop() }
                try await measure(subject, &report)
            }
        }
        if let results { try report.write(to: results) }
    }

    /// The arguments as somebody else would give them: paths are those of a checkout.
    private static var arguments: String {
        var arguments = Array(CommandLine.arguments.dropFirst())
        for (flag, path) in [("--fjord", "../.build/release/fjord"), ("--results", "../bench-results")] {
            if let index = arguments.firstIndex(of: flag), index + 1 < arguments.count { arguments[index + 1] = path }
        }
        if let index = arguments.firstIndex(of: "--scratch") { arguments.removeSubrange(index...(index + 1)) }
        return arguments.joined(separator: " ")
    }

    private func runningTarget() throws -> Target? {
        if let kubeconfig { return try Target(kubeconfig: kubeconfig) }
        guard let server else { return nil }
        func read(_ path: String?) throws -> [UInt8]? {
            try path.map { Array(try Data(contentsOf: URL(fileURLWithPath: $0))) }
        }
        return try Target(
            server: server, authority: read(certificateAuthority), certificate: read(clientCertificate),
            key: read(clientKey))
    }

    private func subjects() throws -> [Subject] {
        var subjects: [Subject] = []
        var port = 26443
        func add(_ kind: Subject.Kind, _ program: String) throws {
            subjects.append(try Subject(kind, program: program, folder: "\(scratch)-\(port)", port: port))
            port += 10
        }
        if let fjord {
            for name in stores.split(separator: ",") {
                try add(name == "etcd" ? .fjordEtcd : .fjordEmbedded, fjord)
            }
        }
        if let program = ProcessInfo.processInfo.environment["KUBE_APISERVER"] { try add(.kubeAPIServer, program) }
        guard !subjects.isEmpty else {
            throw ValidationError("nothing to measure: give --fjord, --kubeconfig or --server, or set KUBE_APISERVER")
        }
        return subjects
    }

    private func wants(_ name: String) -> Bool { only.isEmpty || only.split(separator: ",").contains { $0 == name } }

    private func measure(_ subject: Subject, _ report: inout Report) async throws {
        let name = subject.kind.rawValue
        try subject.startStore()
        let ready = try await subject.startServer()
        guard let pid = subject.serverPID else { throw BenchmarkError("the server is gone") }
        try await Task.sleep(for: .seconds(1))
        report.add(
            "start, no pods", name, [("ready", ready, "s"), ("resident", try ProcessUsage(pid).resident, "MiB")])
        let workloads = Workloads(target: subject.target, serverPID: pid, storePID: subject.storePID)
        try await measure(workloads, name, subject, &report)
        if growth > 0 { try await grow(workloads, name, &report) }
        guard wants("restart") else { return }
        subject.stopServer()
        let again = try await subject.startServer()
        guard let pid = subject.serverPID else { throw BenchmarkError("the server is gone") }
        try await Task.sleep(for: .seconds(1))
        report.add(
            "start, \(growth > 0 ? growth : objects) pods", name,
            [("ready", again, "s"), ("resident", try ProcessUsage(pid).resident, "MiB")])
    }

    private func measure(
        _ workloads: Workloads, _ name: String, _ subject: Subject?, _ report: inout Report
    ) async throws {
        func perThousand(_ cpu: Double?, _ count: Int) -> Double? { cpu.map { $0 * 1000 / Double(count) } }
        func resident() -> Double? { workloads.serverPID.flatMap { try? ProcessUsage($0).resident } }
        try await workloads.prepare()
        do {
            let (cost, work) = try await workloads.create(objects, prefix: "web", clients: clients)
            report.add(
                "create, \(clients) clients", name,
                [
                    ("rate", Double(objects) / cost.seconds, "/s"), ("p50", work.latency(0.5), "ms"),
                    ("p99", work.latency(0.99), "ms"),
                    ("server CPU", perThousand(cost.serverCPU, objects), "s per 1000"),
                    ("store CPU", perThousand(cost.storeCPU, objects), "s per 1000"),
                ])
            report.add("\(objects) pods", name, [("resident", resident(), "MiB")])
        }
        if wants("single") {
            let before = subject?.storeTransactions()
            let (cost, work) = try await workloads.create(1000, prefix: "single", clients: 1)
            let after = subject?.storeTransactions()
            let put = before.flatMap { before in
                after.map { ($0.seconds - before.seconds) / max(1, $0.count - before.count) * 1000 }
            }
            report.add(
                "create, one at a time", name,
                [
                    ("p50", work.latency(0.5), "ms"), ("p99", work.latency(0.99), "ms"),
                    ("etcd's part", put, "ms"), ("server CPU", cost.serverCPU, "s per 1000"),
                ])
        }
        if wants("get") {
            for (label, query) in [("get, consistent", ""), ("get, resourceVersion=0", "?resourceVersion=0")] {
                let count = 20_000
                let (cost, work) = try await workloads.get(
                    count, prefix: "web", among: objects, clients: clients, query: query)
                report.add(
                    label, name,
                    [
                        ("rate", Double(count) / cost.seconds, "/s"), ("p50", work.latency(0.5), "ms"),
                        ("server CPU", perThousand(cost.serverCPU, count), "s per 1000"),
                        ("store CPU", perThousand(cost.storeCPU, count), "s per 1000"),
                    ])
            }
        }
        if wants("list") {
            for (label, query) in [("list, consistent", ""), ("list, resourceVersion=0", "?resourceVersion=0")] {
                let times = 5
                let (cost, work) = try await workloads.list(query: query, times: times)
                report.add(
                    label, name,
                    [
                        ("median", work.latency(0.5) / 1000, "s"),
                        ("size", Double(work.bytes) / Double(times) / 1e6, "MB"),
                        ("server CPU", cost.serverCPU.map { $0 / Double(times) }, "s"),
                    ])
            }
        }
        if wants("watch") {
            let version = try await workloads.currentVersion()
            let path = "\(Pods.collection)?watch=true&resourceVersion=\(version)"
            let result = try await workloads.watch(
                Array(repeating: path, count: 100), creates: 1000, prefix: "watched", clients: clients, events: 100_000)
            report.add(
                "100 watches, 1000 creates", name,
                [
                    ("events", Double(result.lines) / result.all.seconds, "/s"),
                    ("creates", 1000 / result.creates, "/s"),
                    ("server CPU", perThousand(result.all.serverCPU, result.lines), "s per 1000 events"),
                ])
        }
        try await Task.sleep(for: .seconds(1))
        report.add("after the load", name, [("resident", resident(), "MiB")])
        if wants("selectors"), selectorWatches > 0 {
            let version = try await workloads.currentVersion()
            let total = selectorWatches
            let paths = (0..<total).map {
                "\(Pods.collection)?watch=true&resourceVersion=\(version)&fieldSelector=spec.nodeName%3Dnode-\($0)"
            }
            let result = try await workloads.watch(
                paths, creates: 2000, prefix: "placed", clients: clients, events: 2000
            ) { "node-\(($0 &* 7919) % total)" }
            report.add(
                "\(total) watches with a selector each, 2000 creates", name,
                [
                    ("creates", 2000 / result.creates, "/s"),
                    ("server CPU", perThousand(result.all.serverCPU, 2000), "s per 1000"),
                    ("resident", resident(), "MiB"),
                ])
        }

    }

    /// Create, get and watch at growing numbers of pods.
    private func grow(_ workloads: Workloads, _ name: String, _ report: inout Report) async throws {
        var present = 0
        for size in [1000, 3000, 10_000, 30_000, 100_000, 300_000] where size <= growth {
            if size - 1000 > present {
                _ = try await workloads.create(size - 1000 - present, prefix: "fill\(size)", clients: clients)
            }
            let (created, _) = try await workloads.create(1000, prefix: "grow\(size)", clients: clients)
            present = size
            let (got, _) = try await workloads.get(
                4000, prefix: "grow\(size)", among: 1000, clients: clients, query: "?resourceVersion=0")
            let version = try await workloads.currentVersion()
            let path = "\(Pods.collection)?watch=true&resourceVersion=\(version)"
            let watched = try await workloads.watch(
                Array(repeating: path, count: 10), creates: 500, prefix: "seen\(size)", clients: clients, events: 5000)
            let resident = workloads.serverPID.flatMap { try? ProcessUsage($0).resident }
            report.add(
                "growth, \(size) pods", name,
                [
                    ("create", created.serverCPU, "CPU-s per 1000"),
                    ("get", got.serverCPU.map { $0 / 4 }, "CPU-s per 1000"),
                    ("watch", watched.all.serverCPU.map { $0 * 2 }, "CPU-s per 1000 creates, 10 watches"),
                    ("resident", resident, "MiB"),
                ])
        }
    }
}
