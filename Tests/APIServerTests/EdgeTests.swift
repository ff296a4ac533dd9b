import APIServer
import HTTPTypes
import KubeSchema
import OrderedCollections
import Testing

/// Discovery, the API of 2015, and what lies beside the resources.
@Suite(.timeLimit(.minutes(2))) struct EdgeTests {
    private static let nginx: JSON = [
        "id": "nginx", "kind": "Pod", "apiVersion": "v1beta1",
        "desiredState": [
            "manifest": [
                "version": "v1beta1", "id": "nginx",
                "containers": [
                    ["name": "nginx", "image": "nginx", "ports": [["containerPort": 80, "hostPort": 8080]]]
                ],
            ]
        ], "labels": ["name": "nginx"],
    ]
    private static let controller: JSON = [
        "id": "nginx-controller", "kind": "ReplicationController", "apiVersion": "v1beta1",
        "desiredState": [
            "replicas": 3, "replicaSelector": ["name": "nginx"],
            "podTemplate": [
                "labels": ["name": "nginx"], "manifest": ["containers": [["name": "nginx", "image": "nginx"]]],
            ],
        ],
    ]

    @Test(arguments: [
        "/api/v1beta1/pods?namespace=default", "/api/v1beta1/ns/default/pods",
        "/api/v1beta1/namespaces/default/pods?fieldValidation=Strict",
    ])
    func `a pod of 2015 is taken on every form of path`(path: String) async throws {
        try await withServer { server in
            let created = try await server.call(.post, path, Self.nginx)
            #expect(created.code == 201 && created["id"] == "nginx", "\(created.json)")
            let stored = try await server.call(.get, "\(pods)/nginx")
            #expect(stored["spec", "containers"]?.array?.first?["ports"]?.array?.first?["hostPort"] == 8080)
            #expect(stored["metadata", "labels"] == ["name": "nginx"])
            let read = try await server.call(.get, "/api/v1beta1/pods/nginx?namespace=default")
            #expect(read["desiredState", "manifest", "containers"]?.array?.count == 1)
            let list = try await server.call(.get, "/api/v1beta1/pods")
            #expect(list["kind"] == "PodList" && list["items"]?.array?.count == 1)
            #expect(try await server.call(.delete, "/api/v1beta1/pods/nginx?namespace=default").code == 200)
            #expect(try await server.call(.get, "\(pods)/nginx").code == 404)
        }
    }

    @Test func `a controller with a misplaced template keeps its containers`() async throws {
        try await withServer { server in
            let created = try await server.call(
                .post, "/api/v1beta1/namespaces/default/replicationcontrollers", Self.controller)
            #expect(created.code == 201 && created["metadata", "name"] == "nginx-controller", "\(created.json)")
            let stored = try await server.call(
                .get, "/api/v1/namespaces/default/replicationcontrollers/nginx-controller")
            #expect(stored["spec", "template", "spec", "containers"]?.array?.first?["image"] == "nginx")
            #expect(stored["spec", "replicas"] == 3)
        }
    }

    @Test func `minions are nodes`() async throws {
        try await withServer { server in
            let node = try await server.call(.post, "/api/v1/nodes", ["metadata": ["name": "n1"]])
            #expect(node["metadata"]?.object?.keys.contains("namespace") == false)
            #expect(try await server.call(.get, "/api/v1beta1/minions")["items"]?.array?.count == 1)
            #expect(try await server.call(.get, "/api/v1beta1/minions/n1")["id"] == "n1")
        }
    }

    @Test(arguments: ["v2", "v2beta1"]) func `discovery is served aggregated`(version: String) async throws {
        try await withServer { server in
            let accept = "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList,application/json"
            let core = try await server.call(.get, "/api", accept: accept)
            #expect(core["kind"] == "APIGroupDiscoveryList")
            #expect(core["items"]?.array?.first?["versions"]?.array?.map { $0["version"] } == ["v1", "v1beta1"])
            #expect(
                core.headers[.contentType]
                    == "application/json;g=apidiscovery.k8s.io;v=\(version);as=APIGroupDiscoveryList")
            #expect(try await server.call(.get, "/apis", accept: accept)["items"]?.array?.isEmpty == false)
        }
    }

    @Test(
        arguments: [
            ("/api", "versions"), ("/apis", "groups"), ("/api/v1", "resources"), ("/apis/v1beta1", "resources"),
            ("/apis/coordination.k8s.io/v1", "resources"), ("/apis/coordination.k8s.io", "versions"),
            ("/version", "gitVersion"),
            ("/api/", "versions"), ("/version/", "major"),
        ])
    func `discovery is served plain`(path: String, member: String) async throws {
        try await withServer { server in
            let answer = try await server.call(.get, path)
            #expect(answer.code == 200 && answer[member] != nil)
        }
    }

    @Test(
        arguments: [
            ("/healthz", 200), ("/livez", 200), ("/readyz", 200), ("/openapi/v2", 200), ("/openapi/v3", 200),
            ("/openapi/v4", 404),
            ("/apis/metrics.k8s.io/v1beta1/nodes", 404), ("/api/v1/namespaces/default/widgets", 404),
            ("/nonsense", 404),
        ])
    func `what is there and what is not`(path: String, code: Int) async throws {
        try await withServer { server in
            let answer = try await server.call(.get, path)
            #expect(answer.code == code)
            if code == 404 {
                #expect(
                    answer["kind"] == "Status" && answer["reason"] == "NotFound" && answer["details"]?.isNull != true)
            }
        }
    }

    @Test func `whoever is let in may do everything`() async throws {
        try await withServer { server in
            let answer = try await server.call(
                .post, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                ["kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "spec": [:]])
            #expect(answer["status", "allowed"] == true)
        }
    }
}
