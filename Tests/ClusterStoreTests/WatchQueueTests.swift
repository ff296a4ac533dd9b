import ClusterStore
import GRPCCore
import Testing

struct WatchQueueTests {
    @Test
    func batchesComeInOrderAndTheErrorLast() async throws {
        let queue = WatchQueue()
        for revision in 1...3000 { queue.push(WatchBatch(revision: Int64(revision), events: [])) }
        queue.fail(.compacted(oldest: 7))
        queue.push(WatchBatch(revision: 9999, events: []))
        for revision in 1...3000 { #expect(try await queue.next().revision == Int64(revision)) }
        for _ in 0..<2 { await #expect(throws: StoreError.compacted(oldest: 7)) { try await queue.next() } }
    }

    @Test
    func aCancelledReaderIsLetGo() async throws {
        let queue = WatchQueue()
        let reader = Task { try await queue.next() }
        reader.cancel()
        await #expect(throws: StoreError.cancelled) { try await reader.value }
        queue.push(WatchBatch(revision: 1, events: []))
        #expect(try await queue.next().revision == 1, "the batch is there for the next reader")
    }
}

struct StoreErrorTests {
    @Test(arguments: [
        (RPCError.Code.outOfRange, EtcdErrorText.compacted, StoreError.compacted(oldest: 0)),
        (.outOfRange, EtcdErrorText.futureRevision, .futureRevision),
        (.notFound, EtcdErrorText.leaseNotFound, .leaseNotFound(5)),
        (.failedPrecondition, EtcdErrorText.leaseExists, .leaseExists(5)),
        (.unavailable, "etcdserver: no leader", .unavailable("etcdserver: no leader")),
        (.deadlineExceeded, "", .unavailable("no answer in time")),
        (
            .resourceExhausted, "etcdserver: mvcc: database space exceeded",
            .refused("etcdserver: mvcc: database space exceeded")
        ),
    ])
    func etcdsWordsBecomeErrors(_ code: RPCError.Code, _ message: String, _ expected: StoreError) {
        #expect(StoreError(RPCError(code: code, message: message), lease: 5) == expected)
    }
}

struct KeyRangeTests {
    @Test(
        arguments: [
            ("a/", Array("a/".utf8), Array("a0".utf8)),
            ("", [0], [0]),  // all keys
        ] as [(String, [UInt8], [UInt8])])
    func aPrefixIsARange(_ prefix: String, _ start: [UInt8], _ end: [UInt8]) {
        #expect(KeyRange.prefix(prefix) == KeyRange(start: start, end: end))
    }
}
