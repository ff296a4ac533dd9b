import HTTPTransport
import KubeSchema
import OrderedCollections

/// Evictions: deletions of pods that respect their disruption budget.
extension APIEngine {
    /// Pods whose eviction has been allowed and that the budget's controller has not seen go yet; more mean that it is
    /// not running.
    private static let disruptedPodsLimit = 2000

    func evict(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        guard let message = request.definition.subresource("eviction")?.message else { throw .unknownPath() }
        try request.checkDryRun()
        let name = try request.requireName()
        let body: JSON
        do throws(BodyError) {
            body = try RequestDecoder.decode(
                body: try await request.bytes(), contentType: request.contentType, kind: "Eviction", apiVersion: nil,
                message: message, validation: .ignore
            ).object
        } catch {
            throw APIFailure(error)
        }
        if let given = body["metadata", "name"]?.string, !given.isEmpty, given != name {
            throw APIFailure(.badRequest, "name in URL does not match name in Eviction object: \(name) and \(given)")
        }
        var options = try DeleteOptions(body["deleteOptions"] ?? [:])
        if request.isDryRun { options.isDryRun = true }
        let pod = try await registry.get(request.definition, request.namespace, name).parsedOnce
        try options.checkPreconditions(pod, request.definition)
        if Self.isDisruption(pod.document), let budget = try await budget(of: pod.document) {
            try await take(from: budget, for: pod.document, dryRun: options.isDryRun)
            // What was allowed is the end of this pod, not of another one that came by its name meanwhile.
            options.preconditionUID = options.preconditionUID ?? pod.uid
        }
        _ = try await registry.delete(request.definition, request.namespace, name, options)
        send(201, StatusDocument.success(code: 201).encoded(), writer)
    }

    /// Whether the pod counts for a budget: one that has ended, has not begun or is going anyway does not.
    private static func isDisruption(_ pod: JSON) -> Bool {
        pod["metadata", "deletionTimestamp"] == nil
            && !["Succeeded", "Failed", "Pending"].contains(pod["status", "phase"]?.string ?? "")
    }

    private func budget(of pod: JSON) async throws(APIFailure) -> StoredObject? {
        guard let definition = budgets, let cache = registry.caches.cache(definition) else { return nil }
        let namespace = pod["metadata", "namespace"]?.string ?? ""
        let matching = cache.list("\(cache.prefix)\(namespace)/").objects.filter { budget in
            // A budget without a selector is of no pod, one with an empty selector of every pod.
            guard let selector = budget.document["spec", "selector"], let labels = try? LabelSelector(selector) else {
                return false
            }
            return labels.matches(labelsOf: pod)
        }
        guard matching.count < 2 else {
            throw APIFailure(
                StatusDocument.internalError(
                    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."))
        }
        return matching.first
    }

    private var budgets: ResourceDefinition? {
        catalogue.resource(group: "policy", version: "v1", resource: "poddisruptionbudgets")
    }

    /// Takes one disruption from the budget, if it has one left and the pod needs it.
    private func take(from budget: StoredObject, for pod: JSON, dryRun: Bool) async throws(APIFailure) {
        guard let definition = budgets else { return }
        let name = pod["metadata", "name"]?.string ?? ""
        _ = try await registry.change(definition, budget.namespace, budget.name, dryRun: dryRun) {
            (current, context) throws(APIFailure) in
            var document = current.document
            let status = document["status"] ?? [:]
            func number(_ field: String) -> Int64 { status[field]?.integer ?? 0 }
            guard number("observedGeneration") >= document["metadata", "generation"]?.integer ?? 0 else {
                throw Self.refusal(
                    "The disruption budget \(current.name) is still being processed by the server.", retryAfter: 10)
            }
            if !Self.isReady(pod) {
                let isHealthy = number("currentHealthy") >= number("desiredHealthy") && number("desiredHealthy") > 0
                if document["spec", "unhealthyPodEvictionPolicy"] == "AlwaysAllow" || isHealthy { return .keep }
            }
            let allowed = number("disruptionsAllowed")
            guard allowed >= 0, (status["disruptedPods"]?.object ?? [:]).count <= Self.disruptedPodsLimit else {
                throw APIFailure(
                    StatusDocument.forbidden(
                        definition, name: current.name,
                        allowed < 0
                            ? "pdb disruptions allowed is negative"
                            : "DisruptedPods map too big - too many evictions not confirmed by PDB controller"))
            }
            guard allowed > 0 else {
                throw Self.refusal(
                    "The disruption budget \(current.name) needs \(number("desiredHealthy")) healthy pods and has "
                        + "\(number("currentHealthy")) currently")
            }
            document["status", "disruptionsAllowed"] = .integer(allowed - 1)
            document["status", "disruptedPods", name] = .string(context.now.rfc3339)
            return .store(document)
        }
    }

    private static func isReady(_ pod: JSON) -> Bool {
        (pod["status", "conditions"]?.array ?? []).contains { $0["type"] == "Ready" && $0["status"] == "True" }
    }

    private static func refusal(_ why: String, retryAfter: Int? = nil) -> APIFailure {
        APIFailure(
            StatusDocument.failure(
                reason: .tooManyRequests,
                message: "Cannot evict pod as it would violate the pod's disruption budget.",
                causes: [["reason": "DisruptionBudget", "message": .string(why)]], retryAfterSeconds: retryAfter),
            retryAfter: retryAfter)
    }
}
