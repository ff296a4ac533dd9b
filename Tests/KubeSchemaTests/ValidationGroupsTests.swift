import Testing

@testable import KubeSchema

/// The rules of the groups beside core, each with what breaks it and the words of the refusal.
@Suite struct ValidationGroupsTests {
    private static let template =
        #""template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}"#
    private static let selector = #""selector":{"matchLabels":{"a":"b"}}"#
    private static let jobTemplate =
        #""template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}"#

    private static func object(_ kind: String, _ version: String, _ rest: String, name: String = "x") -> String {
        #"{"kind":"\#(kind)","apiVersion":"\#(version)","metadata":{"name":"\#(name)","namespace":"default"},\#(rest)}"#
    }

    private static func cluster(_ kind: String, _ version: String, _ rest: String) -> String {
        #"{"kind":"\#(kind)","apiVersion":"\#(version)","metadata":{"name":"x"},\#(rest)}"#
    }

    private func decoded(_ text: String) throws -> (JSON, ResourceDefinition) {
        let raw = try Fixtures.json(text)
        let definition = try #require(
            ResourceCatalogue.builtin.resource(
                apiVersion: raw["apiVersion"]?.string ?? "", kind: raw["kind"]?.string ?? ""))
        var (object, _) = try RequestDecoder.decode(
            body: Array(text.utf8), contentType: nil, as: definition, validation: .strict)
        Defaults.apply(to: &object, definition)
        return (object, definition)
    }

    @Test(arguments: [
        (object("Deployment", "apps/v1", #""spec":{\#(selector),\#(template)}"#), []),
        (
            object("Deployment", "apps/v1", #""spec":{"selector":{},\#(template),"replicas":-1}"#),
            [
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
                "spec.selector: Invalid value: {}: empty selector is invalid for deployment",
            ]
        ),
        (
            object(
                "Deployment", "apps/v1",
                #""spec":{\#(selector),\#(template),"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":0,"maxUnavailable":"0%"}}}"#
            ), ["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0"]
        ),
        (
            object(
                "Deployment", "apps/v1",
                #""spec":{\#(selector),\#(template),"strategy":{"type":"Recreate","rollingUpdate":{}},"minReadySeconds":700}"#
            ),
            [
                "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
                "spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds",
            ]
        ),
        (
            object(
                "ReplicaSet", "apps/v1",
                #""spec":{"selector":{"matchExpressions":[{"key":"a","operator":"In"}]},\#(template)}"#),
            [
                "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
                "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`",
            ]
        ),
        (
            object("StatefulSet", "apps/v1", #""spec":{\#(selector),\#(template),"podManagementPolicy":"Any"}"#),
            [
                "spec.podManagementPolicy: Unsupported value: \"Any\": supported values: \"OrderedReady\", \"Parallel\""
            ]
        ),
        (
            object(
                "DaemonSet", "apps/v1",
                #""spec":{\#(selector),"template":{"metadata":{"labels":{"a":"b"}},"spec":{"restartPolicy":"Never","activeDeadlineSeconds":5,"containers":[{"name":"c","image":"i"}]}}}"#
            ),
            [
                "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
                "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported",
            ]
        ),
        (
            object("Job", "batch/v1", #""spec":{\#(template),"completions":-1,"completionMode":"Indexed"}"#),
            [
                "spec.completions: Invalid value: -1: must be greater than or equal to 0",
                "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"",
                "spec.selector: Required value",
            ]
        ),
        (
            object(
                "CronJob", "batch/v1", #""spec":{"schedule":"61 * * * *","jobTemplate":{"spec":{\#(jobTemplate)}}}"#),
            ["spec.schedule: Invalid value: \"61 * * * *\": end of range (61) above maximum (59): 61"]
        ),
        (
            object(
                "PodDisruptionBudget", "policy/v1",
                #""spec":{"minAvailable":"half","maxUnavailable":"101%","selector":{}}"#),
            [
                "spec: Invalid value: {\"minAvailable\":\"half\",\"maxUnavailable\":\"101%\",\"selector\":{}}: minAvailable and maxUnavailable cannot be both set",
                "spec.minAvailable: Invalid value: \"half\": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
                "spec.maxUnavailable: Invalid value: \"101%\": must not be greater than 100%",
            ]
        ),
        (
            object(
                "HorizontalPodAutoscaler", "autoscaling/v2",
                #""spec":{"scaleTargetRef":{"kind":"Deployment","name":""},"minReplicas":5,"maxReplicas":2}"#),
            [
                "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`",
                "spec.scaleTargetRef.name: Required value",
            ]
        ),
        (
            object(
                "Ingress", "networking.k8s.io/v1",
                #""spec":{"rules":[{"host":"10.0.0.1","http":{"paths":[{"path":"a","pathType":"Prefix","backend":{"service":{"name":"s"}}},{"path":"/a//b","pathType":"Exact","backend":{}}]}}]}"#
            ),
            [
                "spec.rules[0].host: Invalid value: \"10.0.0.1\": must be a DNS name, not an IP address",
                "spec.rules[0].http.paths[0].path: Invalid value: \"a\": must be an absolute path",
                "spec.rules[0].http.paths[0].backend: Required value: port name or number is required",
                "spec.rules[0].http.paths[1].path: Invalid value: \"/a//b\": must not contain '//'",
                "spec.rules[0].http.paths[1].backend: Required value: must specify `service` or `resource`",
            ]
        ),
        (
            object("Ingress", "networking.k8s.io/v1", #""spec":{}"#),
            ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"]
        ),
        (
            object(
                "NetworkPolicy", "networking.k8s.io/v1",
                #""spec":{"podSelector":{},"ingress":[{"from":[{},{"ipBlock":{"cidr":"10.0.0.0/40"}}],"ports":[{"port":90,"endPort":80}]}]}"#
            ),
            [
                "spec.ingress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`",
                "spec.ingress[0].from[0]: Required value: must specify a peer",
                "spec.ingress[0].from[1].ipBlock.cidr: Invalid value: \"10.0.0.0/40\": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
            ]
        ),
        (
            object("Role", "rbac.authorization.k8s.io/v1", #""rules":[{"verbs":[],"nonResourceURLs":["/x"]}]"#),
            [
                "rules[0].verbs: Required value: verbs must contain at least one value",
                "rules[0].nonResourceURLs: Invalid value: [\"/x\"]: namespaced rules cannot apply to non-resource URLs",
            ]
        ),
        (
            cluster(
                "ClusterRoleBinding", "rbac.authorization.k8s.io/v1",
                #""roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"},"subjects":[{"kind":"Robot","name":"n"},{"kind":"ServiceAccount","name":"n"}]"#
            ),
            [
                "roleRef.kind: Unsupported value: \"Role\": supported values: \"ClusterRole\"",
                "subjects[0].kind: Unsupported value: \"Robot\": supported values: \"Group\", \"ServiceAccount\", \"User\"",
                "subjects[1].namespace: Required value",
            ]
        ),
        (
            object("PersistentVolumeClaim", "v1", #""spec":{"accessModes":["Sometimes"]}"#),
            [
                "spec.accessModes[0]: Unsupported value: \"Sometimes\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \"ReadWriteOnce\", \"ReadWriteOncePod\"",
                "spec.resources[storage]: Required value",
            ]
        ),
        (
            cluster("PersistentVolume", "v1", #""spec":{"accessModes":["ReadWriteOnce"],"capacity":{"storage":"0"}}"#),
            [
                "spec.capacity[storage]: Invalid value: \"0\": must be greater than zero",
                "spec: Required value: must specify a volume type",
            ]
        ),
        (
            cluster("PriorityClass", "scheduling.k8s.io/v1", #""value":2000000000"#),
            ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]
        ),
    ]) func `an object that breaks rules is told each of them`(row: (text: String, problems: [String])) throws {
        let (object, definition) = try decoded(row.text)
        #expect(Validation.create(object, definition).map(\.description) == row.problems)
    }

    @Test(
        arguments: [
            ("*/5 * * * *", nil), ("0 0 1,15 jan-mar mon", nil), ("@daily", nil), ("@every 1h30m", nil),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"), ("@never", "unrecognized descriptor: @never"),
            ("@every soon", "failed to parse duration @every soon: invalid duration \"soon\""),
            ("* 24 * * *", "end of range (24) above maximum (23): 24"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("x * * * *", "failed to parse int from x in the minute field"),
        ] as [(String, String?)]) func `schedules are read as cron reads them`(
            row: (schedule: String, problem: String?)
        )
    {
        #expect(CronSchedule.problem(row.schedule) == row.problem)
    }

    @Test(
        arguments: [
            (
                object("Deployment", "apps/v1", #""spec":{\#(selector),\#(template)}"#),
                [("spec.selector.matchLabels.c", JSON.string("d")), ("spec.template.metadata.labels.c", "d")],
                [
                    #"spec.selector: Invalid value: {"matchLabels":{"a":"b","c":"d"}}: field is immutable"#
                ]
            ),
            (
                object("StatefulSet", "apps/v1", #""spec":{\#(selector),\#(template)}"#),
                [("spec.serviceName", "other")],
                [
                    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
                ]
            ),
            (
                object("StatefulSet", "apps/v1", #""spec":{\#(selector),\#(template)}"#),
                [("spec.replicas", 5), ("spec.template.metadata.labels.c", "d")], []
            ),
            (
                object(
                    "RoleBinding", "rbac.authorization.k8s.io/v1",
                    #""roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"r"}"#),
                [("roleRef.name", "s")],
                [
                    #"roleRef: Invalid value: {"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"s"}: cannot change roleRef"#
                ]
            ),
            (
                cluster("PriorityClass", "scheduling.k8s.io/v1", #""value":1"#), [("value", 2)],
                ["value: Forbidden: may not be changed in an update."]
            ),
            (
                object(
                    "PersistentVolumeClaim", "v1",
                    #""spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}"#),
                [("spec.resources.requests.storage", "2Gi")],
                [
                    "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
                ]
            ),
        ] as [(String, [(String, JSON)], [String])]) func `what may not change is refused`(
            row: (text: String, changes: [(path: String, value: JSON)], problems: [String])
        ) throws
    {
        let (old, definition) = try decoded(row.text)
        var new = old
        for (path, value) in row.changes { new[path.split(separator: ".").map(String.init)] = value }
        #expect(Validation.update(new: new, old: old, definition).map(\.description) == row.problems)
    }
}
