import Testing

@testable import KubeSchema

/// The two manifests of the story, and what each becomes.
@Suite struct V1Beta1ManifestTests {
    static let nginxPod = #"""
        {"id":"nginx","kind":"Pod","apiVersion":"v1beta1","desiredState":{"manifest":{"version":"v1beta1","id":"nginx","containers":[{"name":"nginx","image":"nginx","ports":[{"containerPort":80,"hostPort":8080}]}]}},"labels":{"name":"nginx"}}
        """#
    static let nginxController = #"""
        {"id":"nginx-controller","kind":"ReplicationController","apiVersion":"v1beta1","desiredState":{"replicas":3,"replicaSelector":{"name":"nginx"},"podTemplate":{"labels":{"name":"nginx"},"manifest":{"containers":[{"name":"nginx","image":"nginx"}]}}}}
        """#

    @Test func `the nginx pod becomes its v1 form without a warning`() throws {
        let (pod, warnings) = try V1Beta1.toV1(parse(Self.nginxPod), resource: "pods", mergingOver: nil)
        #expect(
            pod == [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "nginx", "labels": ["name": "nginx"]],
                "spec": [
                    "containers": [
                        [
                            "name": "nginx", "image": "nginx", "ports": [["containerPort": 80, "hostPort": 8080]],
                            "imagePullPolicy": "IfNotPresent",
                        ]
                    ]
                ],
            ])
        #expect(warnings.isEmpty)
    }

    @Test func `the metadata that kubectl adds is taken`() throws {
        var body = try parse(Self.nginxPod)
        body["metadata"] = ["namespace": "web", "annotations": ["a": "b"]]
        let (pod, warnings) = try V1Beta1.toV1(body, resource: "pods", mergingOver: nil)
        #expect(
            pod["metadata"]
                == ["name": "nginx", "namespace": "web", "labels": ["name": "nginx"], "annotations": ["a": "b"]])
        #expect(warnings.isEmpty)
    }

    @Test func `the nginx controller is taken although its manifest is misplaced`() throws {
        let (controller, warnings) = try V1Beta1.toV1(
            parse(Self.nginxController), resource: "replicationControllers", mergingOver: nil)
        #expect(
            controller == [
                "apiVersion": "v1", "kind": "ReplicationController", "metadata": ["name": "nginx-controller"],
                "spec": [
                    "replicas": 3, "selector": ["name": "nginx"],
                    "template": [
                        "metadata": ["labels": ["name": "nginx"]],
                        "spec": [
                            "containers": [["name": "nginx", "image": "nginx", "imagePullPolicy": "IfNotPresent"]]
                        ],
                    ],
                ],
            ])
        #expect(
            warnings == [
                "desiredState.podTemplate.manifest is taken as desiredState.podTemplate.desiredState.manifest, "
                    + "where it belongs"
            ])
    }

    @Test func `the worked pair converts as the API's authors had it`() throws {
        let old: JSON = [
            "id": "web", "labels": ["app": "web"],
            "desiredState": [
                "manifest": [
                    "volumes": [["name": "d", "source": ["hostDir": ["path": "/d"]]]], "restartPolicy": ["never": [:]],
                    "containers": [["name": "c", "image": "i", "command": ["x"], "cpu": 250, "memory": 1_000_000]],
                ]
            ],
            "currentState": ["status": "Terminated", "host": "n1"],
        ]
        var repairs = Repairs()
        let new = try V1Beta1.convert(old, resource: "pods", repairs: &repairs)
        #expect(
            new == [
                "apiVersion": "v1", "kind": "Pod", "metadata": ["name": "web", "labels": ["app": "web"]],
                "spec": [
                    "nodeName": "n1", "restartPolicy": "Never", "volumes": [["name": "d", "hostPath": ["path": "/d"]]],
                    "containers": [
                        [
                            "name": "c", "image": "i", "args": ["x"], "imagePullPolicy": "IfNotPresent",
                            "resources": ["limits": ["cpu": "250m", "memory": "1000000"]],
                        ]
                    ],
                ],
                "status": ["phase": "Failed"],
            ])
        let created = try V1Beta1.toV1(old, resource: "pods", mergingOver: nil).object
        #expect(created["spec", "nodeName"] == nil && created["status"] == nil, "a POST's currentState is ignored")
    }

    @Test(
        "manifests that deviate are read as they were meant, with a warning",
        arguments: [
            // containers directly in the template
            (
                #"{"id":"c","desiredState":{"replicas":1,"replicaSelector":{"a":"b"},"podTemplate":{"labels":{"a":"b"},"containers":[{"name":"n","image":"i"}]}}}"#,
                ["template", "spec", "containers"], #"[{"name":"n","image":"i","imagePullPolicy":"IfNotPresent"}]"#
            ),
            // containers in the template's desiredState
            (
                #"{"id":"c","desiredState":{"replicas":1,"replicaSelector":{"a":"b"},"podTemplate":{"labels":{"a":"b"},"desiredState":{"containers":[{"name":"n","image":"i"}]}}}}"#,
                ["template", "spec", "containers"], #"[{"name":"n","image":"i","imagePullPolicy":"IfNotPresent"}]"#
            ),
            // both places: the proper one wins
            (
                #"{"id":"c","desiredState":{"replicas":1,"replicaSelector":{"a":"b"},"podTemplate":{"labels":{"a":"b"},"manifest":{"containers":[{"name":"wrong"}]},"desiredState":{"manifest":{"containers":[{"name":"n","image":"i:latest"}]}}}}}"#,
                ["template", "spec", "containers"], #"[{"name":"n","image":"i:latest","imagePullPolicy":"Always"}]"#
            ),
            // labels further in
            (
                #"{"id":"c","desiredState":{"replicas":1,"replicaSelector":{"a":"b"},"podTemplate":{"desiredState":{"labels":{"a":"b"},"manifest":{"containers":[]}}}}}"#,
                ["template", "metadata", "labels"], #"{"a":"b"}"#
            ),
            // no labels at all
            (
                #"{"id":"c","desiredState":{"replicas":1,"replicaSelector":{"a":"b"},"podTemplate":{"desiredState":{"manifest":{"containers":[]}}}}}"#,
                ["template", "metadata", "labels"], #"{"a":"b"}"#
            ),
            // no selector
            (
                #"{"id":"c","desiredState":{"replicas":1,"podTemplate":{"labels":{"a":"b"},"desiredState":{"manifest":{"containers":[]}}}}}"#,
                ["selector"], #"{"a":"b"}"#
            ),
            // mid-2014
            (
                #"{"id":"c","desiredState":{"replicasInSet":2,"replicaSelector":{"a":"b"},"podTemplate":{"labels":{"a":"b"},"desiredState":{"manifest":{"containers":[]}}}}}"#,
                ["replicas"], "2"
            ),
            (
                #"{"id":"c","desiredState":{"replicas":"2","replicaSelector":{"a":"b"},"podTemplate":{"labels":{"a":"b"},"desiredState":{"manifest":{"containers":[]}}}}}"#,
                ["replicas"], "2"
            ),
        ])
    func deviations(body: String, path: [String], expected: String) throws {
        let (controller, warnings) = try V1Beta1.toV1(
            parse(body), resource: "replicationcontrollers", mergingOver: nil)
        #expect(controller["spec"]?[path] == (try parse(expected)))
        #expect(warnings.count == 1, "\(warnings)")
    }

    @Test(
        "deviating pods",
        arguments: [
            (#"{"desiredState":{"containers":[{"name":"n","image":"i","cpu":"100"}]}}"#, 2),
            (
                #"{"manifest":{"containers":[{"name":"n","image":"i","resources":{"limits":{"cpu":"100m"}},"cpu":5}]}}"#,
                1
            ),
            (#"{"containers":[{"name":"n","image":"i","resources":{"limits":{"cpu":"100m"}}}]}"#, 1),
            (#"{"desiredState":{"manifest":{"containers":[{"name":"n","image":"i","cpu":100,"args":["x"]}]}}}"#, 1),
        ])
    func pods(body: String, warningCount: Int) throws {
        let (pod, warnings) = try V1Beta1.toV1(parse(body), resource: "pods", mergingOver: nil)
        let expected =
            #"[{"name":"n","image":"i","resources":{"limits":{"cpu":"100m"}},"imagePullPolicy":"IfNotPresent"}]"#
        #expect(pod["spec", "containers"] == (try parse(expected)))
        #expect(warnings.count == warningCount, "\(warnings)")
    }

    @Test(arguments: [
        (#"{"always":{}}"#, "Always"), (#"{"onFailure":{}}"#, "OnFailure"), (#"{"never":{}}"#, "Never"),
        (#"{"type":"RestartOnFailure"}"#, "OnFailure"), (#""Never""#, "Never"),
    ])
    func `restart policies are objects with one member`(policy: String, expected: String) throws {
        let body = #"{"id":"p","desiredState":{"manifest":{"restartPolicy":\#(policy),"containers":[]}}}"#
        let pod = try V1Beta1.toV1(parse(body), resource: "pods", mergingOver: nil).object
        #expect(pod["spec", "restartPolicy"] == .string(expected))
    }

    @Test(
        "what contradicts itself is refused by name",
        arguments: [
            ("pods", #"{"kind":"Service","id":"x"}"#, "the body's kind is Service, but this path takes Pod"),
            ("minions", #"{"kind":"Pod","id":"x"}"#, "the body's kind is Pod, but this path takes Minion"),
            ("pods", #"{"apiVersion":"v1","id":"x"}"#, "the body's apiVersion is v1, but this path takes v1beta1"),
            ("pods", "[]", "expected a JSON object, found a list"),
            ("secrets", "{}", "the resource secrets has no v1beta1 form: use /api/v1"),
            (
                "pods", #"{"desiredState":{"manifest":{"containers":{}}}}"#,
                "desiredState.manifest.containers: expected a list, found an object"
            ),
            ("pods", #"{"desiredState":{"manifest":[]}}"#, "desiredState.manifest: expected an object, found a list"),
            (
                "pods", #"{"desiredState":{"manifest":{"restartPolicy":{"always":{},"never":{}}}}}"#,
                "desiredState.manifest.restartPolicy: Invalid value: always, never: only 1 policy is allowed, of always, onFailure and never"
            ),
            (
                "pods",
                #"{"desiredState":{"manifest":{"volumes":[{"name":"v","source":{"emptyDir":{},"hostDir":{"path":"/"}}}]}}}"#,
                "desiredState.manifest.volumes[0].source: Invalid value: emptyDir, hostDir: exactly 1 volume type is required"
            ),
            ("endpoints", #"{"endpoints":["10.0.0.1"]}"#, "endpoints[0]: Invalid value: expected \"address:port\""),
        ])
    func refusals(resource: String, body: String, message: String) throws {
        let body = try parse(body)
        do {
            _ = try V1Beta1.toV1(body, resource: resource, mergingOver: nil)
            Issue.record("accepted")
        } catch {
            #expect(error.description == message)
        }
    }

    @Test func `ports, mounts, variables, probes and volumes take their old forms`() throws {
        let body = #"""
            {"id":"p","desiredState":{"host":"n2","manifest":{"version":"v1beta2","uuid":"u","containers":[{"name":"c","image":"i",
             "entrypoint":["/e"],"command":["a"],"ports":[{"containerPort":80,"hostPort":0,"protocol":"udp","name":"a-very-long-port-name"}],
             "env":[{"key":"K","value":5}],"volumeMounts":[{"name":"v","path":"/m","mountType":"LOCAL"}],
             "livenessProbe":{"enabled":true,"type":"http","httpGet":{"path":"/h","port":"8080"},"initialDelaySeconds":30},
             "readinessProbe":{"tcpSocket":{"port":"a-very-long-port-name"}},
             "privileged":true,"capabilities":{"add":["NET_ADMIN"]},"imagePullPolicy":"PullNever"}],
             "volumes":[{"name":"v"},{"name":"w","source":{"persistentDisk":{"pdName":"d","fsType":"ext4"}}}]}},
             "nodeSelector":{"disk":"ssd"},"labels":{"uses":"redisslave,redis-master"}}
            """#
        let pod = try V1Beta1.toV1(parse(body), resource: "pods", mergingOver: nil).object
        let container = try #require(pod["spec", "containers"]?.array?.first)
        #expect(container["command"] == ["/e"] && container["args"] == ["a"])
        let port = try #require(container["ports"]?.array?.first)
        #expect(port["protocol"] == "UDP" && port["hostPort"] == nil)
        let short = try #require(port["name"]?.string)
        #expect(short.utf8.count <= 15)
        #expect(container["readinessProbe", "tcpSocket", "port"] == .string(short))
        #expect(container["env"] == [["name": "K", "value": "5"]])
        #expect(container["volumeMounts"] == [["name": "v", "mountPath": "/m"]])
        #expect(
            container["livenessProbe"]
                == ["httpGet": ["path": "/h", "port": 8080], "initialDelaySeconds": 30])
        #expect(container["securityContext"] == ["privileged": true, "capabilities": ["add": ["NET_ADMIN"]]])
        #expect(container["imagePullPolicy"] == "Never")
        #expect(
            pod["spec", "volumes"]
                == [
                    ["name": "v", "emptyDir": [:]],
                    ["name": "w", "gcePersistentDisk": ["pdName": "d", "fsType": "ext4"]],
                ])
        #expect(pod["spec", "nodeSelector"] == ["disk": "ssd"])
        #expect(pod["spec", "nodeName"] == nil, "the scheduler still decides")
        #expect(pod["spec", "affinity"] != nil)
        let back = V1Beta1.fromV1(pod, resource: "pods", selfLink: nil)
        #expect(back["desiredState", "host"] == "n2")
        #expect(
            back["desiredState", "manifest", "containers"]?.array?.first?["ports"]?.array?.first?["name"]
                == "a-very-long-port-name")
        #expect(back["annotations"] == nil)
        #expect(back["labels"] == ["uses": "redisslave,redis-master"])
    }

    @Test func `the redis service keeps its target, one without a target is marked`() throws {
        let redis =
            #"{"id":"redis","kind":"Service","apiVersion":"v1beta1","port":6379,"containerPort":6379,"selector":{"name":"redis"}}"#
        let service = try V1Beta1.toV1(parse(redis), resource: "services", mergingOver: nil).object
        #expect(service["spec"] == ["ports": [["port": 6379, "targetPort": 6379]], "selector": ["name": "redis"]])
        let bare = try V1Beta1.toV1(["id": "s", "port": 80, "selector": [:]], resource: "services", mergingOver: nil)
            .object
        #expect(
            bare["metadata", "annotations"]
                == ["v1beta1.fjord/container-port": "first", "v1beta1.fjord/selector": "all"])
        let back = V1Beta1.fromV1(bare, resource: "services", selfLink: nil)
        #expect(back["containerPort"] == nil && back["selector"] == [:] && back["annotations"] == nil)
    }
}

func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }
