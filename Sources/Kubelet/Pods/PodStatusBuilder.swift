import KubeAPI
package import KubeSchema
import OrderedCollections

/// Writes a pod's `status` from what the runtime and the probes say. A function of its inputs.
package struct PodStatusBuilder: Sendable {
    /// Why a container does not run: `ImagePullBackOff` and what is the matter.
    package struct Waiting: Sendable, Equatable {
        package var reason: String, message: String
        package init(reason: String, message: String) {
            self.reason = reason
            self.message = message
        }
    }

    package var now: Timestamp
    package var hostIP: String
    package var phaseOverride: (phase: String, reason: String, message: String)?
    /// By container name.
    package var waiting: [String: Waiting] = [:]
    /// Ids of the containers whose readiness probe succeeds; those without one are ready while they run.
    package var ready: Set<String> = []
    /// Ids of the containers whose startup probe has succeeded.
    package var started: Set<String> = []
    /// What containers left in their termination message file, by container id.
    package var terminationMessages: [String: String] = [:]

    package init(now: Timestamp, hostIP: String) {
        self.now = now
        self.hostIP = hostIP
    }

    /// Returns the status as the API has it, `previous` being the one there now, whose transition times are kept.
    package func status(of pod: DesiredPod, observed: ObservedPod, previous: JSON) -> JSON {
        let containers = pod.containers.map { containerStatus($0, isInit: false, pod, observed, previous) }
        let initContainers = pod.initContainers.map { containerStatus($0, isInit: true, pod, observed, previous) }
        let phase = phaseOverride?.phase ?? phase(of: pod, observed)
        var status: JSON = [
            "phase": .string(phase),
            "conditions": conditions(of: pod, observed, phase: phase, containers, previous: previous),
            "hostIP": .string(hostIP),
            "startTime": previous["startTime"] ?? .string(now.rfc3339),
            "qosClass": .string(pod.qualityOfService.rawValue),
            "containerStatuses": .array(containers),
        ]
        if !initContainers.isEmpty { status["initContainerStatuses"] = .array(initContainers) }
        if let phaseOverride {
            status["reason"] = .string(phaseOverride.reason)
            status["message"] = .string(phaseOverride.message)
        }
        let addresses = pod.hostNetwork ? [hostIP] : observed.sandbox?.addresses ?? []
        if let first = addresses.first {
            status["podIP"] = .string(first)
            status["podIPs"] = .array(addresses.map { ["ip": .string($0)] })
        }
        return status
    }

    /// The phase that follows from the containers' states.
    ///
    /// Source: Kubernetes documentation, "Pod Lifecycle", pod phase.
    func phase(of pod: DesiredPod, _ observed: ObservedPod) -> String {
        if pod.restartPolicy == .never,
            pod.initContainers.contains(where: { failed(observed.container($0.name)) })
        {
            return "Failed"
        }
        let newest = pod.containers.map { observed.container($0.name) }
        // Nothing of it ever ran: it is being pulled, initialized or made.
        if newest.contains(where: { $0 == nil || $0?.state == .created }) { return "Pending" }
        let isOver = PodPlan.isFinished(pod, observed)
        if isOver { return newest.contains(where: failed) ? "Failed" : "Succeeded" }
        return "Running"
    }

    private func failed(_ container: ObservedContainer?) -> Bool {
        container?.state == .exited && container?.exitCode != 0
    }

    private func containerStatus(
        _ container: ContainerSpecification, isInit: Bool, _ pod: DesiredPod, _ observed: ObservedPod, _ previous: JSON
    ) -> JSON {
        let ofThisName = observed.containers.filter { $0.name == container.name }
        let newest = ofThisName.first
        let list = previous[isInit ? "initContainerStatuses" : "containerStatuses"]?.array ?? []
        let before = list.first { $0["name"]?.string == container.name }
        var status: JSON = [
            "name": .string(container.name),
            "image": .string(newest.map { $0.image.isEmpty ? container.image : $0.image } ?? container.image),
            "imageID": .string(newest?.imageID ?? before?["imageID"]?.string ?? ""),
            "restartCount": .integer(max(Int64(newest?.attempt ?? 0), before?["restartCount"]?.integer ?? 0)),
            "ready": false, "started": false, "state": [:], "lastState": [:],
        ]
        guard let newest else {
            status["state"] = ["waiting": waitingState(container, isInit, pod, observed)]
            if let last = before?["lastState"], last.object?.isEmpty == false { status["lastState"] = last }
            return status
        }
        status["containerID"] = .string("containerd://\(newest.id)")
        let former = ofThisName.dropFirst().first { $0.state == .exited }
        switch newest.state {
        case .running:
            status["state"] = ["running": ["startedAt": time(newest.startedAt)]]
            let hasStarted = container.startupProbe == nil || started.contains(newest.id)
            status["started"] = .bool(hasStarted)
            if !isInit {
                status["ready"] = .bool(hasStarted && (container.readinessProbe == nil || ready.contains(newest.id)))
            }
            if let former { status["lastState"] = ["terminated": terminated(former)] }
        case .exited:
            let isOver = PodPlan.isFinished(pod, observed) || pod.deletionTimestamp != nil || phaseOverride != nil
            let succeeded = isInit && newest.exitCode == 0
            if let waiting = waiting[container.name], !isOver, !succeeded {
                status["state"] = [
                    "waiting": ["reason": .string(waiting.reason), "message": .string(waiting.message)]
                ]
                status["lastState"] = ["terminated": terminated(newest)]
            } else {
                status["state"] = ["terminated": terminated(newest)]
                if succeeded { status["ready"] = true }
                if let former { status["lastState"] = ["terminated": terminated(former)] }
            }
        case .created, .unknown:
            status["state"] = ["waiting": waitingState(container, isInit, pod, observed)]
            if let former { status["lastState"] = ["terminated": terminated(former)] }
        }
        return status
    }

    private func waitingState(
        _ container: ContainerSpecification, _ isInit: Bool, _ pod: DesiredPod, _ observed: ObservedPod
    ) -> JSON {
        if let waiting = waiting[container.name] {
            return ["reason": .string(waiting.reason), "message": .string(waiting.message)]
        }
        let initialized = pod.initContainers.allSatisfy { succeeded($0, observed) }
        return [
            "reason": .string(
                initialized || isInit && pod.initContainers.first?.name == container.name
                    ? "ContainerCreating" : "PodInitializing")
        ]
    }

    private func succeeded(_ container: ContainerSpecification, _ observed: ObservedPod) -> Bool {
        guard let newest = observed.container(container.name) else { return false }
        return newest.state == .exited && newest.exitCode == 0
    }

    private func terminated(_ container: ObservedContainer) -> JSON {
        var state: JSON = [
            "exitCode": .integer(Int64(container.exitCode)),
            "reason": .string(
                container.reason.isEmpty ? container.exitCode == 0 ? "Completed" : "Error" : container.reason),
            "startedAt": time(container.startedAt), "finishedAt": time(container.finishedAt),
            "containerID": .string("containerd://\(container.id)"),
        ]
        if container.exitCode > 128, container.exitCode <= 128 + 64, container.reason != "StartError" {
            state["signal"] = .integer(Int64(container.exitCode - 128))
        }
        if let message = terminationMessages[container.id] ?? (container.message.isEmpty ? nil : container.message) {
            state["message"] = .string(message)
        }
        return state
    }

    private func time(_ nanoseconds: Int64) -> JSON {
        nanoseconds > 0 ? .string(Timestamp(nanosecondsSince1970: nanoseconds).rfc3339) : .null
    }

    private func conditions(
        of pod: DesiredPod, _ observed: ObservedPod, phase: String, _ containers: [JSON], previous: JSON
    ) -> JSON {
        let ordinaryExists = pod.containers.contains { observed.container($0.name) != nil }
        let notInitialized = pod.initContainers.filter { !succeeded($0, observed) }.map(\.name)
        let notReady = containers.filter { $0["ready"]?.bool != true }.compactMap { $0["name"]?.string }
        let isOver = phase == "Succeeded" || phase == "Failed"
        func named(_ what: String, _ names: [String]) -> String {
            "containers with \(what) status: [\(names.joined(separator: " "))]"
        }
        var initialized = Condition(type: "Initialized", status: "True")
        if !notInitialized.isEmpty, !ordinaryExists {
            initialized = Condition(
                type: "Initialized", status: "False", reason: "ContainersNotInitialized",
                message: named("incomplete", notInitialized))
        }
        var containersReady = Condition(type: "ContainersReady", status: "True")
        if phase == "Succeeded" {
            containersReady = Condition(type: "ContainersReady", status: "False", reason: "PodCompleted")
        } else if phase == "Failed" {
            containersReady = Condition(type: "ContainersReady", status: "False", reason: "PodFailed")
        } else if !notReady.isEmpty {
            containersReady = Condition(
                type: "ContainersReady", status: "False", reason: "ContainersNotReady",
                message: named("unready", notReady))
        }
        var ready = containersReady
        ready.document["type"] = "Ready"
        if ready.status == "True", !isOver, let gates = pod.spec["readinessGates"]?.array {
            let conditions = previous["conditions"]?.array ?? []
            let missing = gates.compactMap { $0["conditionType"]?.string }.filter { type in
                !conditions.contains { $0["type"]?.string == type && $0["status"]?.string == "True" }
            }
            if !missing.isEmpty {
                ready = Condition(
                    type: "Ready", status: "False", reason: "ReadinessGatesNotReady",
                    message: "corresponding condition of pod readiness gate \"\(missing[0])\" is not \"True\".")
            }
        }
        var holder = ConditionList(conditions: (previous["conditions"]?.array ?? []).map(Condition.init(document:)))
        for var condition in [initialized, ready, containersReady, Condition(type: "PodScheduled", status: "True")] {
            condition.document["lastProbeTime"] = .null
            holder.set(condition, now: now)
        }
        return .array(holder.conditions.map(\.document))
    }

    private struct ConditionList: HasConditions { var conditions: [Condition] }
}
