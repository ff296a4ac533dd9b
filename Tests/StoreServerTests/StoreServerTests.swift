import ClusterStore
import EmbeddedStore
import Foundation
import GRPCCore
import GRPCTransport
import Logging
import StoreServer
import Testing

/// Runs a test with a client of etcd's own calls.
private func withServer(_ body: @escaping @Sendable (GRPCClient<GRPCClientTransport>) async throws -> Void) async throws
{
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let directory = FileManager.default.temporaryDirectory.path + "/fjord-server-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let store = try EmbeddedStore(path: directory + "/store", logger: logger)
    let server = StoreServer(store: store, address: "127.0.0.1", port: 0, logger: logger)
    let port = try await server.bind()
    let client = GRPCClient(transport: GRPCClientTransport([.tcp(host: "127.0.0.1", port: port)]))
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.run() }
        group.addTask { try await server.run() }
        group.addTask { try await client.runConnections() }
        let result: Result<Void, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        group.cancelAll()
        while await group.nextResult() != nil {}
        try result.get()
    }
}

private func get(_ key: String, revision: Int64) -> Etcdserverpb_RangeRequest {
    var request = Etcdserverpb_RangeRequest()
    request.key = Data(key.utf8)
    request.revision = revision
    return request
}

private func put(_ key: String, _ value: String = "", lease: Int64 = 0) -> Etcdserverpb_PutRequest {
    var request = Etcdserverpb_PutRequest()
    request.key = Data(key.utf8)
    request.value = Data(value.utf8)
    request.lease = lease
    return request
}

struct StoreServerTests {
    @Test
    func failuresHaveEtcdsCodesAndWords() async throws {
        try await withServer { client in
            let kv = Etcdserverpb_KV.Client(wrapping: client)
            var last: Int64 = 0
            for number in 0..<3 { last = try await kv.put(put("a", "\(number)")).header.revision }
            var compaction = Etcdserverpb_CompactionRequest()
            compaction.revision = last
            _ = try await kv.compact(compaction)

            let old = get("a", revision: last - 1)
            let gone = await #expect(throws: RPCError.self) {
                _ = try await kv.range(old) as Etcdserverpb_RangeResponse
            }
            #expect(gone?.code == .outOfRange && gone?.message == EtcdErrorText.compacted)

            let future = get("a", revision: last + 10)
            let ahead = await #expect(throws: RPCError.self) {
                _ = try await kv.range(future) as Etcdserverpb_RangeResponse
            }
            #expect(ahead?.code == .outOfRange && ahead?.message == EtcdErrorText.futureRevision)

            let empty = await #expect(throws: RPCError.self) {
                _ = try await kv.put(put("")) as Etcdserverpb_PutResponse
            }
            #expect(empty?.code == .invalidArgument && empty?.message == EtcdErrorText.emptyKey)

            let leased = put("b", lease: 4711)
            let lease = await #expect(throws: RPCError.self) {
                _ = try await kv.put(leased) as Etcdserverpb_PutResponse
            }
            #expect(lease?.code == .notFound && lease?.message == EtcdErrorText.leaseNotFound)
        }
    }

    @Test
    func ordersAndFiltersOfRangesAreServed() async throws {
        try await withServer { client in
            let kv = Etcdserverpb_KV.Client(wrapping: client)
            for key in ["s/b", "s/a", "s/c"] { _ = try await kv.put(put(key, key)) }
            var request = Etcdserverpb_RangeRequest()
            request.key = Data("s/".utf8)
            request.rangeEnd = Data("s0".utf8)
            request.sortTarget = .mod
            request.sortOrder = .descend
            request.limit = 2
            let answer = try await kv.range(request)
            #expect(answer.kvs.map { String(decoding: $0.key, as: UTF8.self) } == ["s/c", "s/a"])
            #expect(answer.more && answer.count == 3)
        }
    }

    @Test
    func putsCanKeepValueOrReturnThePrevious() async throws {
        try await withServer { client in
            let kv = Etcdserverpb_KV.Client(wrapping: client)
            _ = try await kv.put(put("a", "one"))
            var second = put("a", "two")
            second.prevKv = true
            let before = try await kv.put(second).prevKv
            #expect(before.value == Data("one".utf8))
            var keep = put("a")
            keep.ignoreValue = true
            _ = try await kv.put(keep)
            var request = Etcdserverpb_RangeRequest()
            request.key = Data("a".utf8)
            let answer = try await kv.range(request)
            #expect(answer.kvs.first?.value == Data("two".utf8) && answer.kvs.first?.version == 3)
        }
    }

    @Test
    func aPortInUseIsNamed() async throws {
        try await withServer { _ in }
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let path = FileManager.default.temporaryDirectory.path + "/fjord-server-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let store = try EmbeddedStore(path: path + "/store", logger: logger)
        let first = GRPCListener(.tcp(host: "127.0.0.1", port: 0), methods: [:])
        let port = try await first.bind()
        let second = StoreServer(store: store, address: "127.0.0.1", port: port, logger: logger)
        let error = await #expect(throws: StoreServerError.self) { try await second.bind() }
        #expect(error?.description.contains("port \(port) on 127.0.0.1 is in use") == true)
        first.shutDown()
    }
}
