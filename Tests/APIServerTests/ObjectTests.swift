import APIServer
import HTTPTypes
import KubeSchema
import OrderedCollections
import Testing

@Suite(.timeLimit(.minutes(2))) struct ObjectTests {
    @Test func `an object is created, read, changed by three patches and deleted`() async throws {
        try await withServer { server in
            let created = try await server.call(.post, pods, pod("a", labels: ["x": "1"]))
            #expect(created.code == 201)
            #expect(created["status", "phase"] == "Pending")
            #expect(created["spec", "securityContext"] == [:])
            #expect(created["metadata", "uid"] != nil && created["metadata", "creationTimestamp"] != nil)
            #expect(try await server.call(.post, pods, pod("a"))["reason"] == "AlreadyExists")

            let read = try await server.call(.get, "\(pods)/a")
            #expect(read.json == created.json)
            let merge = try await server.call(
                .patch, "\(pods)/a", ["metadata": ["labels": ["y": "2", "x": .null]]],
                type: "application/merge-patch+json")
            #expect(merge.code == 200 && merge["metadata", "labels"] == ["y": "2"])
            let json = try await server.call(
                .patch, "\(pods)/a", [["op": "add", "path": "/metadata/labels/z", "value": "3"]],
                type: "application/json-patch+json")
            #expect(json["metadata", "labels"] == ["y": "2", "z": "3"])
            let strategic = try await server.call(
                .patch, "\(pods)/a", ["spec": ["containers": [["name": "c", "image": "redis"]]]],
                type: "application/strategic-merge-patch+json")
            #expect(strategic["spec", "containers"]?.array?.first?["image"] == "redis")

            #expect(try await server.call(.delete, "\(pods)/a").code == 200)
            let gone = try await server.call(.get, "\(pods)/a")
            #expect(gone.code == 404 && gone["message"] == "pods \"a\" not found")
        }
    }

    @Test func `a write against an old version is a conflict, an equal one writes nothing`() async throws {
        try await withServer { server in
            let first = try await server.call(
                .post, "/api/v1/namespaces/default/configmaps", ["metadata": ["name": "c"], "data": ["a": "1"]])
            let path = "/api/v1/namespaces/default/configmaps/c"
            var changed = first.json
            changed["data", "a"] = "2"
            let second = try await server.call(.put, path, changed)
            #expect(second.code == 200 && second["data", "a"] == "2")
            let stale = try await server.call(.put, path, changed)
            #expect(stale.code == 409 && stale["reason"] == "Conflict")
            let same = try await server.call(.put, path, second.json)
            #expect(same["metadata", "resourceVersion"] == second["metadata", "resourceVersion"])
        }
    }

    @Test func `concurrent writers without a version all succeed`() async throws {
        try await withServer { server in
            try await server.call(.post, "/api/v1/namespaces/default/configmaps", ["metadata": ["name": "c"]])
            try await withThrowingTaskGroup { group in
                for number in 0..<10 {
                    group.addTask {
                        let answer = try await server.call(
                            .patch, "/api/v1/namespaces/default/configmaps/c", ["data": ["k\(number)": "v"]],
                            type: "application/merge-patch+json")
                        #expect(answer.code == 200)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await server.call(.get, "/api/v1/namespaces/default/configmaps/c")["data"]?.object?.count == 10)
        }
    }

    @Test func `status and spec are written apart`() async throws {
        try await withServer { server in
            var object = try await server.call(.post, pods, pod("a")).json
            object["status", "phase"] = "Running"
            object["metadata", "labels", "l"] = "v"
            let main = try await server.call(.put, "\(pods)/a", object)
            #expect(main["status", "phase"] == "Pending" && main["metadata", "labels", "l"] == "v")
            object["metadata", "resourceVersion"] = nil
            object["spec", "nodeName"] = "elsewhere"
            let status = try await server.call(.put, "\(pods)/a/status", object)
            #expect(status["status", "phase"] == "Running" && status["spec", "nodeName"] == nil)
        }
    }

    @Test func `a bound pod ends gracefully and is bound only once`() async throws {
        try await withServer { server in
            try await server.call(.post, pods, pod("a"))
            let binding: JSON = [
                "kind": "Binding", "apiVersion": "v1", "metadata": ["name": "a"],
                "target": ["kind": "Node", "name": "n1"],
            ]
            #expect(try await server.call(.post, "\(pods)/a/binding", binding).code == 201)
            #expect(try await server.call(.post, "\(pods)/a/binding", binding).code == 409)
            let deleting = try await server.call(.delete, "\(pods)/a")
            #expect(
                deleting["metadata", "deletionGracePeriodSeconds"] == 30
                    && deleting["metadata", "deletionTimestamp"] != nil)
            #expect(try await server.call(.get, "\(pods)/a").code == 200)
            let removed = try await server.call(
                .delete, "\(pods)/a", ["kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0])
            #expect(removed.code == 200)
            #expect(try await server.call(.get, "\(pods)/a").code == 404)
        }
    }

    @Test func `finalizers keep an object until they are gone`() async throws {
        try await withServer { server in
            var object = pod("a")
            object["metadata", "finalizers"] = ["example.com/f"]
            try await server.call(.post, pods, object)
            try await server.call(.delete, "\(pods)/a")
            #expect(try await server.call(.get, "\(pods)/a")["metadata", "deletionTimestamp"] != nil)
            try await server.call(
                .patch, "\(pods)/a", ["metadata": ["finalizers": .null]], type: "application/merge-patch+json")
            #expect(try await server.call(.get, "\(pods)/a").code == 404)
        }
    }

    @Test func `a namespace is needed, and one that ends takes nothing new`() async throws {
        try await withServer { server in
            #expect(try await server.call(.post, "/api/v1/namespaces/none/pods", pod("a")).code == 404)
            try await server.call(.post, "/api/v1/namespaces", ["metadata": ["name": "n"]])
            let ending = try await server.call(.delete, "/api/v1/namespaces/n")
            #expect(ending["status", "phase"] == "Terminating")
            let refused = try await server.call(.post, "/api/v1/namespaces/n/pods", pod("a"))
            #expect(refused.code == 403)
            var finalized = ending.json
            finalized["spec", "finalizers"] = []
            #expect(try await server.call(.put, "/api/v1/namespaces/n/finalize", finalized).code == 200)
            #expect(try await server.call(.get, "/api/v1/namespaces/n").code == 404)
        }
    }

    @Test func `services get addresses and node ports of their own`() async throws {
        try await withServer { server in
            let path = "/api/v1/namespaces/default/services"
            #expect(try await server.call(.get, "\(path)/kubernetes")["spec", "clusterIP"] == "10.254.0.1")
            func service(_ name: String, _ spec: JSON) -> JSON {
                var spec = spec
                if spec["ports"] == nil { spec["ports"] = [["port": 80]] }
                return ["metadata": ["name": .string(name)], "spec": spec]
            }
            let answers = try await withThrowingTaskGroup(of: JSON.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        try await server.call(.post, path, service("s\(number)", ["type": "NodePort"])).json
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(answers.compactMap { $0["spec", "clusterIP"]?.string }).count == 20)
            #expect(Set(answers.compactMap { $0["spec", "ports"]?.array?.first?["nodePort"]?.integer }).count == 20)
            let given = try await server.call(.post, path, service("given", ["clusterIP": "10.254.9.9"]))
            #expect(given.code == 201)
            let taken = try await server.call(.post, path, service("again", ["clusterIP": "10.254.9.9"]))
            #expect(taken.code == 422 && taken["message"]?.string?.contains("already allocated") == true)
            let foreign = try await server.call(.post, path, service("far", ["clusterIP": "10.1.1.1"]))
            #expect(foreign.code == 422 && foreign["message"]?.string?.contains("not in the valid range") == true)
            try await server.call(.delete, "\(path)/given")
            #expect(try await server.call(.post, path, service("again", ["clusterIP": "10.254.9.9"])).code == 201)
        }
    }

    @Test func `a replication controller is scaled and counts its generations`() async throws {
        try await withServer { server in
            let path = "/api/v1/namespaces/default/replicationcontrollers"
            let controller: JSON = [
                "metadata": ["name": "rc"],
                "spec": [
                    "replicas": 1, "selector": ["a": "b"],
                    "template": [
                        "metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "c", "image": "i"]]],
                    ],
                ],
            ]
            #expect(try await server.call(.post, path, controller).code == 201)
            let scaled = try await server.call(
                .patch, "\(path)/rc/scale", ["spec": ["replicas": 3]], type: "application/merge-patch+json")
            #expect(scaled["spec", "replicas"] == 3 && scaled["status", "selector"] == "a=b")
            let before = try await server.call(.get, "\(path)/rc")
            #expect(before["spec", "replicas"] == 3)
            var document = scaled.json
            document["spec", "replicas"] = 0
            let put = try await server.call(.put, "\(path)/rc/scale", document, type: nil)
            #expect(put["spec", "replicas"] == 0)
            let after = try await server.call(.get, "\(path)/rc")
            let generations = (before["metadata", "generation"]?.integer, after["metadata", "generation"]?.integer)
            #expect(generations.1 == generations.0.map { $0 + 1 })
        }
    }

    @Test(
        arguments: [
            (
                [
                    "kind": "Pod", "apiVersion": "v1", "metadata": ["name": "b"],
                    "spec": ["containers": [["name": "c"]]],
                ], 422, "spec.containers[0].image"
            ),
            (
                [
                    "kind": "Pod", "apiVersion": "v1", "metadata": ["name": "Bad_Name"],
                    "spec": ["containers": [["name": "c", "image": "i"]]],
                ], 422, "metadata.name"
            ),
            (
                [
                    "kind": "Pod", "apiVersion": "v1", "metadata": ["name": "b"],
                    "spec": [
                        "containers": [
                            ["name": "c", "image": "i", "ports": [["containerPort": 80, "hostPort": 70000]]]
                        ]
                    ],
                ], 422, "spec.containers[0].ports[0].hostPort"
            ),
            (["kind": "Widget", "apiVersion": "v1", "metadata": ["name": "b"]], 400, "Widget"),
            (
                ["kind": "Pod", "apiVersion": "v1", "metadata": ["name": "b"], "spec": ["containers": "x"]], 400,
                "containers"
            ),
        ] as [(JSON, Int, String)])
    func `bad input is named and nothing is stored`(body: JSON, code: Int, field: String) async throws {
        try await withServer { server in
            let answer = try await server.call(.post, pods, body)
            #expect(answer.code == code)
            #expect(answer["message"]?.string?.contains(field) == true, "\(answer.json)")
            #expect(try await server.call(.get, pods)["items"] == [])
        }
    }

    @Test func `a dry run answers and stores nothing`() async throws {
        try await withServer { server in
            let answer = try await server.call(.post, "\(pods)?dryRun=All", pod("a"))
            #expect(answer.code == 201)
            #expect(try await server.call(.get, "\(pods)/a").code == 404)
        }
    }

    @Test func `unknown fields are refused, warned of or dropped as asked`() async throws {
        try await withServer { server in
            func body(_ name: String) -> JSON {
                var body = pod(name)
                body["spec", "nonsense"] = 1
                return body
            }
            #expect(try await server.call(.post, "\(pods)?fieldValidation=Strict", body("a")).code == 400)
            let warned = try await server.call(.post, "\(pods)?fieldValidation=Warn", body("b"))
            #expect(warned.code == 201)
            #expect(warned.headers.contains { $0.name.canonicalName == "warning" && $0.value.contains("nonsense") })
            #expect(try await server.call(.post, "\(pods)?fieldValidation=Ignore", body("c")).code == 201)
        }
    }
}
