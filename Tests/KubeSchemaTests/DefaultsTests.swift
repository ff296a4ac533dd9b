import Testing

@testable import KubeSchema

@Suite struct DefaultsTests {
    @Test func aPodOfOneLineBecomesWhatKubernetesMakesOfIt() throws {
        let (pod, definition) = try Fixtures.object(Fixtures.pod(#","ports":[{"containerPort":80}]"#))
        let expected = try Fixtures.json(
            """
            {"containers":[{"name":"c","image":"nginx","ports":[{"containerPort":80,"protocol":"TCP"}],"resources":{},
              "terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"Always"}],
             "restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","enableServiceLinks":true,
             "securityContext":{},"schedulerName":"default-scheduler","priority":0,"preemptionPolicy":"PreemptLowerPriority"}
            """)
        #expect(pod["spec"] == expected)
        var again = pod
        Defaults.apply(to: &again, definition)
        #expect(again == pod)
    }

    @Test(
        arguments: [
            ("nginx", "Always"), ("nginx:latest", "Always"), ("nginx:1.27", "IfNotPresent"),
            ("host:5000/nginx", "Always"),
            ("host:5000/nginx:2", "IfNotPresent"), ("nginx@sha256:abc", "IfNotPresent"),
        ])
    func theTagDecidesWhetherAnImageIsPulled(_ image: String, _ policy: String) throws {
        let (pod, _) = try Fixtures.object(
            #"{"kind":"Pod","metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"\#(image)"}]}}"#)
        #expect(pod["spec"]?["containers"]?.array?.first?["imagePullPolicy"] == .string(policy))
    }

    @Test func probesVolumesLimitsAndHostNetwork() throws {
        let (pod, _) = try Fixtures.object(
            Fixtures.pod(
                #","ports":[{"containerPort":80}],"livenessProbe":{"httpGet":{"port":80}},"resources":{"limits":{"cpu":"1"},"requests":{"memory":"1Mi"}}"#,
                spec:
                    #","hostNetwork":true,"serviceAccount":"sa","volumes":[{"name":"e"},{"name":"s","secret":{"secretName":"x"}},{"name":"h","hostPath":{"path":"/"}}]"#
            ))
        let container = try #require(pod["spec"]?["containers"]?.array?.first)
        #expect(
            container["livenessProbe"]
                == (try Fixtures.json(
                    #"{"httpGet":{"port":80,"path":"/","scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}"#
                )))
        #expect(container["resources"]?["requests"] == ["memory": "1Mi", "cpu": "1"])
        #expect(container["ports"]?.array?.first?["hostPort"] == 80)
        #expect(pod["spec"]?["serviceAccountName"] == "sa")
        #expect(
            pod["spec"]?["volumes"]
                == (try Fixtures.json(
                    #"[{"name":"e","emptyDir":{}},{"name":"s","secret":{"secretName":"x","defaultMode":420}},{"name":"h","hostPath":{"path":"/","type":""}}]"#
                )))
    }

    @Test func aControllerTakesItsSelectorAndLabelsFromTheTemplate() throws {
        let (controller, _) = try Fixtures.object(
            #"{"kind":"ReplicationController","metadata":{"name":"x"},"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#
        )
        #expect(controller["spec"]?["replicas"] == 1)
        #expect(controller["spec"]?["selector"] == ["a": "b"])
        #expect(controller["metadata"]?["labels"] == ["a": "b"])
        #expect(controller["spec"]?["template"]?["spec"]?["restartPolicy"] == "Always")
        #expect(controller["spec"]?["template"]?["spec"]?["enableServiceLinks"] == nil)
        let (none, _) = try Fixtures.object(
            #"{"kind":"ReplicationController","metadata":{"name":"x"},"spec":{"replicas":0,"selector":{"a":"b"}}}"#)
        #expect(none["spec"]?["replicas"] == 0)
    }

    @Test func servicesSecretsNamespacesAndNodes() throws {
        let (service, _) = try Fixtures.object(
            #"{"kind":"Service","metadata":{"name":"x"},"spec":{"ports":[{"port":80}],"selector":{"a":"b"}}}"#)
        #expect(
            service["spec"]
                == (try Fixtures.json(
                    #"{"ports":[{"port":80,"protocol":"TCP","targetPort":80}],"selector":{"a":"b"},"sessionAffinity":"None","type":"ClusterIP","internalTrafficPolicy":"Cluster","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack"}"#
                )))
        let (secret, _) = try Fixtures.object(
            #"{"kind":"Secret","metadata":{"name":"x"},"data":{"a":"AA==","b":"AA=="},"stringData":{"a":"hi"}}"#)
        #expect(secret["data"] == ["a": "aGk=", "b": "AA=="])
        #expect(secret["stringData"] == nil)
        #expect(secret["type"] == "Opaque")
        let (namespace, _) = try Fixtures.object(#"{"kind":"Namespace","metadata":{"name":"x"}}"#)
        #expect(namespace["spec"] == ["finalizers": ["kubernetes"]])
        #expect(namespace["status"] == ["phase": "Active"])
        #expect(namespace["metadata"]?["labels"] == ["kubernetes.io/metadata.name": "x"])
        let (node, _) = try Fixtures.object(
            #"{"kind":"Node","metadata":{"name":"x"},"status":{"capacity":{"cpu":"2"}}}"#)
        #expect(node["status"]?["allocatable"] == ["cpu": "2"])
    }
}
