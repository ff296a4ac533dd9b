import OrderedCollections

extension TableLayout {
    static let pods = TableLayout(
        columns: [
            .name, .text("Ready", "Containers that are ready, of those that there are."),
            .text("Status", "The phase, or the most telling reason of a container."),
            .text("Restarts", "How often containers were restarted, and how long ago the last time was."), .age,
            .wide("IP", "The pod's address."), .wide("Node", "The node that it is bound to."),
            .wide("Nominated Node", "The node that is being made free for it."),
            .wide("Readiness Gates", "Gates that are open, of those that there are."),
        ],
        cells: { pod, now in
            let summary = PodSummary(pod)
            var restarts = "\(summary.restarts)"
            if summary.restarts != 0, let last = summary.lastRestart {
                restarts += " (\(HumanDuration.text(seconds: now - last.seconds)) ago)"
            }
            let address = pod.list("status", "podIPs").first?.text("ip") ?? pod.cell("status", "podIP")
            return [
                pod.nameCell, .string("\(summary.ready)/\(summary.total)"), .string(summary.reason), .string(restarts),
                pod.age(now), orNone(address), orNone(pod.cell("spec", "nodeName")),
                orNone(pod.cell("status", "nominatedNodeName")), gates(pod),
            ]
        },
        condition: { pod in
            switch pod.cell("status", "phase") {
            case "Succeeded": completed("Succeeded", "The pod has completed successfully.")
            case "Failed": completed("Failed", "The pod failed.")
            default: nil
            }
        })

    private static func completed(_ reason: JSON, _ message: JSON) -> JSON {
        ["type": "Completed", "status": "True", "reason": reason, "message": message]
    }

    private static func gates(_ pod: JSON) -> JSON {
        let gates = pod.list("spec", "readinessGates")
        if gates.isEmpty { return "<none>" }
        let open = gates.count { gate in
            pod.list("status", "conditions").contains {
                $0.text("type") == gate.text("conditionType") && $0.text("status") == "True"
            }
        }
        return .string("\(open)/\(gates.count)")
    }
}

/// What a pod's containers add up to, in the words that kubectl's users know: `ContainerCreating`, `Init:1/2`,
/// `CrashLoopBackOff`, `Completed`, `Terminating`.
struct PodSummary {
    private(set) var reason: String
    private(set) var ready = 0
    private(set) var total: Int
    private(set) var restarts: Int64 = 0
    private(set) var lastRestart: Timestamp?

    init(_ pod: JSON) {
        let status = pod.member("status") ?? [:]
        let phase = status.cell("phase")
        reason = status.text("reason") ?? phase
        total = pod.list("spec", "containers").count
        let conditions = status.list("conditions")
        if conditions.contains(where: { $0.text("type") == "PodScheduled" && $0.text("reason") == "SchedulingGated" }) {
            reason = "SchedulingGated"
        }
        let isInitializing = readInitContainers(pod, status)
        let isInitialized = conditions.contains { $0.text("type") == "Initialized" && $0.text("status") == "True" }
        if !isInitializing || isInitialized { readContainers(status, conditions) }
        guard pod["metadata", "deletionTimestamp"]?.string != nil else { return }
        if status.text("reason") == "NodeLost" {
            reason = "Unknown"
        } else if phase != "Succeeded", phase != "Failed" {
            reason = "Terminating"
        }
    }

    /// Returns whether one of the init containers still has to finish. Those that restart always (sidecars) count as
    /// containers.
    private mutating func readInitContainers(_ pod: JSON, _ status: JSON) -> Bool {
        let specs = pod.list("spec", "initContainers")
        let sidecars = Set(specs.filter { $0.text("restartPolicy") == "Always" }.compactMap { $0.text("name") })
        total += sidecars.count
        var sidecarRestarts: Int64 = 0
        var sidecarRestart: Timestamp?
        for (index, container) in status.list("initContainerStatuses").enumerated() {
            count(container)
            let isSidecar = sidecars.contains(container.cell("name"))
            if isSidecar {
                sidecarRestarts += container["restartCount"]?.integer ?? 0
                sidecarRestart = Self.later(sidecarRestart, Self.lastTermination(container))
            }
            if let ended = container["state", "terminated"] {
                if ended["exitCode"]?.integer == 0 { continue }
                reason = "Init:\(Self.reason(ended))"
                return true
            }
            if isSidecar, container["started"] == .bool(true) {
                if container["ready"] == .bool(true) { ready += 1 }
                continue
            }
            let waiting = container.cell("state", "waiting", "reason")
            reason =
                waiting.isEmpty || waiting == "PodInitializing" ? "Init:\(index)/\(specs.count)" : "Init:\(waiting)"
            return true
        }
        (restarts, lastRestart) = (sidecarRestarts, sidecarRestart)
        return false
    }

    private mutating func readContainers(_ status: JSON, _ conditions: [JSON]) {
        var hasRunning = false
        for container in status.list("containerStatuses").reversed() {
            count(container)
            if let waiting = container["state", "waiting"]?.text("reason") {
                reason = waiting
            } else if let ended = container["state", "terminated"] {
                reason = Self.reason(ended)
            } else if container["ready"] == .bool(true), container["state", "running"] != nil {
                hasRunning = true
                ready += 1
            }
        }
        if reason == "Completed", hasRunning {
            let isReady = conditions.contains { $0.text("type") == "Ready" && $0.text("status") == "True" }
            reason = isReady ? "Running" : "NotReady"
        }
    }

    private mutating func count(_ container: JSON) {
        restarts += container["restartCount"]?.integer ?? 0
        lastRestart = Self.later(lastRestart, Self.lastTermination(container))
    }

    private static func lastTermination(_ container: JSON) -> Timestamp? {
        container["lastState", "terminated", "finishedAt"]?.string.flatMap { Timestamp(rfc3339: $0) }
    }

    private static func later(_ left: Timestamp?, _ right: Timestamp?) -> Timestamp? {
        guard let left, let right else { return left ?? right }
        return max(left, right)
    }

    private static func reason(_ ended: JSON) -> String {
        if let reason = ended.text("reason") { return reason }
        if let signal = ended["signal"]?.integer, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(ended["exitCode"]?.integer ?? 0)"
    }
}
