import OrderedCollections

/// Defaults of the kinds that make pods from a template: `apps` and `batch`.
enum WorkloadDefaults {
    static func apply(to object: inout JSON, _ kind: String) {
        switch kind {
        case "Deployment": object.change("spec", deployment)
        case "ReplicaSet":
            object.change("spec") { spec in
                spec.fill("replicas", 1)
                spec.changeIfPresent("template", Defaults.template)
            }
        case "DaemonSet": object.change("spec", daemonSet)
        case "StatefulSet": object.change("spec", statefulSet)
        case "Job": job(&object)
        case "CronJob": object.change("spec", cronJob)
        default: break
        }
    }

    private static func deployment(_ spec: inout JSON) {
        spec.fill("replicas", 1)
        spec.changeIfPresent("template", Defaults.template)
        spec.change("strategy") { strategy in
            strategy.fill("type", "RollingUpdate")
            guard strategy["type"] == "RollingUpdate" else { return }
            strategy.change("rollingUpdate") { update in
                update.fill("maxUnavailable", "25%")
                update.fill("maxSurge", "25%")
            }
        }
        spec.fill("revisionHistoryLimit", 10)
        spec.fill("progressDeadlineSeconds", 600)
    }

    private static func daemonSet(_ spec: inout JSON) {
        spec.changeIfPresent("template", Defaults.template)
        spec.change("updateStrategy") { strategy in
            strategy.fill("type", "RollingUpdate")
            guard strategy["type"] == "RollingUpdate" else { return }
            strategy.change("rollingUpdate") { update in
                update.fill("maxUnavailable", 1)
                update.fill("maxSurge", 0)
            }
        }
        spec.fill("revisionHistoryLimit", 10)
    }

    private static func statefulSet(_ spec: inout JSON) {
        spec.fill("replicas", 1)
        spec.fill("podManagementPolicy", "OrderedReady")
        spec.changeIfPresent("template", Defaults.template)
        spec.changeEach("volumeClaimTemplates") { claim in
            claim.fill("kind", "PersistentVolumeClaim")
            claim.fill("apiVersion", "v1")
            Defaults.claim(&claim)
        }
        spec.change("updateStrategy") { strategy in
            strategy.fill("type", "RollingUpdate")
            guard strategy["type"] == "RollingUpdate" else { return }
            strategy.change("rollingUpdate") { $0.fill("partition", 0) }
        }
        spec.fill("revisionHistoryLimit", 10)
        spec.change("persistentVolumeClaimRetentionPolicy") { policy in
            policy.fill("whenDeleted", "Retain")
            policy.fill("whenScaled", "Retain")
        }
    }

    private static func job(_ object: inout JSON) {
        if object["metadata"]?["labels"] == nil, let labels = object["spec"]?["template"]?["metadata"]?["labels"] {
            object["metadata", "labels"] = labels
        }
        object.change("spec") { spec in
            // Alone, parallelism means a work queue, whose end its pods decide; without either it is one pod.
            if spec["completions"] == nil, spec["parallelism"] == nil { spec["completions"] = 1 }
            spec.fill("parallelism", 1)
            spec.fill("backoffLimit", spec["backoffLimitPerIndex"] == nil ? 6 : .integer(Int64(Int32.max)))
            spec.fill("completionMode", "NonIndexed")
            spec.fill("suspend", false)
            spec.fill("manualSelector", false)
            spec.fill("podReplacementPolicy", spec["podFailurePolicy"] == nil ? "TerminatingOrFailed" : "Failed")
            spec.changeIfPresent("podFailurePolicy") { policy in
                policy.changeEach("rules") { rule in
                    rule.changeEach("onPodConditions") { pattern in
                        if pattern["status"] == nil || pattern["status"] == "" { pattern["status"] = "True" }
                    }
                }
            }
            spec.changeIfPresent("template", Defaults.template)
        }
    }

    private static func cronJob(_ spec: inout JSON) {
        spec.fill("concurrencyPolicy", "Allow")
        spec.fill("suspend", false)
        spec.fill("successfulJobsHistoryLimit", 3)
        spec.fill("failedJobsHistoryLimit", 1)
        // The job's own defaults are filled in when the job is made; the pod template's here.
        spec.changeIfPresent("jobTemplate") { template in
            template.change("metadata") { _ in }
            template.change("spec") { $0.changeIfPresent("template", Defaults.template) }
        }
    }
}
