import ClusterStore
import Logging

/// Cuts the store's history back, so that it does not grow without end: to where it was one interval ago, so that lists
/// in pages and resumed watches have at least that long.
struct StoreCompactor: Sendable {
    let store: any ClusterStore
    let interval: Duration
    let logger: Logger

    func run() async {
        var last: Int64 = 0
        while !Task.isCancelled {
            do throws(StoreError) {
                let current = try await store.range(RangeRequest(.key("/registry"), countOnly: true)).revision
                if last > 0, current > last { try await store.compact(to: last) }
                last = current
            } catch .compacted {
                last = 0  // another server has been here
            } catch {
                logger.debug("compaction will be tried again", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: interval)
        }
    }
}
