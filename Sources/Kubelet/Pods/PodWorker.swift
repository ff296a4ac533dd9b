import KubeAPI
import KubeSchema
import Logging
import Synchronization

/// Brings one pod (one UID) to what is wanted of it, for as long as it is wanted or anything of it is left.
///
/// Each pass looks at the runtime afresh and does what `PodPlan` says; what takes long (pulls, stops, probes) runs
/// beside it and asks for the next pass when it is done.
actor PodWorker {
    enum ImageState {
        case pulling
        case ready(ImagePuller.Image)
        case failed(at: Timestamp, message: String)
    }

    let context: KubeletContext
    let reference: PodReference
    let probes: ProbeManager
    var observer: RuntimeObserver
    /// As the API has it; `nil` once it is not there any more, or never was while this kubelet runs.
    private(set) var desired: DesiredPod?
    private(set) var observed = ObservedPod()
    var backOff = RestartBackOff()
    /// By container name.
    var waiting: [String: PodStatusBuilder.Waiting] = [:]
    /// By container name, for the attempt that is about to be made.
    var images: [String: ImageState] = [:]
    /// Containers that are being stopped, with the grace period they were given.
    var killing: [String: Int64] = [:]
    var terminationMessages: [String: String] = [:]
    var isEvicted = false
    var sandboxFailedAt: Timestamp?
    /// When a container could last not be made, by name.
    var creationFailedAt: [String: Timestamp] = [:]
    private var sentStatus: JSON?
    /// Documents older than the answer to our last change of the status tell nothing about it.
    private var statusVersion: UInt64 = 0
    private var volumesRefreshed: Duration = .zero
    private(set) var isDone = false

    private let wakeUps: AsyncStream<Void>
    private let wakeUp: AsyncStream<Void>.Continuation
    /// When a pass is due even if nothing happens, as `TimeSource.uptime`.
    private nonisolated let due = Mutex<Duration?>(nil)

    init(context: KubeletContext, reference: PodReference) {
        self.context = context
        self.reference = reference
        observer = RuntimeObserver(runtime: context.runtime)
        (wakeUps, wakeUp) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        let wakeUp = wakeUp
        probes = ProbeManager(context: context, reference: reference) { wakeUp.yield() }
    }

    /// Asks for a pass.
    nonisolated func wake() { wakeUp.yield() }

    /// Asks for a pass if one is due by now.
    nonisolated func tick(_ uptime: Duration) {
        if let due = due.withLock({ $0 }), due <= uptime { wake() }
    }

    /// Takes over what the API says now.
    func want(_ pod: DesiredPod?) {
        desired = pod
        wake()
    }

    /// Works until nothing of the pod is wanted or left, or the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await _ in wakeUps {
                await pass(&group)
                if isDone || Task.isCancelled { break }
            }
            group.cancelAll()
        }
    }

    private func pass(_ group: inout DiscardingTaskGroup) async {
        due.withLock { $0 = nil }
        do throws(RuntimeError) {
            var observer = self.observer
            observed = try await observer.observe(uid: reference.uid)
            self.observer = observer
        } catch {
            if !error.isUnavailable { context.logger.warning("pod \(reference): \(error)") }
            check(again: .seconds(1))
            return
        }
        guard let pod = desired else {
            await removeOrphan(&group)
            return
        }
        noteEnds(of: pod)
        if let limit = pod.activeDeadlineSeconds, !isEvicted, let start = startTime(of: pod) {
            let rest = start + .seconds(limit) - context.time.now
            if rest <= .zero {
                isEvicted = true
                context.event(pod, "DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
            } else {
                check(again: rest)
            }
        }
        let plan = PodPlan.make(
            for: pod, observed: observed,
            PodPlan.Circumstances(
                now: context.time.now, backOff: backOff, unhealthy: probes.unhealthy, isEvicted: isEvicted))
        await carryOut(plan, for: pod, &group)
        if pod.deletionTimestamp == nil, observed.containers.contains(where: \.isAlive),
            context.time.uptime - volumesRefreshed >= context.settings.syncFrequency
        {
            // Files of config maps and secrets follow their objects; one that is gone leaves its files.
            _ = try? await volumes(pod, facts: facts())
        }
        probes.update(pod: pod, observed: observed, into: &group)
        await report(pod)
        if pod.deletionTimestamp != nil, killing.isEmpty, !observed.containers.contains(where: \.isAlive) {
            await finish(pod)
        } else if plan.isFinished, plan.kills.isEmpty {
            check(again: .seconds(60))
        } else {
            check(again: min(.seconds(10), context.settings.syncFrequency))
        }
    }

    /// Asks for a pass after `delay` at the latest.
    func check(again delay: Duration) {
        let at = context.time.uptime + delay
        due.withLock { $0 = min($0 ?? at, at) }
    }

    private func startTime(of pod: DesiredPod) -> Timestamp? {
        (sentStatus?["startTime"] ?? pod.document["status", "startTime"])?.string.flatMap(Timestamp.init(rfc3339:))
    }

    // MARK: Status

    /// Tells the API server how the pod is, if that differs from what it knows.
    private func report(_ pod: DesiredPod) async {
        var builder = PodStatusBuilder(now: context.time.now, hostIP: context.settings.address)
        builder.waiting = waiting
        builder.ready = probes.ready
        builder.started = probes.started
        builder.terminationMessages = terminationMessages
        if isEvicted {
            builder.phaseOverride = (
                "Failed", "DeadlineExceeded", "Pod was active on the node longer than the specified deadline"
            )
        }
        let known = pod.document["status"] ?? .null
        let isCurrent = (UInt64(pod.resourceVersion) ?? .max) >= statusVersion
        // Others may write conditions (the node's controller does); then ours are due again.
        let previous = isCurrent ? known : sentStatus ?? known
        let status = builder.status(of: pod, observed: observed, previous: previous)
        let same = ["phase", "conditions", "containerStatuses", "initContainerStatuses", "podIP", "hostIP", "qosClass"]
            .allSatisfy { status[$0] == previous[$0] }
        if same, sentStatus != nil || status["startTime"] == known["startTime"] { return }
        do {
            // What is no longer so is taken away; a patch leaves the rest to others.
            var body = status
            for key in ["podIP", "podIPs", "reason", "message"] where body[key] == nil && previous[key] != nil {
                body[key] = .null
            }
            let answer = try await context.client.patch(
                Pod.self, name: reference.name, namespace: reference.namespace,
                .merge(["metadata": ["uid": .string(reference.uid)], "status": body]), subresource: "status")
            sentStatus = status
            statusVersion = UInt64(answer.metadata.resourceVersion ?? "") ?? 0
        } catch {
            if error.isNotFound || error.isConflict { return }  // it is another pod by now; the watch will say so
            if !error.isUnreachable { context.logger.warning("pod \(reference): writing its status: \(error)") }
            check(again: .seconds(2))
        }
    }

    // MARK: The end

    /// Removes what is left of a pod whose deletion was asked for, and confirms it to the API server.
    private func finish(_ pod: DesiredPod) async {
        guard await removeEverything() else { return }
        do {
            try await context.client.delete(
                Pod.self, name: reference.name, namespace: reference.namespace,
                options: DeleteOptions(gracePeriodSeconds: 0, uid: reference.uid))
            isDone = true
        } catch  where error.isNotFound || error.isConflict {
            isDone = true
        } catch {
            context.logger.warning("pod \(reference): confirming its deletion: \(error)")
            check(again: .seconds(1))
        }
    }

    /// Removes a pod that the API does not have.
    private func removeOrphan(_ group: inout DiscardingTaskGroup) async {
        let alive = observed.containers.filter(\.isAlive)
        for container in alive {
            kill(container.id, container.name, grace: lastGracePeriod, hook: nil, &group)
        }
        guard alive.isEmpty, killing.isEmpty else { return }
        if await removeEverything() { isDone = true }
    }

    /// Seconds that the last known form of the pod gives its containers to end.
    private var lastGracePeriod: Int64 { gracePeriod ?? 30 }
    private var gracePeriod: Int64?
    func rememberGracePeriod(_ seconds: Int64) { gracePeriod = seconds }

    /// Removes sandboxes, containers, volumes, logs and cgroups. Returns whether nothing is left.
    private func removeEverything() async -> Bool {
        do {
            for sandbox in observed.sandboxes {
                if sandbox.isReady { try await context.runtime.stopSandbox(sandbox.id) }
            }
            for container in observed.containers { try await context.runtime.removeContainer(container.id) }
            for sandbox in observed.sandboxes {
                if !sandbox.isReady { try await context.runtime.stopSandbox(sandbox.id) }  // gives its network back
                try await context.runtime.removeSandbox(sandbox.id)
            }
            try context.volumes.remove(uid: reference.uid)
            try FileTree.remove(context.settings.directories.logs(reference))
            PodCgroups.remove(uid: reference.uid, under: context.settings.kubepods)
            return true
        } catch {
            context.logger.warning("pod \(reference): removing it: \(error)")
            check(again: .seconds(2))
            return false
        }
    }

    // MARK: Volumes

    /// Makes the pod's volumes; those that exist are brought up to date every ``NodeSettings/syncFrequency``.
    func volumes(_ pod: DesiredPod, facts: PodFacts) async throws(ContainerConfigurationError) -> [String: String] {
        volumesRefreshed = context.time.uptime
        return try await context.volumes.prepare(pod, facts: facts)
    }
}
