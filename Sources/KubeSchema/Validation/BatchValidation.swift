import OrderedCollections

/// The kinds of batch/v1.
extension ObjectChecker {
    /// A name that still has room for the suffix of the jobs made from it.
    private static let cronJobNameBytes = 52

    mutating func job(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        jobSpec(spec, at: "spec")
        guard let selector = spec["selector"] else { return required("spec.selector") }
        labelSelector(selector, at: "spec.selector")
        if let template = spec["template"] { templateLabels(template, try? LabelSelector(selector)) }
        if spec["manualSelector"] != true, let uid = object["metadata"]?["uid"]?.string {
            let expected = JSON.string(uid)
            let labels = selector["matchLabels"]
            if labels?["batch.kubernetes.io/controller-uid"] != expected, labels?["controller-uid"] != expected {
                invalid("spec.selector", selector, "`selector` not auto-generated")
            }
        }
    }

    private mutating func jobSpec(_ spec: JSON, at path: String) {
        counts(
            spec, at: path,
            [
                "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
                "backoffLimitPerIndex", "maxFailedIndexes",
            ])
        choice("\(path).completionMode", spec["completionMode"], ["NonIndexed", "Indexed"], isRequired: false)
        if spec["completionMode"] == "Indexed", spec["completions"] == nil {
            required("\(path).completions", "when completion mode is Indexed")
        }
        if spec["completionMode"] != "Indexed", spec["backoffLimitPerIndex"] != nil {
            invalid("\(path).backoffLimitPerIndex", spec["backoffLimitPerIndex"], "requires indexed completion mode")
        }
        choice(
            "\(path).podReplacementPolicy", spec["podReplacementPolicy"], ["Failed", "TerminatingOrFailed"],
            isRequired: false)
        guard let template = spec["template"] else { return required("\(path).template") }
        commonMetadata(template["metadata"] ?? [:], at: "\(path).template.metadata")
        let pod = template["spec"] ?? [:]
        podSpec(pod, at: "\(path).template.spec", isTemplate: false)
        if !["OnFailure", "Never"].contains(pod["restartPolicy"]?.string ?? "") {
            required("\(path).template.spec.restartPolicy", "valid values: \"OnFailure\", \"Never\"")
        }
    }

    mutating func jobUpdate(_ new: JSON, _ old: JSON) {
        let (newSpec, oldSpec) = (new["spec"] ?? [:], old["spec"] ?? [:])
        for field in ["selector", "completionMode", "backoffLimitPerIndex", "podFailurePolicy", "managedBy"]
        where newSpec[field] != oldSpec[field] {
            immutable("spec.\(field)", newSpec[field])
        }
        if newSpec["completions"] != oldSpec["completions"] {
            let isElastic =
                newSpec["completionMode"] == "Indexed" && newSpec["completions"] == newSpec["parallelism"]
            if !isElastic { immutable("spec.completions", newSpec["completions"]) }
        }
        if newSpec["template"] != oldSpec["template"] {
            // Where a suspended job's pods will run may be settled until it starts.
            var kept = newSpec["template"] ?? [:]
            if oldSpec["suspend"] == true, old["status"]?["startTime"] == nil {
                for field in ["nodeSelector", "tolerations", "affinity", "schedulingGates"] {
                    kept["spec", field] = oldSpec["template"]?["spec"]?[field]
                }
                for field in ["labels", "annotations"] {
                    kept["metadata", field] = oldSpec["template"]?["metadata"]?[field]
                }
            }
            if kept != oldSpec["template"] ?? [:] { immutable("spec.template", newSpec["template"]) }
        }
    }

    mutating func cronJob(_ object: JSON) {
        let spec = object["spec"] ?? [:]
        let name = object["metadata"]?["name"]?.string ?? ""
        if name.utf8.count > Self.cronJobNameBytes {
            invalid("metadata.name", .string(name), "must be no more than \(Self.cronJobNameBytes) characters")
        }
        let schedule = spec["schedule"]?.string ?? ""
        if schedule.isEmpty {
            required("spec.schedule")
        } else if schedule.contains("TZ") {
            invalid(
                "spec.schedule", .string(schedule), "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
        } else if let problem = CronSchedule.problem(schedule) {
            invalid("spec.schedule", .string(schedule), problem)
        }
        if let zone = spec["timeZone"]?.string {
            if zone.isEmpty {
                invalid("spec.timeZone", .string(zone), "timeZone must be nil or non-empty string")
            } else if zone.lowercased() == "local" {
                invalid(
                    "spec.timeZone", .string(zone),
                    "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
            }
        }
        counts(
            spec, at: "spec",
            ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"])
        choice("spec.concurrencyPolicy", spec["concurrencyPolicy"], ["Allow", "Forbid", "Replace"])
        let template = spec["jobTemplate"] ?? [:]
        commonMetadata(template["metadata"] ?? [:], at: "spec.jobTemplate.metadata")
        if let selector = template["spec"]?["selector"] {
            invalid("spec.jobTemplate.spec.selector", selector, "`selector` will be auto-generated")
        }
        if template["spec"]?["manualSelector"] == true {
            notSupported("spec.jobTemplate.spec.manualSelector", "true", ["nil", "false"])
        }
        jobSpec(template["spec"] ?? [:], at: "spec.jobTemplate.spec")
    }
}

/// Schedules of cron jobs: five fields, or one of a few names.
enum CronSchedule {
    private static let fields: [(name: String, range: ClosedRange<Int>, names: [String])] = [
        ("minute", 0...59, []), ("hour", 0...23, []), ("day of month", 1...31, []),
        ("month", 1...12, ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
        ("day of week", 0...6, ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
    ]
    private static let descriptors = [
        "@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly",
    ]

    /// What is wrong with a schedule, `nil` if nothing.
    static func problem(_ schedule: String) -> String? {
        if schedule.hasPrefix("@") {
            if descriptors.contains(schedule) { return nil }
            guard schedule.hasPrefix("@every ") else { return "unrecognized descriptor: \(schedule)" }
            let text = String(schedule.dropFirst("@every ".count))
            return isDuration(text)
                ? nil : "failed to parse duration \(schedule): invalid duration \(JSON.string(text))"
        }
        let parts = schedule.split(whereSeparator: \.isWhitespace)
        guard parts.count == fields.count else {
            return "expected exactly 5 fields, found \(parts.count): [\(parts.joined(separator: " "))]"
        }
        for (part, field) in zip(parts, fields) {
            for term in part.split(separator: ",", omittingEmptySubsequences: false) {
                if let problem = problem(String(term), field.range, field.names, field.name) { return problem }
            }
        }
        return nil
    }

    private static func problem(_ term: String, _ range: ClosedRange<Int>, _ names: [String], _ field: String)
        -> String?
    {
        let steps = term.split(separator: "/", omittingEmptySubsequences: false)
        guard steps.count <= 2 else { return "too many slashes: \(term)" }
        if steps.count == 2 {
            guard let step = Int(steps[1]) else { return "failed to parse int from \(steps[1]) in the \(field) field" }
            guard step > 0 else { return "step of range should be a positive number: \(term)" }
        }
        if steps[0] == "*" || steps[0] == "?" { return nil }
        let ends = steps[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2 else { return "too many hyphens: \(term)" }
        var values: [Int] = []
        for end in ends {
            let named = names.firstIndex(of: end.lowercased()).map { $0 + range.lowerBound }
            guard let value = named ?? Int(end) else { return "failed to parse int from \(end) in the \(field) field" }
            values.append(value)
        }
        if values[0] < range.lowerBound {
            return "beginning of range (\(values[0])) below minimum (\(range.lowerBound)): \(term)"
        }
        let last = values[values.count - 1]
        if last > range.upperBound { return "end of range (\(last)) above maximum (\(range.upperBound)): \(term)" }
        if values[0] > last { return "beginning of range (\(values[0])) beyond end of range (\(last)): \(term)" }
        return nil
    }

    /// Go's notation of durations, such as `1h30m`.
    private static func isDuration(_ text: String) -> Bool {
        var rest = Substring(text)
        guard !rest.isEmpty else { return false }
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            guard Double(number) != nil else { return false }
            rest = rest.dropFirst(number.count)
            guard let unit = ["ns", "us", "ms", "s", "m", "h"].first(where: { rest.hasPrefix($0) }) else {
                return false
            }
            rest = rest.dropFirst(unit.count)
        }
        return true
    }
}
