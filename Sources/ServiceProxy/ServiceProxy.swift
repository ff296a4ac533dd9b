package import Addressing
package import KubeAPI
package import LinuxKit
package import Logging
package import ServiceLifecycle
import Synchronization

/// Makes services reachable from this node: translates their addresses to those of their endpoints.
///
/// Level-triggered: each round compares what services and endpoints ask for with what was last put into the kernel, and
/// applies the difference as one nftables transaction. The first round, and each after a failure, replaces the whole
/// table. The rules stay when the proxy ends, so that services work on without it.
package final class ServiceProxy: ServiceLifecycle.Service {
    private let services: Informer<KubeAPI.Service>
    private let endpoints: Informer<Endpoints>
    private let nftables: Nftables
    private let table: ServiceTable
    private let logger: Logger
    private let healthy = Atomic(false)

    /// How often the table is looked for, in case that somebody has flushed it.
    private static let checkInterval = Duration.seconds(30)
    /// How long changes are collected before a transaction: a scaled controller changes its endpoints many times.
    private static let settlingTime = Duration.milliseconds(50)

    /// - Parameters:
    ///   - clusterPrefix: The pods' range; what comes to a service from outside of it is masqueraded. `nil` masquerades
    ///     only what this node itself sends, what comes by node ports and external addresses, and what a pod sends to
    ///     itself.
    ///   - namespace: The network namespace to work in; `nil` for the process's own.
    package init(
        client: KubeClient, clusterPrefix: IPv4Prefix?, namespace: NetworkNamespace? = nil, logger: Logger
    ) {
        services = Informer(client: client, logger: logger)
        endpoints = Informer(client: client, logger: logger)
        nftables = Nftables(namespace: namespace)
        table = ServiceTable(nftables: nftables, clusterPrefix: clusterPrefix, logger: logger)
        self.logger = logger
    }

    /// Whether the kernel had what was asked for after the last round.
    package var isHealthy: Bool { healthy.load(ordering: .relaxed) }

    /// Runs until the task is cancelled or a graceful shutdown begins.
    package func run() async throws {
        let (rounds, trigger) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        services.onChange { _ in trigger.yield() }
        endpoints.onChange { _ in trigger.yield() }
        await bridgedTrafficPassesConntrack()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { try? await self.services.run() }
                group.addTask { try? await self.endpoints.run() }
                group.addTask {
                    while (try? await Task.sleep(for: Self.checkInterval)) != nil { trigger.yield() }
                }
                group.addTask { await self.follow(rounds, trigger) }
            }
        }
    }

    private func follow(_ rounds: AsyncStream<Void>, _ trigger: AsyncStream<Void>.Continuation) async {
        // An empty table before the first lists would cut connections that the rules of an earlier run still serve.
        await services.waitUntilSynced()
        await endpoints.waitUntilSynced()
        guard !Task.isCancelled else { return }
        trigger.yield()
        var delay = Duration.seconds(1)
        for await _ in rounds {
            guard (try? await Task.sleep(for: Self.settlingTime)) != nil else { return }
            do {
                let byKey = Dictionary(endpoints.snapshot.map { ($0.key, $0) }) { $1 }
                try await table.apply(services: services.snapshot, endpoints: byKey)
                healthy.store(true, ordering: .relaxed)
                delay = .seconds(1)
            } catch {
                healthy.store(false, ordering: .relaxed)
                logger.error("services: \(error); trying again in \(delay)")
                guard (try? await Task.sleep(for: delay)) != nil else { return }
                delay = min(delay * 2, .seconds(30))
                trigger.yield()
            }
        }
    }

    /// The answer of a pod on the same bridge would otherwise take the short way and come from an address that the
    /// asking pod does not know.
    private func bridgedTrafficPassesConntrack() async {
        let name = "net.bridge.bridge-nf-call-iptables"
        let consequence = "a pod does not reach a service's endpoint on its own node"
        do {
            // A setting of the network namespace: read and written by a thread in it.
            let isKnown = try await nftables.onThread {
                guard let value = Sysctl.read(name) else { return false }
                if value.first != "1" { try Sysctl.write(name, "1") }
                return true
            }
            if !isKnown { logger.warning("no br_netfilter in this kernel (modprobe br_netfilter): \(consequence)") }
        } catch {
            logger.warning("\(name) is off and cannot be set (\(error)): \(consequence)")
        }
    }

    /// Removes everything that a proxy has put into the kernel.
    package static func cleanUp(namespace: NetworkNamespace? = nil) async throws {
        try await Nftables(namespace: namespace).run(RulesetSkeleton.removal)
    }
}
