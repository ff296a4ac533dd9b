import Testing

/// What kubectl makes of the OpenAPI documents: v2 as protobuf up to 1.26, v3 as JSON since.
@Suite(.serialized, .timeLimit(.minutes(5))) struct ExplainTests {
    @Test(arguments: Kubectl.programs) func `kinds are explained at any depth`(program: String) async throws {
        try await withKubectl(program) { kubectl in
            for (path, words) in [
                ("pods", ["Pod", "A group of containers", "spec"]),
                ("pod.spec.containers", ["The pod's containers", "imagePullPolicy", "livenessProbe"]),
                ("pod.spec.containers.livenessProbe.httpGet.port", ["port"]),
                ("deployment.spec.strategy.rollingUpdate.maxSurge", ["How many pods there may be above"]),
                ("cronjob.spec.jobTemplate.spec.template.spec.volumes.configMap.items", ["key", "mode"]),
                ("hpa.spec.metrics.resource.target", ["averageUtilization"]),
                ("ingress.spec.rules.http.paths.backend.service.port", ["number", "<integer>"]),
                ("rolebinding.roleRef", ["apiGroup"]), ("lease.spec", ["holderIdentity"]),
                ("storageclass", ["A kind of storage"]), ("networkpolicy.spec.ingress.from", ["ipBlock"]),
            ] {
                let result = try await kubectl.run("explain", path)
                #expect(result.status == 0, "\(path): \(result.errors)")
                for word in words { #expect(result.output.contains(word), "\(path): \(result.output)") }
            }
            #expect(try await kubectl.run("explain", "pod.spec.nonsense").status != 0)
            #expect(
                try await kubectl.run("explain", "pod", "--recursive").output.contains("terminationGracePeriodSeconds"))
        }
    }

    @Test(arguments: Kubectl.programs) func `bad objects of every group are refused with the field's name`(
        program: String
    ) async throws {
        try await withKubectl(program) { kubectl in
            let unknown = try await kubectl.run(
                "create", "-f", "-",
                input: """
                    {"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"d"},"spec":{"replcas":1,
                    "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
                    "spec":{"containers":[{"name":"c","image":"i"}]}}}}
                    """)
            #expect(unknown.status != 0 && unknown.errors.contains("replcas"), "\(unknown)")
        }
    }

    @Test(arguments: Kubectl.programs) func `kinds of every group are created and shown`(program: String) async throws {
        try await withKubectl(program) { kubectl in
            func check(_ arguments: [String], _ output: String) async throws {
                let result = try await kubectl.run(arguments)
                #expect(result.output == output, "\(arguments): \(result)")
            }
            try await check(["create", "deployment", "web", "--image=nginx"], "deployment.apps/web created\n")
            try await check(["create", "job", "j", "--image=i"], "job.batch/j created\n")
            try await check(
                ["create", "role", "r", "--verb=get", "--resource=pods"], "role.rbac.authorization.k8s.io/r created\n")
            try await check(
                ["create", "rolebinding", "rb", "--role=r", "--user=u"],
                "rolebinding.rbac.authorization.k8s.io/rb created\n")
            try await check(["create", "quota", "q", "--hard=pods=3"], "resourcequota/q created\n")
            try await check(
                ["autoscale", "deployment", "web", "--max=5", "--cpu-percent=70"],
                "horizontalpodautoscaler.autoscaling/web autoscaled\n")
            let lists = try await kubectl.run("get", "all").output
            for line in ["deployment.apps/web", "job.batch/j", "horizontalpodautoscaler.autoscaling/web"] {
                #expect(lists.contains(line), "\(lists)")
            }
            let header = try await kubectl.run("get", "deploy", "-o", "wide").output.split(separator: "\n").first ?? ""
            #expect(
                header.split(separator: " ") == [
                    "NAME", "READY", "UP-TO-DATE", "AVAILABLE", "AGE", "CONTAINERS", "IMAGES", "SELECTOR",
                ])
            for version in ["v1", "v2"] {
                let resource = "horizontalpodautoscalers.\(version).autoscaling"
                let shown = try await kubectl.run("get", resource, "web", "-o", "jsonpath={.apiVersion} {.spec}")
                #expect(shown.output.contains("autoscaling/\(version)") && shown.output.contains("70"), "\(shown)")
            }
            #expect(try await kubectl.run("get", "roles").output.contains("CREATED AT"))
            #expect(try await kubectl.run("api-resources", "-o", "name").output.contains("csidrivers.storage.k8s.io"))
        }
    }
}
