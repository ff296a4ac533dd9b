import ClusterStore
import EmbeddedStore
import Logging
import ServiceLifecycle
import StoreServer
import Testing

/// The stores that must behave alike.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case etcd, embedded, served

    var testDescription: String {
        switch self {
        case .etcd: "a real etcd"
        case .embedded: "the embedded store"
        case .served: "the embedded store behind its server"
        }
    }
}

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
}()

/// Runs a test against a new, empty store of a kind.
///
/// - Parameter body: Also gets the number of connections that the client made so far, 0 for a store in process.
func withStore(
    _ kind: StoreKind,
    _ body: @escaping @Sendable (any ClusterStore, _ connections: @Sendable () -> Int) async throws -> Void
) async throws {
    switch kind {
    case .etcd:
        let etcd = try RealEtcd()
        let program = try etcd.start()
        defer { program.kill() }
        try await withEtcdStore(etcd.endpoint) { try await body($0) { [store = $0] in store.connectionsMade } }
    case .embedded:
        let directory = try TemporaryDirectory()
        let store = try EmbeddedStore(path: directory.path + "/store", logger: quiet)
        try await running([store]) { try await body(store) { 0 } }
    case .served:
        let directory = try TemporaryDirectory()
        let store = try EmbeddedStore(path: directory.path + "/store", logger: quiet)
        let server = StoreServer(store: store, address: "127.0.0.1", port: 0, logger: quiet)
        let port = try await server.bind()
        try await running([store, server]) {
            try await withEtcdStore("http://127.0.0.1:\(port)") {
                try await body($0) { [store = $0] in store.connectionsMade }
            }
        }
    }
}

/// Runs a test with a client of a server that answers within 20 s.
func withEtcdStore(_ endpoint: String, _ body: @escaping @Sendable (EtcdStore) async throws -> Void) async throws {
    let store = try EtcdStore(endpoints: [endpoint], logger: quiet)
    try await running([store]) {
        _ = try await eventually { try? await store.range(RangeRequest(.key("absent"))) }
        try await body(store)
    }
}

/// Runs services around a test and ends them after it.
func running(_ services: [any Service], _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for service in services { group.addTask { try await service.run() } }
        let result: Result<Void, any Error>
        do {
            try await body()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        group.cancelAll()
        while let ended = await group.nextResult() { _ = ended }
        try result.get()
    }
}
