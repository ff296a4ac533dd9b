import KubeSchema

/// Kinds whose status is a controller's and begins empty.
struct StatusStrategy: ResourceStrategy {
    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) { object["status"] = [:] }
}

/// Kinds whose `spec` has generations.
struct CountedStrategy: ResourceStrategy {
    let hasStatus: Bool

    var countsGenerations: Bool { true }

    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) {
        if hasStatus { object["status"] = [:] }
    }
}

/// Volumes and claims: pending until a binder has looked at them.
struct VolumeStrategy: ResourceStrategy {
    var deletionAnswersObject: Bool { true }

    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) { object["status"] = ["phase": "Pending"] }
}

/// Jobs: each selects its own pods by its own uid, unless its author has taken that into his hands.
struct JobStrategy: ResourceStrategy {
    private static let uidLabels = ["batch.kubernetes.io/controller-uid", "controller-uid"]
    private static let nameLabels = ["batch.kubernetes.io/job-name", "job-name"]

    var countsGenerations: Bool { true }
    var defaultPropagation: String { "Orphan" }

    func prepareForCreate(_ object: inout JSON, _ context: StrategyContext) {
        object["status"] = [:]
        guard object["spec", "manualSelector"] != true, let uid = object["metadata", "uid"],
            let name = object["metadata", "name"]
        else { return }
        for label in Self.uidLabels { object["spec", "template", "metadata", "labels", label] = uid }
        for label in Self.nameLabels { object["spec", "template", "metadata", "labels", label] = name }
        object["spec", "selector", "matchLabels", Self.uidLabels[0]] = uid
    }

    func prepareForUpdate(_ new: inout JSON, old: JSON, _ context: StrategyContext) {
        // Who writes the manifest again does not repeat what was made for him.
        if new["spec", "selector"] == nil { new["spec", "selector"] = old["spec", "selector"] }
        guard old["spec", "manualSelector"] != true else { return }
        for label in Self.uidLabels + Self.nameLabels
        where new["spec", "template", "metadata", "labels", label] == nil {
            let path = ["spec", "template", "metadata", "labels", label]
            if let value = old[path] { new[path] = value }
        }
    }
}
