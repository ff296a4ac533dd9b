import Testing

@testable import KubeSchema

/// Cells against what `kubectl get` has always shown.
@Suite struct TablesTests {
    static let now = Timestamp(rfc3339: "2026-01-01T01:00:00Z")!.seconds  // a constant of this test

    @Test(arguments: [
        (-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (150, "2m30s"), (599, "9m59s"),
        (600, "10m"),
        (10_799, "179m"), (10_800, "3h"), (12_600, "3h30m"), (28_799, "7h59m"), (28_800, "8h"), (172_799, "47h"),
        (172_800, "2d"), (176_400, "2d1h"), (691_199, "7d23h"), (691_200, "8d"), (63_071_999, "729d"),
        (63_072_000, "2y"),
        (63_158_400, "2y1d"), (252_288_000, "8y"),
    ])
    func `durations have two units at most`(seconds: Int64, text: String) {
        #expect(HumanDuration.text(seconds: seconds) == text)
    }

    /// A status, and what READY, STATUS and RESTARTS say of it.
    @Test(arguments: [
        (#"{"phase":"Pending"}"#, "0/2", "Pending", "0"),
        (
            #"{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ContainerCreating"}}},{"state":{"waiting":{"reason":"ContainerCreating"}}}]}"#,
            "0/2", "ContainerCreating", "0"
        ),
        (
            #"{"phase":"Running","containerStatuses":[{"ready":true,"state":{"running":{}},"restartCount":1,"lastState":{"terminated":{"finishedAt":"2026-01-01T00:59:55Z"}}},{"ready":true,"state":{"running":{}}}]}"#,
            "2/2", "Running", "1 (5s ago)"
        ),
        // the first container's reason wins over the second's
        (
            #"{"phase":"Pending","containerStatuses":[{"state":{"waiting":{"reason":"ErrImagePull"}}},{"state":{"waiting":{"reason":"ContainerCreating"}}}]}"#,
            "0/2", "ErrImagePull", "0"
        ),
        (
            #"{"phase":"Running","containerStatuses":[{"ready":true,"state":{"running":{}}},{"restartCount":4,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}"#,
            "1/2", "CrashLoopBackOff", "4"
        ),
        (
            #"{"phase":"Succeeded","containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}}]}"#, "0/2",
            "Completed", "0"
        ),
        (
            #"{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"exitCode":3}}}]}"#, "0/2", "ExitCode:3",
            "0"
        ),
        (
            #"{"phase":"Failed","containerStatuses":[{"state":{"terminated":{"signal":9,"exitCode":137}}}]}"#, "0/2",
            "Signal:9", "0"
        ),
        (#"{"phase":"Failed","reason":"Evicted"}"#, "0/2", "Evicted", "0"),
        // one done, one running
        (
            #"{"phase":"Running","conditions":[{"type":"Ready","status":"False"}],"containerStatuses":[{"state":{"terminated":{"reason":"Completed"}}},{"ready":true,"state":{"running":{}}}]}"#,
            "1/2", "NotReady", "0"
        ),
        (
            #"{"phase":"Pending","initContainerStatuses":[{"state":{"running":{}},"restartCount":2}]}"#, "0/2",
            "Init:0/1", "2"
        ),
        (
            #"{"phase":"Pending","initContainerStatuses":[{"state":{"terminated":{"exitCode":1}}}]}"#, "0/2",
            "Init:ExitCode:1", "0"
        ),
        (
            #"{"phase":"Pending","initContainerStatuses":[{"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}"#,
            "0/2",
            "Init:CrashLoopBackOff", "0"
        ),
        (
            #"{"phase":"Pending","initContainerStatuses":[{"state":{"terminated":{"exitCode":0,"reason":"Completed"}}}],"containerStatuses":[{"state":{"waiting":{"reason":"PodInitializing"}}}]}"#,
            "0/2", "PodInitializing", "0"
        ),
        (
            #"{"phase":"Pending","conditions":[{"type":"PodScheduled","reason":"SchedulingGated"}]}"#, "0/2",
            "SchedulingGated", "0"
        ),
    ])
    func `pods tell their story in three cells`(status: String, ready: String, state: String, restarts: String) throws {
        var pod = Self.pod
        pod["status"] = try parse(status)
        #expect(Self.cells(pod, "pods").prefix(4) == ["web", .string(ready), .string(state), .string(restarts)])
    }

    @Test func `a pod being deleted is terminating, one on a lost node unknown`() {
        var pod = Self.pod
        pod["metadata", "deletionTimestamp"] = "2026-01-01T00:59:00Z"
        pod["status"] = ["phase": "Running"]
        #expect(Self.cells(pod, "pods")[2] == "Terminating")
        pod["status", "reason"] = "NodeLost"
        #expect(Self.cells(pod, "pods")[2] == "Unknown")
        pod["status"] = ["phase": "Succeeded"]
        #expect(Self.cells(pod, "pods")[2] == "Succeeded")
    }

    @Test func `wide pods name address and node`() {
        var pod = Self.pod
        pod["spec", "nodeName"] = "node-1"
        pod["status"] = ["phase": "Running", "podIP": "10.244.1.2"]
        #expect(Self.cells(pod, "pods").suffix(5) == ["59m", "10.244.1.2", "node-1", "<none>", "<none>"])
    }

    @Test(arguments: [
        (
            "nodes",
            #"{"metadata":{"name":"n","labels":{"node-role.kubernetes.io/master":"","kubernetes.io/role":"x"}},"spec":{"unschedulable":true},"status":{"conditions":[{"type":"Ready","status":"Unknown"}],"addresses":[{"type":"InternalIP","address":"10.240.0.11"}],"nodeInfo":{"kubeletVersion":"v1.32.0"}}}"#,
            #"["n","NotReady,SchedulingDisabled","master,x","<unknown>","v1.32.0","10.240.0.11","<none>","<unknown>","<unknown>","<unknown>"]"#
        ),
        (
            "nodes", #"{"metadata":{"name":"n"}}"#,
            #"["n","Unknown","<none>","<unknown>","","<none>","<none>","<unknown>","<unknown>","<unknown>"]"#
        ),
        (
            "services",
            #"{"metadata":{"name":"s"},"spec":{"type":"NodePort","clusterIP":"10.254.0.9","ports":[{"port":80,"nodePort":30080,"protocol":"TCP"},{"port":53,"protocol":"UDP"}],"selector":{"b":"2","a":"1"}}}"#,
            #"["s","NodePort","10.254.0.9","<none>","80:30080/TCP,53/UDP","<unknown>","a=1,b=2"]"#
        ),
        (
            "services", #"{"metadata":{"name":"s"},"spec":{"type":"LoadBalancer","clusterIP":"None"}}"#,
            #"["s","LoadBalancer","None","<pending>","<none>","<unknown>","<none>"]"#
        ),
        (
            "replicationcontrollers",
            #"{"metadata":{"name":"rc"},"spec":{"replicas":3,"selector":{"a":"b"},"template":{"spec":{"containers":[{"name":"c","image":"i"},{"name":"d","image":"j"}]}}},"status":{"replicas":2,"readyReplicas":1}}"#,
            #"["rc",3,2,1,"<unknown>","c,d","i,j","a=b"]"#
        ),
        (
            "endpoints",
            #"{"metadata":{"name":"e"},"subsets":[{"addresses":[{"ip":"1.1.1.1"},{"ip":"1.1.1.2"}],"ports":[{"port":80},{"port":81}]}]}"#,
            #"["e","1.1.1.1:80,1.1.1.2:80,1.1.1.1:81 + 1 more...","<unknown>"]"#
        ),
        ("endpoints", #"{"metadata":{"name":"e"}}"#, #"["e","<none>","<unknown>"]"#),
        (
            "events",
            #"{"metadata":{"name":"x.1"},"involvedObject":{"kind":"Pod","name":"x","fieldPath":"spec.containers{c}"},"type":"Warning","reason":"Failed","message":"no\n","source":{"component":"kubelet","host":"n"},"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:59:00Z","count":4}"#,
            #"["60s","Warning","Failed","pod/x","spec.containers{c}","kubelet, n","no","60m","4","x.1"]"#
        ),
        ("namespaces", #"{"metadata":{"name":"n"},"status":{"phase":"Active"}}"#, #"["n","Active","<unknown>"]"#),
        (
            "secrets", #"{"metadata":{"name":"n"},"type":"Opaque","data":{"a":"","b":""}}"#,
            #"["n","Opaque",2,"<unknown>"]"#
        ),
        ("configmaps", #"{"metadata":{"name":"n"},"data":{"a":""},"binaryData":{"b":""}}"#, #"["n",2,"<unknown>"]"#),
        ("serviceaccounts", #"{"metadata":{"name":"n"}}"#, #"["n",0,"<unknown>"]"#),
        ("widgets", #"{"metadata":{"name":"n","creationTimestamp":"2026-01-01T00:59:58Z"}}"#, #"["n","2s"]"#),
    ])
    func `each kind has its cells`(resource: String, object: String, expected: String) throws {
        #expect(JSON.array(Self.cells(try parse(object), resource)) == (try parse(expected)))
    }

    @Test(arguments: [
        "pods", "nodes", "services", "replicationcontrollers", "endpoints", "events", "namespaces", "secrets",
        "configmaps",
        "serviceaccounts", "widgets",
    ])
    func `there are as many cells as columns, also of an empty object`(resource: String) {
        let layout = TableLayout.of(group: "", resource: resource)
        #expect(layout.cells([:], Self.now).count == layout.columns.count)
        #expect(layout.cells(["spec": nil, "status": "x", "metadata": []], Self.now).count == layout.columns.count)
    }

    private static let pod: JSON = [
        "metadata": ["name": "web", "creationTimestamp": "2026-01-01T00:01:00Z"],
        "spec": ["containers": [["name": "a"], ["name": "b"]], "initContainers": [["name": "i"]]],
    ]

    private static func cells(_ object: JSON, _ resource: String) -> [JSON] {
        TableLayout.of(group: "", resource: resource).cells(object, now)
    }
}
