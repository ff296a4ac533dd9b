import OrderedCollections
import Testing

@testable import KubeSchema

/// Properties over random objects: nothing gets lost between the two versions.
@Suite struct V1Beta1RoundTripTests {
    @Test(arguments: 0..<150)
    func `an object of 2015 comes back as it was`(seed: UInt64) throws {
        var random = Generator(seed: seed)
        for (resource, old) in [
            ("pods", random.pod()), ("replicationControllers", random.controller()), ("services", random.service()),
            ("minions", random.minion()), ("endpoints", random.endpoints()),
        ] {
            var repairs = Repairs()
            let v1 = try V1Beta1.convert(old, resource: resource, repairs: &repairs)
            let back = V1Beta1.fromV1(v1, resource: resource, selfLink: nil)
            #expect(repairs.warnings.isEmpty)
            if let difference = missing(old, in: back, at: "") {
                Issue.record("\(resource): \(difference)\nold: \(text(old))\nback: \(text(back))")
            }
            // With the defaults filled in, a second trip changes nothing at all.
            let again = try V1Beta1.convert(back, resource: resource, repairs: &repairs)
            let second = V1Beta1.fromV1(again, resource: resource, selfLink: nil)
            #expect(second == back, "\(resource): \(text(second)) instead of \(text(back))")
        }
    }

    @Test(arguments: 0..<150)
    func `GET and PUT through the old version lose nothing of the stored object`(seed: UInt64) throws {
        var random = Generator(seed: seed)
        for resource in ["pods", "replicationControllers", "services", "minions", "endpoints", "events", "namespaces"] {
            let stored = random.stored(resource)
            let seen = V1Beta1.fromV1(stored, resource: resource, selfLink: "/x", metadata: random.flag())
            let (put, _) = try V1Beta1.toV1(seen, resource: resource, mergingOver: stored)
            #expect(put == stored, "\(resource): \(text(put)) instead of \(text(stored))")
        }
    }

    @Test func `an edit reaches what it names and nothing else`() throws {
        var random = Generator(seed: 7)
        let stored = random.stored("pods")
        var seen = V1Beta1.fromV1(stored, resource: "pods", selfLink: nil)
        var containers = try #require(seen["desiredState", "manifest", "containers"]?.array)
        containers[0]["image"] = "other"
        containers[0]["env"] = [["name": "NEW", "value": "x"]]
        seen["desiredState", "manifest", "containers"] = .array(containers)
        seen["labels"] = nil
        seen["resourceVersion"] = nil
        let put = try V1Beta1.toV1(seen, resource: "pods", mergingOver: stored).object
        var expected = stored
        var list = try #require(stored["spec", "containers"]?.array)
        list[0]["image"] = "other"
        list[0]["env"] = [["name": "NEW", "value": "x"]]
        expected["spec", "containers"] = .array(list)
        expected["metadata", "labels"] = Optional<JSON>.none
        expected["metadata", "resourceVersion"] = Optional<JSON>.none
        #expect(put == expected, "\(text(put)) instead of \(text(expected))")
    }

    @Test func `a controller is resized without touching its template`() throws {
        var random = Generator(seed: 3)
        let stored = random.stored("replicationControllers")
        var seen = V1Beta1.fromV1(stored, resource: "replicationControllers", selfLink: nil)
        seen["desiredState", "replicas"] = 9
        let put = try V1Beta1.toV1(seen, resource: "replicationControllers", mergingOver: stored).object
        var expected = stored
        expected["spec", "replicas"] = 9
        #expect(put == expected)
    }

    private func text(_ json: JSON) -> String { String(decoding: json.encoded(), as: UTF8.self) }

    /// Names the first thing in `old` that `new` does not have; twin fields and defaults may be added.
    private func missing(_ old: JSON, in new: JSON?, at path: String) -> String? {
        guard let new else { return "\(path) is missing" }
        switch (old, new) {
        case (.object(let members), _):
            for (key, value) in members {
                if let difference = missing(value, in: new[key], at: "\(path).\(key)") { return difference }
            }
            return nil
        case (.array(let left), .array(let right)):
            if left.count != right.count { return "\(path): \(right.count) elements instead of \(left.count)" }
            for (index, value) in left.enumerated() {
                if let difference = missing(value, in: right[index], at: "\(path)[\(index)]") { return difference }
            }
            return nil
        default: return old == new ? nil : "\(path): \(text(new)) instead of \(text(old))"
        }
    }
}

/// Random objects, the same for the same seed (SplitMix64).
private struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func flag() -> Bool { next() & 1 == 1 }
    mutating func number(_ range: Range<Int64>) -> JSON { .integer(Int64.random(in: range, using: &self)) }
    mutating func pick(_ choices: [JSON]) -> JSON { choices.randomElement(using: &self) ?? .null }
    mutating func maybe(_ object: inout JSON, _ key: String, _ value: JSON) { if flag() { object[key] = value } }

    mutating func labels() -> JSON { ["name": pick(["a", "b,c", ""]), "tier": pick(["x", "y"])] }

    // MARK: v1beta1

    mutating func head(_ kind: JSON) -> JSON {
        var result: JSON = ["kind": kind, "apiVersion": "v1beta1", "id": pick(["nginx", "frontendController"])]
        maybe(&result, "resourceVersion", number(1..<1_000_000))
        maybe(&result, "annotations", ["note": "x"])
        maybe(&result, "namespace", "default")
        maybe(&result, "labels", labels())
        maybe(&result, "creationTimestamp", "2015-01-01T00:00:00Z")
        return result
    }

    mutating func container(_ name: String) -> JSON {
        var result: JSON = ["name": .string(name), "image": pick(["nginx", "redis:latest"])]
        maybe(&result, "command", ["a", "b"])
        maybe(&result, "entrypoint", ["/bin/e"])
        maybe(&result, "workingDir", "/w")
        maybe(&result, "cpu", number(1..<4000))
        maybe(&result, "memory", number(1..<1_000_000_000))
        maybe(&result, "env", [["name": "A", "key": "A", "value": pick(["", "1"])], ["name": "B", "value": "2"]])
        maybe(&result, "volumeMounts", [["name": "v", "mountPath": "/m", "readOnly": true]])
        maybe(&result, "privileged", true)
        maybe(&result, "capabilities", ["add": ["KILL"]])
        maybe(&result, "imagePullPolicy", pick(["PullAlways", "PullNever", "PullIfNotPresent"]))
        maybe(&result, "terminationMessagePath", "/dev/termination-log")
        maybe(
            &result, "ports",
            [
                [
                    "name": pick(["web", "a-port-with-a-long-name", "8080"]), "containerPort": number(1..<65536),
                    "protocol": "TCP",
                ]
            ])
        maybe(
            &result, "livenessProbe", ["httpGet": ["path": "/", "port": pick([80, "web"])], "initialDelaySeconds": 3])
        maybe(&result, "lifecycle", ["preStop": ["exec": ["command": ["x"]]]])
        return result
    }

    mutating func podState() -> JSON {
        var manifest: JSON = ["containers": [container("one"), container("two")]]
        maybe(&manifest, "restartPolicy", pick([["always": [:]], ["never": [:]], ["onFailure": [:]]]))
        maybe(&manifest, "dnsPolicy", "Default")
        maybe(
            &manifest, "volumes",
            [["name": "v", "source": ["emptyDir": [:]]], ["name": "h", "source": ["hostDir": ["path": "/h"]]]])
        var result: JSON = ["manifest": manifest]
        maybe(&result, "host", "n1")
        return result
    }

    mutating func pod() -> JSON {
        var result = head("Pod")
        result["desiredState"] = podState()
        maybe(&result, "nodeSelector", labels())
        var current: JSON = ["status": pick(["Waiting", "Running", "Terminated", "Succeeded", "Unknown"])]
        maybe(&current, "host", "n1")
        maybe(&current, "podIP", "10.0.0.1")
        maybe(&current, "info", ["one": ["state": ["termination": ["exitCode": 1]], "restartCount": 2]])
        maybe(&result, "currentState", current)
        return result
    }

    mutating func controller() -> JSON {
        var result = head("ReplicationController")
        let selector = labels()
        var template: JSON = ["labels": selector, "desiredState": podState()]
        maybe(&template, "nodeSelector", labels())
        result["desiredState"] = [
            "replicas": number(0..<9), "replicaSelector": selector, "podTemplate": template,
        ]
        maybe(&result, "currentState", ["replicas": number(0..<9)])
        return result
    }

    mutating func service() -> JSON {
        var result = head("Service")
        result["port"] = number(1..<65536)
        maybe(&result, "containerPort", pick([80, "web", "a-port-with-a-long-name"]))
        maybe(&result, "selector", pick([labels(), [:]]))
        maybe(&result, "protocol", "UDP")
        maybe(&result, "portalIP", "10.254.0.9")
        maybe(&result, "publicIPs", ["1.2.3.4"])
        maybe(&result, "createExternalLoadBalancer", true)
        maybe(&result, "sessionAffinity", "ClientIP")
        return result
    }

    mutating func minion() -> JSON {
        var result = head("Minion")
        result["namespace"] = Optional<JSON>.none
        maybe(&result, "hostIP", "10.0.0.1")
        maybe(&result, "resources", ["capacity": ["cpu": pick(["1", "0.5"]), "memory": number(1..<1_000_000)]])
        maybe(&result, "status", ["phase": "Running", "conditions": [["kind": "Ready", "status": "Full"]]])
        return result
    }

    mutating func endpoints() -> JSON {
        var result = head("Endpoints")
        result["labels"] = Optional<JSON>.none
        result["endpoints"] = ["10.0.0.1:80", "10.0.0.2:80", "[fd00::1]:81"]
        return result
    }

    // MARK: v1, with fields that v1beta1 does not know

    mutating func stored(_ resource: String) -> JSON {
        var object: JSON = ["apiVersion": "v1"]
        var metadata: JSON = [
            "name": "x", "namespace": "default", "uid": "u", "resourceVersion": "\(Int64(next() >> 40) + 1)",
            "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 3, "labels": labels(),
        ]
        maybe(&metadata, "finalizers", ["f"])
        maybe(&metadata, "ownerReferences", [["kind": "ReplicationController", "name": "rc", "uid": "1"]])
        maybe(&metadata, "annotations", ["note": "x"])
        maybe(&metadata, "deletionTimestamp", "2026-01-02T00:00:00Z")
        switch resource {
        case "pods":
            object["kind"] = "Pod"
            object["spec"] = podSpec()
            maybe(
                &object, "status",
                ["phase": "Running", "qosClass": "BestEffort", "podIP": "10.0.0.1", "startTime": "t"])
        case "replicationControllers":
            object["kind"] = "ReplicationController"
            object["spec"] = [
                "replicas": number(0..<9), "minReadySeconds": 3, "selector": labels(),
                "template": [
                    "metadata": ["labels": labels(), "annotations": ["k": "v"], "creationTimestamp": .null],
                    "spec": podSpec(),
                ],
            ]
            maybe(&object, "status", ["replicas": 2, "readyReplicas": 1])
        case "services":
            object["kind"] = "Service"
            object["spec"] = [
                "clusterIP": pick(["None", "10.254.0.1"]), "clusterIPs": ["10.254.0.1"],
                "type": pick(["NodePort", "ClusterIP"]),
                "ports": [
                    [
                        "name": "a", "port": 80, "targetPort": pick([8080, "web"]), "nodePort": 30000,
                        "protocol": "TCP",
                    ],
                    ["name": "b", "port": 81, "protocol": "TCP"],
                ], "ipFamilies": ["IPv4"],
            ]
            if flag() { object["spec", "selector"] = labels() }
            object["status"] = ["loadBalancer": [:]]
        case "minions":
            object["kind"] = "Node"
            metadata["namespace"] = Optional<JSON>.none
            object["spec"] = ["podCIDR": "10.244.1.0/24", "unschedulable": true]
            object["status"] = [
                "capacity": ["cpu": "2", "memory": "16Gi", "pods": "110"], "nodeInfo": ["osImage": "Debian"],
                "addresses": [["type": "Hostname", "address": "h"], ["type": "InternalIP", "address": "10.0.0.1"]],
                "conditions": [
                    ["type": "DiskPressure", "status": "False"],
                    ["type": "Ready", "status": "True", "reason": "KubeletReady"],
                ],
            ]
        case "endpoints":
            object["kind"] = "Endpoints"
            object["subsets"] = [
                [
                    "addresses": [["ip": "10.0.0.1", "targetRef": ["kind": "Pod", "name": "p"]]],
                    "notReadyAddresses": [["ip": "10.0.0.2"]], "ports": [["name": "a", "port": 80, "protocol": "TCP"]],
                ]
            ]
        case "events":
            object["kind"] = "Event"
            object["involvedObject"] = ["kind": "Pod", "name": "p"]
            object["source"] = ["component": "kubelet"]
            object["type"] = "Warning"
            object["firstTimestamp"] = "2026-01-01T00:00:00Z"
            object["lastTimestamp"] = "2026-01-01T00:01:00Z"
            object["count"] = 4
        default:
            object["kind"] = "Namespace"
            metadata["namespace"] = Optional<JSON>.none
            object["spec"] = ["finalizers": ["kubernetes"]]
            object["status"] = ["phase": "Active"]
        }
        object["metadata"] = metadata
        return object
    }

    mutating func podSpec() -> JSON {
        var container: JSON = ["name": "c", "image": "i", "imagePullPolicy": "Always"]
        maybe(&container, "resources", ["limits": ["cpu": "1500u", "memory": "1.5Gi"], "requests": ["cpu": "1m"]])
        maybe(&container, "env", [["name": "E", "valueFrom": ["fieldRef": ["fieldPath": "status.podIP"]]]])
        maybe(&container, "envFrom", [["configMapRef": ["name": "m"]]])
        maybe(&container, "securityContext", ["privileged": true, "runAsUser": 5])
        maybe(&container, "volumeMounts", [["name": "v", "mountPath": "/m", "subPath": "s"]])
        maybe(&container, "startupProbe", ["exec": ["command": ["x"]]])
        maybe(&container, "livenessProbe", ["grpc": ["port": 5]])
        maybe(
            &container, "readinessProbe",
            ["httpGet": ["path": "/", "port": 80, "scheme": "HTTP"], "periodSeconds": 10])
        var spec: JSON = ["containers": [container, ["name": "d", "image": "j"]], "restartPolicy": "Always"]
        maybe(&spec, "initContainers", [["name": "i", "image": "k"]])
        maybe(&spec, "tolerations", [["key": "a", "operator": "Exists"]])
        maybe(&spec, "serviceAccountName", "default")
        maybe(&spec, "nodeName", "n1")
        maybe(&spec, "dnsPolicy", "None")
        maybe(
            &spec, "volumes",
            [
                ["name": "v", "secret": ["secretName": "s"]],
                ["name": "h", "hostPath": ["path": "/h", "type": "Directory"]],
            ])
        maybe(
            &spec, "affinity",
            ["podAntiAffinity": ["requiredDuringSchedulingIgnoredDuringExecution": [["topologyKey": "zone"]]]])
        return spec
    }
}
