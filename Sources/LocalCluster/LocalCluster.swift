import Addressing
import ClusterStore
import FoundationEssentials
import Glibc
import KubeAPI
import LinuxKit
package import Logging

/// A cluster on one machine, each of whose machines is a set of namespaces.
package struct LocalCluster: Sendable {
    package let layout: ClusterLayout
    let logger: Logger
    /// Takes progress lines for people.
    let report: @Sendable (String) -> Void

    private var journal: Journal { Journal(path: "\(layout.directory)/journal") }
    private var layoutFile: String { "\(layout.directory)/cluster.json" }

    /// A cluster as it is to be.
    package init(_ layout: ClusterLayout, logger: Logger, report: @escaping @Sendable (String) -> Void) {
        self.layout = layout
        self.logger = logger
        self.report = report
    }

    /// A cluster as it was made.
    ///
    /// - Throws: When there is none of that name.
    package init(existing name: String, logger: Logger, report: @escaping @Sendable (String) -> Void) throws {
        let file = "\(ClusterLayout.defaultDirectory(name))/cluster.json"
        guard FileContents.exists(file) else {
            throw ClusterError("there is no cluster \(name); make it with `fjord up --name \(name)`")
        }
        self.init(try JSONFile.read(ClusterLayout.self, file), logger: logger, report: report)
    }

    // MARK: Up

    /// Makes the cluster or what is missing of it. Returns when all of it runs and all nodes are Ready.
    ///
    /// - Parameter readyWithin: How long to wait for the nodes.
    package func up(readyWithin: Duration = .seconds(120)) async throws {
        try await up(readyWithin: readyWithin) { try ClusterServices(layout: layout).writeFiles() }
    }

    /// - Parameters:
    ///   - readyWithin: `nil` for bare machines, on which no cluster comes up.
    ///   - writeFiles: Writes the machines' files and specs.
    package func up(readyWithin: Duration?, writeFiles: () throws -> Void) async throws {
        let findings = Preflight(layout).findings()
        guard findings.isEmpty else {
            throw ClusterError(
                "this machine cannot run the cluster yet:\n" + findings.map { "  - \($0)" }.joined(separator: "\n"))
        }
        let lock = try ClusterLock(layout.name)
        try prepareDirectory()
        report("machine checked; cluster \(layout.name) in \(layout.directory)")
        try writeFiles()
        try LocalAreaNetwork(layout: layout, journal: journal).make()
        if layout.hasUplink { try Uplink(layout: layout, journal: journal).make() }
        report("network \(layout.lan), this host is \(layout.hostAddress)\(layout.hasUplink ? ", with a way out" : "")")
        try checkRegistry()

        try await machine(layout.master).start()
        if readyWithin != nil {
            try await waitForPort(ClusterServices.storePort, "the store", within: .seconds(30))
            try await writeNetworkConfig()
            report("master \(layout.master.address) runs, its store answers on port \(ClusterServices.storePort)")
        }
        for node in layout.machines.dropFirst() {
            try await machine(node).start()
            report("\(node.name) \(node.address) runs")
        }
        try LocalAreaNetwork(layout: layout, journal: journal).routePods()
        if let readyWithin { try await waitForNodes(within: readyWithin) }
        withExtendedLifetime(lock) {}
    }

    /// Makes the cluster's directory, or takes the one that is there.
    private func prepareDirectory() throws {
        let standard = ClusterLayout.defaultDirectory(layout.name)
        if FileContents.exists(layoutFile) {
            let existing = try JSONFile.read(ClusterLayout.self, layoutFile)
            guard existing == layout else {
                throw ClusterError(
                    "cluster \(layout.name) exists with other options; `fjord down --name \(layout.name)` removes it, or take another --name"
                )
            }
            report("cluster \(layout.name) exists; looking for what is missing")
            return
        }
        if layout.directory != standard {
            if FileContents.exists(standard) {
                throw ClusterError(
                    "cluster \(layout.name) exists in another directory; `fjord down --name \(layout.name)` removes it")
            }
            if !DirectoryListing.names(in: layout.directory).isEmpty, !FileContents.exists(journal.path) {
                throw ClusterError("--dir \(layout.directory) has other files in it; give an empty or new directory")
            }
            try FileContents.makeDirectories(ClusterLayout.clusters)
            try FileTree.link(standard, to: layout.directory)
        }
        try FileContents.makeDirectories(layout.directory)
        try journal.record()
        try JSONFile.write(layout, layoutFile)
    }

    private func checkRegistry() throws {
        guard let registry = layout.registry, let colon = registry.lastIndex(of: ":"),
            let port = UInt16(registry[registry.index(after: colon)...]),
            let address = IPv4Address(registry[..<colon]), layout.lan.contains(address)
        else { return }  // elsewhere: only the machines' own network can tell
        guard TCPProbe.isListening(address, port, milliseconds: 1000) else {
            throw ClusterError(
                "no registry answers at \(registry): have it listen on all of the host's addresses, such as 0.0.0.0:\(port), and run `fjord up` again"
            )
        }
    }

    private func machine(_ identity: MachineIdentity) -> Machine {
        Machine(layout: layout, identity: identity, journal: journal)
    }

    private func waitForPort(_ port: UInt16, _ what: String, within limit: Duration) async throws {
        let deadline = ContinuousClock.now + limit
        while !TCPProbe.isListening(layout.master.address, port) {
            guard ContinuousClock.now < deadline else {
                throw ClusterError(
                    "\(what) does not answer on \(layout.master.address):\(port); its log is in \(layout.directory(layout.master))/log"
                )
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Puts the overlay's configuration where it is looked for, unless there is one.
    private func writeNetworkConfig() async throws {
        let value = #"{"Network":"\#(layout.podNetwork)","SubnetLen":24,"Backend":{"Type":"udp","Port":8285}}"#
        let key = Array("/coreos.com/network/config".utf8)
        try await withStore { store in
            let deadline = ContinuousClock.now + .seconds(20)
            while true {
                do {
                    _ = try await store.transact(
                        Transaction(
                            if: [Comparison(key, .equal, .version(0))], then: [.put(key: key, value: Array(value.utf8))]
                        ))
                    return
                } catch {
                    guard ContinuousClock.now < deadline else {
                        throw ClusterError("the store does not take the network's configuration: \(error)")
                    }
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
        }
    }

    /// Connects to the cluster's store as etcd for as long as `body` takes.
    func withStore<T: Sendable>(_ body: @escaping @Sendable (EtcdStore) async throws -> T) async throws -> T {
        let store = try EtcdStore(
            endpoints: ["http://\(layout.master.address):\(ClusterServices.storePort)"], logger: logger)
        return try await withThrowingTaskGroup(of: T?.self) { group in
            group.addTask {
                try? await store.run()
                return nil
            }
            group.addTask { try await body(store) }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw ClusterError("the connection to the store ended early")
        }
    }

    private func waitForNodes(within limit: Duration) async throws {
        let expected = Set(layout.nodes.map { layout.isHardWay ? "\($0.address)" : $0.name })
        let deadline = ContinuousClock.now + limit
        var ready: Set<String> = []
        var problem = "the API server does not answer"
        while !ready.isSuperset(of: expected) {
            do {
                let nodes = try await nodes()
                let now = Set(nodes.filter(\.isReady).map { $0.metadata.name })
                for name in now.subtracting(ready).sorted() { report("node \(name) is Ready") }
                ready = now
                problem = "not Ready: \(expected.subtracting(ready).sorted().joined(separator: ", "))"
            } catch {
                problem = "\(error)"
            }
            if ready.isSuperset(of: expected) { return }
            guard ContinuousClock.now < deadline else {
                throw ClusterError(
                    "the nodes did not become Ready in time (\(problem)); the logs are in \(layout.directory)/machines/*/log"
                )
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// The API's node objects.
    func nodes() async throws -> [Node] {
        let configuration: ClientConfiguration =
            layout.isHardWay ? try .master(layout.apiServer) : try .kubeconfig(layout.kubeconfig)
        return try await KubeClient(configuration: configuration, logger: logger).list(Node.self).items
    }

    // MARK: Power

    /// Powers a node off: all of it is gone at once.
    package func stop(_ name: String) async throws {
        let lock = try ClusterLock(layout.name)
        try await machine(try identity(name)).stop()
        try LocalAreaNetwork(layout: layout, journal: journal).routePods()
        withExtendedLifetime(lock) {}
    }

    /// Powers a node on.
    package func start(_ name: String) async throws {
        let lock = try ClusterLock(layout.name)
        try await machine(try identity(name)).start()
        try LocalAreaNetwork(layout: layout, journal: journal).routePods()
        withExtendedLifetime(lock) {}
    }

    private func identity(_ name: String) throws -> MachineIdentity {
        guard let identity = layout.machine(name) else {
            throw ClusterError(
                "cluster \(layout.name) has no machine \(name); it has \(layout.machines.map(\.name).joined(separator: ", "))"
            )
        }
        return identity
    }
}
