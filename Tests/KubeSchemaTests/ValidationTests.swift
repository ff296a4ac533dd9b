import Testing

@testable import KubeSchema

@Suite struct ValidationTests {
    private func problems(_ text: String, lenient: Bool = false) throws -> [String] {
        let (object, definition) = try Fixtures.object(text)
        return Validation.create(object, definition, lenient: lenient).map(\.description)
    }

    @Test(
        arguments: [
            (Fixtures.pod(), []),
            (
                Fixtures.pod(#","ports":[{"containerPort":80,"hostPort":70000}]"#),
                ["spec.containers[0].ports[0].hostPort: Invalid value: 70000: must be between 1 and 65535, inclusive"]
            ),
            (
                Fixtures.pod(#","ports":[{"containerPort":0},{"containerPort":1,"name":"A","protocol":"X"}]"#),
                [
                    "spec.containers[0].ports[0].containerPort: Required value",
                    "spec.containers[0].ports[1].name: Invalid value: \"A\": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
                    "spec.containers[0].ports[1].name: Invalid value: \"A\": must contain at least one letter (a-z)",
                    "spec.containers[0].ports[1].protocol: Unsupported value: \"X\": supported values: \"SCTP\", \"TCP\", \"UDP\"",
                ]
            ),
            (
                Fixtures.pod(
                    #","ports":[{"containerPort":1,"name":"a","hostPort":5},{"containerPort":2,"name":"a","hostPort":5}]"#
                ),
                [
                    "spec.containers[0].ports[1].name: Duplicate value: \"a\"",
                    "spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//5\"",
                ]
            ),
            (
                Fixtures.pod(
                    #","volumeMounts":[{"name":"v","mountPath":"/a"},{"name":"w","mountPath":"/a"}]"#,
                    spec: #","volumes":[{"name":"v"}]"#),
                [
                    "spec.containers[0].volumeMounts[1].name: Not found: \"w\"",
                    "spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique",
                ]
            ),
            (
                Fixtures.pod(
                    "",
                    spec: #","volumes":[{"name":"v","emptyDir":{},"hostPath":{"path":"/"}},{"name":"v","secret":{}}]"#),
                [
                    "spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type",
                    "spec.volumes[1].name: Duplicate value: \"v\"", "spec.volumes[1].secret.secretName: Required value",
                ]
            ),
            (
                Fixtures.pod(#","resources":{"limits":{"cpu":"1"},"requests":{"cpu":"2"}}"#),
                [
                    "spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1"
                ]
            ),
            (
                Fixtures.pod(#","resources":{"limits":{"memory":"-1"}}"#),
                ["limits", "requests"].map {
                    "spec.containers[0].resources.\($0)[memory]: Invalid value: \"-1\": must be greater than or equal to 0"
                }
            ),
            (
                Fixtures.pod(#","imagePullPolicy":"Maybe","env":[{"name":"A=B"}]"#),
                [
                    "spec.containers[0].imagePullPolicy: Unsupported value: \"Maybe\": supported values: \"Always\", \"IfNotPresent\", \"Never\"",
                    "spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist only of printable ASCII characters other than '=' (e.g. 'A.a', regex used for validation is '^[ -<>-~]+$')",
                ]
            ),
            (
                Fixtures.pod(
                    "", spec: #","restartPolicy":"Sometimes","dnsPolicy":"None","terminationGracePeriodSeconds":-1"#),
                [
                    "spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", \"Never\", \"OnFailure\"",
                    "spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0",
                ]
            ),
            (
                Fixtures.pod(#","livenessProbe":{"periodSeconds":-1,"successThreshold":2}"#),
                [
                    "spec.containers[0].livenessProbe: Required value: must specify a handler type",
                    "spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
                    "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
                ]
            ),
            (
                #"{"kind":"Pod","metadata":{"namespace":"n"},"spec":{}}"#,
                ["metadata.name: Required value: name or generateName is required", "spec.containers: Required value"]
            ),
            (
                #"{"kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{}]}}"#,
                [
                    "metadata.namespace: Required value", "spec.containers[0].name: Required value",
                    "spec.containers[0].image: Required value",
                ]
            ),
        ] as [(String, [String])])
    func podsFollowTheRules(_ pod: String, _ expected: [String]) throws { #expect(try problems(pod) == expected) }

    @Test(
        arguments: [
            (
                #"{"kind":"Service","metadata":{"name":"x","namespace":"n"},"spec":{"selector":{"a":"b"}}}"#,
                ["spec.ports: Required value"]
            ),
            (#"{"kind":"Service","metadata":{"name":"x","namespace":"n"},"spec":{"clusterIP":"None"}}"#, []),
            (
                #"{"kind":"Service","metadata":{"name":"x","namespace":"n"},"spec":{"ports":[{"port":80},{"port":80}]}}"#,
                [
                    "spec.ports[0].name: Required value", "spec.ports[1].name: Required value",
                    #"spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}"#,
                ]
            ),
            (
                #"{"kind":"Service","metadata":{"name":"x","namespace":"n"},"spec":{"clusterIP":"1.2.3","ports":[{"port":0,"nodePort":30000}]}}"#,
                [
                    "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                    "spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive",
                    "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
                    "spec.clusterIPs[0]: Invalid value: \"1.2.3\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                ]
            ),
            (
                #"{"kind":"ReplicationController","metadata":{"name":"x","namespace":"n"},"spec":{"replicas":-1,"selector":{"a":"b"},"template":{"metadata":{"labels":{"a":"c"}},"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}}"#,
                [
                    "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
                    #"spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`"#,
                    "spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\"",
                ]
            ),
            (
                #"{"kind":"ReplicationController","metadata":{"name":"x","namespace":"n"},"spec":{}}"#,
                ["spec.selector: Required value", "spec.template: Required value"]
            ),
            (
                #"{"kind":"ConfigMap","metadata":{"name":"x","namespace":"n"},"data":{"a b":"","c":""},"binaryData":{"c":"AA=="}}"#,
                [
                    "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
                    "data[c]: Invalid value: \"c\": duplicate of key present in binaryData",
                ]
            ),
            (
                #"{"kind":"Secret","metadata":{"name":"x","namespace":"n"},"type":"kubernetes.io/tls","data":{"tls.crt":"AA=="}}"#,
                ["data[tls.key]: Required value"]
            ),
            (
                #"{"kind":"Namespace","metadata":{"name":"a.b"}}"#,
                [
                    "metadata.name: Invalid value: \"a.b\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
                ]
            ),
            (
                #"{"kind":"Node","metadata":{"name":"n","namespace":"d"},"spec":{"taints":[{"key":"a","effect":"Never"}]}}"#,
                [
                    "metadata.namespace: Forbidden: not allowed on this type",
                    "spec.taints[0].effect: Unsupported value: \"Never\": supported values: \"NoExecute\", \"NoSchedule\", \"PreferNoSchedule\"",
                ]
            ),
            (
                #"{"kind":"Endpoints","metadata":{"name":"x","namespace":"n"},"subsets":[{},{"addresses":[{"ip":"1.2.3.4.5"}]}]}"#,
                [
                    "subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`",
                    "subsets[1].addresses[0].ip: Invalid value: \"1.2.3.4.5\": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
                ]
            ),
            (
                #"{"kind":"Event","metadata":{"name":"x","namespace":"n"},"involvedObject":{"namespace":"m"}}"#,
                ["involvedObject.namespace: Invalid value: \"m\": does not match event.namespace"]
            ),
            (
                #"{"kind":"Binding","metadata":{"name":"x","namespace":"n"},"target":{"kind":"Pod"}}"#,
                [
                    "target.kind: Unsupported value: \"Pod\": supported values: \"<empty>\", \"Node\"",
                    "target.name: Required value",
                ]
            ),
        ] as [(String, [String])])
    func otherKindsFollowTheRules(_ object: String, _ expected: [String]) throws {
        #expect(try problems(object) == expected)
    }

    @Test func namesAndLabelValuesOfOldObjectsAreLeftAlone() throws {
        let text = Fixtures.pod().replacing("\"name\":\"c\"", with: "\"name\":\"redisMaster\"")
            .replacing("\"name\":\"x\"", with: "\"name\":\"redisMaster\",\"labels\":{\"uses\":\"a,b\"}")
        #expect(try problems(text, lenient: true).isEmpty)
        #expect(try problems(text).count == 3)
        #expect(
            try problems(text.replacing("redisMaster\",\"labels", with: "a/b\",\"labels"), lenient: true) == [
                "metadata.name: Invalid value: \"a/b\": may not contain '/'"
            ])
    }

    @Test func whatWasLetInLenientlyStaysUsableAndSoDoesWhatIsMadeFromIt() throws {
        let (old, definition) = try Fixtures.object(
            #"{"kind":"ReplicationController","metadata":{"name":"webApp","namespace":"n"},"spec":{"replicas":1,"template":{"metadata":{"labels":{"uses":"a,b"}},"spec":{"containers":[{"name":"theWeb","image":"i"}]}}}}"#
        )
        #expect(Validation.create(old, definition, lenient: true).isEmpty)
        #expect(!Validation.create(old, definition).isEmpty)
        var scaled = old
        scaled["spec", "replicas"] = 3
        #expect(Validation.update(new: scaled, old: old, definition).isEmpty)
        scaled["spec", "replicas"] = -3
        #expect(Validation.update(new: scaled, old: old, definition).map(\.field) == ["spec.replicas"])
        let owned = Fixtures.pod(
            metadata:
                #","generateName":"webApp-","labels":{"uses":"a,b"},"ownerReferences":[{"apiVersion":"v1","kind":"ReplicationController","name":"webApp","uid":"u","controller":true}]"#
        )
        #expect(try problems(owned).isEmpty)
    }

    @Test(
        arguments: [
            (#"[{"op":"replace","path":"/spec/containers/0/image","value":"nginx:2"}]"#, []),
            (#"[{"op":"add","path":"/spec/tolerations","value":[{"operator":"Exists"}]}]"#, []),
            (#"[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]"#, []),
            (
                #"[{"op":"replace","path":"/spec/containers/0/name","value":"d"}]"#,
                ["spec: Forbidden: pod updates may not change fields other than"]
            ),
            (
                #"[{"op":"add","path":"/spec/containers/-","value":{"name":"d","image":"i"}}]"#,
                ["spec.containers: Forbidden: pod updates may not add or remove containers"]
            ),
            (
                #"[{"op":"add","path":"/spec/activeDeadlineSeconds","value":0}]"#,
                ["spec.activeDeadlineSeconds: Invalid value: 0: must be between"]
            ),
            (
                #"[{"op":"replace","path":"/metadata/name","value":"y"},{"op":"add","path":"/metadata/uid","value":"u"}]"#,
                [
                    "metadata.name: Invalid value: \"y\": field is immutable",
                    "metadata.uid: Invalid value: \"u\": field is immutable",
                ]
            ),
        ] as [(String, [String])])
    func ofAPodLittleMayChange(_ patch: String, _ expected: [String]) throws {
        let (old, definition) = try Fixtures.object(Fixtures.pod())
        let new = try Patch.json(try Fixtures.json(patch), to: old)
        let found = Validation.update(new: new, old: old, definition).map(\.description)
        #expect(found.count == expected.count && zip(found, expected).allSatisfy { $0.hasPrefix($1) }, "\(found)")
    }

    @Test func aServiceKeepsItsAddressAndAnImmutableSecretItsData() throws {
        let (service, definition) = try Fixtures.object(
            #"{"kind":"Service","metadata":{"name":"x","namespace":"n"},"spec":{"clusterIP":"10.254.0.9","clusterIPs":["10.254.0.9"],"ports":[{"port":80}]}}"#
        )
        var moved = service
        moved["spec", "clusterIP"] = "10.254.0.8"
        moved["spec", "clusterIPs"] = ["10.254.0.8"]
        #expect(
            Validation.update(new: moved, old: service, definition).map(\.description) == [
                #"spec.clusterIPs[0]: Invalid value: ["10.254.0.8"]: may not change once set"#
            ])
        #expect(Validation.update(new: service, old: service, definition).isEmpty)
        let (secret, secrets) = try Fixtures.object(
            #"{"kind":"Secret","metadata":{"name":"x","namespace":"n"},"immutable":true,"data":{"a":"AA=="}}"#)
        var changed = secret
        changed["data", "a"] = "AQ=="
        changed["type"] = "x"
        #expect(
            Validation.update(new: changed, old: secret, secrets).map(\.description) == [
                "type: Invalid value: \"x\": field is immutable",
                "data: Forbidden: field is immutable when `immutable` is set",
            ])
    }

    @Test func anInvalidObjectBecomesAStatusThatNamesEveryError() throws {
        let definition = try Fixtures.definition("Pod")
        let one = [FieldError(.required, "spec.containers[0].image")]
        #expect(
            StatusDocument.invalid(definition, name: "x", one)["message"]
                == "Pod \"x\" is invalid: spec.containers[0].image: Required value")
        let two = StatusDocument.invalid(
            definition, name: "x", one + [FieldError(.invalid, "spec.replicas", value: -1, "must be positive")] + one)
        #expect(
            two["message"]
                == "Pod \"x\" is invalid: [spec.containers[0].image: Required value, spec.replicas: Invalid value: -1: must be positive]"
        )
        #expect(two["code"] == 422)
        #expect(
            two["details"]?["causes"]?.array?.first == [
                "reason": "FieldValueRequired", "message": "Required value", "field": "spec.containers[0].image",
            ])
        #expect(StatusDocument.notFound(definition, name: "nope")["message"] == "pods \"nope\" not found")
        let lease = try Fixtures.definition("Lease")
        #expect(
            StatusDocument.alreadyExists(lease, name: "a")["message"]
                == "leases.coordination.k8s.io \"a\" already exists")
    }
}
