import KubeAPI
import KubeSchema
import Logging
package import ServiceLifecycle
import Synchronization

/// Gives each pod of this node, and each that the runtime still holds, a worker, and wakes workers when something of
/// theirs changed.
package final class PodManager: ServiceLifecycle.Service {
    /// How often the runtime is asked for changes.
    private static let relistInterval: Duration = .milliseconds(500)

    private let context: KubeletContext
    private let pods: Informer<Pod>
    private let logLimits: ContainerLogLimits
    private let workers = Mutex<[String: PodWorker]>([:])

    init(context: KubeletContext, pods: Informer<Pod>, logLimits: ContainerLogLimits) {
        self.context = context
        self.pods = pods
        self.logLimits = logLimits
    }

    /// The worker of the pod of that name which the API has now.
    func worker(namespace: String, name: String) -> PodWorker? {
        guard let pod = pods.get(ObjectKey(namespace: namespace, name: name)) else { return nil }
        return workers.withLock { $0[pod.metadata.uid] }
    }

    /// All pods of this node as the API has them.
    var documents: [JSON] { pods.snapshot.map(\.document) }

    /// The containers that run, as their pods' workers last saw them.
    @Sendable private func runningContainers() async -> [ObservedContainer] {
        var running: [ObservedContainer] = []
        for worker in workers.withLock({ Array($0.values) }) {
            running += await worker.observed.containers.filter { $0.state == .running }
        }
        return running
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            // Before the first list every pod of the runtime would look like one that nobody wants.
            await self.pods.waitUntilSynced()
            await self.context.services.waitUntilSynced()  // their variables are part of a container's environment
            await withDiscardingTaskGroup { group in
                await self.reconcile(self.pods.snapshot, &group)
                let (events, wake) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
                group.addTask {
                    for await _ in self.pods.changes() { wake.yield() }
                    wake.finish()
                }
                group.addTask { await self.watchRuntime { wake.yield() } }
                group.addTask {
                    await ContainerLogRotator(
                        context: self.context, limits: self.logLimits, containers: self.runningContainers
                    ).run()
                }
                for await _ in events { await self.reconcile(self.pods.snapshot, &group) }
                group.cancelAll()
            }
        }
    }

    /// Tells each worker what is wanted of its pod, and starts those that are missing.
    private func reconcile(_ snapshot: [Pod], _ group: inout DiscardingTaskGroup) async {
        var desired: [String: DesiredPod] = [:]
        for pod in snapshot {
            guard let pod = DesiredPod(document: pod.document) else { continue }
            desired[pod.reference.uid] = pod
        }
        var references: [String: PodReference] = desired.mapValues(\.reference)
        for (uid, reference) in orphans.withLock({ $0 }) where references[uid] == nil { references[uid] = reference }
        let known = workers.withLock { $0 }
        for (uid, worker) in known {
            let pod = desired[uid]
            if pod?.resourceVersion != told.withLock({ $0[uid] }) || pod == nil {
                told.withLock { $0[uid] = pod?.resourceVersion }
                await worker.want(pod)
            }
        }
        for (uid, reference) in references where known[uid] == nil {
            let worker = PodWorker(context: context, reference: reference)
            workers.withLock { $0[uid] = worker }
            told.withLock { $0[uid] = desired[uid]?.resourceVersion }
            await worker.want(desired[uid])
            group.addTask {
                await worker.run()
                self.workers.withLock { _ = $0.removeValue(forKey: uid) }
                self.told.withLock { _ = $0.removeValue(forKey: uid) }
                _ = self.orphans.withLock { $0.removeValue(forKey: uid) }
            }
        }
    }

    /// Resource versions that workers were told, by UID.
    private let told = Mutex<[String: String]>([:])
    /// Pods that the runtime holds and that had no worker when it was last asked.
    private let orphans = Mutex<[String: PodReference]>([:])

    /// Asks the runtime for all its pods again and again and wakes the workers of those that changed.
    private func watchRuntime(found: @Sendable () -> Void) async {
        var last: [String: Set<String>] = [:]
        var wasAway = false
        while !Task.isCancelled {
            do {
                var current: [String: Set<String>] = [:]
                var references: [String: PodReference] = [:]
                for sandbox in try await context.runtime.sandboxes() {
                    let uid = sandbox.metadata.uid
                    current[uid, default: []].insert("\(sandbox.id) \(sandbox.state)")
                    references[uid] = PodReference(
                        namespace: sandbox.metadata.namespace, name: sandbox.metadata.name, uid: uid)
                }
                for container in try await context.runtime.containers() {
                    guard let uid = container.labels[Labels.podUID] else { continue }
                    current[uid, default: []].insert("\(container.id) \(container.state)")
                    if references[uid] == nil, let name = container.labels[Labels.podName],
                        let namespace = container.labels[Labels.podNamespace]
                    {
                        references[uid] = PodReference(namespace: namespace, name: name, uid: uid)
                    }
                }
                if wasAway { context.logger.info("the container runtime answers again") }
                wasAway = false
                let workers = workers.withLock { $0 }
                for (uid, worker) in workers where current[uid] != last[uid] { worker.wake() }
                last = current
                let missing = references.filter { workers[$0.key] == nil }
                orphans.withLock { $0 = missing }
                if !missing.isEmpty { found() }
            } catch {
                if !wasAway { context.logger.warning("the container runtime does not answer: \(error)") }
                wasAway = true
            }
            let uptime = context.time.uptime
            for worker in workers.withLock({ $0 }).values { worker.tick(uptime) }
            try? await context.time.sleep(for: Self.relistInterval)
        }
    }
}
