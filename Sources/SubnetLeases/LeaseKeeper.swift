package import Addressing
package import Logging

/// Keeps this node's lease alive: renews it at a third of its time to live, whatever the watch does, and goes on trying
/// when the store is away. A lease that turns out to be lost is claimed again, the same subnet if nobody has it.
package struct LeaseKeeper: Sendable {
    /// What happened to the lease.
    package enum Event: Hashable, Sendable {
        case renewed(HeldLease)
        /// The claim was lost and made again, for the same subnet.
        case reclaimed(HeldLease)
        /// The subnet is another node's now; this is the new one.
        case moved(HeldLease, from: IPv4Prefix, reason: String)
        /// Not renewed at the time it should have been; tried again until it is.
        case failing(String)
    }

    /// A reservation needs no renewal, but is looked at as often as this.
    static let reservationInterval: Duration = .seconds(3600)

    let source: any SubnetSource
    let config: NetworkConfig
    let margin: Duration
    let clock: any Clock<Duration>
    let logger: Logger

    /// - Parameter margin: A lease is renewed at the latest so long before it ends.
    package init(
        source: any SubnetSource, config: NetworkConfig, margin: Duration = .zero,
        clock: any Clock<Duration> = ContinuousClock(), logger: Logger
    ) {
        self.source = source
        self.config = config
        self.margin = margin
        self.clock = clock
        self.logger = logger
    }

    /// Runs until cancelled.
    ///
    /// - Parameters:
    ///   - suspicions: Each element has the lease checked at once, for whoever sees a sign that it is lost.
    ///   - handler: Told of everything that happens, in order; the keeper waits for it.
    package func run(
        _ held: HeldLease, suspicions: AsyncStream<Void>, handler: @Sendable (Event) async -> Void
    ) async {
        var held = held
        var backOff = BackOff()
        let alarm = Alarm(suspicions: suspicions, clock: clock)
        await withTaskCancellationHandler {
            while !Task.isCancelled {
                await alarm.wait(
                    held.timeToLive.map { max(.seconds(1), min($0 / 3, $0 - margin)) } ?? Self.reservationInterval)
                while !Task.isCancelled {
                    do throws(SubnetError) {
                        let event = try await renewOrReclaim(held)
                        switch event {
                        case .renewed(let lease), .reclaimed(let lease), .moved(let lease, _, _): held = lease
                        case .failing: break
                        }
                        backOff.reset()
                        await handler(event)
                        break
                    } catch {
                        if Task.isCancelled { return }
                        logger.warning("the lease of \(held.lease.subnet) could not be renewed, trying again: \(error)")
                        await handler(.failing("\(error)"))
                        try? await clock.sleep(for: backOff.next())
                    }
                }
            }
        } onCancel: {
            alarm.cancel()
        }
    }

    private func renewOrReclaim(_ held: HeldLease) async throws(SubnetError) -> Event {
        let reason: String
        do throws(SubnetError) {
            return .renewed(try await source.renew(held))
        } catch .leaseLost(let subnet, let why) {
            reason = why
            logger.error("the lease of \(subnet) is lost, claiming it again: \(why)")
        }
        let again = try await source.acquire(held.lease.attributes, in: config, previous: held.lease.subnet)
        if again.lease.subnet == held.lease.subnet {
            logger.notice("the lease of \(again.lease.subnet) is ours again")
            return .reclaimed(again)
        }
        logger.critical(
            "subnet \(held.lease.subnet) belongs to another node now (\(reason)); this node moves to \(again.lease.subnet), and pods with old addresses must be made anew"
        )
        return .moved(again, from: held.lease.subnet, reason: reason)
    }
}

/// Waits for a time or for a sign, whichever comes first.
private struct Alarm: Sendable {
    private let signals: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let forwarding: Task<Void, Never>
    private let clock: any Clock<Duration>

    init(suspicions: AsyncStream<Void>, clock: any Clock<Duration>) {
        self.clock = clock
        let (signals, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.signals = signals
        self.continuation = continuation
        forwarding = Task {
            for await _ in suspicions { continuation.yield() }
        }
    }

    func wait(_ duration: Duration) async {
        let timer = Task { [clock, continuation] in
            if (try? await clock.sleep(for: duration)) != nil { continuation.yield() }
        }
        for await _ in signals { break }
        timer.cancel()
    }

    func cancel() {
        forwarding.cancel()
        continuation.finish()
    }
}
