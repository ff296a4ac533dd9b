import OrderedCollections

/// Defaults of the kinds outside the core group.
enum GroupDefaults {
    static func apply(to object: inout JSON, _ definition: ResourceDefinition) {
        switch definition.group {
        case "apps": WorkloadDefaults.apply(to: &object, definition.kind)
        case "batch": WorkloadDefaults.apply(to: &object, definition.kind)
        case "autoscaling": object.change("spec") { autoscaler(&$0, definition) }
        case "networking.k8s.io": networking(&object, definition.kind)
        case "rbac.authorization.k8s.io": roleBinding(&object)
        case "storage.k8s.io": storage(&object, definition.kind)
        case "admissionregistration.k8s.io": AdmissionDefaults.apply(to: &object, definition.kind)
        case "scheduling.k8s.io": object.fill("preemptionPolicy", "PreemptLowerPriority")
        case "discovery.k8s.io":
            object.changeEach("ports") { port in
                port.fill("name", "")
                port.fill("protocol", "TCP")
            }
        case "authentication.k8s.io" where definition.kind == "TokenRequest":
            object.change("spec") { $0.fill("expirationSeconds", 3600) }
        default: break
        }
    }

    private static func autoscaler(_ spec: inout JSON, _ definition: ResourceDefinition) {
        spec.fill("minReplicas", 1)
        guard definition.version == "v2" else { return }
        if spec["metrics"]?.array?.isEmpty ?? true {
            spec["metrics"] = [
                [
                    "type": "Resource",
                    "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 80]],
                ]
            ]
        }
        // Without a behaviour the controller has rules of its own, which are those below.
        spec.changeIfPresent("behavior") { behavior in
            behavior.changeIfPresent("scaleUp") { rules in
                rules.fill("stabilizationWindowSeconds", 0)
                rules.fill("selectPolicy", "Max")
                rules.fill(
                    "policies",
                    [
                        ["type": "Pods", "value": 4, "periodSeconds": 15],
                        ["type": "Percent", "value": 100, "periodSeconds": 15],
                    ])
            }
            behavior.changeIfPresent("scaleDown") { rules in
                rules.fill("selectPolicy", "Max")
                rules.fill("policies", [["type": "Percent", "value": 100, "periodSeconds": 15]])
            }
        }
    }

    private static func networking(_ object: inout JSON, _ kind: String) {
        switch kind {
        case "NetworkPolicy":
            object.change("spec") { spec in
                for direction in ["ingress", "egress"] {
                    spec.changeEach(direction) { rule in
                        rule.changeEach("ports") { $0.fill("protocol", "TCP") }
                    }
                }
                if spec["policyTypes"]?.array?.isEmpty ?? true {
                    let hasEgress = spec["egress"]?.array?.isEmpty == false
                    spec["policyTypes"] = hasEgress ? ["Ingress", "Egress"] : ["Ingress"]
                }
            }
        case "IngressClass":
            object.changeIfPresent("spec") { spec in
                spec.changeIfPresent("parameters") { $0.fill("scope", "Cluster") }
            }
        default: break
        }
    }

    private static func roleBinding(_ object: inout JSON) {
        let group: JSON = "rbac.authorization.k8s.io"
        object.changeIfPresent("roleRef") { reference in
            if reference["apiGroup"] == nil || reference["apiGroup"] == "" { reference["apiGroup"] = group }
        }
        object.changeEach("subjects") { subject in
            if subject["kind"] == "User" || subject["kind"] == "Group" { subject.fill("apiGroup", group) }
        }
    }

    private static func storage(_ object: inout JSON, _ kind: String) {
        switch kind {
        case "StorageClass":
            object.fill("reclaimPolicy", "Delete")
            object.fill("volumeBindingMode", "Immediate")
        case "CSIDriver":
            object.change("spec") { spec in
                spec.fill("attachRequired", true)
                spec.fill("podInfoOnMount", false)
                spec.fill("storageCapacity", false)
                spec.fill("fsGroupPolicy", "ReadWriteOnceWithFSType")
                spec.fill("volumeLifecycleModes", ["Persistent"])
                spec.fill("requiresRepublish", false)
                spec.fill("seLinuxMount", false)
            }
        case "VolumeAttachment":
            object.changeIfPresent("status") { $0.fill("attached", false) }
        default: break
        }
    }
}
