import OrderedCollections

extension TableLayout {
    static let workloads: [String: TableLayout] = [
        "apps/deployments": deployments, "apps/replicasets": replicaSets, "apps/daemonsets": daemonSets,
        "apps/statefulsets": statefulSets, "apps/controllerrevisions": controllerRevisions, "batch/jobs": jobs,
        "batch/cronjobs": cronJobs, "podtemplates": podTemplates,
        "autoscaling/horizontalpodautoscalers": autoscalers, "policy/poddisruptionbudgets": disruptionBudgets,
    ]

    private static let containers: [TableColumn] = [
        .wide("Containers", "Names of the template's containers."), .wide("Images", "Their images."),
    ]
    private static let selector = TableColumn.wide("Selector", "What the labels of its pods match.")

    /// Names and images of a template's containers.
    private static func containerCells(_ object: JSON, _ path: String...) -> [JSON] {
        let containers = object[path + ["spec", "containers"]]?.array ?? []
        return ["name", "image"].map { key in
            .string(containers.map { $0.cell(key) }.joined(separator: ","))
        }
    }

    private static func status(_ object: JSON, _ field: String) -> JSON { object["status", field] ?? 0 }

    private static func ready(_ object: JSON) -> JSON {
        let wanted = object["spec", "replicas"]?.integer ?? 1
        return .string("\(status(object, "readyReplicas"))/\(wanted)")
    }

    private static let deployments = TableLayout(
        columns: [
            .name, .text("Ready", "Replicas that are ready, of those wanted."),
            .text("Up-to-date", "Replicas that are of the present template."),
            .text("Available", "Replicas that have been ready long enough."), .age,
        ] + containers + [selector]
    ) { object, now in
        [
            object.nameCell, ready(object), status(object, "updatedReplicas"), status(object, "availableReplicas"),
            object.age(now),
        ] + containerCells(object, "spec", "template") + [selectorCell(object["spec", "selector"])]
    }

    private static let replicaSets = TableLayout(
        columns: [
            .name, .number("Desired", "Replicas wanted."), .number("Current", "Replicas that there are."),
            .number("Ready", "Replicas that are ready."), .age,
        ] + containers + [selector]
    ) { object, now in
        [
            object.nameCell, object["spec", "replicas"] ?? 1, status(object, "replicas"),
            status(object, "readyReplicas"), object.age(now),
        ] + containerCells(object, "spec", "template") + [selectorCell(object["spec", "selector"])]
    }

    private static let daemonSets = TableLayout(
        columns: [
            .name, .number("Desired", "Nodes that should run its pod."),
            .number("Current", "Nodes that run it."), .number("Ready", "Nodes whose pod is ready."),
            .number("Up-to-date", "Nodes whose pod is of the present template."),
            .number("Available", "Nodes whose pod has been ready long enough."),
            .text("Node Selector", "Labels of the nodes that run it."), .age,
        ] + containers + [selector]
    ) { object, now in
        [
            object.nameCell, status(object, "desiredNumberScheduled"), status(object, "currentNumberScheduled"),
            status(object, "numberReady"), status(object, "updatedNumberScheduled"), status(object, "numberAvailable"),
            labelCell(object["spec", "template", "spec", "nodeSelector"]), object.age(now),
        ] + containerCells(object, "spec", "template") + [selectorCell(object["spec", "selector"])]
    }

    private static let statefulSets = TableLayout(
        columns: [.name, .text("Ready", "Replicas that are ready, of those wanted."), .age] + containers
    ) { object, now in
        [object.nameCell, ready(object), object.age(now)] + containerCells(object, "spec", "template")
    }

    private static let podTemplates = TableLayout(
        columns: [
            .name, .text("Containers", "Names of its containers."), .text("Images", "Their images."),
            .text("Pod Labels", "Labels of its pods."),
        ]
    ) { object, _ in
        [object.nameCell] + containerCells(object, "template")
            + [labelCell(object["template", "metadata", "labels"])]
    }

    private static let controllerRevisions = TableLayout(columns: [
        .name, .text("Controller", "Whose state it keeps."), .number("Revision", "Its number."), .age,
    ]) { object, now in
        let owner = object.list("metadata", "ownerReferences").first { $0["controller"] == true }
        let text = owner.map { owner in
            let (group, _) = ResourceCatalogue.split(apiVersion: owner.cell("apiVersion"))
            let kind = owner.cell("kind").lowercased()
            return "\(group.isEmpty ? kind : "\(kind).\(group)")/\(owner.cell("name"))"
        }
        return [object.nameCell, orNone(text ?? ""), object["revision"] ?? 0, object.age(now)]
    }

    // MARK: - Jobs

    private static let jobs = TableLayout(
        columns: [
            .name, .text("Status", "Running, Complete, Failed, Suspended, …"),
            .text("Completions", "Pods that have succeeded, of those wanted."),
            .text("Duration", "How long it ran, or has run so far."), .age,
        ] + containers + [selector]
    ) { object, now in
        [
            object.nameCell, .string(jobState(object)), .string(completions(object)), .string(duration(object, now)),
            object.age(now),
        ] + containerCells(object, "spec", "template") + [selectorCell(object["spec", "selector"])]
    }

    private static func jobState(_ job: JSON) -> String {
        let conditions = job.list("status", "conditions").filter { $0.cell("status") == "True" }.map { $0.cell("type") }
        for state in ["Complete", "Failed"] where conditions.contains(state) { return state }
        if job["metadata", "deletionTimestamp"] != nil { return "Terminating" }
        for state in ["Suspended", "FailureTarget", "SuccessCriteriaMet"] where conditions.contains(state) {
            return state
        }
        return "Running"
    }

    private static func completions(_ job: JSON) -> String {
        let done = status(job, "succeeded")
        if let wanted = job["spec", "completions"]?.integer { return "\(done)/\(wanted)" }
        let parallel = job["spec", "parallelism"]?.integer ?? 0
        return parallel > 1 ? "\(done)/1 of \(parallel)" : "\(done)/1"
    }

    private static func duration(_ job: JSON, _ now: Int64) -> String {
        guard let start = Timestamp(rfc3339: job.cell("status", "startTime")) else { return "" }
        let end = Timestamp(rfc3339: job.cell("status", "completionTime"))?.seconds ?? now
        return HumanDuration.text(seconds: end - start.seconds)
    }

    private static let cronJobs = TableLayout(
        columns: [
            .name, .text("Schedule", "When it runs, in cron's notation."),
            .text("Timezone", "The time zone of the schedule."), .text("Suspend", "Whether it is held."),
            .number("Active", "Jobs that run now."), .text("Last Schedule", "How long ago the last one began."), .age,
        ] + containers + [selector]
    ) { object, now in
        let last = object["status", "lastScheduleTime"]
        let suspend = object["spec", "suspend"]?.bool.map { $0 ? "True" : "False" } ?? "<unset>"
        let cells: [JSON] = [
            object.nameCell, .string(object.cell("spec", "schedule")), orNone(object.cell("spec", "timeZone")),
            .string(suspend), .integer(Int64(object.list("status", "active").count)),
            .string(last.map { HumanDuration.since($0, now: now) } ?? "<none>"), object.age(now),
        ]
        return cells + containerCells(object, "spec", "jobTemplate", "spec", "template")
            + [selectorCell(object["spec", "jobTemplate", "spec", "selector"])]
    }

    // MARK: - Autoscaling and disruption

    private static let autoscalers = TableLayout(columns: [
        .name, .text("Reference", "What it scales."), .text("Targets", "Each metric, and where it should be."),
        .text("MinPods", "The fewest replicas."), .text("MaxPods", "The most replicas."),
        .number("Replicas", "The replicas that there are."), .age,
    ]) { object, now in
        let target = object["spec", "scaleTargetRef"] ?? [:]
        return [
            object.nameCell, .string("\(target.cell("kind"))/\(target.cell("name"))"),
            .string(AutoscalerTargets.text(object)),
            object["spec", "minReplicas"].map { .string("\($0)") } ?? "<unset>",
            .string("\(object["spec", "maxReplicas"] ?? 0)"), status(object, "currentReplicas"), object.age(now),
        ]
    }

    private static let disruptionBudgets = TableLayout(columns: [
        .name, .text("Min Available", "How many pods must stay."),
        .text("Max Unavailable", "How many pods may be missing."),
        .number("Allowed Disruptions", "How many pods may be evicted now."), .age,
    ]) { object, now in
        func amount(_ field: String) -> JSON {
            object["spec", field].map { .string($0.string ?? $0.description) } ?? "N/A"
        }
        return [
            object.nameCell, amount("minAvailable"), amount("maxUnavailable"), status(object, "disruptionsAllowed"),
            object.age(now),
        ]
    }
}

/// The metrics of an autoscaler, each as what it is now and what it should be: `cpu: 12%/80%`.
private enum AutoscalerTargets {
    static func text(_ object: JSON) -> String {
        let metrics = object.list("spec", "metrics")
        if metrics.isEmpty { return "<none>" }
        let current = object.list("status", "currentMetrics")
        let texts = metrics.enumerated().map { index, metric in
            text(metric, index < current.count ? current[index] : [:])
        }
        return shortened(texts, limit: 2, separator: ", ")
    }

    private static func text(_ metric: JSON, _ current: JSON) -> String {
        let type = metric.cell("type")
        // Resource is under `resource`, ContainerResource under `containerResource`, and so on.
        let member: String = type.prefix(1).lowercased() + type.dropFirst()
        let target = metric[member, "target"] ?? [:]
        let now = current[member, "current"] ?? [:]
        switch type {
        case "Resource", "ContainerResource":
            let name = metric.cell(member, "name")
            if let average = target["averageValue"] {
                return "\(name): \(plain(now["averageValue"]))/\(plain(average))"
            }
            let wanted = target["averageUtilization"].map { "\($0)%" } ?? "<auto>"
            return "\(name): \(now["averageUtilization"].map { "\($0)%" } ?? "<unknown>")/\(wanted)"
        case "Pods": return "\(plain(now["averageValue"]))/\(plain(target["averageValue"]))"
        case "Object", "External":
            if let average = target["averageValue"] { return "\(plain(now["averageValue"]))/\(plain(average)) (avg)" }
            return "\(plain(now["value"]))/\(plain(target["value"]))"
        default: return "<unknown type>"
        }
    }

    private static func plain(_ quantity: JSON?) -> String { quantity?.string ?? "<unknown>" }
}
