import Testing

@testable import KubeSchema

@Suite struct RequestDecoderTests {
    private func decode(
        _ body: String, _ kind: String = "Pod", _ validation: FieldValidation = .strict, type: String? = nil
    ) throws -> (object: JSON, warnings: [String]) {
        try RequestDecoder.decode(
            body: Array(body.utf8), contentType: type, as: try Fixtures.definition(kind), validation: validation)
    }

    @Test(
        arguments: [
            // what the body holds, what is kept of it, and why
            (#"{"metadata":{"name":"a","creationTimestamp":null}}"#, #"{"metadata":{"name":"a"}}"#, "nulls"),
            (#"{"spec":{"hostNetwork":false,"nodeName":""},"status":{}}"#, #"{"spec":{},"status":{}}"#, "zero values"),
            (
                #"{"spec":{"enableServiceLinks":false}}"#, #"{"spec":{"enableServiceLinks":false}}"#,
                "a pointer's zero value"
            ),
            (#"{"metadata":{"labels":{},"finalizers":[]}}"#, #"{"metadata":{}}"#, "empty collections"),
            (#"{"metadata":{"annotations":{"a":null}}}"#, #"{"metadata":{"annotations":{"a":""}}}"#, "a null in a map"),
            (
                #"{"spec":{"containers":[{"name":"","resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}}}]}}"#,
                #"{"spec":{"containers":[{"name":"","resources":{"limits":{"cpu":"500m","memory":"1Gi"}}}]}}"#,
                "quantities"
            ),
            (
                #"{"metadata":{"deletionTimestamp":"2015-04-24T16:34:56.9+02:00"}}"#,
                #"{"metadata":{"deletionTimestamp":"2015-04-24T14:34:56Z"}}"#, "times"
            ),
        ])
    func theDocumentIsBroughtIntoTheFormOfTheAPI(_ body: String, _ expected: String, _ what: String) throws {
        var document = try Fixtures.json(expected)
        document["kind"] = "Pod"
        document["apiVersion"] = "v1"
        #expect(try decode(body).object == document, "\(what)")
    }

    @Test(
        arguments: [
            (#"{"spec":{"foo":1}}"#, #"unknown field "spec.foo""#),
            (#"{"spec":{"containers":[{"name":"a"},{"Image":"x"}]}}"#, #"unknown field "spec.containers[1].Image""#),
            (#"{"metadata":{"name":"a","name":"b"}}"#, #"duplicate field "metadata.name""#),
            (#"{"a":1,"spec":{"b":2}}"#, #"unknown field "a", unknown field "spec.b""#),
        ])
    func membersUnknownOrWrittenTwiceAreRefusedReportedOrDropped(_ body: String, _ problem: String) throws {
        let error = #expect(throws: BodyError.self) { try decode(body) }
        #expect(error?.message.hasSuffix("strict decoding error: \(problem)") == true, "\(String(describing: error))")
        #expect(error?.reason == .badRequest)
        #expect(try decode(body, "Pod", .warn).warnings.joined(separator: ", ") == problem)
        #expect(try decode(body, "Pod", .ignore).warnings.isEmpty)
        #expect(try decode(body, "Pod", .ignore).object["spec"]?["foo"] == nil)
    }

    @Test(
        arguments: [
            (
                "Pod", #"{"spec":{"containers":[{"ports":[{"containerPort":"80"}]}]}}"#,
                "string into a field of type int32", "spec.containers[0].ports[0].containerPort"
            ),
            (
                "Pod", #"{"spec":{"containers":[{"ports":[{"hostPort":70000000000}]}]}}"#, "number 70000000000 into",
                "spec.containers[0].ports[0].hostPort"
            ),
            ("Pod", #"{"spec":{"containers":{}}}"#, "object into a field of type an array", "spec.containers"),
            ("Pod", #"{"metadata":{"labels":{"a":1}}}"#, "number 1 into a field of type string", "metadata.labels.a"),
            ("Pod", #"{"spec":[]}"#, "array into a field of type an object", "spec"),
            (
                "Pod", #"{"spec":{"containers":[{"resources":{"limits":{"cpu":"1x"}}}]}}"#, "quantities must match",
                "spec.containers[0].resources.limits.cpu"
            ),
            ("Secret", #"{"data":{"a":"%%"}}"#, "illegal base64 data at input byte 0", "data.a"),
            ("Pod", #"{"metadata":{"deletionTimestamp":"yesterday"}}"#, "parsing time", "metadata.deletionTimestamp"),
        ])
    func valuesOfTheWrongTypeAreNamedByTheirPath(_ kind: String, _ body: String, _ problem: String, _ path: String)
        throws
    {
        let error = #expect(throws: BodyError.self) { try decode(body, kind, .ignore) }
        #expect(error?.message.contains(problem) == true, "\(String(describing: error))")
        #expect(error?.message.contains("(field \(path))") == true, "\(String(describing: error))")
        #expect(error?.message.hasPrefix("\(kind) in version \"v1\" cannot be handled as a \(kind): ") == true)
    }

    @Test(
        arguments: [
            ("", "must be of type Pod"), ("[]", "cannot unmarshal array"), ("{", "invalid JSON at byte 1"),
            (#"{"kind":"Service"}"#, "the kind in the data (Service) does not match the expected kind (Pod)"),
            (#"{"apiVersion":"v2"}"#, "the API version in the data (v2) does not match the expected API version (v1)"),
            (#"{"kind":1}"#, "kind must be a string, not number"), ("k8s\0\u{1}", "invalid protobuf"),
        ])
    func whatIsNoObjectOfTheKindIsABadRequest(_ body: String, _ message: String) {
        let error = #expect(throws: BodyError.self) { try decode(body) }
        #expect(error?.message.contains(message) == true, "\(String(describing: error))")
        #expect(error?.reason == .badRequest)
    }

    @Test func anUnknownMediaTypeIsNamed() {
        let error = #expect(throws: BodyError.self) { try decode("{}", type: "text/html; charset=utf-8") }
        #expect(error?.reason == .unsupportedMediaType)
        #expect(error?.message.contains("text/html") == true)
    }

    @Test func yamlIsRead() throws {
        let body = """
            # a pod
            kind: Pod
            apiVersion: v1
            metadata: {name: web, labels: {on: "yes"}}
            spec:
              containers:
              - name: web
                image: nginx
                ports: [{containerPort: 80}]
                args:
                - |
                  two
                  lines
            """
        let object = try decode(body, type: "application/yaml").object
        #expect(object["spec"]?["containers"]?.array?.first?["ports"]?.array?.first?["containerPort"] == 80)
        #expect(object["spec"]?["containers"]?.array?.first?["args"] == ["two\nlines"])
        #expect(object["metadata"]?["labels"] == ["on": "yes"])
    }

    @Test func deleteOptionsAreReadWhateverGroupTheyNameAndWithoutAKind() throws {
        let message = try #require(SchemaTable.builtin.message("meta/v1.DeleteOptions"))
        for body in [
            #"{"propagationPolicy":"Background"}"#,
            #"{"kind":"DeleteOptions","apiVersion":"policy/v1","propagationPolicy":"Background"}"#,
        ] {
            let (options, _) = try RequestDecoder.decode(
                body: Array(body.utf8), contentType: "application/json", kind: "DeleteOptions", apiVersion: nil,
                message: message, validation: .strict)
            #expect(options["propagationPolicy"] == "Background")
        }
    }

    @Test func conformingTwiceChangesNothing() throws {
        let (once, definition) = try Fixtures.object(Fixtures.pod(#","resources":{"limits":{"memory":"0.5Gi"}}"#))
        let (twice, warnings) = try RequestDecoder.conform(
            once, kind: "Pod", message: definition.message, validation: .warn)
        #expect(once == twice)
        #expect(warnings.isEmpty)
    }
}
