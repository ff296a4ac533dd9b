import KubeAPI
package import KubeSchema

/// What has to be done now to bring the runtime's pod to the wanted one. A function of its inputs: no step depends on
/// which event led here.
package struct PodPlan: Sendable, Equatable {
    /// A container to be created and started, `attempt` being the number of those of its name before it.
    package struct Start: Sendable, Equatable {
        package var name: String, isInit: Bool, attempt: Int
    }

    package struct Kill: Sendable, Equatable {
        package var containerID: String, name: String, reason: String
        /// Overrides the pod's grace period, as a probe may.
        package var gracePeriodSeconds: Int64?
    }

    /// A container that waits for its back-off, and how much longer.
    package struct Wait: Sendable, Equatable {
        package var name: String, remaining: Duration
    }

    /// Make a sandbox with this number; what a former one holds is killed first.
    package var createSandboxAttempt: Int?
    package var kills: [Kill] = []
    /// Ids of containers that were made and never started, as when the kubelet died in between.
    package var removals: [String] = []
    package var starts: [Start] = []
    package var waits: [Wait] = []
    /// Stop the sandbox: no container of it has to run any more.
    package var stopsSandbox = false
    /// Every container has ended for good.
    package var isFinished = false

    package init() {}
}

extension PodPlan {
    /// What the plan for a pod depends on beside its specification and what the runtime holds.
    package struct Circumstances: Sendable {
        package var now: Timestamp
        package var backOff: RestartBackOff
        /// Containers (by id) that failed their liveness or startup probe, with the message.
        package var unhealthy: [String: String]
        /// The kubelet gave up on the pod, as after `activeDeadlineSeconds`.
        package var isEvicted: Bool

        package init(
            now: Timestamp, backOff: RestartBackOff = RestartBackOff(), unhealthy: [String: String] = [:],
            isEvicted: Bool = false
        ) {
            self.now = now
            self.backOff = backOff
            self.unhealthy = unhealthy
            self.isEvicted = isEvicted
        }
    }

    /// Compares `pod` with what the runtime has of it.
    package static func make(for pod: DesiredPod, observed: ObservedPod, _ circumstances: Circumstances) -> PodPlan {
        var plan = PodPlan()
        if pod.deletionTimestamp != nil || circumstances.isEvicted {
            plan.stopEverything(observed, reason: circumstances.isEvicted ? "DeadlineExceeded" : "Killing")
            plan.isFinished = true
            return plan
        }
        if isFinished(pod, observed) {
            plan.stopEverything(observed, reason: "Completed")
            plan.isFinished = true
            return plan
        }
        guard let sandbox = observed.sandbox else {
            plan.kills = observed.containers.filter(\.isAlive).map {
                Kill(containerID: $0.id, name: $0.name, reason: "The pod's sandbox is gone")
            }
            plan.createSandboxAttempt = (observed.sandboxes.first?.attempt ?? -1) + 1
            return plan
        }
        // Containers of earlier sandboxes lost their network with it.
        for container in observed.containers where container.isAlive && container.sandboxID != sandbox.id {
            plan.kills.append(Kill(containerID: container.id, name: container.name, reason: "Its sandbox is gone"))
        }
        guard plan.planInitContainers(of: pod, observed, sandbox, circumstances) else { return plan }
        for container in pod.containers { plan.plan(container, of: pod, observed, sandbox, circumstances) }
        return plan
    }

    /// Whether every container has run and none is to run again.
    static func isFinished(_ pod: DesiredPod, _ observed: ObservedPod) -> Bool {
        guard pod.restartPolicy != .always else { return false }
        if pod.restartPolicy == .never {
            for container in pod.initContainers {
                if let ended = observed.container(container.name), ended.state == .exited, ended.exitCode != 0 {
                    return true
                }
            }
        }
        return pod.containers.allSatisfy { container in
            guard let ended = observed.container(container.name), ended.state == .exited else { return false }
            return pod.restartPolicy == .never || ended.exitCode == 0
        }
    }

    private mutating func stopEverything(_ observed: ObservedPod, reason: String) {
        kills = observed.containers.filter(\.isAlive).map { Kill(containerID: $0.id, name: $0.name, reason: reason) }
        stopsSandbox = kills.isEmpty && observed.sandboxes.contains(where: \.isReady)
    }

    /// Plans the first init container that has not succeeded; returns whether all have, so that the others may start.
    private mutating func planInitContainers(
        of pod: DesiredPod, _ observed: ObservedPod, _ sandbox: ObservedSandbox, _ circumstances: Circumstances
    ) -> Bool {
        // Once an ordinary container runs in this sandbox, they have done their work, whoever removed them since.
        let ordinary = Set(pod.containers.map(\.name))
        if observed.containers.contains(where: { $0.sandboxID == sandbox.id && ordinary.contains($0.name) }) {
            return true
        }
        for container in pod.initContainers {
            let newest = observed.container(container.name)
            if let newest, newest.sandboxID == sandbox.id, newest.state == .exited, newest.exitCode == 0 { continue }
            plan(container, isInit: true, of: pod, observed, sandbox, circumstances)
            return false
        }
        return true
    }

    private mutating func plan(
        _ container: ContainerSpecification, isInit: Bool = false, of pod: DesiredPod, _ observed: ObservedPod,
        _ sandbox: ObservedSandbox, _ circumstances: Circumstances
    ) {
        guard let newest = observed.container(container.name) else {
            starts.append(Start(name: container.name, isInit: isInit, attempt: 0))
            return
        }
        let isOfThisSandbox = newest.sandboxID == sandbox.id
        switch newest.state {
        case .running where isOfThisSandbox:
            if newest.specHash != container.hash {
                kills.append(Kill(containerID: newest.id, name: newest.name, reason: "Container definition changed"))
            } else if let message = circumstances.unhealthy[newest.id] {
                kills.append(
                    Kill(
                        containerID: newest.id, name: newest.name, reason: message,
                        gracePeriodSeconds: container.livenessProbe?.terminationGracePeriodSeconds))
            }
        case .created:
            removals.append(newest.id)
        case .unknown, .running:
            // Out of reach: killed here, and replaced once it is seen to have ended.
            guard isOfThisSandbox else { return }  // is on the list already
            kills.append(Kill(containerID: newest.id, name: newest.name, reason: "Container is in an unknown state"))
        case .exited:
            // An init container is only asked for while it has not succeeded in this sandbox.
            switch pod.restartPolicy {
            case .never where !isInit || newest.exitCode != 0: return
            case .onFailure where !isInit && newest.exitCode == 0: return
            default: break
            }
            // A container that could not be started may have no end of its own.
            let failedAt = Timestamp(nanosecondsSince1970: max(newest.finishedAt, newest.createdAt))
            if let remaining = circumstances.backOff.remaining(
                Self.backOffKey(pod, container.name), failedAt: failedAt, now: circumstances.now)
            {
                waits.append(Wait(name: container.name, remaining: remaining))
            } else {
                starts.append(Start(name: container.name, isInit: isInit, attempt: newest.attempt + 1))
            }
        }
    }

    /// Under which a container's restarts are counted.
    static func backOffKey(_ pod: DesiredPod, _ container: String) -> String { "\(pod.reference.uid)/\(container)" }
}

extension ObservedContainer {
    /// Whether there may be a process to stop.
    package var isAlive: Bool { state == .running || state == .unknown }
}

extension Timestamp {
    /// The runtime's way to write times.
    package init(nanosecondsSince1970 nanoseconds: Int64) {
        self.init(seconds: nanoseconds / 1_000_000_000, nanoseconds: Int32(nanoseconds % 1_000_000_000))
    }
}
