import ClusterStore
import Synchronization

/// A store whose client dies at its N-th call: the call is not made, or is made and its answer lost, and so is
/// everything after it. What a process leaves behind that is killed there.
final class FailingStore: ClusterStore {
    enum Death: Sendable, CaseIterable { case beforeTheCall, afterTheCall }

    private let store: any ClusterStore
    private let last: Int
    private let death: Death
    private let calls = Atomic<Int>(0)

    init(_ store: any ClusterStore, diesAt last: Int, _ death: Death) {
        self.store = store
        self.last = last
        self.death = death
    }

    /// Whether the point of death was reached.
    var isDead: Bool { calls.load(ordering: .relaxed) >= last }

    private func call<Answer: Sendable>(
        _ body: () async throws(StoreError) -> Answer
    ) async throws(StoreError) -> Answer {
        let number = calls.add(1, ordering: .relaxed).newValue
        if number < last { return try await body() }
        if number == last, death == .afterTheCall { _ = try await body() }
        throw .unavailable("killed")
    }

    func range(_ request: RangeRequest) async throws(StoreError) -> RangeResponse {
        try await call { () async throws(StoreError) in try await store.range(request) }
    }

    func transact(_ transaction: Transaction) async throws(StoreError) -> TransactionResponse {
        try await call { () async throws(StoreError) in try await store.transact(transaction) }
    }

    func compact(to revision: Int64) async throws(StoreError) {
        try await call { () async throws(StoreError) in try await store.compact(to: revision) }
    }

    func grantLease(timeToLive seconds: Int64, id: Int64) async throws(StoreError) -> StoreLease {
        try await call { () async throws(StoreError) in try await store.grantLease(timeToLive: seconds, id: id) }
    }

    func renewLease(_ id: Int64) async throws(StoreError) -> Int64 {
        try await call { () async throws(StoreError) in try await store.renewLease(id) }
    }

    func revokeLease(_ id: Int64) async throws(StoreError) {
        try await call { () async throws(StoreError) in try await store.revokeLease(id) }
    }

    func watch(_ request: WatchRequest) -> StoreWatch { store.watch(request) }
}
