import Testing

@testable import KubeSchema

/// An encoder of its own for the tests: tag and length by hand, nothing of the decoder's.
private enum Wire {
    static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80 ? [UInt8(value)] : [UInt8(value & 0x7F) | 0x80] + varint(value >> 7)
    }
    static func bytes(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(content.count)) + content
    }
    static func string(_ number: UInt64, _ text: String) -> [UInt8] { bytes(number, Array(text.utf8)) }
    static func number(_ number: UInt64, _ value: Int64) -> [UInt8] {
        varint(number << 3) + varint(UInt64(bitPattern: value))
    }
    static func envelope(_ apiVersion: String, _ kind: String, _ raw: [UInt8]) -> [UInt8] {
        [0x6B, 0x38, 0x73, 0x00] + bytes(1, string(1, apiVersion) + string(2, kind)) + bytes(2, raw) + string(3, "")
            + string(4, "")
    }
}

@Suite struct ProtobufDecoderTests {
    private func decode(_ body: [UInt8], _ kind: String) throws -> JSON {
        try RequestDecoder.decode(
            body: body, contentType: "application/vnd.kubernetes.protobuf", as: try Fixtures.definition(kind),
            validation: .strict
        ).object
    }

    /// The very bytes that `kubectl create namespace foo` sends: 54 of them.
    @Test func aNamespaceByHand() throws {
        let body: [UInt8] =
            [0x6B, 0x38, 0x73, 0x00]  // magic
            + [0x0A, 0x0F, 0x0A, 0x02, 0x76, 0x31]  // type meta: apiVersion v1
            + [0x12, 0x09, 0x4E, 0x61, 0x6D, 0x65, 0x73, 0x70, 0x61, 0x63, 0x65]  // kind Namespace
            + [0x12, 0x1B]  // raw, 27 bytes
            + [0x0A, 0x15]  // metadata, 21 bytes
            + [0x0A, 0x03, 0x66, 0x6F, 0x6F]  // name foo
            + [0x12, 0x00, 0x1A, 0x00, 0x22, 0x00, 0x2A, 0x00, 0x32, 0x00]  // generateName ... resourceVersion, empty
            + [0x38, 0x00, 0x42, 0x00, 0x7A, 0x00]  // generation 0, creationTimestamp empty, an old field
            + [0x12, 0x00, 0x1A, 0x00]  // spec, status
            + [0x1A, 0x00, 0x22, 0x00]  // content encoding and type
        #expect(body.count == 54)
        #expect(
            try decode(body, "Namespace") == [
                "apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "foo"], "spec": [:], "status": [:],
            ])
    }

    @Test func mapsBytesAndPointers() throws {
        let raw =
            Wire.bytes(1, Wire.string(1, "s") + Wire.bytes(11, Wire.string(1, "k") + Wire.string(2, "v")))
            + Wire.bytes(2, Wire.string(1, "user") + Wire.bytes(2, [0, 255, 1]))
            + Wire.bytes(2, Wire.string(1, "empty") + Wire.bytes(2, []))
            + Wire.string(3, "Opaque") + Wire.number(5, 0)
        #expect(
            try decode(Wire.envelope("v1", "Secret", raw), "Secret") == [
                "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "s", "labels": ["k": "v"]],
                "data": ["user": "AP8B", "empty": ""], "type": "Opaque", "immutable": false,
            ])
    }

    @Test func messagesInListsQuantitiesIntOrStringsAndEmbeddedMessages() throws {
        let port = Wire.string(1, "http") + Wire.number(3, 80)
        let probe =
            Wire.bytes(
                1,
                Wire.bytes(
                    2,
                    Wire.string(1, "/") + Wire.bytes(2, Wire.number(1, 1) + Wire.number(2, 0) + Wire.string(3, "http")))
            )
            + Wire.number(2, 5)
        let resources = Wire.bytes(1, Wire.string(1, "cpu") + Wire.bytes(2, Wire.string(1, "0.25")))
        let container =
            Wire.string(1, "c") + Wire.string(2, "nginx") + Wire.string(3, "sh") + Wire.string(3, "-c")
            + Wire.bytes(6, port) + Wire.bytes(6, Wire.number(3, 81)) + Wire.bytes(8, resources) + Wire.bytes(10, probe)
        let volume = Wire.string(1, "v") + Wire.bytes(2, Wire.bytes(2, Wire.string(1, "Memory")))
        let spec =
            Wire.bytes(1, volume) + Wire.bytes(2, container) + Wire.number(4, -1)
            + Wire.bytes(14, Wire.number(4, 1000) + Wire.bytes(4, [7, 0x88, 0x27]))  // groups one by one and packed
        let metadata = Wire.string(1, "p") + Wire.bytes(9, Wire.number(1, 1_429_886_096) + Wire.number(2, 0))
        let object = try decode(
            Wire.envelope("v1", "Pod", Wire.bytes(1, metadata) + Wire.bytes(2, spec) + Wire.bytes(3, [])), "Pod")
        #expect(object["metadata"] == ["name": "p", "deletionTimestamp": "2015-04-24T14:34:56Z"])
        #expect(object["spec"]?["volumes"] == [["name": "v", "emptyDir": ["medium": "Memory"]]])
        #expect(object["spec"]?["terminationGracePeriodSeconds"] == -1)
        #expect(object["spec"]?["securityContext"]?["supplementalGroups"] == [1000, 7, 5000])
        let expected: JSON = [
            "name": "c", "image": "nginx", "command": ["sh", "-c"],
            "ports": [["name": "http", "containerPort": 80], ["containerPort": 81]],
            "resources": ["limits": ["cpu": "250m"]],
            "livenessProbe": ["httpGet": ["path": "/", "port": "http"], "initialDelaySeconds": 5],
        ]
        #expect(object["spec"]?["containers"] == [expected])
    }

    @Test func fieldsThatNobodyKnowsAreSkipped() throws {
        let raw =
            Wire.bytes(1, Wire.string(1, "n")) + Wire.number(99, 1) + Wire.string(98, "x") + [0xA5, 0x06, 1, 2, 3, 4]
        #expect(try decode(Wire.envelope("v1", "Namespace", raw), "Namespace")["metadata"] == ["name": "n"])
    }

    @Test(
        arguments: [
            (Wire.bytes(1, [0x0A, 0x05, 0x61]), "field 1 of 5 bytes where 1 are left"),
            (Wire.bytes(1, [0x0A]), "ends inside a number"), ([0x0B], "wire type 3"),
            (Wire.bytes(1, Wire.bytes(1, [0xFF])), "name is not UTF-8"),
            (Wire.number(1, 3), "wire type of another kind"),
            ([UInt8](repeating: 0xFF, count: 12), "more than 64 bits"),
        ])
    func brokenMessagesAreRefused(_ raw: [UInt8], _ problem: String) {
        let error = #expect(throws: BodyError.self) { try decode(Wire.envelope("v1", "Namespace", raw), "Namespace") }
        #expect(error?.message.contains(problem) == true, "\(String(describing: error))")
    }

    @Test func anyPrefixOfABodyIsAnErrorOrAnObjectButNeverACrash() throws {
        var random = SystemRandomNumberGenerator()
        let raw =
            Wire.bytes(1, Wire.string(1, "s") + Wire.bytes(11, Wire.string(1, "k") + Wire.string(2, "v")))
            + Wire.bytes(2, Wire.string(1, "user") + Wire.bytes(2, [0, 255, 1]))
        let body = Wire.envelope("v1", "Secret", raw)
        for count in 0...body.count { _ = try? decode(Array(body.prefix(count)), "Secret") }
        for _ in 0..<3000 {
            var broken = body
            broken[Int.random(in: 4..<body.count, using: &random)] = random.next()
            _ = try? decode(broken, "Secret")
        }
    }
}
