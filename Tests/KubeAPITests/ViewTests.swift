import KubeSchema
import Testing

@testable import KubeAPI

@Suite struct ViewTests {
    @Test func whatIsNotKnownSurvivesAChange() {
        var pod = Pod(document: [
            "kind": "Pod", "apiVersion": "v1", "metadata": ["name": "p", "strange": 1],
            "spec": ["containers": [["name": "c", "image": "i", "future": ["x": true]]], "other": "kept"],
        ])
        pod.spec.nodeName = "node-1"
        pod.metadata.labels = ["a": "b"]
        #expect(pod.document["spec", "other"] == "kept")
        #expect(pod.document["spec", "containers"]?.array?.first?["future", "x"] == true)
        #expect(pod.document["metadata", "strange"] == 1)
        #expect(pod.spec.nodeName == "node-1")
    }

    @Test(arguments: [
        (key: "k", op: "Equal", value: "v", effect: "NoExecute", expected: true),
        (key: "k", op: "Equal", value: "w", effect: "NoExecute", expected: false),
        (key: "k", op: "Exists", value: "", effect: "", expected: true),
        (key: "", op: "Exists", value: "", effect: "", expected: true),
        (key: "", op: "Equal", value: "v", effect: "", expected: false),
        (key: "k", op: "Exists", value: "", effect: "NoSchedule", expected: false),
    ])
    func tolerationsMatchAsKubernetesHasThem(
        _ row: (key: String, op: String, value: String, effect: String, expected: Bool)
    ) {
        let toleration = Toleration(document: [
            "key": .string(row.key), "operator": .string(row.op), "value": .string(row.value),
            "effect": .string(row.effect),
        ])
        #expect(toleration.tolerates(Taint(key: "k", value: "v", effect: "NoExecute")) == row.expected)
    }

    @Test func aConditionKeepsItsTransitionTimeWhileItsStatusStays() {
        var status = PodStatus()
        status.set(Condition(type: "Ready", status: "True"), now: Timestamp(seconds: 10))
        status.set(Condition(type: "Ready", status: "True", reason: "Again"), now: Timestamp(seconds: 20))
        #expect(status.condition("Ready")?.lastTransitionTime == Timestamp(seconds: 10))
        status.set(Condition(type: "Ready", status: "False"), now: Timestamp(seconds: 30))
        #expect(status.condition("Ready")?.lastTransitionTime == Timestamp(seconds: 30))
        #expect(status.conditions.count == 1)
    }

    @Test func pathsAreThoseOfTheAPI() {
        #expect(
            Pod.resource.path(namespace: "default", name: "p", subresource: "status")
                == "/api/v1/namespaces/default/pods/p/status")
        #expect(Pod.resource.path() == "/api/v1/pods")
        #expect(Node.resource.path(namespace: "ignored", name: "n") == "/api/v1/nodes/n")
        #expect(
            Lease.resource.path(namespace: "kube-node-lease")
                == "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
    }

    @Test func linesAreCutWhereverTheChunksEnd() throws {
        let text = Array("{\"a\":1}\n\n{\"b\":2}\n{\"c\"".utf8)
        for size in 1...text.count {
            var splitter = LineSplitter()
            var lines: [String] = []
            for start in stride(from: 0, to: text.count, by: size) {
                lines += try splitter.append(text[start..<min(start + size, text.count)]).map {
                    String(decoding: $0, as: UTF8.self)
                }
            }
            #expect(lines == ["{\"a\":1}", "{\"b\":2}"])
        }
    }

    @Test func statusErrorsTellWhatTheyAre() {
        let body = Array(
            #"{"kind":"Status","status":"Failure","message":"m","reason":"AlreadyExists","code":409}"#.utf8)
        let error = APIError(code: 409, body: body)
        #expect(error.isAlreadyExists && !error.isConflict)
        #expect(APIError(code: 502, body: Array("bad gateway".utf8)).code == 502)
    }
}
