import APIServer
import HTTPTypes
import KubeSchema
import OrderedCollections
import Testing

private let maps = "/api/v1/namespaces/default/configmaps"
private let deployments = "/apis/apps/v1/namespaces/default/deployments"
private let budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
private let applyType = "application/apply-patch+yaml"

private func deployment(_ name: String) -> JSON {
    [
        "metadata": ["name": .string(name)],
        "spec": [
            "selector": [
                "matchLabels": ["app": "web"], "matchExpressions": [["key": "x", "operator": "DoesNotExist"]],
            ],
            "template": [
                "metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "c", "image": "i"]]],
            ],
        ],
    ]
}

/// What happens to objects beyond being stored.
@Suite(.timeLimit(.minutes(2))) struct SemanticsTests {
    @Test func `writers of all ways are noted as owners`() async throws {
        try await withServer { server in
            try await server.call(.post, "\(maps)?fieldManager=maker", ["metadata": ["name": "c"], "data": ["a": "1"]])
            try await server.call(
                .patch, "\(maps)/c?fieldManager=patcher", ["data": ["b": "1"]], type: "application/merge-patch+json")
            let applied = try await server.call(
                .patch, "\(maps)/c?fieldManager=applier", ["data": ["c": "1"]], type: applyType)
            #expect(applied.code == 200, "\(applied.json)")
            let entries = applied["metadata", "managedFields"]?.array ?? []
            #expect(entries.map { $0["manager"] } == ["applier", "maker", "patcher"])
            #expect(entries.map { $0["operation"] } == ["Apply", "Update", "Update"])
            #expect(entries.first?["fieldsV1"] == ["f:data": ["f:c": [:]]])

            // A write that changes nothing is none, and owners can be forgotten.
            let again = try await server.call(
                .patch, "\(maps)/c?fieldManager=applier", ["data": ["c": "1"]], type: applyType)
            #expect(again["metadata", "resourceVersion"] == applied["metadata", "resourceVersion"])
            let forgotten = try await server.call(
                .patch, "\(maps)/c", ["metadata": ["managedFields": [[:]]]], type: "application/merge-patch+json")
            #expect(forgotten["metadata", "managedFields"] == nil)
        }
    }

    @Test func `applying creates, conflicts and is refused with reasons`() async throws {
        try await withServer { server in
            let path = "\(maps)/c"
            let dry = try await server.call(
                .patch, "\(path)?fieldManager=a&dryRun=All", ["data": ["k": "1"]], type: applyType)
            #expect(dry.code == 201)
            #expect(try await server.call(.get, path).code == 404)
            let made = try await server.call(.patch, "\(path)?fieldManager=a", ["data": ["k": "1"]], type: applyType)
            #expect(made.code == 201 && made["metadata", "name"] == "c")
            let conflict = try await server.call(
                .patch, "\(path)?fieldManager=b", ["data": ["k": "2"]], type: applyType)
            #expect(conflict.code == 409 && conflict["reason"] == "Conflict")
            #expect(
                conflict["details", "causes"] == [
                    ["reason": "FieldManagerConflict", "message": "conflict with \"a\"", "field": ".data.k"]
                ])
            let forced = try await server.call(
                .patch, "\(path)?fieldManager=b&force=true", ["data": ["k": "2"]], type: applyType)
            #expect(forced.code == 200 && forced["data", "k"] == "2")
            let nobody = try await server.call(.patch, path, ["data": ["k": "2"]], type: applyType)
            #expect(nobody.code == 422)
            #expect(
                nobody["message"]
                    == "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
            )
            let mixed = try await server.call(.patch, "\(path)?force=true", [:], type: "application/merge-patch+json")
            #expect(mixed.code == 422)
            let stale = try await server.call(
                .patch, "\(path)?fieldManager=b", ["metadata": ["resourceVersion": "1"], "data": ["k": "2"]],
                type: applyType)
            #expect(stale.code == 409)
            let unknown = try await server.call(.patch, "\(path)?fieldManager=b", ["what": "?"], type: applyType)
            #expect(unknown.code == 400)
        }
    }

    @Test func `status is applied through its own door`() async throws {
        try await withServer { server in
            try await server.call(.post, pods, pod("a"))
            let main = try await server.call(
                .patch, "\(pods)/a?fieldManager=m",
                ["metadata": ["labels": ["l": "v"]], "status": ["phase": "Running"]],
                type: applyType)
            #expect(main["status", "phase"] == "Pending" && main["metadata", "labels", "l"] == "v", "\(main.json)")
            let status = try await server.call(
                .patch, "\(pods)/a/status?fieldManager=kubelet", ["status": ["phase": "Running", "podIP": "10.0.0.1"]],
                type: applyType)
            #expect(status["status", "phase"] == "Running", "\(status.json)")
            let entry = (status["metadata", "managedFields"]?.array ?? []).first { $0["manager"] == "kubelet" }
            #expect(entry?["subresource"] == "status")
            #expect(entry?["fieldsV1"] == ["f:status": ["f:phase": [:], "f:podIP": [:]]])
        }
    }

    @Test func `generations count changes of what is asked for`() async throws {
        try await withServer { server in
            let first = try await server.call(.post, deployments, deployment("web"))
            #expect(first.code == 201 && first["metadata", "generation"] == 1, "\(first.json)")
            let labelled = try await server.call(
                .patch, "\(deployments)/web", ["metadata": ["labels": ["a": "b"]]], type: "application/merge-patch+json"
            )
            #expect(labelled["metadata", "generation"] == 1)
            let scaled = try await server.call(
                .patch, "\(deployments)/web/scale", ["spec": ["replicas": 3]], type: "application/merge-patch+json")
            #expect(scaled["spec", "replicas"] == 3)
            #expect(scaled["status", "selector"] == "app=web,!x", "\(scaled.json)")
            let status = try await server.call(
                .patch, "\(deployments)/web/status", ["status": ["replicas": 3], "spec": ["replicas": 9]],
                type: "application/merge-patch+json")
            #expect(status["metadata", "generation"] == 2 && status["spec", "replicas"] == 3)
            let selector = try await server.call(
                .patch, "\(deployments)/web", ["spec": ["selector": ["matchLabels": ["y": "z"]]]],
                type: "application/merge-patch+json")
            #expect(selector.code == 422 && selector["message"]?.string?.contains("field is immutable") == true)
        }
    }

    @Test(
        arguments: [
            ("Foreground", ["foregroundDeletion"]), ("Orphan", ["orphan"]), ("Background", nil),
        ] as [(String, [JSON]?)]) func `a deletion notes what becomes of dependents`(
            row: (policy: String, finalizers: [JSON]?)
        ) async throws
    {
        try await withServer { server in
            try await server.call(.post, deployments, deployment("web"))
            let deleted = try await server.call(
                .delete, "\(deployments)/web", ["propagationPolicy": .string(row.policy)])
            #expect(deleted.code == 200)
            let left = try await server.call(.get, "\(deployments)/web")
            guard let finalizers = row.finalizers else {
                #expect(left.code == 404)
                return
            }
            #expect(left["metadata", "finalizers"] == .array(finalizers))
            #expect(left["metadata", "deletionTimestamp"] != nil)
            let done = try await server.call(
                .patch, "\(deployments)/web", ["metadata": ["finalizers": .null]],
                type: "application/merge-patch+json")
            #expect(done.code == 200)
            #expect(try await server.call(.get, "\(deployments)/web").code == 404)
        }
    }

    @Test func `evictions respect the budget of the pod`() async throws {
        try await withServer { server in
            try await server.call(
                .post, budgets,
                ["metadata": ["name": "b"], "spec": ["minAvailable": 1, "selector": ["matchLabels": ["app": "web"]]]])
            for name in ["p", "q"] {
                try await server.call(.post, pods, pod(name, labels: ["app": "web"]))
                try await server.call(
                    .patch, "\(pods)/\(name)/status",
                    ["status": ["phase": "Running", "conditions": [["type": "Ready", "status": "True"]]]],
                    type: "application/merge-patch+json")
            }
            func evict(_ name: String, dry: String = "") async throws -> TestServer.Answer {
                try await server.call(
                    .post, "\(pods)/\(name)/eviction\(dry)",
                    ["kind": "Eviction", "apiVersion": "policy/v1", "metadata": ["name": .string(name)]])
            }
            let early = try await evict("p")
            #expect(early.code == 429 && early["details", "retryAfterSeconds"] == 10, "\(early.json)")
            try await server.call(
                .patch, "\(budgets)/b/status",
                [
                    "status": [
                        "observedGeneration": 1, "disruptionsAllowed": 1, "currentHealthy": 2, "desiredHealthy": 1,
                        "expectedPods": 2,
                    ]
                ], type: "application/merge-patch+json")
            #expect(try await evict("p", dry: "?dryRun=All").code == 201)
            #expect(try await evict("p").code == 201)
            #expect(try await server.call(.get, "\(pods)/p").code == 404)
            let budget = try await server.call(.get, "\(budgets)/b")
            #expect(budget["status", "disruptionsAllowed"] == 0)
            #expect(budget["status", "disruptedPods", "p"] != nil)
            let refused = try await evict("q")
            #expect(refused.code == 429)
            #expect(refused["message"] == "Cannot evict pod as it would violate the pod's disruption budget.")
            #expect(
                refused["details", "causes"]?.array?.first?["message"]
                    == "The disruption budget b needs 1 healthy pods and has 2 currently")
            // A pod that never ran disrupts nothing by going.
            try await server.call(.post, pods, pod("r", labels: ["app": "web"]))
            #expect(try await evict("r").code == 201)
        }
    }

    @Test func `containers for debugging are added, and stay`() async throws {
        try await withServer { server in
            try await server.call(.post, pods, pod("a"))
            let added = try await server.call(
                .patch, "\(pods)/a/ephemeralcontainers",
                ["spec": ["ephemeralContainers": [["name": "d", "image": "busybox", "targetContainerName": "c"]]]],
                type: "application/strategic-merge-patch+json")
            #expect(added.code == 200, "\(added.json)")
            #expect(added["spec", "ephemeralContainers"]?.array?.first?["name"] == "d")
            let changed = try await server.call(
                .patch, "\(pods)/a/ephemeralcontainers",
                ["spec": ["ephemeralContainers": [["name": "d", "image": "other"]]]],
                type: "application/strategic-merge-patch+json")
            #expect(changed.code == 422)
            let around = try await server.call(
                .patch, "\(pods)/a", ["spec": ["ephemeralContainers": [["name": "e", "image": "x"]]]],
                type: "application/strategic-merge-patch+json")
            #expect(around.code == 422, "only through the subresource")
        }
    }

    @Test func `a running pod is resized within its quality of service`() async throws {
        try await withServer { server in
            var object = pod("a")
            object["spec", "containers"] = [
                ["name": "c", "image": "i", "resources": ["requests": ["cpu": "100m"]]]
            ]
            try await server.call(.post, pods, object)
            func resize(_ resources: JSON) async throws -> TestServer.Answer {
                try await server.call(
                    .patch, "\(pods)/a/resize", ["spec": ["containers": [["name": "c", "resources": resources]]]],
                    type: "application/strategic-merge-patch+json")
            }
            let more = try await resize(["requests": ["cpu": "200m"]])
            #expect(
                more["spec", "containers"]?.array?.first?["resources", "requests", "cpu"] == "200m", "\(more.json)")
            #expect(try await resize(["requests": ["example.com/gpu": "1"]]).code == 422)
            #expect(try await resize(["requests": ["cpu": .null]]).code == 422, "the class would change")
        }
    }

    @Test func `tokens are signed, verified and end with their account`() async throws {
        try await withServer { server in
            let accounts = "/api/v1/namespaces/default/serviceaccounts"
            let audience = "https://kubernetes.default.svc.cluster.local"
            try await server.call(.post, accounts, ["metadata": ["name": "robot"]])
            let issued = try await server.call(.post, "\(accounts)/robot/token", ["spec": ["expirationSeconds": 600]])
            #expect(issued.code == 201 && issued["spec", "audiences"] == [.string(audience)], "\(issued.json)")
            let token = try #require(issued["status", "token"]?.string)
            func review(_ token: String) async throws -> JSON? {
                try await server.call(
                    .post, "/apis/authentication.k8s.io/v1/tokenreviews", ["spec": ["token": .string(token)]])["status"]
            }
            try await withDeadline("the account is known") { try await review(token)?["authenticated"] == true }
            let status = try await review(token)
            #expect(status?["user", "username"] == "system:serviceaccount:default:robot", "\(status ?? .null)")
            var forged = token
            forged.replaceSubrange(forged.startIndex..<forged.index(after: forged.startIndex), with: "f")
            #expect(try await review(forged)?["authenticated"] != true)
            #expect(try await review(String(token.dropLast(4)) + "AAAA")?["authenticated"] != true)
            try await server.call(.delete, "\(accounts)/robot")
            try await withDeadline("the token ends") { try await review(token)?["authenticated"] != true }
            let short = try await server.call(.post, "\(accounts)/default/token", ["spec": ["expirationSeconds": 60]])
            #expect([404, 422].contains(short.code))
        }
    }

    @Test func `a job selects its own pods`() async throws {
        try await withServer { server in
            let jobs = "/apis/batch/v1/namespaces/default/jobs"
            let template: JSON = ["spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "i"]]]]
            let job = try await server.call(.post, jobs, ["metadata": ["name": "j"], "spec": ["template": template]])
            #expect(job.code == 201, "\(job.json)")
            let uid = job["metadata", "uid"]
            #expect(job["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"] == uid)
            #expect(job["spec", "template", "metadata", "labels", "job-name"] == "j")
            let changed = try await server.call(
                .patch, "\(jobs)/j", ["spec": ["template": ["spec": ["restartPolicy": "OnFailure"]]]],
                type: "application/merge-patch+json")
            #expect(changed.code == 422)
            let paused = try await server.call(
                .patch, "\(jobs)/j", ["spec": ["suspend": true]], type: "application/merge-patch+json")
            #expect(paused.code == 200 && paused["metadata", "generation"] == 2, "\(paused.json)")
        }
    }
}
