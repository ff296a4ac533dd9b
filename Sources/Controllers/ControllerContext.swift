import KubeAPI
import Logging

/// What all controllers share: the client, one informer per resource, the recorder and the clock.
struct ControllerContext: Sendable {
    let client: KubeClient
    let pods: Informer<Pod>
    let nodes: Informer<Node>
    let nodeLeases: Informer<Lease>
    let controllers: Informer<ReplicationController>
    let services: Informer<Service>
    let endpoints: Informer<Endpoints>
    let namespaces: Informer<Namespace>
    let serviceAccounts: Informer<ServiceAccount>
    let recorder: EventRecorder
    let time: any TimeSource
    let logger: Logger

    /// The namespace in which kubelets renew their leases.
    static let nodeLeaseNamespace = "kube-node-lease"

    init(client: KubeClient, time: any TimeSource, logger: Logger) {
        self.client = client
        self.time = time
        self.logger = logger
        pods = Informer(client: client, time: time, logger: logger)
        nodes = Informer(client: client, time: time, logger: logger)
        nodeLeases = Informer(client: client, namespace: Self.nodeLeaseNamespace, time: time, logger: logger)
        controllers = Informer(client: client, time: time, logger: logger)
        services = Informer(client: client, time: time, logger: logger)
        endpoints = Informer(client: client, time: time, logger: logger)
        namespaces = Informer(client: client, time: time, logger: logger)
        serviceAccounts = Informer(client: client, time: time, logger: logger)
        recorder = EventRecorder(client: client, component: "controllermanager", time: time, logger: logger)
    }

    /// Runs informers and recorder until the task is cancelled.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pods.run() }
            group.addTask { try await nodes.run() }
            group.addTask { try await nodeLeases.run() }
            group.addTask { try await controllers.run() }
            group.addTask { try await services.run() }
            group.addTask { try await endpoints.run() }
            group.addTask { try await namespaces.run() }
            group.addTask { try await serviceAccounts.run() }
            group.addTask { try await recorder.run() }
            try await group.waitForAll()
        }
    }

    /// Returns when every informer has its first list, or the task is cancelled.
    func waitUntilSynced() async {
        await pods.waitUntilSynced()
        await nodes.waitUntilSynced()
        await nodeLeases.waitUntilSynced()
        await controllers.waitUntilSynced()
        await services.waitUntilSynced()
        await endpoints.waitUntilSynced()
        await namespaces.waitUntilSynced()
        await serviceAccounts.waitUntilSynced()
    }
}

/// One control loop. It subscribes to the informers when it is made, and works when all of them are synced.
protocol Controller: AnyObject, Sendable {
    init(_ context: ControllerContext, _ options: ControllerOptions)
    /// Works until the task is cancelled.
    func run() async
}
