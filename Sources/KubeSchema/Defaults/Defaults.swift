import OrderedCollections

/// The values that Kubernetes fills in where an object leaves a field out, for the kinds that are served.
///
/// To be called on a document that was conformed to its schema, on create, update and after a patch; calling it again
/// changes nothing.
package enum Defaults {
    package static func apply(to object: inout JSON, _ definition: ResourceDefinition) {
        guard definition.group.isEmpty else { return GroupDefaults.apply(to: &object, definition) }
        switch definition.kind {
        case "Pod": object.change("spec") { PodDefaults.apply(to: &$0, isTemplate: false) }
        case "ReplicationController": replicationController(&object)
        case "Service": object.change("spec") { service(&$0) }
        case "Endpoints": endpoints(&object)
        case "Secret": secret(&object)
        case "Namespace":
            // The label was made part of the API in Kubernetes 1.21, so that selectors can name a namespace.
            if let name = object["metadata"]?["name"],
                object["metadata"]?["labels"]?["kubernetes.io/metadata.name"] == nil
            {
                object["metadata", "labels", "kubernetes.io/metadata.name"] = name
            }
            object.change("spec") { spec in
                if spec["finalizers"] == nil { spec["finalizers"] = ["kubernetes"] }
            }
            object.change("status") { $0.fill("phase", "Active") }
        case "Node": node(&object)
        case "PersistentVolume":
            object.change("spec") { spec in
                spec.fill("persistentVolumeReclaimPolicy", "Retain")
                spec.fill("volumeMode", "Filesystem")
                spec.changeIfPresent("hostPath") { $0.fill("type", "") }
                spec.changeIfPresent("iscsi") { $0.fill("iscsiInterface", "default") }
            }
            object.change("status") { $0.fill("phase", "Pending") }
        case "PersistentVolumeClaim": claim(&object)
        case "PodTemplate": object.change("template", template)
        case "LimitRange": object.change("spec") { $0.changeEach("limits", limits) }
        default: break
        }
    }

    private static func replicationController(_ object: inout JSON) {
        let labels = object["spec"]?["template"]?["metadata"]?["labels"]
        if let labels {
            if object["spec"]?["selector"] == nil { object["spec", "selector"] = labels }
            if object["metadata"]?["labels"] == nil { object["metadata", "labels"] = labels }
        }
        object.change("spec") { spec in
            spec.fill("replicas", 1)
            spec.changeIfPresent("template", template)
        }
    }

    /// Defaults of a pod template, whoever holds it.
    static func template(_ template: inout JSON) {
        template.change("metadata") { _ in }
        template.change("spec") { PodDefaults.apply(to: &$0, isTemplate: true) }
    }

    static func claim(_ object: inout JSON) {
        object.change("spec") { $0.fill("volumeMode", "Filesystem") }
        object.change("status") { $0.fill("phase", "Pending") }
    }

    /// Of a container's limits, those not given follow from those that are: default from max, request from default.
    private static func limits(_ item: inout JSON) {
        guard item["type"] == "Container" else { return }
        for (target, source) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
            for (name, value) in item[source]?.object ?? [:] where item[target]?[name] == nil {
                item[target, name] = value
            }
        }
    }

    private static func service(_ spec: inout JSON) {
        spec.fill("sessionAffinity", "None")
        if spec["sessionAffinity"] == "ClientIP", spec["sessionAffinityConfig"]?["clientIP"]?["timeoutSeconds"] == nil {
            spec["sessionAffinityConfig", "clientIP", "timeoutSeconds"] = 10_800
        }
        if spec["sessionAffinity"] == "None" { spec["sessionAffinityConfig"] = nil }
        spec.fill("type", "ClusterIP")
        let type = spec["type"]?.string ?? ""
        spec.changeEach("ports") { port in
            port.fill("protocol", "TCP")
            if port["targetPort"] == nil || port["targetPort"] == 0 || port["targetPort"] == "" {
                port["targetPort"] = port["port"]
            }
        }
        if type == "NodePort" || type == "LoadBalancer" { spec.fill("externalTrafficPolicy", "Cluster") }
        if type == "LoadBalancer" { spec.fill("allocateLoadBalancerNodePorts", true) }
        if type != "ExternalName" {
            spec.fill("internalTrafficPolicy", "Cluster")
            spec.fill("ipFamilies", ["IPv4"])
            spec.fill("ipFamilyPolicy", "SingleStack")
        }
    }

    private static func endpoints(_ object: inout JSON) {
        object.changeEach("subsets") { subset in
            subset.changeEach("ports") { $0.fill("protocol", "TCP") }
        }
    }

    private static func secret(_ object: inout JSON) {
        object.fill("type", "Opaque")
        // stringData is written but never stored: it overrides data of the same key.
        guard case .object(let plain) = object["stringData"] else { return }
        for (key, value) in plain {
            object["data", key] = .string(Base64.encode(Array((value.string ?? "").utf8)))
        }
        object["stringData"] = nil
    }

    private static func node(_ object: inout JSON) {
        object.change("spec") { _ in }
        if let capacity = object["status"]?["capacity"], object["status"]?["allocatable"] == nil {
            object["status", "allocatable"] = capacity
        }
    }
}

extension JSON {
    /// Sets a member that is absent.
    mutating func fill(_ key: String, _ value: JSON) {
        if self[key] == nil { self[key] = value }
    }

    /// Changes a member in place, which is made an object if it is absent.
    mutating func change(_ key: String, _ body: (inout JSON) -> Void) {
        guard case .object(var members) = self else { return }
        self = .null  // gives up this reference, so that the change does not copy
        body(&members[key, default: [:]])
        self = .object(members)
    }

    /// Changes a member in place if it is there.
    mutating func changeIfPresent(_ key: String, _ body: (inout JSON) -> Void) {
        if self[key] != nil { change(key, body) }
    }

    /// Changes the elements of a list in place; nothing if there is no such list.
    mutating func changeEach(_ key: String, _ body: (inout JSON) -> Void) {
        guard case .object(var members) = self, case .array(var elements) = members[key] else { return }
        self = .null
        members[key] = .null
        for index in elements.indices { body(&elements[index]) }
        members[key] = .array(elements)
        self = .object(members)
    }
}
