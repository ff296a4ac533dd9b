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

    /// Bodies that kubectl 1.32 sends for `create namespace`, `configmap`, `secret generic`, `service` and `serviceaccount`.
    private static let fromKubectl: [(kind: String, hexadecimal: String, document: String)] = [
        (
            "Namespace",
            "6b3873000a0f0a02763112094e616d657370616365121b0a130a03666f6f12001a0022002a00320038004200"
                + "12001a020a001a002200",
            #"{"metadata":{"name":"foo"},"spec":{},"status":{}}"#
        ),
        (
            "ConfigMap",
            "6b3873000a0f0a0276311209436f6e6669674d617012240a120a02636d12001a0022002a0032003800420012"
                + "060a016112016212060a01631201641a002200",
            #"{"metadata":{"name":"cm"},"data":{"a":"b","c":"d"}}"#
        ),
        (
            "Secret",
            "6b3873000a0c0a0276311206536563726574121d0a110a017312001a0022002a0032003800420012060a0175"
                + "1201701a001a002200",
            #"{"metadata":{"name":"s"},"data":{"u":"cA=="}}"#
        ),
        (
            "Service",
            "6b3873000a0d0a02763112075365727669636512690a1f0a0377656212001a0022002a003200380042005a0a"
                + "0a03617070120377656212420a1b0a0738302d38303830120354435018502207080010903f1a002800120a0a"
                + "0361707012037765621a002209436c757374657249503a00420052005a00600068001a020a001a002200",
            #"{"metadata":{"name":"web","labels":{"app":"web"}},"spec":{"ports":[{"name":"80-8080","protocol":"TCP","port":80,"targetPort":8080}],"selector":{"app":"web"},"type":"ClusterIP"},"status":{"loadBalancer":{}}}"#
        ),
        (
            "Service",
            "6b3873000a0d0a027631120753657276696365126b0a1d0a026e7012001a0022002a003200380042005a090a"
                + "0361707012026e7012460a210a09353637382d68747470120354435018ae2c220a080110001a046874747028"
                + "0012090a0361707012026e701a0022084e6f6465506f72743a00420052005a00600068001a020a001a002200",
            #"{"metadata":{"name":"np","labels":{"app":"np"}},"spec":{"ports":[{"name":"5678-http","protocol":"TCP","port":5678,"targetPort":"http"}],"selector":{"app":"np"},"type":"NodePort"},"status":{"loadBalancer":{}}}"#
        ),
        (
            "ServiceAccount",
            "6b3873000a140a027631120e536572766963654163636f756e7412140a120a02736112001a0022002a003200"
                + "380042001a002200",
            #"{"metadata":{"name":"sa"}}"#
        ),
    ]

    @Test(arguments: fromKubectl)
    func whatKubectlSends(_ kind: String, _ hexadecimal: String, _ document: String) throws {
        let digits = Array(hexadecimal.utf8)
        let body = stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<($0 + 2)], as: UTF8.self), radix: 16)
        }
        if kind == "Namespace" { #expect(body.count == 54) }
        var expected = try Fixtures.json(document)
        expected["kind"] = .string(kind)
        expected["apiVersion"] = "v1"
        #expect(try decode(body, kind) == expected)
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
