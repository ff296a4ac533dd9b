import FoundationEssentials
import Testing

@testable import KubeSchema

private let rounds = ProcessInfo.processInfo.environment["FJORD_LONG"] == "1" ? 200_000 : 1500

/// Bytes that somebody spoilt lead to a document or an error, never to anything else.
@Suite struct ParserFuzzTests {
    private static let podDocument: JSON = [
        "kind": "Pod", "apiVersion": "v1", "metadata": ["name": "p", "labels": ["a": "b"]],
        "spec": [
            "containers": [
                [
                    "name": "c", "image": "i", "resources": ["limits": ["cpu": "1", "memory": "1Gi"]],
                    "ports": [["containerPort": 80]], "env": [["name": "ü", "value": "\n\"\\"]],
                    "livenessProbe": ["httpGet": ["port": "http", "path": "/"], "periodSeconds": 3],
                ]
            ], "terminationGracePeriodSeconds": 30,
        ],
    ]

    /// Changes, removes, repeats and inserts bytes.
    private static func spoil(_ bytes: [UInt8], _ generator: inout ObjectGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0...generator.number(below: 4) where !bytes.isEmpty {
            let index = generator.number(below: bytes.count)
            switch generator.number(below: 5) {
            case 0: bytes[index] = UInt8(truncatingIfNeeded: generator.next())
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(Array("{}[]\",:-\\u \n\0".utf8)[generator.number(below: 13)], at: index)
            case 3:
                let end = min(bytes.count, index + generator.number(below: 30))
                bytes.insert(contentsOf: bytes[index..<end], at: index)
            default: bytes.removeLast(generator.number(below: bytes.count))
            }
        }
        return bytes
    }

    @Test(arguments: ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"])
    func `spoilt bodies are read or refused`(_ type: String) throws {
        let definition = try Fixtures.definition("Pod")
        let original =
            switch type {
            case "application/json": Self.podDocument.encoded()
            case "application/yaml": Self.podDocument.yaml()
            default: ProtobufEncoder.envelope(Self.podDocument, as: definition.message)
            }
        var generator = ObjectGenerator(seed: 42)
        var accepted = 0
        for _ in 0..<rounds {
            let body = Self.spoil(original, &generator)
            do throws(BodyError) {
                let (object, _) = try RequestDecoder.decode(
                    body: body, contentType: type, as: definition, validation: .warn)
                accepted += 1
                // What was accepted can be written and read again.
                #expect((try? JSON(parsing: object.encoded())) == object)
            } catch {
                #expect(!error.message.isEmpty)
            }
        }
        #expect(accepted < rounds)
    }

    @Test(arguments: [
        String(repeating: "[", count: 1_500_000), String(repeating: "{\"a\":", count: 600_000),
        "{\"a\":" + String(repeating: "[", count: 3_000_000),
    ])
    func `absurd nesting is refused in every format`(_ text: String) throws {
        let definition = try Fixtures.definition("Pod")
        for type in ["application/json", "application/yaml"] {
            #expect(throws: BodyError.self) {
                _ = try RequestDecoder.decode(
                    body: Array(text.utf8), contentType: type, as: definition, validation: .warn)
            }
        }
    }

    @Test(arguments: [
        "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"", "kind: Pod\nmetadata:\n  name: \"",
    ])
    func `text that is not UTF-8 is refused`(_ head: String) throws {
        let definition = try Fixtures.definition("Pod")
        let type = head.hasPrefix("{") ? "application/json" : "application/yaml"
        for bad: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]] {
            let body = Array(head.utf8) + bad + Array("\"}}".utf8)
            #expect(throws: BodyError.self) {
                _ = try RequestDecoder.decode(body: body, contentType: type, as: definition, validation: .ignore)
            }
        }
    }
}
