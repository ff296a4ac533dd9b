import ClusterStore
import Synchronization

/// The store's protocol over a dictionary, small and obvious: what the leases are tested against. History is kept whole
/// until compacted; store leases end when the test says so.
final class MemoryStore: ClusterStore {
    private struct State {
        var revision: Int64 = 1
        var compacted: Int64 = 0
        var keys: [[UInt8]: KeyValue] = [:]
        var history: [StoreEvent] = []
        var leases: [Int64: Int64] = [:]
        var nextLease: Int64 = 1000
        var isAway = false
        var renewals = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter = 0
    }
    private let state = Mutex(State())

    var revision: Int64 { state.withLock { $0.revision } }
    var renewals: Int { state.withLock { $0.renewals } }

    /// Refuses all calls and ends all watches, until set to `false`.
    func setAway(_ away: Bool) {
        state.withLock { $0.isAway = away }
        wake()
    }

    func value(_ key: String) -> String? {
        state.withLock { $0.keys[Array(key.utf8)].map { String(decoding: $0.value, as: UTF8.self) } }
    }

    func keyNames() -> [String] { state.withLock { $0.keys.values.map(\.keyText).sorted() } }

    /// Ends a store lease as time would.
    func expire(_ lease: Int64) {
        state.withLock { state in
            state.leases[lease] = nil
            let keys = state.keys.values.filter { $0.lease == lease }.map(\.key)
            if !keys.isEmpty { state.revision += 1 }
            for key in keys { Self.delete(key, &state) }
        }
        wake()
    }

    func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse {
        try check()
        return state.withLock { Self.range(request, $0) }
    }

    func transact(_ transaction: Transaction) async throws(StoreError) -> TransactionResponse {
        try check()
        let response = state.withLock { state -> TransactionResponse in
            let holds = transaction.comparisons.allSatisfy { Self.holds($0, state) }
            let operations = holds ? transaction.success : transaction.failure
            let writes = operations.contains { if case .range = $0 { false } else { true } }
            if writes { state.revision += 1 }
            let results = operations.map { operation -> TransactionResponse.Result in
                switch operation {
                case .put(let key, let value, let lease):
                    let old = state.keys[key]
                    let new = KeyValue(
                        key: key, value: value, createRevision: old?.createRevision ?? state.revision,
                        modRevision: state.revision, version: (old?.version ?? 0) + 1, lease: lease)
                    state.keys[key] = new
                    state.history.append(StoreEvent(.put, new))
                    return .put
                case .delete(let range, _):
                    let keys = state.keys.keys.filter { Self.contains(range, $0) }
                    for key in keys { Self.delete(key, &state) }
                    return .delete(count: Int64(keys.count), previous: [])
                case .range(let request):
                    return .range(Self.range(request, state))
                }
            }
            return TransactionResponse(succeeded: holds, revision: state.revision, results: results)
        }
        wake()
        return response
    }

    func compact(to revision: Int64) async throws(StoreError) {
        state.withLock { state in
            state.compacted = revision
            state.history.removeAll { $0.keyValue.modRevision < revision }
        }
        wake()
    }

    func grantLease(timeToLive seconds: Int64, id: Int64) async throws(StoreError) -> StoreLease {
        try check()
        return state.withLock { state in
            state.nextLease += 1
            state.leases[state.nextLease] = seconds
            return StoreLease(id: state.nextLease, timeToLive: seconds)
        }
    }

    func renewLease(_ id: Int64) async throws(StoreError) -> Int64 {
        try check()
        let seconds = state.withLock { state in
            state.renewals += 1
            return state.leases[id]
        }
        guard let seconds else { throw .leaseNotFound(id) }
        return seconds
    }

    func revokeLease(_ id: Int64) async throws(StoreError) {
        try check()
        expire(id)
    }

    func watch(_ request: WatchRequest) -> StoreWatch {
        StoreWatch { [self] in
            let position = Mutex(request.startRevision)
            return { () async throws(StoreError) -> WatchBatch? in
                while !Task.isCancelled {
                    try self.check()
                    let from = position.withLock { $0 }
                    let (batch, compacted) = self.state.withLock { state -> (WatchBatch?, Bool) in
                        if from < state.compacted { return (nil, true) }
                        let events = state.history.filter {
                            $0.keyValue.modRevision >= from && Self.contains(request.range, $0.keyValue.key)
                        }
                        return (events.isEmpty ? nil : WatchBatch(revision: state.revision, events: events), false)
                    }
                    if compacted { throw .compacted(oldest: 0) }
                    if let batch {
                        position.withLock { $0 = batch.revision + 1 }
                        return batch
                    }
                    await self.change(since: from)
                }
                throw .cancelled
            }
        }
    }

    /// Waits until something is written at or after `revision`, or the store is woken.
    private func change(since revision: Int64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let resume = state.withLock { state in
                    // Something may have come between the look and the wait.
                    let newest = state.history.last?.keyValue.modRevision ?? 0
                    if Task.isCancelled || state.isAway || newest >= revision || revision < state.compacted {
                        return true
                    }
                    state.waiters[id] = continuation
                    return false
                }
                if resume { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
        await Task.yield()
    }

    private func wake() {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    private func check() throws(StoreError) {
        if Task.isCancelled { throw .cancelled }
        if state.withLock({ $0.isAway }) { throw .unavailable("the test said so") }
    }

    private static func contains(_ range: KeyRange, _ key: [UInt8]) -> Bool {
        if range.end.isEmpty { return key == range.start }
        return !key.lexicographicallyPrecedes(range.start)
            && (range.end == [0] || key.lexicographicallyPrecedes(range.end))
    }

    private static func range(_ request: RangeRequest, _ state: State) -> RangeResponse {
        let found = state.keys.values.filter { contains(request.range, $0.key) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return RangeResponse(revision: state.revision, keyValues: found, count: Int64(found.count), more: false)
    }

    private static func delete(_ key: [UInt8], _ state: inout State) {
        guard state.keys.removeValue(forKey: key) != nil else { return }
        state.history.append(StoreEvent(.delete, KeyValue(key: key, value: [], modRevision: state.revision)))
    }

    private static func holds(_ comparison: Comparison, _ state: State) -> Bool {
        let found = state.keys[comparison.key]
        let (left, right): (Int64, Int64)
        switch comparison.target {
        case .version(let value): (left, right) = (found?.version ?? 0, value)
        case .createRevision(let value): (left, right) = (found?.createRevision ?? 0, value)
        case .modRevision(let value): (left, right) = (found?.modRevision ?? 0, value)
        case .lease(let value): (left, right) = (found?.lease ?? 0, value)
        case .value(let value): return (found?.value == value) == (comparison.relation == .equal)
        }
        return switch comparison.relation {
        case .equal: left == right
        case .greater: left > right
        case .less: left < right
        case .notEqual: left != right
        }
    }
}
