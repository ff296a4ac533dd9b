package import KubeAPI
package import Logging
import ServiceLifecycle

/// Settings of the controllers.
package struct ControllerOptions: Sendable {
    /// A node whose heartbeat is older is not ready.
    package var nodeMonitorGracePeriod = Duration.seconds(10)
    /// A pod on an unreachable node is replaced after this time, unless its own tolerations say otherwise.
    package var podEvictionTimeout = Duration.seconds(5)

    package init() {}
}

/// Runs all controllers over shared informers.
package final class ControllerManager: ServiceLifecycle.Service {
    private let context: ControllerContext
    private let controllers: [any Controller]

    package init(
        client: KubeClient, options: ControllerOptions = ControllerOptions(), time: any TimeSource = SystemTime(),
        logger: Logger
    ) {
        let context = ControllerContext(client: client, time: time, logger: logger)
        self.context = context
        let kinds: [any Controller.Type] = [
            ReplicationManager.self, EndpointsController.self, NodeLifecycleController.self, PodCollector.self,
            NamespaceController.self, OwnerCollector.self, ServiceAccountController.self,
        ]
        controllers = kinds.map { $0.init(context, options) }
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.context.run() }
                group.addTask {
                    await self.context.waitUntilSynced()
                    if Task.isCancelled { return }
                    self.context.logger.info("all informers are synced; controllers start")
                    await withTaskGroup { group in
                        for controller in self.controllers { group.addTask { await controller.run() } }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
