import OrderedCollections
import Testing

@testable import KubeSchema

@Suite struct PatchTests {
    /// The examples of RFC 6902 appendix A and of its pointers, and what fails.
    @Test(
        arguments: [
            (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"foo":"bar","baz":"qux"}"#),
            (
                #"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
                #"{"foo":["bar","qux","baz"]}"#
            ),
            (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
            (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
            (#"{"baz":"qux"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"baz":"boo"}"#),
            (
                #"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
                #"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
                #"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#
            ),
            (
                #"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
                #"{"foo":["all","cows","eat","grass"]}"#
            ),
            (
                #"{"baz":"qux","foo":["a",2,"c"]}"#,
                #"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
                #"{"baz":"qux","foo":["a",2,"c"]}"#
            ),
            (
                #"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
                #"{"foo":"bar","child":{"grandchild":{}}}"#
            ),
            (
                #"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10},{"op":"remove","path":"/~1"}]"#,
                #"{"~1":10}"#
            ),
            (
                #"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
                #"{"foo":["bar",["abc","def"]]}"#
            ),
            (
                #"{"a":{"b":1}}"#, #"[{"op":"copy","from":"/a","path":"/c"},{"op":"replace","path":"/c/b","value":2}]"#,
                #"{"a":{"b":1},"c":{"b":2}}"#
            ),
            (#"{"a":1}"#, #"[{"op":"replace","path":"","value":{"b":2}}]"#, #"{"b":2}"#),
            (#"{"a":1}"#, "[]", #"{"a":1}"#),
        ])
    func aJSONPatchChangesTheDocument(_ document: String, _ patch: String, _ expected: String) throws {
        #expect(
            try Patch.json(try Fixtures.json(patch), to: try Fixtures.json(document)) == (try Fixtures.json(expected)))
    }

    @Test(
        arguments: [
            (#"{"op":"add","path":"/a","value":1}"#, StatusReason.badRequest, "must be an array"),
            (#"[{"op":"test","path":"/foo","value":"x"}]"#, .invalid, "testing value /foo failed"),
            (#"[{"op":"remove","path":"/none"}]"#, .invalid, "/none does not exist"),
            (#"[{"op":"replace","path":"/none","value":1}]"#, .invalid, "/none does not exist"),
            (#"[{"op":"add","path":"/a/b/c","value":1}]"#, .invalid, "/a/b/c does not exist"),
            (#"[{"op":"add","path":"/l/3","value":1}]"#, .invalid, "/l/3 does not exist"),
            (#"[{"op":"remove","path":"/l/-"}]"#, .invalid, "does not exist"),
            (#"[{"op":"remove","path":"/l/00"}]"#, .invalid, "does not exist"),
            (#"[{"op":"move","from":"/a","path":"/a/b"}]"#, .invalid, "into itself"),
            (#"[{"op":"remove","path":""}]"#, .invalid, "whole document"),
            (#"[{"op":"add","path":"a","value":1}]"#, .badRequest, "begin with /"),
            (#"[{"op":"add","path":"/~2","value":1}]"#, .badRequest, "~ must be followed"),
            (#"[{"op":"add","path":"/a"}]"#, .badRequest, "needs a \"value\""),
            (#"[{"op":"frob","path":"/a"}]"#, .badRequest, "unexpected operation"),
            (#"[{"path":"/a"}]"#, .badRequest, "without \"op\""), (#"[1]"#, .badRequest, "must be an object"),
        ] as [(String, StatusReason, String)])
    func aJSONPatchThatDoesNotFitChangesNothing(_ patch: String, _ reason: StatusReason, _ problem: String) throws {
        let document = try Fixtures.json(#"{"foo":"bar","a":{},"l":[1]}"#)
        let error = #expect(throws: PatchError.self) { try Patch.json(try Fixtures.json(patch), to: document) }
        #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
        #expect(error?.reason == reason)
    }

    /// The test cases of RFC 7386 appendix A whose patch is an object.
    @Test(
        arguments: [
            (#"{"a":"b"}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"b"}"#, #"{"b":"c"}"#, #"{"a":"b","b":"c"}"#),
            (#"{"a":"b"}"#, #"{"a":null}"#, "{}"), (#"{"a":"b","b":"c"}"#, #"{"a":null}"#, #"{"b":"c"}"#),
            (#"{"a":["b"]}"#, #"{"a":"c"}"#, #"{"a":"c"}"#), (#"{"a":"c"}"#, #"{"a":["b"]}"#, #"{"a":["b"]}"#),
            (#"{"a":{"b":"c"}}"#, #"{"a":{"b":"d","c":null}}"#, #"{"a":{"b":"d"}}"#),
            (#"{"a":[{"b":"c"}]}"#, #"{"a":[1]}"#, #"{"a":[1]}"#),
            (#"{"e":null}"#, #"{"a":1}"#, #"{"e":null,"a":1}"#), (#"[1,2]"#, #"{"a":"b","c":null}"#, #"{"a":"b"}"#),
            ("{}", #"{"a":{"bb":{"ccc":null}}}"#, #"{"a":{"bb":{}}}"#),
        ])
    func aMergePatchMerges(_ document: String, _ patch: String, _ expected: String) throws {
        #expect(
            try Patch.merge(try Fixtures.json(patch), to: try Fixtures.json(document)) == (try Fixtures.json(expected)))
    }

    @Test func aMergePatchAgreesWithTheRFCsOwnPseudocode() throws {
        func naive(_ target: JSON, _ patch: JSON) -> JSON {
            guard let changes = patch.object else { return patch }
            var result: JSON = target.object == nil ? [:] : target
            for key in changes.keys {
                if changes[key]!.isNull {
                    result[key] = nil
                } else {
                    result[key] = naive(result[key] ?? .null, changes[key]!)
                }
            }
            return result
        }
        var random = SystemRandomNumberGenerator()
        for _ in 0..<1000 {
            let document = JSON.random(depth: 4, using: &random)
            var patch = JSON.random(depth: 4, using: &random)
            if patch.object == nil { patch = ["a": patch] }
            let merged = try Patch.merge(patch, to: document)
            #expect(merged == naive(document, patch))
            #expect(try Patch.merge(patch, to: merged) == merged)
        }
    }
}
