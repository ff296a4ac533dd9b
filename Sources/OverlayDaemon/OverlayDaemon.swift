import Addressing
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
    private let underlay: Underlay
    private let network: OverlayNetwork
    private let logger: Logger
    private let progress = Mutex(Progress())

    /// - Parameter underlay: The interface towards the other nodes, from ``UnderlayRequest/resolve(_:)``.
    /// - Throws: ``DaemonError`` when there is no netlink.
    package init(
        _ configuration: DaemonConfiguration, underlay: Underlay, source: any SubnetSource, logger: Logger
    ) throws(DaemonError) {
        self.configuration = configuration
        self.source = source
        self.underlay = underlay
        self.logger = logger
        do {
            network = OverlayNetwork(configuration, underlay: underlay, netlink: try NetlinkSocket(), logger: logger)
        } catch {
            throw DaemonError("no netlink socket: \(error)")
        }
    }

    package var current: Progress { progress.withLock { $0 } }

    /// `nil` once pods can be set up: a lease is held and the device stands. Else the reason why not.
    package var reasonNotReady: String? {
        let now = current
        return now.held != nil ? nil : now.trouble ?? "starting"
    }

    package func run() async throws {
        let link = underlay.interface.link
        logger.info(
            "underlay \(link.name) (\(underlay.interface.address), MTU \(link.mtu)), as \(underlay.reason); public address \(underlay.publicIP)"
        )
        try await cancelWhenGracefulShutdown { [self] in
            do {
                try await work()
            } catch is CancellationError {
                // Asked to stop.
            }
        }
        network.stop()
        logger.info("stopped; lease, device, subnet file and rules stay for the next start")
    }

    private func work() async throws {
        let kernelPath = try await blocking { [network] in try network.prepare() }
        let saved = try await resumeFromSavedState()
        let config = try await untilItWorks("no network config yet") { [source] () throws(SubnetError) in
            try await source.networkConfig()
        }
        let attributes = LeaseAttributes(
            publicIP: underlay.publicIP, backendData: kernelPath == nil ? nil : KernelPath.capability)
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
            if let kernelPath { group.addTask { try await kernelPath.run() } }
            try await group.next()
            group.cancelAll()
        }
    }

    /// Starts packets by what was known before the last end, so that they need no store.
    private func resumeFromSavedState() async throws -> SavedState? {
        guard let saved = SavedState(file: configuration.stateFile), saved.own.attributes.publicIP == underlay.publicIP
        else {
            return nil
        }
        network.setPeers(saved.peers)
        try await blocking { [network] in try network.bringUp(saved.config, lease: saved.own) }
        progress.withLock { $0.isStale = true }
        logger.notice(
            "subnet \(saved.own.subnet) and \(saved.peers.count) peers taken from \(configuration.stateFile) until the store confirms them"
        )
        return saved
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
                    for await table in source.tables(own: own, in: config) { accept(table, own, config, suspect) }
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
    ) {
        let before = progress.withLock { progress in
            defer { progress.table = table }
            return progress.table
        }
        if table.isCurrent, table.own != .held { suspect.yield() }
        // A first table from a store that has not been read yet must not take away the saved peers.
        guard table.isCurrent || before != nil else { return }
        network.setPeers(table.peers)
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
        let changes = try NetworkMonitor.changes(of: [.links, .addresses, .routes])
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
