import KubeSchema

/// How a client wants something deleted: `DeleteOptions` of meta/v1, from the body or the query.
struct DeleteOptions: Sendable {
    var gracePeriodSeconds: Int64?
    var preconditionUID: String?
    var preconditionResourceVersion: String?
    /// `Orphan`, `Background` or `Foreground`.
    var propagationPolicy: String?
    var isDryRun = false

    init() {}

    init(_ document: JSON) throws(APIFailure) {
        gracePeriodSeconds = document["gracePeriodSeconds"]?.integer
        preconditionUID = document["preconditions", "uid"]?.string
        preconditionResourceVersion = document["preconditions", "resourceVersion"]?.string
        propagationPolicy = document["propagationPolicy"]?.string
        if document["orphanDependents"]?.bool == true { propagationPolicy = "Orphan" }
        isDryRun = !(document["dryRun"]?.array ?? []).isEmpty
        try check()
    }

    mutating func merge(_ query: QueryItems) throws(APIFailure) {
        gracePeriodSeconds = try query.integer("gracePeriodSeconds") ?? gracePeriodSeconds
        propagationPolicy = query["propagationPolicy"] ?? propagationPolicy
        if query.flag("orphanDependents") { propagationPolicy = "Orphan" }
        if query["dryRun"] != nil { isDryRun = true }
        try check()
    }

    private func check() throws(APIFailure) {
        if let policy = propagationPolicy, !["Orphan", "Background", "Foreground"].contains(policy) {
            throw APIFailure(
                .badRequest, "invalid propagationPolicy \"\(policy)\": must be Orphan, Background or Foreground")
        }
        if let grace = gracePeriodSeconds, grace < 0 {
            throw APIFailure(.badRequest, "gracePeriodSeconds must not be negative, but is \(grace)")
        }
    }

    private static let finalizers = ["Orphan": "orphan", "Foreground": "foregroundDeletion"]

    /// Sets the finalizer that stands for the wanted propagation and takes the other one off. A deletion that does not
    /// say leaves what an earlier one said.
    func settleFinalizers(_ object: inout JSON, _ defaultPropagation: String) {
        let present = object["metadata", "finalizers"]?.array ?? []
        let known = Set(Self.finalizers.values)
        if propagationPolicy == nil, present.contains(where: { known.contains($0.string ?? "") }) { return }
        var finalizers = present.filter { !known.contains($0.string ?? "") }
        if let finalizer = Self.finalizers[propagationPolicy ?? defaultPropagation] {
            finalizers.append(.string(finalizer))
        }
        if finalizers != present {
            object["metadata", "finalizers"] = finalizers.isEmpty ? JSON?.none : .array(finalizers)
        }
    }

    func checkPreconditions(_ object: StoredObject, _ definition: ResourceDefinition) throws(APIFailure) {
        if let uid = preconditionUID, uid != object.uid {
            throw APIFailure(
                StatusDocument.conflict(
                    definition, name: object.name,
                    "Precondition failed: UID in precondition: \(uid), UID in object meta: \(object.uid)"))
        }
        if let version = preconditionResourceVersion, version != String(object.revision) {
            throw APIFailure(
                StatusDocument.conflict(
                    definition, name: object.name,
                    "Precondition failed: ResourceVersion in precondition: \(version), ResourceVersion in object meta: \(object.revision)"
                ))
        }
    }
}
