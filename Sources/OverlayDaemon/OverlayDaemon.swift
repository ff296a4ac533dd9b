import Addressing
package import DataPlane
import Glibc
import LinuxKit
package import Logging
import ServiceLifecycle
package import SubnetLeases
import Synchronization

/// The node's overlay as a service: claims a subnet, sets the kernel up for it, follows the other nodes' leases, and
/// keeps all of it in repair.
///
/// Packets do not depend on the source of leases: while that is away the last known peers stay in use, and at start
/// they come from the state file, if this node still has the address they were saved with. At the end of `run()` lease,
/// subnet file, rules and the device stay; the eBPF path goes on by itself, the user-space one until the next start.
package final class OverlayDaemon: Service {
    /// How far the daemon has come.
    package struct Progress: Sendable {
        package var held: HeldLease?
        /// Why there is no lease, or why it is not renewed.
        package var trouble: String?
        package var table: LeaseTable?
        /// Packets move by the saved state; no lease has been confirmed since the start.
        package var isStale = false
    }

    private let configuration: DaemonConfiguration
    private let source: any SubnetSource
    private let network: OverlayNetwork
    private let underlay: Mutex<Underlay>
    private let logger: Logger
    private let progress = Mutex(Progress())
    /// What the backend was set up for by the saved state.
    private let resumed = Mutex<(config: NetworkConfig, attributes: LeaseAttributes)?>(nil)

    /// - Parameter underlay: The interface towards the other nodes, from ``UnderlayRequest/resolve(_:)``.
    /// - Throws: ``DaemonError`` when there is no netlink.
    package init(
        _ configuration: DaemonConfiguration, underlay: Underlay, source: any SubnetSource, logger: Logger
    ) throws(DaemonError) {
        self.configuration = configuration
        self.source = source
        self.underlay = Mutex(underlay)
        self.logger = logger
        do {
            network = OverlayNetwork(configuration, netlink: try NetlinkSocket(), logger: logger)
        } catch {
            throw DaemonError("no netlink socket: \(error)")
        }
    }

    package var current: Progress { progress.withLock { $0 } }

    /// The path that packets take, and why.
    package var path: (choice: PacketPath, reason: String) { network.path }
    package var kernelPath: KernelPath? { network.kernelPath }
    package var userSpaceCounters: TunnelCounters? { network.counters }
    package var repairs: Int { network.repairs }

    /// `nil` once pods can be set up: a lease is held and the device stands. Else the reason why not.
    package var reasonNotReady: String? {
        let now = current
        return now.held != nil ? nil : now.trouble ?? "starting"
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown { [self] in
            do {
                var isResumed = false
                while true {
                    let underlay = self.underlay.withLock { $0 }
                    let link = underlay.interface.link
                    logger.info(
                        "underlay \(link.name) (\(underlay.interface.address), MTU \(link.mtu)), as \(underlay.reason); public address \(underlay.publicIP)"
                    )
                    do {
                        try await work(underlay, resuming: !isResumed)
                    } catch let change as GroundShift {
                        logger.notice("\(change.reason); setting up anew")
                        if change.leavesLease { try await leaveLease() }
                    }
                    isResumed = true
                }
            } catch is CancellationError {
                // Asked to stop.
            }
        }
        network.stop()
        logger.info("stopped; lease, device, subnet file and rules stay for the next start")
    }

    /// How long another underlay must have been there before this node moves to it.
    private static let settlingTime: Duration = .seconds(2)

    private static let attemptsToLeave = 5

    /// What this node was set up for is not so any more: it has to be set up anew.
    private struct GroundShift: Error {
        var reason: String
        /// The public address is another: the store would take the old claim for another node's.
        var leavesLease = false
    }

    /// Sets the node up and keeps it so. Returns only by throwing: ``GroundShift`` when it is to be called again.
    private func work(_ underlay: Underlay, resuming: Bool) async throws {
        let saved = resuming ? try await resumeFromSavedState(underlay) : SavedState(file: configuration.stateFile)
        let config = try await untilItWorks("no network config yet") { [source] () throws(SubnetError) in
            try await source.networkConfig()
        }
        let attributes: LeaseAttributes
        if let resumed = resumed.withLock({ $0 }), resumed.config == config {
            attributes = resumed.attributes
        } else {
            attributes = try await use(config, underlay, previous: saved?.own.attributes)
        }
        resumed.withLock { $0 = nil }
        let previous =
            saved?.own.subnet ?? FileContents.text(configuration.subnetFile).flatMap { SubnetFile($0) }?.subnet
        let held = try await untilItWorks("no subnet yet") { [source] () throws(SubnetError) in
            try await source.acquire(attributes, in: config, previous: previous)
        }
        if let old = saved?.own.subnet, old != held.lease.subnet {
            logger.critical(
                "subnet \(old) is not this node's any more; it moves to \(held.lease.subnet), and pods with old addresses must be made anew"
            )
        }
        try await take(held, config)
        logger.info("lease of \(held.lease.subnet) in \(config.network) acquired, packets by \(config.backend.name)")
        let path = network.path
        logger.info("datapath \(path.choice.rawValue): \(path.reason)")

        let (suspicions, suspect) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let (leases, leaseChanged) = AsyncStream<Lease>.makeStream()
        leaseChanged.yield(held.lease)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                await LeaseKeeper(source: source, config: config, margin: configuration.renewMargin, logger: logger)
                    .run(held, suspicions: suspicions) { event in
                        await handle(event, config) { leaseChanged.yield($0) }
                    }
            }
            group.addTask { [self] in await follow(leases, config, suspect) }
            group.addTask { [self] in try await repairPeriodically() }
            group.addTask { [self] in try await watchTheGround(underlay, config) }
            if let kernelPath = network.kernelPath { group.addTask { try await kernelPath.run() } }
            try await group.next()
            group.cancelAll()
        }
        try Task.checkCancellation()
    }

    /// Starts packets by what was known before the last end, so that they need no store.
    private func resumeFromSavedState(_ underlay: Underlay) async throws -> SavedState? {
        guard let saved = SavedState(file: configuration.stateFile), saved.own.attributes.publicIP == underlay.publicIP
        else {
            return nil
        }
        let attributes = try await use(saved.config, underlay, previous: saved.own.attributes)
        resumed.withLock { $0 = (saved.config, attributes) }
        try await blocking { [network] in
            try network.setPeers(saved.peers)
            try network.bringUp(saved.config, lease: saved.own)
        }
        progress.withLock { $0.isStale = true }
        logger.notice(
            "subnet \(saved.own.subnet) and \(saved.peers.count) peers taken from \(configuration.stateFile) until the store confirms them"
        )
        return saved
    }

    private func use(
        _ config: NetworkConfig, _ underlay: Underlay, previous: LeaseAttributes?
    ) async throws -> LeaseAttributes {
        try await blocking { [network] in try network.use(config, underlay: underlay, previous: previous) }
    }

    /// Looks whether the interface towards the other nodes and the network's configuration are still what this node was
    /// set up for.
    private func watchTheGround(_ underlay: Underlay, _ config: NetworkConfig) async throws {
        let (signals, signal) = AsyncStream<Bool>.makeStream(bufferingPolicy: .bufferingNewest(2))
        let changes = try NetworkMonitor.changes(of: [.links, .addresses])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes { signal.yield(false) } }
            group.addTask { [interval = configuration.configInterval] in
                while true {
                    try await Task.sleep(for: interval * Double.random(in: 0.75...1.25))
                    signal.yield(true)
                }
            }
            group.addTask { [self] in
                var trouble: String?
                for await isTimer in signals {
                    if isTimer { try await compareConfig(config, &trouble) }
                    try await compareUnderlay(underlay, &trouble)
                    try await Task.sleep(for: .milliseconds(500))
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    private func compareConfig(_ config: NetworkConfig, _ trouble: inout String?) async throws {
        let found: NetworkConfig
        do throws(SubnetError) {
            found = try await source.networkConfig()
        } catch .configInvalid(let key, let error) {
            say("the network config in \(key) was changed and can't be used, the old one stays: \(error)", &trouble)
            return
        } catch .configMissing(let key) {
            say("the network config in \(key) is gone, the old one stays in use", &trouble)
            return
        } catch {
            return  // the store is away; the lease's keeper says so
        }
        if found != config { throw GroundShift(reason: "the network config is now \(found.document.text)") }
    }

    private func compareUnderlay(_ underlay: Underlay, _ trouble: inout String?) async throws {
        let found: Underlay
        do {
            var seen = try await look()
            if !seen.isSame(as: underlay) {
                // An interface that is set up anew passes through states that nobody means.
                try await Task.sleep(for: Self.settlingTime)
                seen = try await look()
            }
            found = seen
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            say("the underlay is away, its last state stays in use: \(error)", &trouble)
            return
        }
        guard !found.isSame(as: underlay) else {
            trouble = nil
            return
        }
        self.underlay.withLock { $0 = found }
        throw GroundShift(
            reason: "the underlay was \(underlay.interface.link.name) (\(underlay.publicIP)) and is now "
                + "\(found.interface.link.name) (\(found.publicIP))",
            leavesLease: found.publicIP != underlay.publicIP)
    }

    /// Gives back the lease of an address that this node has no more. The connections to the store went with that
    /// address, so that the first attempts may fail.
    private func leaveLease() async throws {
        guard let held = progress.withLock({ $0.held }) else { return }
        var backOff = BackOff(limit: .seconds(2))
        for attempt in 1...Self.attemptsToLeave {
            do throws(SubnetError) {
                return try await source.release(held)
            } catch {
                try Task.checkCancellation()
                if attempt == Self.attemptsToLeave {
                    logger.warning(
                        "the lease under the old address \(held.lease.attributes.publicIP) stays until it ends: \(error)"
                    )
                }
            }
            try await Task.sleep(for: backOff.next())
        }
    }

    private func look() async throws -> Underlay {
        try await blocking { [request = configuration.underlay] in try request.resolve(try NetlinkSocket()) }
    }

    private func say(_ line: String, _ last: inout String?) {
        if last != line { logger.error("\(line)") }
        last = line
    }

    private func take(_ held: HeldLease, _ config: NetworkConfig) async throws {
        try await blocking { [network] in try network.bringUp(config, lease: held.lease) }
        progress.withLock { progress in
            progress.held = held
            progress.isStale = false
            progress.trouble = nil
        }
    }

    private func handle(_ event: LeaseKeeper.Event, _ config: NetworkConfig, moved: @Sendable (Lease) -> Void) async {
        switch event {
        case .renewed(let held), .reclaimed(let held):
            progress.withLock { progress in
                progress.held = held
                progress.trouble = nil
            }
        case .moved(let held, _, _):
            do { try await take(held, config) } catch { logger.error("the new subnet can't be set up: \(error)") }
            moved(held.lease)
        case .failing(let reason):
            progress.withLock { $0.trouble = reason }
        }
    }

    /// Publishes every table of peers; begins anew when this node's own lease is another.
    private func follow(
        _ leases: AsyncStream<Lease>, _ config: NetworkConfig, _ suspect: AsyncStream<Void>.Continuation
    ) async {
        let reader = Mutex<Task<Void, Never>?>(nil)
        await withTaskCancellationHandler {
            for await own in leases {
                let task = Task { [self] in
                    for await table in source.tables(own: own, in: config) {
                        await accept(table, own, config, suspect)
                    }
                }
                reader.withLock { current in
                    current?.cancel()
                    current = task
                }
                if Task.isCancelled { task.cancel() }
            }
            reader.withLock { $0?.cancel() }
        } onCancel: {
            reader.withLock { $0?.cancel() }
        }
    }

    private func accept(
        _ table: LeaseTable, _ own: Lease, _ config: NetworkConfig, _ suspect: AsyncStream<Void>.Continuation
    ) async {
        let before = progress.withLock { progress in
            defer { progress.table = table }
            return progress.table
        }
        if table.isCurrent, table.own != .held { suspect.yield() }
        // A first table from a store that has not been read yet must not take away the saved peers.
        guard table.isCurrent || before != nil else { return }
        do { try await blocking { [network] in try network.setPeers(table.peers) } } catch {
            logger.error("the peers can't be set up: \(error)")
        }
        log(table, before)
        let state = SavedState(
            config: config, own: own, peers: table.peers, isCurrent: table.isCurrent, process: getpid())
        do { try state.write(to: configuration.stateFile) } catch {
            logger.warning("the state can't be saved; a restart without the store will know no peers: \(error)")
        }
    }

    private func log(_ table: LeaseTable, _ before: LeaseTable?) {
        let old = Set(before?.peers ?? [])
        let new = Set(table.peers)
        for lease in new.subtracting(old) { logger.info("peer \(lease.attributes.publicIP) has \(lease.subnet)") }
        for lease in old.subtracting(new) where !table.peers.contains(where: { $0.subnet == lease.subnet }) {
            logger.info("peer \(lease.attributes.publicIP) left \(lease.subnet)")
        }
    }

    /// Looks after the kernel's state: at every notice of a change, and from time to time without one.
    private func repairPeriodically() async throws {
        let (signals, signal) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let changes = try NetworkMonitor.changes(of: [
            .links, .addresses, .routes, .ipv6Addresses, .ipv6Routes,
        ])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in changes { signal.yield() } }
            group.addTask { [interval = configuration.resyncInterval] in
                while true {
                    try await Task.sleep(for: interval)
                    signal.yield()
                }
            }
            group.addTask { [self] in
                var trouble: String?
                for await _ in signals {
                    do {
                        for repair in try await blocking({ [network] in try network.repair() }) {
                            logger.warning("repaired: \(repair)")
                        }
                        trouble = nil
                    } catch {
                        if trouble != "\(error)" { logger.error("\(error)") }
                        trouble = "\(error)"
                    }
                    try await Task.sleep(for: .milliseconds(500))  // changes come in crowds; one look serves them all
                }
            }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Tries again until it works or the task is cancelled, as flanneld does. The log has each new reason once a minute.
    private func untilItWorks<T: Sendable>(
        _ what: String, _ body: @Sendable () async throws(SubnetError) -> T
    ) async throws -> T {
        var backOff = BackOff(limit: .seconds(5))
        var lastReason: String?
        var lastLogged = ContinuousClock.now
        while true {
            do {
                return try await body()
            } catch {
                try Task.checkCancellation()
                if lastReason != "\(error)" || lastLogged.duration(to: .now) > .seconds(60) {
                    logger.error("\(what), trying again: \(error)")
                    lastLogged = .now
                }
                lastReason = "\(error)"
                progress.withLock { $0.trouble = "\(what): \(error)" }
            }
            try await Task.sleep(for: backOff.next())
        }
    }

    private func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await DedicatedThread.run(name: "overlay-setup", body)
    }
}
