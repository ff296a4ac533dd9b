import Testing

@testable import KubeSchema

@Suite struct StrategicMergePatchTests {
    private func patched(_ document: String, _ patch: String, _ message: String) throws -> JSON {
        try Patch.strategicMerge(
            try Fixtures.json(patch), to: try Fixtures.json(document),
            schema: try #require(SchemaTable.builtin.message(message)))
    }

    @Test(
        arguments: [
            (
                "core/v1.PodSpec", #"{"containers":[{"name":"a","image":"1"},{"name":"b","image":"1"}]}"#,
                #"{"containers":[{"name":"b","image":"2"}]}"#,
                #"{"containers":[{"name":"a","image":"1"},{"name":"b","image":"2"}]}"#, "elements are merged by key"
            ),
            (
                "core/v1.PodSpec", #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
                #"{"containers":[{"name":"a","$patch":"delete"}]}"#,
                #"{"containers":[{"name":"b"}]}"#, "an element is deleted"
            ),
            (
                "core/v1.PodSpec", #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
                #"{"containers":[{"name":"c"},{"$patch":"replace"}]}"#,
                #"{"containers":[{"name":"c"}]}"#, "a list is replaced"
            ),
            (
                "core/v1.PodSpec", #"{"containers":[{"name":"a"},{"name":"b"}]}"#,
                #"{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"a","image":"x"}]}"#,
                #"{"containers":[{"name":"b"},{"name":"a","image":"x"}]}"#, "the patch decides the order"
            ),
            (
                "core/v1.PodSpec", #"{"containers":[{"name":"a"},{"name":"s"},{"name":"b"}]}"#,
                #"{"$setElementOrder/containers":[{"name":"b"},{"name":"a"}]}"#,
                #"{"containers":[{"name":"s"},{"name":"b"},{"name":"a"}]}"#,
                "what the patch does not name stays before what followed it"
            ),
            (
                "core/v1.PodSpec", #"{"containers":[{"name":"s"},{"name":"a"}]}"#,
                #"{"$setElementOrder/containers":[{"name":"a"},{"name":"n"}],"containers":[{"name":"n"}]}"#,
                #"{"containers":[{"name":"s"},{"name":"a"},{"name":"n"}]}"#, "an element is added behind"
            ),
            (
                "core/v1.PodSpec", #"{"volumes":[{"name":"v","emptyDir":{}}]}"#,
                #"{"volumes":[{"name":"v","$retainKeys":["name","hostPath"],"hostPath":{"path":"/x"}}]}"#,
                #"{"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}"#, "retained keys drop the others"
            ),
            (
                "core/v1.PodSpec", #"{"nodeSelector":{"a":"1","b":"2"}}"#,
                #"{"nodeSelector":{"$patch":"replace","c":"3"}}"#, #"{"nodeSelector":{"c":"3"}}"#, "a map is replaced"
            ),
            (
                "core/v1.PodSpec", #"{"nodeSelector":{"a":"1","b":"2"}}"#, #"{"nodeSelector":{"a":null,"c":"3"}}"#,
                #"{"nodeSelector":{"b":"2","c":"3"}}"#, "a map is merged"
            ),
            (
                "core/v1.PodSpec", #"{"securityContext":{"runAsUser":1}}"#, #"{"securityContext":{"$patch":"delete"}}"#,
                #"{"securityContext":{}}"#, "a map is emptied"
            ),
            (
                "meta/v1.ObjectMeta", #"{"finalizers":["a","b"]}"#, #"{"finalizers":["c","a"]}"#,
                #"{"finalizers":["c","a","b"]}"#, "scalars are merged as a set, in the patch's order"
            ),
            (
                "meta/v1.ObjectMeta", #"{"finalizers":["a","b","c"]}"#,
                #"{"$deleteFromPrimitiveList/finalizers":["a","c"]}"#, #"{"finalizers":["b"]}"#, "scalars are deleted"
            ),
            (
                "core/v1.Container", #"{"command":["a","b"]}"#, #"{"command":["c"]}"#, #"{"command":["c"]}"#,
                "an atomic list is replaced"
            ),
            (
                "core/v1.Container", #"{"ports":[{"containerPort":80,"name":"x"}]}"#,
                #"{"ports":[{"containerPort":80,"hostPort":1}]}"#,
                #"{"ports":[{"containerPort":80,"name":"x","hostPort":1}]}"#, "the key may be a number"
            ),
            (
                "core/v1.NodeStatus", #"{"conditions":[{"type":"Ready","status":"True"}]}"#,
                #"{"conditions":[{"type":"Ready","status":"False"},{"type":"X","status":"True"}]}"#,
                #"{"conditions":[{"type":"Ready","status":"False"},{"type":"X","status":"True"}]}"#,
                "conditions by type"
            ),
            (
                "core/v1.PodSpec", "{}",
                #"{"containers":[{"name":"a","image":null,"env":[{"name":"E","$patch":"delete"}]}]}"#,
                #"{"containers":[{"name":"a","env":[]}]}"#, "directives leave nothing behind"
            ),
        ])
    func aStrategicMergePatchKnowsTheSchema(
        _ message: String, _ document: String, _ patch: String, _ expected: String, _ what: String
    ) throws {
        #expect(try patched(document, patch, message) == (try Fixtures.json(expected)), "\(what)")
    }

    @Test(
        arguments: [
            (#"[]"#, "must be a JSON object"),
            (#"{"containers":[{"image":"x"}]}"#, "does not contain declared merge key: name"),
            (#"{"nodeSelector":{"$patch":"frob"}}"#, "unknown $patch"),
            (#"{"$setElementOrder/containers":1}"#, "must be a list"),
            (#"{"containers":[1]}"#, "must be an object"),
            (#"{"volumes":[{"name":"v","$retainKeys":["name"],"emptyDir":{}}]}"#, "does not name \"emptyDir\""),
        ])
    func aMalformedPatchIsRefused(_ patch: String, _ problem: String) throws {
        let error = #expect(throws: PatchError.self) {
            try patched(#"{"containers":[{"name":"a"}]}"#, patch, "core/v1.PodSpec")
        }
        #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
        #expect(error?.reason == .badRequest)
    }
}
