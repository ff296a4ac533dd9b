import ClusterStore
import Testing

/// What every store must do alike. A real etcd is one of the stores, so that what is asked here is what etcd does.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct ConformanceTests {
    @Test(arguments: StoreKind.allCases)
    func everyWriteGetsTheNextRevisionAndReadsSeeIt(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            let first = try await store.put("a", [1])
            let second = try await store.put("a", [2])
            #expect(second == first + 1)
            let found = try #require(try await store.get("a"))
            #expect(
                found
                    == KeyValue(
                        key: Array("a".utf8), value: [2], createRevision: first, modRevision: second, version: 2))
            #expect(try await store.get("b") == nil)
            #expect(try await store.delete(.key("a")) == 1)
            #expect(try await store.delete(.key("a")) == 0)
            let after = try await store.range(RangeRequest(.key("a")))
            #expect(after.revision == second + 1, "a deletion of nothing is no write")
            #expect(after.keyValues.isEmpty)
            try await store.put("a", [3])
            let again = try #require(try await store.get("a"))
            #expect(again.version == 1)
            #expect(again.createRevision == second + 2)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func rangesAreOrderedLimitedAndReadableAtOldRevisions(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            var revisions: [Int64] = []
            for key in ["p/c", "p/a", "p/b", "q", "o"] { revisions.append(try await store.put(key, Array(key.utf8))) }
            let all = try await store.range(RangeRequest(.prefix("p/")))
            #expect(all.keyValues.map(\.keyText) == ["p/a", "p/b", "p/c"])
            #expect(all.count == 3 && !all.more)
            let limited = try await store.range(RangeRequest(.prefix("p/"), limit: 2))
            #expect(limited.keyValues.map(\.keyText) == ["p/a", "p/b"])
            #expect(limited.count == 3 && limited.more)
            let counted = try await store.range(RangeRequest(.prefix("p/"), countOnly: true))
            #expect(counted.keyValues.isEmpty && counted.count == 3)
            let keys = try await store.range(RangeRequest(.prefix("p/"), keysOnly: true))
            #expect(keys.keyValues.allSatisfy { $0.value.isEmpty } && keys.keyValues.count == 3)
            let everything = try await store.range(RangeRequest(.prefix("")))
            #expect(everything.keyValues.map(\.keyText) == ["o", "p/a", "p/b", "p/c", "q"])

            let before = all.revision
            try await store.delete(.key("p/b"))
            try await store.put("p/a", [9])
            let old = try await store.range(RangeRequest(.prefix("p/"), revision: before))
            #expect(old.keyValues == all.keyValues)
            let older = try await store.range(RangeRequest(.prefix("p/"), revision: revisions[0]))
            #expect(older.keyValues.map(\.keyText) == ["p/c"])
            let oldLimited = try await store.range(RangeRequest(.prefix("p/"), revision: before, limit: 1))
            #expect(oldLimited.keyValues.map(\.keyText) == ["p/a"] && oldLimited.more)
            await #expect(throws: StoreError.futureRevision) {
                _ = try await store.range(RangeRequest(.key("q"), revision: 1_000_000))
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func comparisonsHoldAsEtcdSays(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            let lease = try await store.grantLease(timeToLive: 600, id: 0)
            let created = try await store.put("k", Array("m".utf8))
            let modified = try await store.put("k", Array("m".utf8), lease: lease.id)
            typealias Row = (target: Comparison.Target, relation: Comparison.Relation, holds: Bool)
            let present: [Row] = [
                (.version(2), .equal, true), (.version(1), .greater, true), (.version(3), .less, true),
                (.version(2), .notEqual, false),
                (.createRevision(created), .equal, true), (.createRevision(created), .greater, false),
                (.modRevision(modified), .equal, true), (.modRevision(created), .greater, true),
                (.modRevision(modified), .less, false),
                (.value(Array("m".utf8)), .equal, true), (.value(Array("a".utf8)), .greater, true),
                (.value(Array("z".utf8)), .less, true), (.value(Array("m".utf8)), .notEqual, false),
                (.lease(lease.id), .equal, true), (.lease(0), .notEqual, true), (.lease(0), .greater, true),
            ]
            let absent: [Row] = [
                (.version(0), .equal, true), (.createRevision(0), .equal, true), (.modRevision(0), .equal, true),
                (.modRevision(0), .greater, false), (.lease(0), .equal, true),
                (.value([]), .equal, false), (.value([1]), .notEqual, false),
            ]
            for (key, rows) in [("k", present), ("absent", absent)] {
                for row in rows {
                    let answer = try await store.transact(
                        Transaction(if: [Comparison(Array(key.utf8), row.relation, row.target)], then: []))
                    #expect(answer.succeeded == row.holds, "\(key) \(row.relation) \(row.target)")
                }
            }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func transactionsAreAtomicAndTakeOneRevision(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            let start = try await store.put("t/1", [1])
            let done = try await store.transact(
                Transaction(
                    if: [Comparison(Array("t/1".utf8), .equal, .modRevision(start))],
                    then: [
                        .put(key: Array("t/2".utf8), value: [2]), .delete(.key("t/1"), previous: true),
                        .range(RangeRequest(.prefix("t/"))),
                    ],
                    else: [.put(key: Array("t/3".utf8), value: [3])]))
            #expect(done.succeeded && done.revision == start + 1)
            #expect(done.results.count == 3 && done.results[0] == .put)
            guard case .delete(1, let previous) = done.results[1], case .range(let seen) = done.results[2] else {
                Issue.record("results are \(done.results)")
                return
            }
            #expect(previous.map(\.value) == [[1]])
            #expect(seen.keyValues.map(\.keyText) == ["t/2"], "a read sees the writes before it")
            let refused = try await store.transact(
                Transaction(
                    if: [Comparison(Array("t/1".utf8), .equal, .modRevision(start))], then: [],
                    else: [.range(RangeRequest(.key("t/2")))]))
            #expect(!refused.succeeded && refused.revision == start + 1)
            await #expect(throws: StoreError.refused(EtcdErrorText.duplicateKey)) {
                try await store.transact(
                    Transaction(then: [.put(key: [1], value: []), .put(key: [1], value: [])]))
            }
            #expect(try await store.get("t/3") == nil)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func oneOfManyWritersWinsEachRevision(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            try await store.put("counter", [0, 0])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        for _ in 0..<20 {
                            while true {
                                guard let old = try await store.get("counter") else { return }
                                let number = Int(old.value[0]) << 8 + Int(old.value[1]) + 1
                                let answer = try await store.transact(
                                    Transaction(
                                        if: [Comparison(old.key, .equal, .modRevision(old.modRevision))],
                                        then: [.put(key: old.key, value: [UInt8(number >> 8), UInt8(number & 255)])]))
                                if answer.succeeded { break }
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.get("counter")?.value == [0, 200])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWatchGetsHistoryAndThenWhatHappens(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            let first = try await store.put("w/a", [1])
            try await store.put("x", [0])
            try await store.put("w/a", [2])
            var iterator = store.watch(WatchRequest(.prefix("w/"), from: first, previous: true)).makeAsyncIterator()
            var events: [StoreEvent] = []
            while events.count < 2 { events += try #require(try await iterator.next()).events }
            try await store.delete(.key("w/a"))
            while events.count < 3 { events += try #require(try await iterator.next()).events }
            #expect(events.map(\.kind) == [.put, .put, .delete])
            #expect(events.map(\.keyValue.modRevision) == [first, first + 2, first + 3])
            #expect(events.map { $0.previous?.value } == [nil, [1], [2]])
            #expect(events[2].keyValue.value.isEmpty && events[2].keyValue.version == 0)
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aWatchFromTheFutureStartsThere(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            let now = try await store.put("f", [1])
            var iterator = store.watch(WatchRequest(.key("f"), from: now + 2)).makeAsyncIterator()
            try await store.put("f", [2])
            try await store.put("f", [3])
            let batch = try #require(try await iterator.next())
            #expect(batch.events.map(\.keyValue.value) == [[3]])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func compactionTakesHistoryAndLeavesThePresent(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            let first = try await store.put("c", [1])
            try await store.put("gone", [1])
            try await store.delete(.key("gone"))
            let last = try await store.put("c", [2])
            try await store.compact(to: last)
            let gone = await #expect(throws: StoreError.self) {
                _ = try await store.range(RangeRequest(.key("c"), revision: first))
            }
            #expect(gone.map(isCompacted) == true)
            #expect(try await store.get("c")?.value == [2])
            #expect(try await store.range(RangeRequest(.key("c"), revision: last)).keyValues.map(\.value) == [[2]])
            var iterator = store.watch(WatchRequest(.key("c"), from: first)).makeAsyncIterator()
            let error = await #expect(throws: StoreError.self) { _ = try await iterator.next() }
            #expect(error == .compacted(oldest: last))
            await #expect(throws: StoreError.futureRevision) { try await store.compact(to: last + 100) }
            let refusal = await #expect(throws: StoreError.self) { try await store.compact(to: first) }
            #expect(refusal.map(isCompacted) == true)
            var later = store.watch(WatchRequest(.key("c"), from: last + 1)).makeAsyncIterator()
            try await store.put("c", [3])
            #expect(try await later.next()?.events.map(\.keyValue.value) == [[3]])
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aLeaseThatEndsTakesItsKeysAlong(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            let lease = try await store.grantLease(timeToLive: 1, id: 0)
            #expect(lease.timeToLive >= 1)
            let kept = try await store.grantLease(timeToLive: 1000, id: 77)
            #expect(kept == StoreLease(id: 77, timeToLive: 1000))
            await #expect(throws: StoreError.leaseExists(77)) { _ = try await store.grantLease(timeToLive: 5, id: 77) }
            let start = try await store.put("l/1", [1], lease: lease.id)
            try await store.put("l/2", [1], lease: lease.id)
            try await store.put("l/3", [1], lease: kept.id)
            var iterator = store.watch(WatchRequest(.prefix("l/"), from: start + 3)).makeAsyncIterator()
            let batch = try #require(try await iterator.next())
            #expect(batch.events.map(\.kind) == [.delete, .delete], "the keys of a lease go in one revision")
            #expect(Set(batch.events.map(\.keyValue.keyText)) == ["l/1", "l/2"])
            #expect(Set(batch.events.map(\.keyValue.modRevision)).count == 1)
            await #expect(throws: StoreError.leaseNotFound(lease.id)) { _ = try await store.renewLease(lease.id) }
            await #expect(throws: StoreError.leaseNotFound(lease.id)) {
                try await store.put("l/4", [1], lease: lease.id)
            }
            #expect(try await store.renewLease(kept.id) == 1000)
            try await store.revokeLease(kept.id)
            #expect(try await store.get("l/3") == nil)
            await #expect(throws: StoreError.leaseNotFound(kept.id)) { try await store.revokeLease(kept.id) }
        }
    }

    @Test(arguments: StoreKind.allCases)
    func valuesOfAMegabyteAndAnswersOfManyPassThrough(_ kind: StoreKind) async throws {
        try await withStore(kind) { store, _ in
            let value = [UInt8](repeating: 7, count: 1 << 20)
            for number in 0..<8 { try await store.put("big/\(number)", value) }
            let all = try await store.range(RangeRequest(.prefix("big/")))
            #expect(all.keyValues.count == 8 && all.keyValues.allSatisfy { $0.value == value })
        }
    }

    @Test(arguments: StoreKind.allCases)
    func aHundredThousandPutsAndABusyWatchNeedOneConnection(_ kind: StoreKind) async throws {
        let writers = 50
        let perWriter = 2000
        try await withStore(kind) { store, connections in
            let before = connections()
            let start = try await store.range(RangeRequest(.key("busy/"))).revision
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    var next = start + 1
                    var seen = 0
                    for try await batch in store.watch(WatchRequest(.prefix("busy/"), from: start + 1)) {
                        for event in batch.events {
                            guard event.keyValue.modRevision == next else {
                                Issue.record("revision \(event.keyValue.modRevision) came where \(next) was due")
                                return
                            }
                            next += 1
                            seen += 1
                        }
                        if seen == writers * perWriter { return }
                    }
                }
                for writer in 0..<writers {
                    group.addTask {
                        for number in 0..<perWriter { try await store.put("busy/\(writer)", [UInt8(number & 255)]) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(connections() == before, "the connection was replaced")
        }
    }
}

private func isCompacted(_ error: StoreError) -> Bool {
    if case .compacted = error { true } else { false }
}
