import ClusterStore
import FoundationEssentials
import GRPCCore
import GRPCProtobuf
import Testing

/// What is asked of a real etcd and of our server has to be answered alike, field for field and word for word.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct WireParityTests {
    /// One conversation: the order matters, since each request meets what those before it left behind.
    private static let conversation: [(name: String, request: WireRequest)] =
        reads + puts + transactions + leases + ends

    @Test
    func everyRequestIsAnsweredAsEtcdDoes() async throws {
        try await withBoth { both in
            for (name, request) in Self.conversation {
                let answers = try await both.ask(request)
                #expect(answers.fjord == answers.etcd, "\(name)")
            }
        }
    }

    @Test(arguments: UInt64(1)...5)
    func whateverIsAskedTheAnswersAreTheSame(_ seed: UInt64) async throws {
        try await withBoth { both in
            var random = SplitMix(seed)
            for lease: Int64 in 1...3 { _ = try await both.ask(.grant(id: lease, timeToLive: 3600)) }
            for step in 0..<600 {
                let request = random.request(step: step)
                let answers = try await both.ask(request)
                guard answers.fjord == answers.etcd else {
                    Issue.record("step \(step): \(request)\netcd: \(answers.etcd)\nfjord: \(answers.fjord)")
                    return
                }
            }
        }
    }

    private typealias Range = Etcdserverpb_RangeRequest
    private typealias Txn = Etcdserverpb_TxnRequest
    private typealias Put = Etcdserverpb_PutRequest
    private typealias Compare = Etcdserverpb_Compare

    private static let reads: [(String, WireRequest)] = [
        ("an empty store", .range(Range(key: "a"))),
        ("an empty key", .range(Range(key: ""))),
        ("put one", .put(Put("k/1", "c"))), ("put two", .put(Put("k/2", "b"))), ("put three", .put(Put("k/3", "a"))),
        ("change two", .put(Put("k/2", "bb"))),
        ("a key", .range(Range(key: "k/1"))),
        ("a prefix", .range(Range(key: "k/", end: "k0"))),
        ("from a key on", .range(Range(key: "k/2", end: "\0"))),
        ("everything", .range(Range(key: "\0", end: "\0"))),
        ("a range the wrong way round", .range(Range(key: "k/3", end: "k/1"))),
        ("a limit", .range(Range(key: "k/", end: "k0") { $0.limit = 2 })),
        ("a limit that is not reached", .range(Range(key: "k/", end: "k0") { $0.limit = 3 })),
        ("keys only", .range(Range(key: "k/", end: "k0") { $0.keysOnly = true })),
        ("count only", .range(Range(key: "k/", end: "k0") { $0.countOnly = true })),
        (
            "count only with a limit",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.countOnly = true; $0.limit = 1
                })
        ),
        ("serializable", .range(Range(key: "k/1") { $0.serializable = true })),
        ("the past", .range(Range(key: "k/", end: "k0") { $0.revision = 3 })),
        (
            "the past with a limit",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.revision = 4; $0.limit = 1
                })
        ),
        (
            "the past, counted",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.revision = 4; $0.countOnly = true
                })
        ),
        (
            "the past, keys only",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.revision = 4; $0.keysOnly = true
                })
        ),
        ("the future", .range(Range(key: "k/1") { $0.revision = 1000 })),
        ("by key, descending", .range(Range(key: "k/", end: "k0") { $0.sortOrder = .descend })),
        (
            "by value",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.sortTarget = .value; $0.sortOrder = .ascend
                })
        ),
        (
            "by value without values",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.sortTarget = .value; $0.keysOnly = true
                })
        ),
        ("by version, no order named", .range(Range(key: "k/", end: "k0") { $0.sortTarget = .version })),
        (
            "by creation, descending, limited",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.sortTarget = .create; $0.sortOrder = .descend; $0.limit = 1
                })
        ),
        (
            "by change",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.sortTarget = .mod; $0.sortOrder = .descend
                })
        ),
        ("changed since", .range(Range(key: "k/", end: "k0") { $0.minModRevision = 4 })),
        ("changed before", .range(Range(key: "k/", end: "k0") { $0.maxModRevision = 4 })),
        (
            "changed before, limited",
            .range(
                Range(key: "k/", end: "k0") {
                    $0.maxModRevision = 4; $0.limit = 1
                })
        ),
        ("created since", .range(Range(key: "k/", end: "k0") { $0.minCreateRevision = 3 })),
        ("created before", .range(Range(key: "k/", end: "k0") { $0.maxCreateRevision = 3 })),
        ("nothing passes", .range(Range(key: "k/", end: "k0") { $0.minModRevision = 900 })),
    ]

    private static let puts: [(String, WireRequest)] = [
        ("a put of no key", .put(Put("", "x"))),
        ("a put of no value", .put(Put("empty"))),
        ("and it is there", .range(Range(key: "empty"))),
        ("the previous one", .put(Put("k/1", "d") { $0.prevKv = true })),
        ("the previous one of a new key", .put(Put("k/4", "d") { $0.prevKv = true })),
        (
            "the value is kept",
            .put(
                Put("k/1") {
                    $0.ignoreValue = true; $0.prevKv = true
                })
        ),
        ("the value is kept, and given", .put(Put("k/1", "x") { $0.ignoreValue = true })),
        ("the value is kept of nothing", .put(Put("none") { $0.ignoreValue = true })),
        ("the lease is kept of nothing", .put(Put("none", "x") { $0.ignoreLease = true })),
        ("the lease is kept, and given", .put(Put("k/1", "x", lease: 7) { $0.ignoreLease = true })),
        ("an unknown lease", .put(Put("k/1", "x", lease: 7))),
        ("a delete of no key", .delete(.init(""))),
        ("a delete of nothing", .delete(.init("none"))),
        ("a delete of one", .delete(.init("k/4", previous: true))),
        ("a delete of a range", .delete(.init("k/2", end: "k/4", previous: true))),
        ("too large a request", .put(Put("big", String(repeating: "x", count: 1_600_000)))),
        ("made again", .put(Put("k/2", "new"))),
        ("with a version of 1", .range(Range(key: "k/", end: "k0"))),
    ]

    private static let transactions: [(String, WireRequest)] = [
        ("an empty transaction", .transaction(Txn())),
        (
            "writes and reads",
            .transaction(
                Txn(
                    if: [Compare("k/1", .equal, .version(3)), Compare("none", .equal, .createRevision(0))],
                    then: [
                        .put(Put("t/1", "1") { $0.prevKv = true }), .range(Range(key: "t/", end: "t0")),
                        .delete(.init("k/2", previous: true)), .range(Range(key: "k/2")),
                        .put(Put("k/1", "t") { $0.prevKv = true }),
                    ], else: [.range(Range(key: "k/1"))]))
        ),
        (
            "the other branch",
            .transaction(
                Txn(
                    if: [Compare("k/1", .less, .modRevision(1))], then: [.put(Put("never"))],
                    else: [.range(Range(key: "k/1") { $0.keysOnly = true }), .delete(.init("none"))]))
        ),
        (
            "nested, judged by what was before",
            .transaction(
                Txn(then: [
                    .put(Put("n/1", "outer")),
                    .transaction(
                        Txn(
                            if: [Compare("n/1", .greater, .version(0))], then: [.put(Put("n/wrong"))],
                            else: [.put(Put("n/2", "inner")), .range(Range(key: "n/", end: "n0"))])),
                    .range(Range(key: "n/", end: "n0")),
                ]))
        ),
        (
            "nested, nothing written",
            .transaction(Txn(then: [.transaction(Txn(then: [.range(Range(key: "n/1")), .transaction(Txn())]))]))
        ),
        (
            "the value is kept",
            .transaction(
                Txn(then: [
                    .put(
                        Put("n/1") {
                            $0.ignoreValue = true; $0.prevKv = true
                        })
                ]))
        ),
        ("the value is kept of nothing", .transaction(Txn(then: [.put(Put("no") { $0.ignoreValue = true })]))),
        ("one key twice", .transaction(Txn(then: [.put(Put("d")), .put(Put("d"))]))),
        ("one key put and deleted", .transaction(Txn(then: [.put(Put("d")), .delete(.init("a", end: "z"))]))),
        (
            "one key in a nested transaction too",
            .transaction(Txn(then: [.transaction(Txn(then: [.put(Put("d"))])), .put(Put("d"))]))
        ),
        (
            "one key in both branches",
            .transaction(
                Txn(then: [
                    .transaction(
                        Txn(
                            if: [Compare("x", .equal, .version(1))], then: [.put(Put("d"))], else: [.put(Put("d", "e"))]
                        ))
                ]))
        ),
        (
            "deleted beside a nested put",
            .transaction(Txn(then: [.delete(.init("d")), .transaction(Txn(then: [.put(Put("d"))]))]))
        ),
        ("an operation that is none", .transaction(Txn(then: [Etcdserverpb_RequestOp()]))),
        ("a comparison of no key", .transaction(Txn(if: [Compare("", .equal, .version(0))]))),
        ("a put of no key", .transaction(Txn(then: [.put(Put(""))]))),
        ("a put of no key in the branch not taken", .transaction(Txn(else: [.put(Put(""))]))),
        ("too many", .transaction(Txn(then: (0..<129).map { .put(Put("m/\($0)")) }))),
        ("as many as may be", .transaction(Txn(then: (0..<128).map { .put(Put("m/\($0)")) }))),
        (
            "too many in all",
            .transaction(
                Txn(then: [.transaction(Txn(then: (0..<128).map { .put(Put("m/\($0)")) }))]))
        ),
        (
            "a read of the future",
            .transaction(Txn(then: [.put(Put("f")), .range(Range(key: "f") { $0.revision = 999 })]))
        ),
        ("left nothing behind", .range(Range(key: "f"))),
        ("an unknown lease", .transaction(Txn(then: [.put(Put("f")), .put(Put("g", "", lease: 99))]))),
        ("left nothing behind either", .range(Range(key: "f"))),
        (
            "a read of the past",
            .transaction(Txn(then: [.put(Put("f")), .range(Range(key: "k/", end: "k0") { $0.revision = 3 })]))
        ),
        ("all of a range", .transaction(Txn(if: [Compare("m/", end: "m0", .equal, .version(1))]))),
        ("not all of a range", .transaction(Txn(if: [Compare("k/", end: "k0", .equal, .version(1))]))),
        ("a range of nothing", .transaction(Txn(if: [Compare("zz", end: "zzz", .equal, .version(0))]))),
        ("values of nothing", .transaction(Txn(if: [Compare("zz", end: "zzz", .notEqual, .value(Data([1])))]))),
        ("a value", .transaction(Txn(if: [Compare("k/1", .equal, .value(Data("t".utf8)))]))),
        ("a larger value", .transaction(Txn(if: [Compare("k/1", .greater, .value(Data("s".utf8)))]))),
        ("a lease", .transaction(Txn(if: [Compare("k/1", .equal, .lease(0))]))),
    ]

    private static let leases: [(String, WireRequest)] = [
        ("no leases", .leases),
        ("a lease", .grant(id: 11, timeToLive: 1000)),
        ("the same again", .grant(id: 11, timeToLive: 1000)),
        ("too long a lease", .grant(id: 12, timeToLive: 9_000_000_001)),
        ("a short one is made longer", .grant(id: 13, timeToLive: 1)),
        ("and ends", .revoke(13)),
        ("a key with it", .put(Put("l/1", "x", lease: 11))),
        ("and another", .put(Put("l/2", "x", lease: 11))),
        ("what is left of it", .timeToLive(11, keys: true)),
        ("without keys", .timeToLive(11, keys: false)),
        ("of none", .timeToLive(4711, keys: true)),
        ("renewed", .keepAlive(11)),
        ("renewed, though there is none", .keepAlive(4711)),
        (
            "the lease is kept",
            .put(
                Put("l/1", "y") {
                    $0.ignoreLease = true; $0.prevKv = true
                })
        ),
        ("the value is kept and the lease dropped", .put(Put("l/2") { $0.ignoreValue = true })),
        ("so only one is left", .timeToLive(11, keys: true)),
        ("all leases", .leases),
        ("comparing it", .transaction(Txn(if: [Compare("l/1", .equal, .lease(11))]))),
        ("revoked", .revoke(11)),
        ("revoked again", .revoke(11)),
        ("and its key with it", .range(Range(key: "l/", end: "l0"))),
    ]

    private static let ends: [(String, WireRequest)] = [
        ("compacting the future", .compact(100_000)),
        ("compacting", .compact(8)),
        ("compacting again", .compact(8)),
        ("compacting the past", .compact(5)),
        ("reading what is gone", .range(Range(key: "k/1") { $0.revision = 7 })),
        ("reading what is not", .range(Range(key: "k/", end: "k0") { $0.revision = 8 })),
        (
            "gone in a transaction",
            .transaction(Txn(then: [.put(Put("f")), .range(Range(key: "f") { $0.revision = 2 })]))
        ),
        ("users", .authenticate),
        ("everything, deleted", .delete(.init("\0", end: "\0"))),
        ("nothing is left", .range(Range(key: "\0", end: "\0"))),
    ]
}

/// A small generator of random numbers that says the same every time.
private struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    private mutating func key() -> String { ["a", "b", "c", "d", "e"].randomElement(using: &self) ?? "a" }

    private mutating func end() -> String { ["", "", "c", "f", "\0"].randomElement(using: &self) ?? "" }

    private mutating func value() -> String { ["", "x", "y", "zz"].randomElement(using: &self) ?? "" }

    private mutating func chance(_ part: Int) -> Bool { Int.random(in: 0..<part, using: &self) == 0 }

    private mutating func range(step: Int) -> Etcdserverpb_RangeRequest {
        var range = Etcdserverpb_RangeRequest(key: key(), end: end())
        if chance(3) { range.revision = Int64.random(in: 0...Int64(step / 2 + 2), using: &self) }
        if chance(3) { range.limit = Int64.random(in: 0...4, using: &self) }
        if chance(4) { range.keysOnly = true }
        if chance(6) { range.countOnly = true }
        if chance(3) { range.sortTarget = .init(rawValue: Int.random(in: 0...4, using: &self)) ?? .key }
        if chance(3) { range.sortOrder = .init(rawValue: Int.random(in: 0...2, using: &self)) ?? .none }
        if chance(5) { range.minModRevision = Int64.random(in: 0...Int64(step), using: &self) }
        if chance(5) { range.maxCreateRevision = Int64.random(in: 0...Int64(step), using: &self) }
        return range
    }

    private mutating func put() -> Etcdserverpb_PutRequest {
        var put = Etcdserverpb_PutRequest(key(), value(), lease: chance(4) ? Int64.random(in: 0...4, using: &self) : 0)
        if chance(3) { put.prevKv = true }
        if chance(8) { put.ignoreLease = true }
        if chance(8) { put.ignoreValue = true }
        return put
    }

    private mutating func compare() -> Etcdserverpb_Compare {
        let targets: [Etcdserverpb_Compare.OneOf_TargetUnion] = [
            .version(Int64.random(in: 0...3, using: &self)), .modRevision(Int64.random(in: 0...40, using: &self)),
            .createRevision(Int64.random(in: 0...40, using: &self)), .value(Data(value().utf8)),
            .lease(Int64.random(in: 0...3, using: &self)),
        ]
        return Etcdserverpb_Compare(
            key(), end: end(), .init(rawValue: Int.random(in: 0...3, using: &self)) ?? .equal,
            targets.randomElement(using: &self) ?? .version(0))
    }

    private mutating func operations(step: Int, depth: Int) -> [Etcdserverpb_RequestOp] {
        (0..<Int.random(in: 0...3, using: &self)).map { _ in
            switch Int.random(in: 0..<(depth < 2 ? 7 : 6), using: &self) {
            case 0...2: .put(put())
            case 3, 4: .range(range(step: step))
            case 5: .delete(.init(key(), end: end(), previous: chance(2)))
            default: .transaction(transaction(step: step, depth: depth + 1))
            }
        }
    }

    private mutating func transaction(step: Int, depth: Int = 0) -> Etcdserverpb_TxnRequest {
        Etcdserverpb_TxnRequest(
            if: (0..<Int.random(in: 0...2, using: &self)).map { _ in compare() },
            then: operations(step: step, depth: depth), else: operations(step: step, depth: depth))
    }

    mutating func request(step: Int) -> WireRequest {
        switch Int.random(in: 0..<20, using: &self) {
        case 0..<6: .put(put())
        case 6..<11: .range(range(step: step))
        case 11, 12: .delete(.init(key(), end: end(), previous: chance(2)))
        case 13: .compact(Int64.random(in: 0...Int64(step), using: &self))
        case 14: .timeToLive(Int64.random(in: 1...4, using: &self), keys: true)
        default: .transaction(transaction(step: step))
        }
    }
}
