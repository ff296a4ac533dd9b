import ClusterStore
import Synchronization

/// Store leases that make events go away by themselves. One lease serves all events of a few minutes, since leases are
/// dear in a store.
final class EventLeases: Sendable {
    private static let reuse: Duration = .seconds(300)

    private let store: any ClusterStore
    private let timeToLive: Int64
    private let current = Mutex<(id: Int64, until: ContinuousClock.Instant)?>(nil)

    init(store: any ClusterStore, timeToLive: Int64) {
        self.store = store
        self.timeToLive = timeToLive
    }

    func lease() async throws(APIFailure) -> Int64 {
        if let lease = current.withLock({ $0 }), lease.until > .now { return lease.id }
        do throws(StoreError) {
            let lease = try await store.grantLease(timeToLive: timeToLive + Self.reuse.components.seconds, id: 0)
            current.withLock { $0 = (lease.id, .now + Self.reuse) }
            return lease.id
        } catch {
            throw APIFailure(error)
        }
    }
}
