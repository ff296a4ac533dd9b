import Testing

@testable import KubeSchema

/// What is answered: objects, lists, watch events, statuses; and the names used in requests.
@Suite struct V1Beta1AnswerTests {
    static let pod: JSON = [
        "apiVersion": "v1", "kind": "Pod",
        "metadata": [
            "name": "web", "namespace": "default", "uid": "u", "resourceVersion": "42",
            "creationTimestamp": "2015-02-03T00:00:00Z", "labels": ["a": "b"],
        ],
        "spec": [
            "nodeName": "n1", "restartPolicy": "Always", "dnsPolicy": "ClusterFirst",
            "containers": [
                [
                    "name": "c", "image": "i", "command": ["/e"], "args": ["x"],
                    "resources": ["limits": ["cpu": "1500u", "memory": "1.5Ki"]],
                    "env": [["name": "K", "value": "v"]], "volumeMounts": [["name": "v", "mountPath": "/m"]],
                ]
            ], "volumes": [["name": "v", "hostPath": ["path": "/d", "type": ""]]],
        ],
        "status": [
            "phase": "Running", "podIP": "10.244.1.2", "hostIP": "10.240.0.11",
            "conditions": [["type": "Ready", "status": "True"], ["type": "Initialized", "status": "True"]],
            "containerStatuses": [
                [
                    "name": "c", "restartCount": 1, "image": "i", "ready": true,
                    "state": ["terminated": ["exitCode": 1]], "lastState": [:],
                ]
            ],
        ],
    ]

    @Test func `a pod is flat, its version a number, its status a map`() throws {
        let flat = V1Beta1.fromV1(Self.pod, resource: "pods", selfLink: "/api/v1beta1/pods/web?namespace=default")
        #expect(flat["kind"] == "Pod" && flat["apiVersion"] == "v1beta1" && flat["id"] == "web")
        #expect(flat["resourceVersion"] == 42 && flat["namespace"] == "default" && flat["metadata"] == nil)
        #expect(flat["selfLink"] == "/api/v1beta1/pods/web?namespace=default")
        let manifest = try #require(flat["desiredState", "manifest"])
        #expect(manifest["version"] == "v1beta1" && manifest["id"] == "web")
        #expect(manifest["restartPolicy"] == ["always": [:]])
        #expect(manifest["volumes"] == [["name": "v", "source": ["hostDir": ["path": "/d"]]]])
        #expect(
            manifest["containers"] == [
                [
                    "name": "c", "image": "i", "entrypoint": ["/e"], "command": ["x"],
                    "env": [["name": "K", "key": "K", "value": "v"]], "cpu": 2, "memory": 1536,
                    "volumeMounts": [["name": "v", "mountPath": "/m", "path": "/m"]],
                ]
            ])
        let current = try #require(flat["currentState"])
        #expect(current["status"] == "Running" && current["host"] == "n1" && current["podIP"] == "10.244.1.2")
        #expect(current["Condition"] == [["kind": "Ready", "status": "Full"]])
        #expect(current["info", "c", "state", "termination", "exitCode"] == 1)
        #expect(current["info", "POD", "podIP"] == "10.244.1.2")
    }

    @Test func `metadata is added for the clients that look for it`() {
        let flat = V1Beta1.fromV1(Self.pod, resource: "pods", selfLink: nil, metadata: true)
        #expect(flat["metadata", "name"] == "web" && flat["metadata", "resourceVersion"] == "42")
        #expect(flat["id"] == "web")
    }

    @Test func `a list of minions has them twice`() {
        let list: JSON = [
            "apiVersion": "v1", "kind": "NodeList", "metadata": ["resourceVersion": "7"],
            "items": [
                [
                    "metadata": ["name": "10.0.0.1"],
                    "status": [
                        "capacity": ["cpu": "1500m", "memory": "1Gi", "pods": "110"],
                        "addresses": [
                            ["type": "Hostname", "address": "h"], ["type": "InternalIP", "address": "10.0.0.1"],
                        ],
                        "conditions": [
                            ["type": "Ready", "status": "False"], ["type": "DiskPressure", "status": "False"],
                        ],
                    ],
                ]
            ],
        ]
        let minions = V1Beta1.fromV1(list, resource: "minions", selfLink: "/api/v1beta1/minions")
        #expect(minions["kind"] == "MinionList" && minions["resourceVersion"] == 7)
        #expect(minions["creationTimestamp"] == .null)
        #expect(minions["items"] == minions["minions"])
        let minion = minions["items"]?.array?.first
        #expect(minion?["kind"] == "Minion" && minion?["id"] == "10.0.0.1" && minion?["hostIP"] == "10.0.0.1")
        #expect(minion?["resources"] == ["capacity": ["cpu": "1.5", "memory": 1_073_741_824]])
        #expect(minion?["status", "conditions"] == [["kind": "Ready", "status": "None"]])
        #expect(V1Beta1.fromV1(list, resource: "nodes", selfLink: nil)["kind"] == "NodeList")
        #expect(V1Beta1.items(of: ["items": [], "minions": [1]]) == [1])
        #expect(V1Beta1.items(of: ["items": [2], "minions": [1]]) == [2])
    }

    @Test func `an empty list has items all the same, and Endpoints is no list`() {
        let empty = V1Beta1.fromV1(["kind": "PodList", "metadata": [:], "items": []], resource: "pods", selfLink: nil)
        #expect(empty["items"] == [] && empty["kind"] == "PodList")
        let endpoints: JSON = [
            "kind": "Endpoints", "metadata": ["name": "s"],
            "subsets": [
                [
                    "addresses": [["ip": "10.0.0.1"], ["ip": "fd00::1"]], "notReadyAddresses": [["ip": "10.0.0.9"]],
                    "ports": [["port": 80], ["port": 443]],
                ]
            ],
        ]
        #expect(
            V1Beta1.fromV1(endpoints, resource: "endpoints", selfLink: nil)["endpoints"]
                == ["10.0.0.1:80", "[fd00::1]:80", "10.0.0.1:443", "[fd00::1]:443"])
    }

    @Test func `a status names its object by id`() {
        let status: JSON = [
            "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure", "message": "m",
            "reason": "NotFound", "details": ["name": "x", "kind": "pods"], "code": 404,
        ]
        let flat = V1Beta1.watchEvent(type: "ERROR", object: status, resource: "pods")
        #expect(flat["type"] == "ERROR")
        #expect(
            flat["object"] == [
                "kind": "Status", "apiVersion": "v1beta1", "creationTimestamp": .null, "status": "Failure",
                "message": "m", "reason": "NotFound", "details": ["id": "x", "kind": "pods"], "code": 404,
            ])
        #expect(V1Beta1.watchEvent(type: "ADDED", object: Self.pod, resource: "pods")["object", "id"] == "web")
    }

    @Test func `events and bindings have strings where v1 has objects`() throws {
        let event: JSON = [
            "id": "e", "involvedObject": ["kind": "Pod", "name": "p"], "reason": "failed", "message": "m",
            "source": "kubelet", "host": "n1", "timestamp": "2015-01-01T00:00:00Z",
        ]
        let v1 = try V1Beta1.toV1(event, resource: "events", mergingOver: nil).object
        #expect(v1["source"] == ["component": "kubelet", "host": "n1"])
        #expect(v1["firstTimestamp"] == "2015-01-01T00:00:00Z" && v1["lastTimestamp"] == v1["firstTimestamp"])
        #expect(v1["count"] == 1)
        let binding = try V1Beta1.toV1(["podID": "p", "host": "n1"], resource: "bindings", mergingOver: nil).object
        #expect(binding["metadata", "name"] == "p" && binding["target"] == ["kind": "Node", "name": "n1"])
    }

    @Test(arguments: [
        ("pods", "DesiredState.Host=", "spec.nodeName="), ("pods", "DesiredState.Host!=", "spec.nodeName!="),
        ("pods", "Status.Host==n1,name=x", "spec.nodeName==n1,metadata.name=x"),
        ("pods", "DesiredState.Status=Terminated", "status.phase=Failed"),
        ("pods", "status.phase=Failed", "status.phase=Failed"),
        ("events", "involvedObject.name=p,source=kubelet", "involvedObject.name=p,source=kubelet"),
        ("minions", "name=n", "metadata.name=n"), ("pods", "", ""), ("pods", "nonsense", "nonsense"),
    ])
    func `field selectors use today's names`(resource: String, old: String, new: String) {
        #expect(V1Beta1.fieldSelector(old, resource: resource) == new)
    }

    @Test(arguments: [
        ("replicationControllers", "replicationcontrollers"), ("replicationcontrollers", "replicationcontrollers"),
        ("minions", "nodes"), ("nodes", "nodes"), ("pods", "pods"), ("secrets", nil),
    ])
    func `path segments name resources`(segment: String, resource: String?) {
        #expect(V1Beta1.resource(segment: segment) == resource)
    }

    @Test(
        arguments: [("1", 1000), ("250m", 250), ("100u", 1), ("1n", 1), ("2k", 2_000_000), ("x", nil), ("", nil)]
            as [(String, Int64?)])
    func `quantities round up to thousandths`(text: String, milli: Int64?) {
        #expect(HistoricQuantity.milli(.string(text)) == milli)
    }
}
