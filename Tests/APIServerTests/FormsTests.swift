import HTTPTypes
import KubeSchema
import Testing

@testable import APIServer

/// What comes back for which Accept header.
@Suite(.timeLimit(.minutes(2))) struct FormsTests {
    private static let protobuf = "application/vnd.kubernetes.protobuf"

    @Test(
        arguments: [
            (nil, .json, true), ("*/*", .json, true), ("application/yaml", .yaml, true),
            ("application/vnd.kubernetes.protobuf,application/json", .protobuf, true),
            ("application/vnd.kubernetes.protobuf;q=0.5, application/json;q=0.9", .json, true),
            ("application/json;q=0, application/yaml;q=0.1", .yaml, true), ("text/html", .json, false),
            ("application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", .json, false),
        ] as [(String?, ResponseForm.Encoding, Bool)])
    func `the heaviest served type wins`(_ row: (String?, ResponseForm.Encoding, Bool)) {
        let form = ResponseForm(accept: row.0, query: QueryItems(""))
        #expect(form.encoding == row.1 && form.isAcceptable == row.2)
    }

    @Test func `objects, lists and failures are written as the client likes them`() async throws {
        try await withServer { server in
            try await server.call(.post, pods, pod("p"))
            for path in ["\(pods)/p", pods, "\(pods)/nope"] {
                let answer = try await server.call(.get, path, accept: "\(Self.protobuf),application/json")
                #expect(answer.headers[.contentType] == Self.protobuf, "\(path)")
                #expect(answer.json.string?.hasPrefix("k8s\0") == true, "\(path)")
            }
            let yaml = try await server.call(.get, "\(pods)/p", accept: "application/yaml")
            #expect(yaml.headers[.contentType] == "application/yaml")
            let document = try JSON(yaml: Array((yaml.json.string ?? "").utf8))
            #expect(try await server.call(.get, "\(pods)/p").json == document)
            #expect(try await server.call(.get, pods, accept: "text/html").code == 406)
            let partial = try await server.call(
                .get, pods, accept: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")
            #expect(partial["kind"] == "PartialObjectMetadataList")
            #expect(partial.json["items"]?.array?.first?["spec"] == nil)
        }
    }

    @Test func `autoscalers and events are one object under two names`() async throws {
        try await withServer { server in
            let scalers = "namespaces/default/horizontalpodautoscalers"
            let created = try await server.call(
                .post, "/apis/autoscaling/v1/\(scalers)",
                [
                    "kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v1", "metadata": ["name": "h"],
                    "spec": [
                        "scaleTargetRef": ["kind": "Deployment", "name": "d"], "maxReplicas": 3,
                        "targetCPUUtilizationPercentage": 50,
                    ],
                ])
            #expect(created.code == 201 && created["apiVersion"] == "autoscaling/v1", "\(created.json)")
            let second = try await server.call(.get, "/apis/autoscaling/v2/\(scalers)/h")
            #expect(second["spec", "metrics"]?.array?.first?["resource", "target", "averageUtilization"] == 50)
            let patched = try await server.call(
                .patch, "/apis/autoscaling/v1/\(scalers)/h", ["spec": ["targetCPUUtilizationPercentage": 70]],
                type: "application/merge-patch+json")
            #expect(patched["spec", "targetCPUUtilizationPercentage"] == 70, "\(patched.json)")
            let list = try await server.call(.get, "/apis/autoscaling/v1/\(scalers)")
            #expect(list["items"]?.array?.first?["spec", "targetCPUUtilizationPercentage"] == 70)
        }
    }

    @Test func `OpenAPI documents are named by their content`() async throws {
        try await withServer { server in
            let root = try await server.call(.get, "/openapi/v3")
            let link = try #require(root["paths", "apis/apps/v1", "serverRelativeURL"]?.string)
            let document = try await server.call(.get, link)
            #expect(document["openapi"] == "3.0.0")
            #expect(document.headers[.cacheControl]?.contains("immutable") == true)
            #expect(try await server.call(.get, "/openapi/v3/apis/apps/v1?hash=old").code == 301)
            #expect(try await server.call(.get, "/openapi/v2")["swagger"] == "2.0")
        }
    }
}
