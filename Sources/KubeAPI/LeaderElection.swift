package import KubeSchema
package import Logging

/// Lets one of several equal processes act, by a lease in the API.
///
/// Times are those of Kubernetes: a lease of 15 s, given up by its holder when not renewed within 10 s, tried every
/// 2 s.
package struct LeaderElection: Sendable {
    static let leaseDuration = Duration.seconds(15)
    static let renewDeadline = Duration.seconds(10)
    static let retryPeriod = Duration.seconds(2)

    private let client: KubeClient
    private let lease: ObjectKey
    private let identity: String
    private let time: any TimeSource
    private let logger: Logger

    /// - Parameter identity: Different for each process.
    package init(
        client: KubeClient, lease: ObjectKey, identity: String, time: any TimeSource = SystemTime(), logger: Logger
    ) {
        self.client = client
        self.lease = lease
        self.identity = identity
        self.time = time
        self.logger = logger
    }

    /// Runs `body` while this process is the leader: waits to become it, cancels `body` when the lease is lost, and
    /// waits again. Returns when `body` returns by itself or the task is cancelled.
    package func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        var candidate = Candidate(identity: identity, leaseDuration: Self.leaseDuration)
        while !Task.isCancelled {
            guard await attempt(&candidate) else {
                try? await time.sleep(for: Self.retryPeriod)
                continue
            }
            logger.info("\(identity) leads (lease \(lease))")
            let finished = try await withThrowingTaskGroup(of: Bool.self) { [candidate] group in
                group.addTask {
                    try await body()
                    return true
                }
                group.addTask {
                    await self.keep(candidate)
                    return false
                }
                defer { group.cancelAll() }
                return try await group.next() ?? true
            }
            if finished { return }
            logger.warning("\(identity) no longer leads (lease \(lease))")
        }
    }

    /// Renews until that hasn't worked for too long, or somebody else holds the lease.
    private func keep(_ candidate: Candidate) async {
        var candidate = candidate
        var renewed = time.uptime
        while !Task.isCancelled {
            try? await time.sleep(for: Self.retryPeriod)
            if await attempt(&candidate) {
                renewed = time.uptime
            } else if time.uptime - renewed >= Self.renewDeadline || candidate.sawOtherHolder {
                return
            }
        }
    }

    private func attempt(_ candidate: inout Candidate) async -> Bool {
        do {
            let current: Lease?
            do {
                current = try await client.get(Lease.self, name: lease.name, namespace: lease.namespace)
            } catch  where error.isNotFound {
                current = nil
            }
            guard var next = candidate.claim(current, uptime: time.uptime, now: time.now) else { return false }
            if current == nil {
                next.metadata.name = lease.name
                next.metadata.namespace = lease.namespace
                _ = try await client.create(next)
            } else {
                _ = try await client.update(next)
            }
            return true
        } catch {
            logger.debug("lease \(lease): \(error)")
            return false
        }
    }

    /// What one process makes of the lease as it sees it. Others' clocks are not trusted: a lease has expired when it
    /// hasn't changed for its duration by our own clock.
    struct Candidate: Sendable {
        let identity: String
        let leaseDuration: Duration
        private(set) var sawOtherHolder = false
        private var observed: (lease: Lease, uptime: Duration)?

        init(identity: String, leaseDuration: Duration) {
            self.identity = identity
            self.leaseDuration = leaseDuration
        }

        /// The lease to write; `nil` when another process holds it.
        mutating func claim(_ current: Lease?, uptime: Duration, now: Timestamp) -> Lease? {
            var next = current ?? Lease(name: "")
            if let current {
                if observed?.lease != current { observed = (current, uptime) }
                let isMine = current.holderIdentity == identity
                let age = uptime - (observed?.uptime ?? uptime)
                let duration = current.leaseDurationSeconds.map { Duration.seconds($0) } ?? leaseDuration
                sawOtherHolder = !isMine && current.holderIdentity != nil && age < duration
                if sawOtherHolder { return nil }
                if !isMine {
                    next.leaseTransitions = current.leaseTransitions + 1
                    next.acquireTime = MicroTime(now)
                }
            } else {
                next.acquireTime = MicroTime(now)
            }
            next.holderIdentity = identity
            next.leaseDurationSeconds = Int(leaseDuration.components.seconds)
            next.renewTime = MicroTime(now)
            return next
        }
    }
}
