import KubeSchema
import OrderedCollections
import Testing

private let pods = resource("pods")
private let configMaps = resource("configmaps")

private func resource(_ name: String) -> ResourceDefinition {
    guard let definition = ResourceCatalogue.builtin.resource(group: "", version: "v1", resource: name) else {
        preconditionFailure("no resource \(name)")
    }
    return definition
}

/// An object with its owners, written by several managers one after the other.
private struct Owned {
    let definition: ResourceDefinition
    var object: JSON?
    var managed = ManagedFields()
    var clock: Int64 = 0

    init(_ definition: ResourceDefinition) { self.definition = definition }

    mutating func apply(_ configuration: JSON, by name: String, force: Bool = false) throws {
        clock += 1
        var configuration = configuration
        configuration["kind"] = .string(definition.kind)
        configuration["apiVersion"] = .string(definition.apiVersion)
        configuration["metadata", "name"] = "x"
        let merged = try managed.apply(
            configuration, to: object, by: FieldManager(name, .apply, apiVersion: definition.apiVersion), force: force,
            definition.message, now: Timestamp(seconds: clock))
        object = try RequestDecoder.conform(
            merged, kind: definition.kind, message: definition.message, validation: .strict
        ).object
    }

    mutating func update(_ new: JSON, by name: String) {
        clock += 1
        managed.noteUpdate(
            from: object, to: new, by: FieldManager(name, .update, apiVersion: definition.apiVersion),
            definition.message, now: Timestamp(seconds: clock))
        object = new
    }

    func owned(by name: String) -> [String] {
        managed.entries.filter { $0.key.name == name }.flatMap { $0.value.fields.paths.map(FieldSet.describe) }
    }
}

private func data(_ members: KeyValuePairs<String, JSON>) -> JSON {
    ["data": .object(JSONObject(uniqueKeysWithValues: members.map { ($0.key, $0.value) }))]
}

private func pod(_ containers: [JSON], _ metadata: JSON = [:]) -> JSON {
    ["metadata": metadata, "spec": ["containers": .array(containers)]]
}

@Suite struct ApplyTests {
    @Test func `what is applied is owned, and what is applied no longer goes`() throws {
        var map = Owned(configMaps)
        try map.apply(data(["a": "1", "b": "2"]), by: "one")
        #expect(map.owned(by: "one") == [".data.a", ".data.b"])
        try map.apply(data(["a": "1"]), by: "one")
        #expect(map.object?["data"] == ["a": "1"])
        #expect(map.owned(by: "one") == [".data.a"])
        try map.apply([:], by: "one")
        #expect(map.object?["data"] == nil && map.object?["metadata"]?["name"] == "x")
        #expect(map.managed.entries.isEmpty)
    }

    @Test func `what another manager owns too stays`() throws {
        var map = Owned(configMaps)
        try map.apply(data(["a": "1"]), by: "one")
        try map.apply(data(["a": "1", "b": "2"]), by: "two")
        try map.apply([:], by: "one")
        #expect(map.object?["data"] == ["a": "1", "b": "2"])
        #expect(map.owned(by: "two") == [".data.a", ".data.b"])
    }

    @Test func `a field of another manager's is a conflict unless forced, and equal values are shared`() throws {
        var map = Owned(configMaps)
        try map.apply(data(["a": "1", "b": "1"]), by: "one")
        let error = #expect(throws: ApplyConflicts.self) { try map.apply(data(["a": "2"]), by: "two") }
        #expect(error?.message == #"Apply failed with 1 conflict: conflict with "one": .data.a"#)
        #expect(map.object?["data"] == ["a": "1", "b": "1"])
        try map.apply(data(["a": "2", "b": "1"]), by: "two", force: true)
        #expect(map.object?["data"] == ["a": "2", "b": "1"])
        #expect(map.owned(by: "one") == [".data.b"] && map.owned(by: "two") == [".data.a", ".data.b"])
    }

    @Test func `several conflicts are told apart by manager`() throws {
        var map = Owned(configMaps)
        map.update(data(["a": "1", "b": "1"]), by: "editor")
        try map.apply(data(["c": "1"]), by: "one")
        let error = #expect(throws: ApplyConflicts.self) {
            try map.apply(data(["a": "2", "b": "2", "c": "2"]), by: "two")
        }
        #expect(
            error?.message
                == "Apply failed with 3 conflicts: conflicts with \"editor\" using v1:\n- .data.a\n- .data.b\n"
                + "conflicts with \"one\":\n- .data.c")
        #expect(error?.causes.first?["reason"] == "FieldManagerConflict")
    }

    @Test func `an update takes ownership of what it changes, and nobody owns what it removes`() throws {
        var map = Owned(configMaps)
        try map.apply(data(["a": "1", "b": "1", "c": "1"]), by: "one")
        var new = try #require(map.object)
        new["data", "a"] = "2"
        new["data", "b"] = nil
        map.update(new, by: "editor")
        #expect(map.owned(by: "one") == [".data.c"])
        #expect(map.owned(by: "editor") == [".data.a"])
        let times = map.managed.entries.map { ($0.key.name, $0.value.time?.seconds) }
        #expect(times.contains { $0 == ("editor", 2) } && times.contains { $0 == ("one", 1) })
    }

    @Test func `lists are merged by their keys, sets by value, atomic parts as a whole`() throws {
        var pod = Owned(pods)
        try pod.apply(
            [
                "metadata": ["finalizers": ["a/a"]],
                "spec": [
                    "nodeSelector": ["x": "1"], "tolerations": [["key": "a"]],
                    "containers": [
                        ["name": "c", "image": "i", "ports": [["containerPort": 80, "protocol": "TCP"]]]
                    ],
                ],
            ], by: "one")
        #expect(
            pod.owned(by: "one") == [
                ".metadata.finalizers[=\"a/a\"]", ".spec.containers[name=\"c\"]",
                ".spec.containers[name=\"c\"].image", ".spec.containers[name=\"c\"].name",
                ".spec.containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"]",
                ".spec.containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"].containerPort",
                ".spec.containers[name=\"c\"].ports[containerPort=80,protocol=\"TCP\"].protocol",
                ".spec.nodeSelector", ".spec.tolerations",
            ])
        try pod.apply(
            [
                "metadata": ["finalizers": ["b/b"]],
                "spec": [
                    "containers": [
                        ["name": "side", "image": "s"],
                        ["name": "c", "ports": [["containerPort": 80, "name": "web"]]],
                    ]
                ],
            ], by: "two")
        #expect(pod.object?["metadata", "finalizers"] == ["b/b", "a/a"])
        let containers = pod.object?["spec", "containers"]?.array ?? []
        #expect(containers.map { $0["name"] } == ["side", "c"])
        #expect(
            containers.last?["ports"] == [["containerPort": 80, "protocol": "TCP", "name": "web"]],
            "the port is found by its default protocol")
        #expect(throws: ApplyConflicts.self) {
            try pod.apply(["spec": ["nodeSelector": ["y": "2"]]], by: "two")
        }
        try pod.apply([:], by: "two")
        #expect(pod.object?["metadata", "finalizers"] == ["a/a"])
        #expect(pod.object?["spec", "containers"]?.array?.map { $0["name"] } == ["c"])
    }

    @Test func `zero values and nulls of a configuration are owned`() throws {
        var pod = Owned(pods)
        try pod.apply(["spec": ["hostNetwork": true, "containers": [["name": "c", "image": "i"]]]], by: "one")
        let error = #expect(throws: ApplyConflicts.self) { try pod.apply(["spec": ["hostNetwork": false]], by: "two") }
        #expect(error?.conflicts.map { FieldSet.describe($0.path) } == [".spec.hostNetwork"])
        try pod.apply(["spec": ["hostNetwork": nil]], by: "two", force: true)
        #expect(pod.object?["spec", "hostNetwork"] == nil)
    }

    @Test func `the first apply to an object without owners leaves the rest to one who was before`() throws {
        var map = Owned(configMaps)
        map.object = [
            "kind": "ConfigMap", "apiVersion": "v1", "metadata": ["name": "x"], "data": ["a": "1", "b": "2"],
        ]
        try map.apply(data(["a": "1"]), by: "one")
        #expect(map.owned(by: "before-first-apply") == [".data", ".data.a", ".data.b"])
        #expect(throws: ApplyConflicts.self) { try map.apply(data(["b": "3"]), by: "one") }
    }

    @Test func `kubectl takes over what it had applied from the client`() throws {
        var map = Owned(configMaps)
        let applied = #"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"},"data":{"a":"1","b":"1"}}"#
        var object: JSON = ["metadata": ["name": "x"], "data": ["a": "1", "b": "1"]]
        object["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"] = .string(applied)
        map.update(object, by: "kubectl-client-side-apply")
        var mine = map
        try mine.apply(data(["a": "2"]), by: "kubectl")
        #expect(mine.object?["data", "a"] == "2")
        let refreshed = mine.object?["metadata", "annotations"]?.object?.values.first?.string ?? ""
        #expect(try JSON(parsing: Array(refreshed.utf8))["data"] == ["a": "2"])
        var others = map
        #expect(throws: ApplyConflicts.self) { try others.apply(data(["a": "2"]), by: "argo") }
        object["data", "a"] = "changed by hand"
        map.update(object, by: "kubectl-edit")
        let error = #expect(throws: ApplyConflicts.self) { try map.apply(data(["a": "2", "b": "2"]), by: "kubectl") }
        #expect(error?.conflicts.map(\.manager.name) == ["kubectl-edit"])
    }

    @Test func `updaters beyond ten are counted as one, the longest silent first`() throws {
        var map = Owned(configMaps)
        var object: JSON = ["metadata": ["name": "x"], "data": [:]]
        for number in 0..<14 {
            object["data", "k\(number)"] = "v"
            map.update(object, by: "m\(number)")
        }
        #expect(map.managed.entries.count == 10)
        #expect(
            Set(map.owned(by: "ancient-changes")).isSuperset(of: (0..<5).map { ".data.k\($0)" }))
        #expect(map.owned(by: "m13") == [".data.k13"])
    }

    @Test func `owners are written and read back in Kubernetes' form`() throws {
        var pod = Owned(pods)
        pod.update(
            [
                "metadata": ["name": "x", "labels": ["a": "b"]],
                "spec": ["containers": [["name": "c", "image": "i", "resources": [:]]]],
            ], by: "kubectl-create")
        let entries = try #require(pod.managed.document?.array)
        #expect(
            entries == [
                [
                    "manager": "kubectl-create", "operation": "Update", "apiVersion": "v1",
                    "time": "1970-01-01T00:00:01Z", "fieldsType": "FieldsV1",
                    "fieldsV1": [
                        "f:metadata": ["f:labels": [".": [:], "f:a": [:]]],
                        "f:spec": [
                            "f:containers": [
                                #"k:{"name":"c"}"#: [".": [:], "f:image": [:], "f:name": [:], "f:resources": [:]]
                            ]
                        ],
                    ],
                ]
            ])
        #expect(ManagedFields(pod.managed.document) == pod.managed)
        #expect(ManagedFields.equalButForTimes(pod.managed.document, .array(entries)))
        for bad: JSON in [[:], ["f:": 1], ["x:a": [:]], ["f:a": ["b": [:]]]] {
            #expect(FieldSet(fieldsV1: bad) == (bad == [:] ? .empty : nil))
        }
    }

    @Test(arguments: [
        (#"{"data":{"a":1}}"#, ".data.a: json: cannot unmarshal number 1 into a field of type string"),
        (#"{"dat":{"a":"1"}}"#, ".dat: field not declared in schema"),
        (#"{"metadata":{"name":"y"}}"#, "the name of the object (y) does not match the name on the URL (x)"),
        (#"{"metadata":{"managedFields":[{}]}}"#, "metadata.managedFields must be nil"),
        (#"{"apiVersion":"v2"}"#, "Incorrect version specified in apply patch."),
        ("[1]", "must be an object, not array"), ("{", "error decoding YAML"), ("a: [", "error decoding YAML"),
        ("metadata: {finalizers: [a/a, a/a]}", #".metadata.finalizers: duplicate entries for key [="a/a"]"#),
        (
            "metadata: {ownerReferences: [{name: a}]}",
            #".metadata.ownerReferences: element 0: associative list with keys has an element that omits key field "uid""#
        ),
    ]) func `a configuration that cannot be applied is refused with its reason`(row: (body: String, reason: String)) {
        let error = #expect(throws: BodyError.self) {
            try ApplyConfiguration.decode(
                body: Array(row.body.utf8), configMaps, name: "x", namespace: "ns", validation: .strict)
        }
        #expect(error?.message.contains(row.reason) == true, "\(error?.message ?? "")")
    }
}

/// Laws that hold whatever is applied.
@Suite struct ApplyLawTests {
    /// A configuration of a pod, out of few enough names that managers meet.
    private func configuration(_ random: inout SplitMix64, _ manager: Int, disjoint: Bool) -> JSON {
        func name(_ base: String) -> String {
            "\(base)\(Int.random(in: 0..<3, using: &random))" + (disjoint ? "-m\(manager)" : "")
        }
        var metadata: JSON = [:]
        var labels: JSONObject = [:]
        for _ in 0..<Int.random(in: 0...3, using: &random) { labels[name("l")] = "v" }
        if !labels.isEmpty { metadata["labels"] = .object(labels) }
        var finalizers: [JSON] = []
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let one = JSON.string("f/\(name("f"))")
            if !finalizers.contains(one) { finalizers.append(one) }
        }
        if !finalizers.isEmpty { metadata["finalizers"] = .array(finalizers) }
        var containers: [JSON] = []
        var used: Set<String> = []
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            let own = name("c")
            guard used.insert(own).inserted else { continue }
            var container: JSON = ["name": .string(own)]
            if Bool.random(using: &random) { container["image"] = "i" }
            var env: [JSON] = []
            for index in 0..<Int.random(in: 0...2, using: &random) {
                env.append(["name": .string("E\(index)"), "value": "v"])
            }
            if !env.isEmpty { container["env"] = .array(env) }
            containers.append(container)
        }
        var result: JSON = ["metadata": metadata]
        if !containers.isEmpty { result["spec", "containers"] = .array(containers) }
        return result
    }

    /// The object without the order of its lists, which depends on who came first.
    private func unordered(_ value: JSON?) -> JSON? {
        switch value {
        case .array(let items)?:
            .array(items.compactMap(unordered).sorted { $0.description < $1.description })
        case .object(let members)?:
            .object(
                JSONObject(
                    uniqueKeysWithValues: members.sorted { $0.key < $1.key }.compactMap { key, value in
                        unordered(value).map { (key, $0) }
                    }))
        default: value
        }
    }

    @Test func `applying twice is applying once`() throws {
        var random = SplitMix64(state: 1)
        for _ in 0..<300 {
            var pod = Owned(pods)
            for manager in 0..<3 {
                try pod.apply(configuration(&random, manager, disjoint: false), by: "m\(manager)", force: true)
            }
            let last = configuration(&random, 0, disjoint: false)
            try pod.apply(last, by: "m0", force: true)
            let once = pod
            try pod.apply(last, by: "m0", force: true)
            #expect(pod.object == once.object && pod.managed == once.managed)
        }
    }

    @Test func `applying nothing gives up everything and leaves what others own`() throws {
        var random = SplitMix64(state: 2)
        for _ in 0..<300 {
            var pod = Owned(pods)
            try pod.apply(configuration(&random, 0, disjoint: false), by: "m0", force: true)
            let before = pod
            let other = configuration(&random, 1, disjoint: true)
            try pod.apply(other, by: "m1")
            try pod.apply([:], by: "m1")
            #expect(unordered(pod.object) == unordered(before.object))
            #expect(pod.managed == before.managed)
        }
    }

    @Test func `managers of different fields commute`() throws {
        var random = SplitMix64(state: 3)
        for _ in 0..<300 {
            let (a, b) = (configuration(&random, 0, disjoint: true), configuration(&random, 1, disjoint: true))
            var first = Owned(pods)
            try first.apply(a, by: "m0")
            try first.apply(b, by: "m1")
            var second = Owned(pods)
            try second.apply(b, by: "m1")
            try second.apply(a, by: "m0")
            #expect(unordered(first.object) == unordered(second.object))
            #expect(
                first.managed.entries.mapValues(\.fields) == second.managed.entries.mapValues(\.fields))
        }
    }

    @Test func `applying a part of what was applied removes the rest and nothing else`() throws {
        var random = SplitMix64(state: 4)
        for _ in 0..<300 {
            let all = configuration(&random, 0, disjoint: false)
            var part = all
            if case .object(var labels)? = all["metadata", "labels"] {
                labels.removeFirst()
                part["metadata", "labels"] = labels.isEmpty ? JSON?.none : .object(labels)
            }
            if var containers = all["spec", "containers"]?.array {
                containers.removeLast()
                part["spec"] = containers.isEmpty ? JSON?.none : ["containers": .array(containers)]
            }
            var whole = Owned(pods)
            try whole.apply(all, by: "m0")
            try whole.apply(part, by: "m0")
            var direct = Owned(pods)
            try direct.apply(part, by: "m0")
            #expect(unordered(whole.object) == unordered(direct.object))
            #expect(whole.managed.entries.mapValues(\.fields) == direct.managed.entries.mapValues(\.fields))
        }
    }
}

/// A small generator with a seed, so that a failure can be repeated.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
