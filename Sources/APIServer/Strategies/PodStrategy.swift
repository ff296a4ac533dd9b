import KubeSchema

/// Pods: pending at first, ended gracefully.
struct PodStrategy: ResourceStrategy {
    static let defaultGraceSeconds: Int64 = 30

    var deletionAnswersObject: Bool { true }

    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) {
        object["status"] = ["phase": "Pending", "qosClass": .string(Self.qualityOfService(object))]
    }

    func prepareForUpdate(_ new: inout JSON, old: JSON, _ context: StrategyContext) {
        // A pod without a node stays so until it is bound; clients that leave the field out mean no change.
        if new["spec", "nodeName"] == nil { new["spec", "nodeName"] = old["spec", "nodeName"] }
    }

    func beginDeletion(_ object: JSON, _ options: DeleteOptions, _ context: StrategyContext) -> JSON? {
        let phase = object["status", "phase"]?.string
        let isScheduled = !(object["spec", "nodeName"]?.string ?? "").isEmpty
        var grace =
            options.gracePeriodSeconds ?? object["spec", "terminationGracePeriodSeconds"]?.integer
            ?? Self.defaultGraceSeconds
        if !isScheduled || phase == "Succeeded" || phase == "Failed" { grace = 0 }
        // The running deletion may be shortened, never prolonged.
        if let running = object["metadata", "deletionGracePeriodSeconds"]?.integer, running <= grace, grace > 0 {
            return object
        }
        guard grace > 0 else { return nil }
        var object = object
        object["metadata", "deletionTimestamp"] = .string(Timestamp(seconds: context.now.seconds + grace).rfc3339)
        object["metadata", "deletionGracePeriodSeconds"] = .integer(grace)
        return object
    }

    /// Guaranteed when every container's limits for CPU and memory equal its requests, BestEffort without any, otherwise
    /// Burstable (Kubernetes documentation, "Pod Quality of Service Classes").
    static func qualityOfService(_ pod: JSON) -> String {
        let containers = (pod["spec", "containers"]?.array ?? []) + (pod["spec", "initContainers"]?.array ?? [])
        var any = false
        var guaranteed = true
        for container in containers {
            for resource in ["cpu", "memory"] {
                let limit = container["resources", "limits", resource]
                let request = container["resources", "requests", resource]
                if limit != nil || request != nil { any = true }
                if limit == nil || (request != nil && request != limit) { guaranteed = false }
            }
        }
        return !any ? "BestEffort" : guaranteed ? "Guaranteed" : "Burstable"
    }
}
