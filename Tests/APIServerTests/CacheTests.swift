import KubeSchema
import Testing

@testable import APIServer

@Suite struct ObjectBytesTests {
    @Test(arguments: [
        (#"{"metadata":{"name":"a"},"x":1}"#, #"{"metadata":{"resourceVersion":"7","name":"a"},"x":1}"#, "put first"),
        (#"{"metadata":{}}"#, #"{"metadata":{"resourceVersion":"7"}}"#, "no comma into an empty object"),
        (#"{ "metadata" : { } }"#, #"{ "metadata" : {"resourceVersion":"7" } }"#, "spaces are kept"),
        (
            #"{"metadata":{"a":"b","resourceVersion":"123456"},"k":[]}"#,
            #"{"metadata":{"a":"b","resourceVersion":"7"},"k":[]}"#, "an old version is replaced"
        ),
        (
            #"{"spec":{"metadata":{"resourceVersion":"1"}},"metadata":{"n":"\"}{"}}"#,
            #"{"spec":{"metadata":{"resourceVersion":"1"}},"metadata":{"resourceVersion":"7","n":"\"}{"}}"#,
            "only the object's own metadata counts, and brackets in strings don't"
        ),
    ])
    func `a version is set in the bytes of an object`(bytes: String, expected: String, why: String) throws {
        let result = try #require(ObjectBytes.settingVersion(7, in: Array(bytes.utf8), isChecked: false), "\(why)")
        #expect(String(decoding: result, as: UTF8.self) == expected, "\(why)")
    }

    @Test(arguments: [
        "", "null", "[]", "{", #"{"metadata":1}"#, #"{"metadata":{}"#, #"{"metadata":{}}x"#,
        #"{"a":tru,"metadata":{}}"#,
        #"{"a":"\"#, #"{"a" "b","metadata":{}}"#, #"{"a":[1,],"metadata":{}}"#, #"{"metadata":{},}"#, #"{"other":{}}"#,
        String(repeating: #"{"a":["#, count: 600),
    ])
    func `what is no object with metadata gets no version`(bytes: String) {
        #expect(ObjectBytes.settingVersion(7, in: Array(bytes.utf8), isChecked: false) == nil)
    }

    @Test func `members are found as the parser finds them`() throws {
        let text = #"""
            {"kind":"Pod","metadata":{"name":"a\u0062c","labels":{"app":"web","tier/x":"\"q\"","empty":""},"uid":"u-1"},
             "spec":{"nodeName":"n1","hostNetwork":true,"containers":[{"name":"}"}],"x":-1.5e3},"status":{"phase":"Running"}}
            """#
        let bytes = Array(text.utf8)
        let document = try JSON(parsing: bytes)
        #expect(ObjectBytes.isObject(bytes))
        for path in [
            ["metadata", "name"], ["metadata", "uid"], ["spec", "nodeName"], ["spec", "hostNetwork"], ["spec", "x"],
            ["status", "phase"], ["spec", "containers"], ["none"], ["spec", "none"], ["kind", "deeper"],
        ] {
            #expect(ObjectBytes.value(at: path, in: bytes) == document[path], "\(path)")
        }
        #expect(
            ObjectBytes.strings(at: ["metadata", "labels"], in: bytes)
                == ["app": "web", "tier/x": "\"q\"", "empty": ""])
    }

    @Test func `no broken object makes the search fail other than by finding nothing`() {
        var random = SystemRandomNumberGenerator()
        let seed = Array(#"{"kind":"Pod","metadata":{"labels":{"a":"b"}},"spec":{"n":[1,{"x":null}]}}"#.utf8)
        for _ in 0..<20_000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let at = bytes.indices.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: at)
                case 1: bytes[at] = UInt8.random(in: 0...255, using: &random)
                default: bytes.removeSubrange(at...)
                }
            }
            _ = ObjectBytes.strings(at: ["metadata", "labels"], in: bytes)
            _ = ObjectBytes.value(at: ["spec", "n"], in: bytes)
            if let changed = ObjectBytes.settingVersion(1, in: bytes, isChecked: false) {
                #expect(ObjectBytes.isObject(changed))
            }
        }
    }
}

@Suite struct ObjectTableTests {
    private func object(_ key: String, _ revision: Int64) -> StoredObject {
        StoredObject(key: key, revision: revision, document: ["metadata": ["name": .string(key)]])
    }

    @Test func `a table holds what a dictionary holds, in order, through any changes`() {
        var random = SystemRandomNumberGenerator()
        var table = ObjectTable()
        var model: [String: Int64] = [:]
        for step in 0..<20_000 {
            let key = "/r/n\(Int.random(in: 0..<3, using: &random))/\(Int.random(in: 0..<2500, using: &random))"
            if Int.random(in: 0..<3, using: &random) == 0 {
                #expect(table.remove(key)?.revision == model.removeValue(forKey: key))
            } else {
                let previous = table.update(object(key, Int64(step)))
                #expect(previous?.revision == model.updateValue(Int64(step), forKey: key))
            }
        }
        #expect(table.count == model.count)
        for prefix in ["/r/", "/r/n1/", "/r/n2/24", "/s", "/r/n1/1000"] {
            let expected = model.keys.filter { $0.hasPrefix(prefix) }.sorted()
            #expect(table.slice(prefix).map(\.key) == expected)
            #expect(table.slice(prefix).map(\.revision) == expected.map { model[$0] ?? -1 })
            if expected.count > 10 {
                #expect(table.slice(prefix, after: expected[9]).map(\.key) == Array(expected[10...]))
                #expect(table.slice(prefix, after: expected[9] + "!").map(\.key) == Array(expected[10...]))
            }
        }
        for (key, revision) in model.prefix(100) { #expect(table.find(key)?.revision == revision) }
        #expect(table.find("/r/n1/none") == nil)
    }

    @Test func `a slice stays as it was when the table changes`() {
        var table = ObjectTable((0..<2000).map { object("/r/\(1000 + $0)", 1) })
        let before = table.slice("/r/")
        for number in 0..<2000 { _ = table.remove("/r/\(1000 + number)") }
        #expect(before.map(\.key).count == 2000)
        #expect(table.slice("/r/").map(\.key).isEmpty)
        #expect(table.count == 0)
    }
}

@Suite struct WatcherIndexTests {
    private final class Witness: CacheWatcher {
        nonisolated(unsafe) var keys: [String] = []  // one test, one thread
        func push(_ event: CacheEvent) { keys.append(event.object.name) }
        func end() {}
    }

    private func pod(_ name: String, node: String = "", labels: JSON = [:]) -> StoredObject {
        StoredObject(
            key: "/registry/pods/default/\(name)", revision: 5,
            document: [
                "metadata": ["name": .string(name), "namespace": "default", "labels": labels],
                "spec": ["nodeName": .string(node)],
            ])
    }

    @Test func `an event is told to those whom it may concern and to nobody else`() throws {
        let definition = try #require(ResourceCatalogue.builtin.resource(group: "", version: "v1", resource: "pods"))
        var index = WatcherIndex()
        let scopes: [(WatchScope, [String])] = [
            (.everything, ["a", "b", "c"]), (.prefix("/registry/pods/default/"), ["a", "b", "c"]),
            (.prefix("/registry/pods/other/"), []), (.key("/registry/pods/default/b"), ["b"]),
            (.field("spec.nodeName", "n1"), ["a", "c"]), (.field("spec.nodeName", "n2"), ["c"]),
            (.field("spec.nodeName", "n3"), []), (.label("app", "web"), ["b", "c"]), (.label("app", "db"), ["c"]),
        ]
        var witnesses: [Witness] = []
        for (scope, _) in scopes {
            let witness = Witness()
            witnesses.append(witness)
            index.add(witness, scope)
            index.add(witness, scope)  // once is as good as twice
        }
        index.push(CacheEvent(kind: .added, revision: 1, object: pod("a", node: "n1"), previous: nil), definition)
        index.push(
            CacheEvent(kind: .added, revision: 2, object: pod("b", labels: ["app": "web"]), previous: nil), definition)
        index.push(
            CacheEvent(
                kind: .modified, revision: 3, object: pod("c", node: "n2", labels: ["app": "db"]),
                previous: pod("c", node: "n1", labels: ["app": "web"])), definition)
        for (witness, (scope, expected)) in zip(witnesses, scopes) { #expect(witness.keys == expected, "\(scope)") }
        for (witness, (scope, _)) in zip(witnesses, scopes) { index.remove(witness, scope) }
        #expect(index.all.isEmpty)
        index.push(CacheEvent(kind: .added, revision: 4, object: pod("a", node: "n1"), previous: nil), definition)
        #expect(witnesses[0].keys.count == 3)
    }
}

@Suite struct ListOptionsTests {
    @Test(arguments: [
        ("", ListOptions.Version.newest), ("resourceVersion=0", .any), ("resourceVersion=7", .notOlderThan(7)),
        ("resourceVersion=7&resourceVersionMatch=Exact", .exact(7)),
        ("resourceVersion=7&resourceVersionMatch=NotOlderThan", .notOlderThan(7)),
        ("resourceVersion=0&resourceVersionMatch=NotOlderThan", .any),
    ])
    func `how new a list must be`(query: String, expected: ListOptions.Version) throws {
        #expect(try ListOptions(QueryItems(query[...])).version == expected)
    }

    @Test(arguments: [
        ("resourceVersionMatch=Exact", 422), ("resourceVersion=7&resourceVersionMatch=Newest", 422),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422), ("resourceVersion=x", 400), ("limit=-1", 422),
        ("continue=!", 400), ("continue=e30K&resourceVersion=7", 400),
        ("continue=e30K&resourceVersion=0&resourceVersionMatch=Exact", 422),
    ])
    func `what contradicts itself is refused`(query: String, code: Int) {
        #expect { try ListOptions(QueryItems(query[...])) } throws: { ($0 as? APIFailure)?.code == code }
    }
}
