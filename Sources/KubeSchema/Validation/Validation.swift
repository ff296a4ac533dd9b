import OrderedCollections

/// Kubernetes' rules for the kinds that are served, applied to documents that were conformed to their schema and defaulted.
///
/// Each function returns all that is wrong, with Kubernetes' wording and field paths; nothing if the object may be stored.
package enum Validation {
    /// Checks an object that is to be created, its name being set already.
    ///
    /// - Parameter lenient: Leaves out the rules about names and label values, for objects that came in through v1beta1,
    ///   whose time did not know them.
    package static func create(
        _ object: JSON, _ definition: ResourceDefinition, lenient: Bool = false
    ) -> [FieldError] {
        var checker = ObjectChecker(lenient: lenient || isDerived(object, definition))
        checker.metadata(object, definition)
        checker.kind(object, definition)
        return checker.errors
    }

    /// Checks an object that is to take the place of `old`: the rules for creation, and what may not change.
    ///
    /// What was wrong with `old` already is no error: an object that was let in under other rules must stay usable.
    package static func update(
        new: JSON, old: JSON, _ definition: ResourceDefinition, lenient: Bool = false
    ) -> [FieldError] {
        var checker = ObjectChecker(lenient: lenient)
        checker.metadataUpdate(new, old, definition)
        checker.kindUpdate(new, old, definition)
        // A pod's spec was checked when it was created, and what may change of it is checked above.
        if definition.kind != "Pod" { checker.kind(new, definition) }
        return withoutErrors(of: old, definition, checker.errors)
    }

    /// Checks an update through the status subresource, which takes over nothing but status and metadata.
    package static func updateStatus(
        new: JSON, old: JSON, _ definition: ResourceDefinition, lenient: Bool = false
    ) -> [FieldError] {
        var checker = ObjectChecker(lenient: lenient)
        checker.metadataUpdate(new, old, definition)
        return withoutErrors(of: old, definition, checker.errors)
    }

    private static func withoutErrors(
        of old: JSON, _ definition: ResourceDefinition, _ errors: [FieldError]
    ) -> [FieldError] {
        if errors.isEmpty { return [] }
        let known = create(old, definition)
        return errors.filter { !known.contains($0) }
    }

    /// Whether an object's name and labels are made from those of another one, whose rules may have been lenient: the
    /// pods of a controller, the endpoints of a service, the events about anything.
    private static func isDerived(_ object: JSON, _ definition: ResourceDefinition) -> Bool {
        switch (definition.group, definition.kind) {
        case ("", "Endpoints"), ("", "Event"), ("discovery.k8s.io", "EndpointSlice"): true
        case ("", "Pod"): (object["metadata"]?["ownerReferences"]?.array ?? []).contains { $0["controller"] == true }
        default: false
        }
    }
}

/// Collects what is wrong with one object.
struct ObjectChecker {
    let lenient: Bool
    private(set) var errors: [FieldError] = []

    init(lenient: Bool) { self.lenient = lenient }

    mutating func kind(_ object: JSON, _ definition: ResourceDefinition) {
        switch (definition.group, definition.kind) {
        case ("", "Pod"): podSpec(object["spec"] ?? [:], at: "spec", isTemplate: false)
        case ("", "ReplicationController"): replicationController(object)
        case ("", "Service"): service(object["spec"] ?? [:])
        case ("", "Endpoints"): endpoints(object)
        case ("", "ConfigMap"): configMap(object)
        case ("", "Secret"): secret(object)
        case ("", "Node"): node(object)
        case ("", "Event"): event(object)
        case ("", "Binding"): binding(object)
        case ("", "PersistentVolumeClaim"): claim(object)
        case ("", "PersistentVolume"): volume(object)
        case ("", "ResourceQuota"): resourceQuota(object)
        case ("", "LimitRange"): limitRange(object)
        case ("", "PodTemplate"):
            podSpec(object["template"]?["spec"] ?? [:], at: "template.spec", isTemplate: false)
        case ("apps", _): workload(object, definition.kind)
        case ("batch", "Job"): job(object)
        case ("batch", "CronJob"): cronJob(object)
        case ("policy", "PodDisruptionBudget"): disruptionBudget(object)
        case ("autoscaling", "HorizontalPodAutoscaler"): autoscaler(object)
        case ("networking.k8s.io", "Ingress"): ingress(object)
        case ("networking.k8s.io", "NetworkPolicy"): networkPolicy(object)
        case ("networking.k8s.io", "IngressClass"): requiredText(object["spec"]?["controller"], "spec.controller")
        case ("discovery.k8s.io", "EndpointSlice"): endpointSlice(object)
        case ("rbac.authorization.k8s.io", "Role"), ("rbac.authorization.k8s.io", "ClusterRole"):
            role(object, isNamespaced: definition.isNamespaced)
        case ("rbac.authorization.k8s.io", "RoleBinding"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"):
            roleBinding(object, isNamespaced: definition.isNamespaced)
        case ("storage.k8s.io", "StorageClass"): storageClass(object)
        case ("scheduling.k8s.io", "PriorityClass"): priorityClass(object)
        case ("node.k8s.io", "RuntimeClass"): requiredText(object["handler"], "handler")
        case ("certificates.k8s.io", "CertificateSigningRequest"): signingRequest(object)
        case ("coordination.k8s.io", "Lease"): lease(object)
        default: break
        }
    }

    private mutating func workload(_ object: JSON, _ kind: String) {
        switch kind {
        case "Deployment": deployment(object)
        case "ReplicaSet": replicaSet(object)
        case "StatefulSet": statefulSet(object)
        case "DaemonSet": daemonSet(object)
        default: nonNegative("revision", object["revision"])
        }
    }

    private mutating func requiredText(_ value: JSON?, _ path: String) {
        if (value?.string ?? "").isEmpty { required(path) }
    }

    mutating func kindUpdate(_ new: JSON, _ old: JSON, _ definition: ResourceDefinition) {
        switch (definition.group, definition.kind) {
        case ("", "Pod"): podUpdate(new, old)
        case ("", "Service"): serviceUpdate(new, old)
        case ("", "Secret"):
            if new["type"] != old["type"] { immutable("type", new["type"]) }
            dataImmutability(new, old, ["data"])
        case ("", "ConfigMap"): dataImmutability(new, old, ["data", "binaryData"])
        case ("", "Node"): nodeUpdate(new, old)
        case ("", "PersistentVolumeClaim"): claimUpdate(new, old)
        case ("apps", "StatefulSet"): statefulSetUpdate(new, old)
        case ("apps", "ControllerRevision"):
            if new["data"] != old["data"] { immutable("data", new["data"]) }
        case ("apps", _): selectorUpdate(new, old)
        case ("batch", "Job"): jobUpdate(new, old)
        case ("rbac.authorization.k8s.io", "RoleBinding"), ("rbac.authorization.k8s.io", "ClusterRoleBinding"):
            roleBindingUpdate(new, old)
        case ("storage.k8s.io", "StorageClass"): storageClassUpdate(new, old)
        case ("scheduling.k8s.io", "PriorityClass"): priorityClassUpdate(new, old)
        case ("networking.k8s.io", "IngressClass"):
            if new["spec"]?["controller"] != old["spec"]?["controller"] {
                immutable("spec.controller", new["spec"]?["controller"])
            }
        case ("node.k8s.io", "RuntimeClass"):
            if new["handler"] != old["handler"] { immutable("handler", new["handler"]) }
        case ("discovery.k8s.io", "EndpointSlice"):
            if new["addressType"] != old["addressType"] { immutable("addressType", new["addressType"]) }
        case ("certificates.k8s.io", "CertificateSigningRequest"):
            if new["spec"] != old["spec"] { immutable("spec", new["spec"]) }
        default: break
        }
    }

    // MARK: Noting errors

    mutating func required(_ path: String, _ detail: String = "") { errors.append(FieldError(.required, path, detail)) }
    mutating func invalid(_ path: String, _ value: JSON?, _ detail: String) {
        errors.append(FieldError(.invalid, path, value: value ?? "", detail))
    }
    mutating func invalid(_ path: String, _ value: String, _ details: [String]) {
        for detail in details { invalid(path, .string(value), detail) }
    }
    mutating func forbidden(_ path: String, _ detail: String) { errors.append(FieldError(.forbidden, path, detail)) }
    mutating func duplicate(_ path: String, _ value: JSON) { errors.append(FieldError(.duplicate, path, value: value)) }
    mutating func notFound(_ path: String, _ value: JSON) { errors.append(FieldError(.notFound, path, value: value)) }
    mutating func tooLong(_ path: String, bytes: Int) {
        errors.append(FieldError(.tooLong, path, "may not be more than \(bytes) bytes"))
    }
    mutating func notSupported(_ path: String, _ value: String, _ supported: [String]) {
        errors.append(.notSupported(path, value, supported))
    }
    mutating func immutable(_ path: String, _ value: JSON?) { invalid(path, value, "field is immutable") }

    /// A string out of a few; an absent one is reported as required.
    mutating func choice(_ path: String, _ value: JSON?, _ supported: [String], isRequired: Bool = true) {
        let text = value?.string ?? ""
        if text.isEmpty {
            if isRequired { required(path) }
        } else if !supported.contains(text) {
            errors.append(.notSupported(path, text, supported))
        }
    }

    mutating func nonNegative(_ path: String, _ value: JSON?) {
        guard let value, let number = value.integer, number < 0 else { return }
        invalid(path, value, "must be greater than or equal to 0")
    }

    mutating func port(_ path: String, _ value: JSON?) {
        guard let number = value?.integer, Names.isPort(number) else {
            return invalid(path, value ?? 0, Names.portRange)
        }
    }

    /// A port given by number or by name.
    mutating func portReference(_ path: String, _ value: JSON?) {
        switch value {
        case .string(let name): invalid(path, name, Names.portName(name))
        case let value: port(path, value)
        }
    }
}
