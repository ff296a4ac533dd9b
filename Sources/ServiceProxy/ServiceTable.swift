import Addressing
import KubeAPI
import LinuxKit
import Logging

/// The table in the kernel, and what this process knows to be in it.
actor ServiceTable {
    private let nftables: Nftables
    private let clusterPrefix: IPv4Prefix?
    private let logger: Logger
    /// What was last put in; `nil` when that is not certain.
    private var applied: Ruleset?
    private var reported: [String] = []

    init(nftables: Nftables, clusterPrefix: IPv4Prefix?, logger: Logger) {
        self.nftables = nftables
        self.clusterPrefix = clusterPrefix
        self.logger = logger
    }

    /// Makes the kernel's table that of `services` and `endpoints`, in one transaction.
    func apply(services: [Service], endpoints: [ObjectKey: Endpoints]) async throws {
        let (wanted, conflicts) = RulesetCompiler.compile(
            services: services, endpoints: endpoints, clusterPrefix: clusterPrefix)
        if conflicts != reported {
            reported = conflicts
            for conflict in conflicts { logger.warning("taken by another service, and so ignored: \(conflict)") }
        }
        let previous = applied
        if let previous, await isPresent() {
            do {
                let commands = wanted.commands(from: previous)
                try await nftables.run(commands)
                if !commands.isEmpty { logger.debug("services: \(commands.count) changes") }
            } catch {
                logger.warning("services: \(error); replacing the whole table")
                try await replace(with: wanted)
            }
        } else {
            if previous != nil { logger.warning("the table of services is gone: somebody removed it; putting it back") }
            try await replace(with: wanted)
        }
        applied = wanted
        await endFlows(from: previous, to: wanted)
    }

    private func replace(with wanted: Ruleset) async throws {
        applied = nil
        try await nftables.run(RulesetSkeleton.commands + wanted.commands(from: Ruleset()))
        logger.info("services: \(wanted.elements.count) addresses in place")
    }

    /// Whether nobody has flushed the table.
    private func isPresent() async -> Bool {
        (try? await nftables.run(["list chain \(RulesetSkeleton.table) refuse"])) != nil
    }

    private func endFlows(from previous: Ruleset?, to wanted: Ruleset) async {
        let gone = (previous?.datagramTargets ?? []).subtracting(wanted.datagramTargets)
        guard !gone.isEmpty else { return }
        do {
            try await nftables.onThread { try DatagramFlows.end(gone) }
        } catch {
            logger.warning("UDP clients may go on to removed endpoints for a while: \(error)")
        }
    }
}
