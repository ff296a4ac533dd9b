import KubeAPITesting
import KubeSchema
import Logging
import Testing

@testable import KubeAPI

@Suite struct InformerTests {
    let api = InMemoryAPI()
    let client: KubeClient

    init() { client = KubeClient(transport: api, logger: Logger(label: "test")) }

    /// Runs the informer while `body` does.
    private func running<T: KubeObject>(_ informer: Informer<T>, _ body: @Sendable () async throws -> Void) async throws
    {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await informer.run() }
            defer { group.cancelAll() }
            await informer.waitUntilSynced()
            try await body()
        }
    }

    @Test func itFollowsCreationChangeAndDeletion() async throws {
        _ = try await client.create(ConfigMap(name: "first", namespace: "default"))
        let informer = Informer<ConfigMap>(client: client)
        let (api, client) = (api, client)
        try await running(informer) {
            #expect(informer.snapshot.map(\.metadata.name) == ["first"])
            var second = try await client.create(ConfigMap(name: "second", namespace: "other"))
            let key = ObjectKey(namespace: "other", name: "second")
            try await eventually("the second is seen") { informer.get(key) != nil }
            second.data = ["a": "b"]
            _ = try await client.update(second)
            try await eventually("its change is seen") { informer.get(key)?.data == ["a": "b"] }
            try await client.delete(ConfigMap.self, name: "first", namespace: "default")
            try await eventually("the first is gone") { informer.snapshot.count == 1 }
            _ = api
        }
    }

    @Test func anOutageChangesNothingAndWhatWasMissedIsToldAfterwards() async throws {
        for name in ["stays", "goes"] { _ = try await client.create(ConfigMap(name: name, namespace: "default")) }
        let informer = Informer<ConfigMap>(client: client)
        let deleted = Shared<[String]>([])
        let counts = Shared<[Int]>([])
        informer.onChange { change in
            counts.withLock { $0.append(informer.snapshot.count) }
            if case .deleted(let object) = change { deleted.withLock { $0.append(object.metadata.name) } }
        }
        let (api, client) = (api, client)
        try await running(informer) {
            api.isDown = true
            try await eventually("the outage is noticed") { api.requests.count > 3 }
            #expect(informer.snapshot.count == 2)
            api.isDown = false
            try await client.delete(ConfigMap.self, name: "goes", namespace: "default")
            _ = try await client.create(ConfigMap(name: "comes", namespace: "default"))
            api.forgetHistory()
            try await eventually("all is told") { Set(informer.snapshot.map(\.metadata.name)) == ["stays", "comes"] }
            try await eventually("the deletion is told") { deleted.withLock { $0 } == ["goes"] }
            #expect(counts.withLock { $0.min() ?? 0 } > 0)
        }
    }

    @Test func changesNameEachKeyOnceUntilItIsTaken() async throws {
        _ = try await client.create(ConfigMap(name: "a", namespace: "default"))
        let informer = Informer<ConfigMap>(client: client)
        let client = client
        try await running(informer) {
            var changes = informer.changes().makeAsyncIterator()
            #expect(await changes.next()?.name == "a")
            for name in ["x", "y"] { _ = try await client.create(ConfigMap(name: name, namespace: "default")) }
            for _ in 0..<3 {
                _ = try await client.patch(
                    ConfigMap.self, name: "x", namespace: "default", .merge(["data": ["n": .string("v")]]))
            }
            try await eventually("all is seen") { informer.snapshot.count == 3 }
            #expect(await changes.next() != nil)
            #expect(await changes.next() != nil)
        }
    }
}
