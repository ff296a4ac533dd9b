import ClusterStore
import Logging

extension StoreSubnetSource {
    package func tables(own: Lease, in config: NetworkConfig) -> AsyncStream<LeaseTable> {
        AsyncStream(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let task = Task {
                await follow(LeaseWatcher(prefix: leasePrefix, own: own, config: config), continuation)
                continuation.finish()
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    /// Feeds the state machine until the task is cancelled.
    private func follow(_ machine: LeaseWatcher, _ continuation: AsyncStream<LeaseTable>.Continuation) async {
        var machine = machine
        var backOff = BackOff()
        while !Task.isCancelled {
            do throws(StoreError) {
                switch machine.next {
                case .list:
                    machine.listed(try await store.range(RangeRequest(.prefix(leasePrefix))))
                    backOff.reset()
                    publish(&machine, continuation)
                case .watch(let revision):
                    try await watch(from: revision, &machine, continuation) { backOff.reset() }
                    machine.relist()
                case .pause:
                    do { try await clock.sleep(for: backOff.next()) } catch { return }
                    machine.resumed()
                }
            } catch .cancelled where Task.isCancelled {
                return
            } catch {
                let wasCurrent = machine.table.isCurrent
                machine.failed(error)
                if wasCurrent {
                    logger.warning("the watch of leases ended; the last known table stays in use: \(error)")
                    publish(&machine, continuation)
                }
            }
        }
    }

    /// Reads one watch until it fails, or until it is time to verify it by a list.
    private func watch(
        from revision: Int64, _ machine: inout LeaseWatcher, _ continuation: AsyncStream<LeaseTable>.Continuation,
        progressed: () -> Void
    ) async throws(StoreError) {
        let request = WatchRequest(.prefix(leasePrefix), from: revision, progress: true)
        let batches = AsyncStream<Result<WatchBatch, StoreError>>.makeStream()
        let reader = Task { [store] in
            do throws(StoreError) {
                for try await batch in store.watch(request) { batches.continuation.yield(.success(batch)) }
                batches.continuation.yield(.failure(.unavailable("the watch ended")))
            } catch {
                batches.continuation.yield(.failure(error))
            }
            batches.continuation.finish()
        }
        let interval = verificationInterval * Double.random(in: 0.75...1.25)  // so that nodes don't ask in step
        let timer = Task { [clock] in
            try? await clock.sleep(for: interval)
            batches.continuation.finish()
        }
        defer {
            reader.cancel()
            timer.cancel()
        }
        for await batch in batches.stream {
            machine.received(try batch.get())
            progressed()
            publish(&machine, continuation)
        }
    }

    private func publish(_ machine: inout LeaseWatcher, _ continuation: AsyncStream<LeaseTable>.Continuation) {
        for warning in machine.takeWarnings() { logger.warning("\(warning)") }
        continuation.yield(machine.table)
    }
}
