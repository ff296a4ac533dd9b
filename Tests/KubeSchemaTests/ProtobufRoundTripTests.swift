import FoundationEssentials
import Testing

@testable import KubeSchema

/// How many objects a property is tried on.
private let rounds = ProcessInfo.processInfo.environment["FJORD_LONG"] == "1" ? 400 : 8

@Suite struct ProtobufRoundTripTests {
    @Test(arguments: ResourceCatalogue.builtin.definitions.map { "\($0.apiVersion) \($0.kind)" })
    func `what is written as protobuf is read back as it was`(_ name: String) throws {
        let words = name.split(separator: " ").map(String.init)
        let definition = try #require(ResourceCatalogue.builtin.resource(apiVersion: words[0], kind: words[1]))
        for round in 0..<rounds {
            var generator = ObjectGenerator(seed: UInt64(round))
            let object = generator.object(definition.message, kind: definition.kind, apiVersion: definition.apiVersion)
            // What a client writes as JSON …
            let (plain, _) = try RequestDecoder.decode(
                body: object.encoded(), contentType: nil, as: definition, validation: .strict)
            // … is what it reads when it asks for protobuf, and writes when it writes that.
            let envelope = ProtobufEncoder.envelope(plain, as: definition.message)
            let (read, warnings) = try RequestDecoder.decode(
                body: envelope, contentType: "application/vnd.kubernetes.protobuf", as: definition, validation: .strict)
            #expect(read == plain, "seed \(round)")
            #expect(warnings.isEmpty)
        }
    }

    @Test func `a namespace is the bytes that kubectl writes`() throws {
        // Seen from kubectl 1.32: create namespace foo. Its codec also writes fields that are empty.
        let document: JSON = ["kind": "Namespace", "apiVersion": "v1", "metadata": ["name": "foo"]]
        let definition = try Fixtures.definition("Namespace")
        let bytes = ProtobufEncoder.envelope(document, as: definition.message)
        let expected: [UInt8] =
            Array("k8s\0".utf8)
            + [0x0A, 15, 0x0A, 2] + Array("v1".utf8) + [0x12, 9] + Array("Namespace".utf8)
            + [0x12, 7, 0x0A, 5, 0x0A, 3] + Array("foo".utf8) + [0x1A, 0, 0x22, 0]
        #expect(bytes == expected)
    }

    @Test(arguments: [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152])
    func `a field's length is right whatever it takes`(_ count: Int) throws {
        var bytes: [UInt8] = []
        bytes.append(field: 3) { $0.append(contentsOf: repeatElement(7, count: count)) }
        bytes.append(field: 4, varint: 5)
        var reader = ProtobufReader(bytes[...])
        let first = try #require(try reader.next())
        guard case .bytes(let content) = first.value else { throw ProtobufError(problem: "no bytes") }
        #expect(first.number == 3 && content.count == count && content.allSatisfy { $0 == 7 })
        #expect(try reader.next()?.number == 4)
        #expect(try reader.next() == nil)
    }

    @Test(
        arguments: [
            ("0s", 0), ("1h0m0.5s", 3_600_500_000_000), ("-1.5µs", -1500), ("90s", 90_000_000_000), ("1ms", 1_000_000),
        ] as [(String, Int64)])
    func `durations are read in Go's notation`(_ text: String, _ nanoseconds: Int64) {
        #expect(GoDuration.nanoseconds(text) == nanoseconds)
    }

    @Test(arguments: ["", "1", "s", "1x", "1h-2m", "--1s"]) func `what is no duration is refused`(_ text: String) {
        #expect(GoDuration.nanoseconds(text) == nil)
    }

    @Test func `an event of a watch stands behind its length`() throws {
        let frame = ProtobufEncoder.watchFrame(type: "ADDED", object: [1, 2, 3])
        #expect(frame == [0, 0, 0, 14, 0x0A, 5] + Array("ADDED".utf8) + [0x12, 5, 0x0A, 3, 1, 2, 3])
    }

    @Test func `a list's items are fields of the list`() throws {
        let definition = try Fixtures.definition("ConfigMap")
        let list = try #require(SchemaTable.builtin.message("core/v1.ConfigMapList"))
        var bytes: [UInt8] = []
        ProtobufEncoder.appendEnvelope(kind: "ConfigMapList", apiVersion: "v1", to: &bytes) { bytes in
            ProtobufEncoder.appendList(
                metadata: ["resourceVersion": "7"], items: [["data": ["a": "b"]], ["metadata": ["name": "x"]]],
                definition.message, to: &bytes)
        }
        let read = try ProtobufDecoder.decode(envelope: bytes, as: list)
        #expect(
            read == [
                "kind": "ConfigMapList", "apiVersion": "v1", "metadata": ["resourceVersion": "7"],
                "items": [["data": ["a": "b"]], ["metadata": ["name": "x"]]],
            ])
    }
}
