import Addressing
import ClusterStore
import Logging
import SubnetLeases
import Synchronization

/// What a daemon does about leases, without packets: it keeps its own and follows the others'.
final class RunningNode: Sendable {
    private struct State {
        var held: HeldLease
        var table: LeaseTable?
        /// Peers that were there and then were not, in all tables since the last ``forgetLosses()``.
        var lost: Set<IPv4Prefix> = []
        var events: [LeaseKeeper.Event] = []
        var failures = 0
        var tasks: [Task<Void, Never>] = []
    }
    private let state: Mutex<State>

    init(
        _ held: HeldLease, _ store: any ClusterStore, _ config: NetworkConfig, timeToLive: Duration = .seconds(600),
        logger: Logger = quiet
    ) {
        state = Mutex(State(held: held))
        let source = StoreSubnetSource(store: store, prefix: "/net", timeToLive: timeToLive, logger: logger)
        let (suspicions, suspect) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let keeper = LeaseKeeper(source: source, config: config, logger: logger)
        let keeping = Task { [self] in
            await keeper.run(held, suspicions: suspicions) { event in note(event) }
        }
        let following = Task { [self] in
            for await table in source.tables(own: held.lease, in: config) {
                note(table)
                if table.isCurrent, table.own != .held { suspect.yield() }
            }
        }
        state.withLock { $0.tasks = [keeping, following] }
    }

    var lease: Lease { state.withLock { $0.held.lease } }
    var peers: Set<IPv4Prefix> { state.withLock { Set($0.table?.peers.map(\.subnet) ?? []) } }
    var lost: Set<IPv4Prefix> { state.withLock { $0.lost } }
    var events: [LeaseKeeper.Event] { state.withLock { $0.events } }
    /// Attempts to renew that failed.
    var failures: Int { state.withLock { $0.failures } }

    func forgetLosses() { state.withLock { $0.lost = [] } }

    func stop() { for task in state.withLock({ $0.tasks }) { task.cancel() } }

    private func note(_ event: LeaseKeeper.Event) {
        state.withLock { state in
            switch event {
            case .renewed(let held), .reclaimed(let held), .moved(let held, _, _): state.held = held
            case .failing: state.failures += 1
            }
            state.events.append(event)
        }
    }

    private func note(_ table: LeaseTable) {
        state.withLock { state in
            let before = Set(state.table?.peers.map(\.subnet) ?? [])
            state.lost.formUnion(before.subtracting(table.peers.map(\.subnet)))
            state.table = table
        }
    }
}

/// Collects what is logged.
final class LogLines: Sendable {
    private let list = Mutex<[String]>([])
    var lines: [String] { list.withLock { $0 } }

    var logger: Logger {
        Logger(label: "test") { _ in Handler(lines: self) }
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var logLevel = Logger.Level.info
        var metadata: Logger.Metadata = [:]
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        init(lines: LogLines) { self.lines = lines }
        func log(event: LogEvent) {
            lines.list.withLock { $0.append("\(event.level): \(event.message)") }
        }
    }
}
