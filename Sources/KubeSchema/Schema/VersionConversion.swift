import OrderedCollections

/// Converts objects of versions that are served between their own form and the stored one.
///
/// Two kinds are served under two names each: events of `events.k8s.io/v1`, stored as those of the core group, and
/// autoscalers of `autoscaling/v1`, stored as those of `v2`. What the other form cannot say goes through annotations
/// (as in Kubernetes itself) or stays in the stored object's fields of the same meaning.
package enum VersionConversion {
    /// An object as a client of `served` wrote it, in the form in which it is stored.
    package static func stored(_ object: JSON, from served: ResourceDefinition) -> JSON {
        guard let version = served.storedAPIVersion else { return object }
        var result = object
        switch served.kind {
        case "Event": EventConversion.toCore(&result)
        case "HorizontalPodAutoscaler": AutoscalerConversion.toV2(&result)
        default: break
        }
        result["apiVersion"] = .string(version)
        return result
    }

    /// A stored object in the form that clients of `served` know.
    package static func served(_ object: JSON, as served: ResourceDefinition) -> JSON {
        guard served.storedAPIVersion != nil else { return object }
        var result = object
        switch served.kind {
        case "Event": EventConversion.fromCore(&result)
        case "HorizontalPodAutoscaler": AutoscalerConversion.toV1(&result)
        default: break
        }
        result["apiVersion"] = .string(served.apiVersion)
        return result
    }

    /// A field selector's text with the fields called as in the stored form.
    package static func fieldSelector(_ text: String, from served: ResourceDefinition) -> String {
        guard served.storedAPIVersion != nil, served.kind == "Event" else { return text }
        return text.split(separator: ",", omittingEmptySubsequences: false).map { term in
            for (new, old) in EventConversion.selectorNames where term.hasPrefix(new) {
                return old + term.dropFirst(new.count)
            }
            return String(term)
        }.joined(separator: ",")
    }
}

/// The two forms of an event: the fields are the same but for their names.
private enum EventConversion {
    private static let names: [(core: String, events: String)] = [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ]
    static let selectorNames = [("regarding.", "involvedObject."), ("reportingController", "reportingComponent")]

    static func toCore(_ event: inout JSON) {
        event.rename(names.map { ($0.events, $0.core) })
        if event["involvedObject"] == nil { event["involvedObject"] = [:] }
    }

    static func fromCore(_ event: inout JSON) {
        event.rename(names.map { ($0.core, $0.events) })
        // In one form the moment may be missing, in the other it may not.
        if event["eventTime"] == nil { event["eventTime"] = .null }
    }
}

/// The two forms of an autoscaler. `v1` knows one metric, the processor's utilization; the others, the behaviour and the
/// conditions travel in annotations, so that what a `v1` client writes back loses nothing.
private enum AutoscalerConversion {
    private static let metrics = "autoscaling.alpha.kubernetes.io/metrics"
    private static let behavior = "autoscaling.alpha.kubernetes.io/behavior"
    private static let currentMetrics = "autoscaling.alpha.kubernetes.io/current-metrics"
    private static let conditions = "autoscaling.alpha.kubernetes.io/conditions"

    static func toV2(_ object: inout JSON) {
        var spec = object["spec"] ?? [:]
        var status = object["status"] ?? [:]
        var list = take(metrics, from: &object)?.array ?? []
        if let target = spec["targetCPUUtilizationPercentage"] {
            list.insert(
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": target]],
                ], at: 0)
        }
        spec["targetCPUUtilizationPercentage"] = nil
        if !list.isEmpty { spec["metrics"] = .array(list) }
        if let behavior = take(behavior, from: &object), behavior.object != nil { spec["behavior"] = behavior }
        var current = take(currentMetrics, from: &object)?.array ?? []
        if let utilization = status["currentCPUUtilizationPercentage"] {
            current.insert(
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "current": ["averageUtilization": utilization]],
                ], at: 0)
        }
        status["currentCPUUtilizationPercentage"] = nil
        if !current.isEmpty { status["currentMetrics"] = .array(current) }
        if let conditions = take(conditions, from: &object), conditions.array != nil {
            status["conditions"] = conditions
        }
        object["spec"] = spec
        if status.object?.isEmpty == false { object["status"] = status }
    }

    static func toV1(_ object: inout JSON) {
        if var spec = object["spec"] {
            var rest = spec["metrics"]?.array ?? []
            if let index = rest.firstIndex(where: { isProcessor($0) && utilization($0, "target") != nil }) {
                spec["targetCPUUtilizationPercentage"] = utilization(rest.remove(at: index), "target")
            }
            spec["metrics"] = nil
            put(metrics, rest.isEmpty ? nil : .array(rest), into: &object)
            put(behavior, spec["behavior"], into: &object)
            spec["behavior"] = nil
            object["spec"] = spec
        }
        if var status = object["status"] {
            var rest = status["currentMetrics"]?.array ?? []
            if let index = rest.firstIndex(where: { isProcessor($0) && utilization($0, "current") != nil }) {
                status["currentCPUUtilizationPercentage"] = utilization(rest.remove(at: index), "current")
            }
            status["currentMetrics"] = nil
            put(currentMetrics, rest.isEmpty ? nil : .array(rest), into: &object)
            put(conditions, status["conditions"], into: &object)
            status["conditions"] = nil
            object["status"] = status
        }
    }

    private static func isProcessor(_ metric: JSON) -> Bool {
        metric["type"] == "Resource" && metric["resource"]?["name"] == "cpu"
    }

    private static func utilization(_ metric: JSON, _ side: String) -> JSON? {
        metric["resource"]?[side]?["averageUtilization"]
    }

    /// Removes an annotation that carries JSON and returns what it says; an unreadable one stays, as the user's own.
    private static func take(_ annotation: String, from object: inout JSON) -> JSON? {
        guard let text = object["metadata"]?["annotations"]?[annotation]?.string,
            let value = try? JSON(parsing: Array(text.utf8))
        else { return nil }
        var annotations = object["metadata"]?["annotations"]
        annotations?[annotation] = nil
        object["metadata", "annotations"] = annotations?.object?.isEmpty == true ? JSON?.none : annotations
        return value
    }

    private static func put(_ annotation: String, _ value: JSON?, into object: inout JSON) {
        guard let value else { return }
        object["metadata", "annotations", annotation] = .string(value.description)
    }
}

extension JSON {
    /// Renames members, each staying in its place.
    fileprivate mutating func rename(_ names: [(old: String, new: String)]) {
        guard case .object(let members) = self else { return }
        var result = JSONObject(minimumCapacity: members.count)
        for (key, value) in members { result[names.first { $0.old == key }?.new ?? key] = value }
        self = .object(result)
    }
}
