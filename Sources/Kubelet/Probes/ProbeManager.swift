import KubeAPI
import KubeSchema
import Synchronization

/// Probes the running containers of one pod, each in a task of its own, for as long as they run.
final class ProbeManager: Sendable {
    private enum Kind: String, Sendable { case startup = "Startup", liveness = "Liveness", readiness = "Readiness" }

    private struct State {
        /// Ids of the containers whose probes run.
        var active: Set<String> = []
        var wanted: Set<String> = []
        var ready: Set<String> = []
        var started: Set<String> = []
        var unhealthy: [String: String] = [:]
    }

    private let context: KubeletContext
    private let reference: PodReference
    private let changed: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameter changed: Called when a container's readiness or health did.
    init(context: KubeletContext, reference: PodReference, changed: @escaping @Sendable () -> Void) {
        self.context = context
        self.reference = reference
        self.changed = changed
    }

    var ready: Set<String> { state.withLock { $0.ready } }
    var started: Set<String> { state.withLock { $0.started } }
    /// Containers that failed their liveness or startup probe, with the reason.
    var unhealthy: [String: String] { state.withLock { $0.unhealthy } }

    /// Begins to probe containers that run and have probes, and ends it for those that do not run any more.
    func update(pod: DesiredPod, observed: ObservedPod, into group: inout DiscardingTaskGroup) {
        let running = observed.containers.filter { $0.state == .running }
        let ids = Set(running.map(\.id))
        state.withLock { state in
            state.wanted = pod.deletionTimestamp == nil ? ids : []
            state.ready.formIntersection(ids)
            state.started.formIntersection(ids)
            state.unhealthy = state.unhealthy.filter { ids.contains($0.key) }
        }
        guard pod.deletionTimestamp == nil else { return }
        let podIP = observed.sandbox?.addresses.first ?? context.settings.address
        for container in running {
            guard let specification = pod.containers.first(where: { $0.name == container.name }),
                specification.livenessProbe ?? specification.readinessProbe ?? specification.startupProbe != nil,
                state.withLock({ $0.active.insert(container.id).inserted })
            else { continue }
            let begin = Timestamp(nanosecondsSince1970: container.startedAt)
            group.addTask { await self.probe(container.id, specification, pod, podIP, startedAt: begin) }
        }
    }

    private func probe(
        _ id: String, _ container: ContainerSpecification, _ pod: DesiredPod, _ podIP: String, startedAt: Timestamp
    ) async {
        if let probe = container.startupProbe {
            await run(.startup, probe, id, container, pod, podIP, startedAt: startedAt)
        }
        await withTaskGroup { group in
            if let probe = container.livenessProbe {
                group.addTask { await self.run(.liveness, probe, id, container, pod, podIP, startedAt: startedAt) }
            }
            if let probe = container.readinessProbe {
                group.addTask { await self.run(.readiness, probe, id, container, pod, podIP, startedAt: startedAt) }
            }
        }
        state.withLock { _ = $0.active.remove(id) }
    }

    private func run(
        _ kind: Kind, _ probe: ContainerSpecification.Probe, _ id: String, _ container: ContainerSpecification,
        _ pod: DesiredPod, _ podIP: String, startedAt: Timestamp
    ) async {
        var judge = ProbeJudge(
            successThreshold: probe.successThreshold, failureThreshold: probe.failureThreshold,
            initial: kind == .liveness ? .success : .undecided)
        let rest = startedAt + probe.initialDelay - context.time.now
        if rest > .zero { try? await context.time.sleep(for: rest) }
        while !Task.isCancelled, state.withLock({ $0.wanted.contains(id) }) {
            let problem = await HandlerRunner(context: context).run(
                probe.handler, container: id, pod: pod, specification: container, podIP: podIP, timeout: probe.timeout)
            guard !Task.isCancelled, state.withLock({ $0.wanted.contains(id) }) else { return }
            if let problem {
                context.event(
                    pod, container: container.name, .warning, "Unhealthy", "\(kind.rawValue) probe failed: \(problem)")
            }
            if judge.count(success: problem == nil) {
                note(kind, judge.verdict, id, problem)
                changed()
                if kind == .startup, judge.verdict == .success { return }
            }
            try? await context.time.sleep(for: probe.period)
        }
    }

    private func note(_ kind: Kind, _ verdict: ProbeJudge.Verdict, _ id: String, _ problem: String?) {
        state.withLock { state in
            switch (kind, verdict) {
            case (.readiness, .success): state.ready.insert(id)
            case (.readiness, _): state.ready.remove(id)
            case (.startup, .success): state.started.insert(id)
            case (.startup, .failure), (.liveness, .failure):
                state.unhealthy[id] = "failed \(kind.rawValue.lowercased()) probe"
            default: break
            }
        }
    }
}
