import OrderedCollections

/// Defaults of a pod's spec, as such or in a controller's template.
enum PodDefaults {
    static func apply(to spec: inout JSON, isTemplate: Bool) {
        spec.changeEach("volumes", volume)
        for list in ["initContainers", "containers", "ephemeralContainers"] {
            spec.changeEach(list) { container(&$0, requestsFromLimits: !isTemplate && list != "ephemeralContainers") }
        }
        spec.fill("restartPolicy", "Always")
        spec.fill("terminationGracePeriodSeconds", 30)
        spec.fill("dnsPolicy", "ClusterFirst")
        if !isTemplate { spec.fill("enableServiceLinks", true) }
        // The old name of the field is kept equal to the new one.
        if let account = spec["serviceAccountName"] ?? spec["serviceAccount"] {
            spec["serviceAccountName"] = account
            spec["serviceAccount"] = account
        }
        if spec["hostNetwork"] == true {
            for list in ["initContainers", "containers"] {
                spec.changeEach(list) { container in
                    container.changeEach("ports") { port in
                        if let number = port["containerPort"] { port.fill("hostPort", number) }
                    }
                }
            }
        }
        spec.fill("securityContext", [:])
        spec.fill("schedulerName", "default-scheduler")
        if !isTemplate { priorityAndTolerations(&spec) }
        spec.changeEach("topologySpreadConstraints") { $0.fill("whenUnsatisfiable", "DoNotSchedule") }
    }

    /// A pod without a priority class has priority 0 and may preempt.
    private static func priorityAndTolerations(_ spec: inout JSON) {
        if spec["priorityClassName"] == nil {
            spec.fill("priority", 0)
            spec.fill("preemptionPolicy", "PreemptLowerPriority")
        }
    }

    private static func container(_ container: inout JSON, requestsFromLimits: Bool) {
        container.changeEach("ports") { $0.fill("protocol", "TCP") }
        container.change("resources") { resources in
            guard requestsFromLimits, case .object(let limits) = resources["limits"] else { return }
            for (name, limit) in limits where resources["requests"]?[name] == nil {
                resources["requests", name] = limit
            }
        }
        for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
            container.changeIfPresent(probe, self.probe)
        }
        container.changeIfPresent("lifecycle") { lifecycle in
            for hook in ["postStart", "preStop"] { lifecycle.changeIfPresent(hook, handler) }
        }
        container.changeEach("env") { variable in
            variable.changeIfPresent("valueFrom") { source in
                source.changeIfPresent("fieldRef") { $0.fill("apiVersion", "v1") }
                source.changeIfPresent("resourceFieldRef") { $0.fill("divisor", "0") }
            }
        }
        container.fill("terminationMessagePath", "/dev/termination-log")
        container.fill("terminationMessagePolicy", "File")
        if container["imagePullPolicy"] == nil {
            let isLatest = tag(ofImage: container["image"]?.string ?? "") == "latest"
            container["imagePullPolicy"] = isLatest ? "Always" : "IfNotPresent"
        }
        container.changeIfPresent("securityContext") { _ in }
    }

    /// The tag of an image: `latest` when the reference names neither tag nor digest, empty when only a digest.
    static func tag(ofImage image: String) -> String {
        if image.contains("@") { return "" }
        let name = image.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard let colon = name.firstIndex(of: ":") else { return "latest" }
        return String(name[name.index(after: colon)...])
    }

    private static func probe(_ probe: inout JSON) {
        handler(&probe)
        probe.changeIfPresent("grpc") { $0.fill("service", "") }
        probe.fill("timeoutSeconds", 1)
        probe.fill("periodSeconds", 10)
        probe.fill("successThreshold", 1)
        probe.fill("failureThreshold", 3)
    }

    private static func handler(_ handler: inout JSON) {
        handler.changeIfPresent("httpGet") { action in
            action.fill("path", "/")
            action.fill("scheme", "HTTP")
        }
    }

    private static func volume(_ volume: inout JSON) {
        if volume.object?.count == 1 { volume["emptyDir"] = [:] }
        volume.changeIfPresent("secret") { $0.fill("defaultMode", 0o644) }
        volume.changeIfPresent("configMap") { $0.fill("defaultMode", 0o644) }
        volume.changeIfPresent("downwardAPI") { source in
            source.fill("defaultMode", 0o644)
            source.changeEach("items", downwardItem)
        }
        volume.changeIfPresent("hostPath") { $0.fill("type", "") }
        volume.changeIfPresent("projected") { source in
            source.fill("defaultMode", 0o644)
            source.changeEach("sources") { part in
                part.changeIfPresent("serviceAccountToken") { $0.fill("expirationSeconds", 3600) }
                part.changeIfPresent("downwardAPI") { $0.changeEach("items", downwardItem) }
            }
        }
        volume.changeIfPresent("iscsi") { $0.fill("iscsiInterface", "default") }
        volume.changeIfPresent("rbd") { source in
            source.fill("pool", "rbd")
            source.fill("user", "admin")
            source.fill("keyring", "/etc/ceph/keyring")
        }
        volume.changeIfPresent("ephemeral") { source in
            source.changeIfPresent("volumeClaimTemplate") { template in
                template.changeIfPresent("spec") { $0.fill("volumeMode", "Filesystem") }
            }
        }
    }

    private static func downwardItem(_ item: inout JSON) {
        item.changeIfPresent("fieldRef") { $0.fill("apiVersion", "v1") }
        item.changeIfPresent("resourceFieldRef") { $0.fill("divisor", "0") }
    }
}
