import Testing

@testable import KubeSchema

@Suite struct JSONTests {
    @Test(
        arguments: [
            ("null", .null), ("true", true), (" [1, -2 ,3]\n", [1, -2, 3]), ("0", 0), ("-0", 0),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("1.5e2", 150.0), ("1E-2", 0.01),
            (#"{"a":{"b":[]},"c":{}}"#, ["a": ["b": []], "c": [:]]),
            (#""\"\\\/\b\f\n\r\té😀 €""#, .string("\"\\/\u{8}\u{C}\n\r\té😀 €")),
            (#""\ud83d\ude00\u00e9""#, "😀é"), (#""\ud83dx""#, "\u{FFFD}x"), (#"{"a":1,"a":2}"#, ["a": 2]),
        ] as [(String, JSON)])
    func aDocumentIsParsed(_ text: String, _ expected: JSON) throws {
        #expect(try JSON(parsing: Array(text.utf8)) == expected)
    }

    @Test(
        arguments: [
            ("", "the document ends where a value should be", 0), ("{", "the end of the document where a member", 1),
            ("[1,]", "']' where a value should begin", 3), ("{\"a\" 1}", "'1' where a colon", 5),
            ("{\"a\":1,}", "'}' where a member name", 7), ("01", "leading zero", 0), ("1.", "a digit should be", 2),
            ("-", "a digit should be", 1), ("1e400", "too big for a double", 0), ("tru", "not true", 0),
            ("\"a", "does not end", 0), ("\"a\nb\"", "must be escaped", 2), ("\"\\x\"", "is no escape", 2),
            ("\"\\u12g4\"", "'g' in a \\u escape", 5), ("1 2", "more follows", 2), ("\u{FEFF}1", "byte 239", 0),
        ])
    func whatIsNoDocumentIsRefusedWithThePlace(_ text: String, _ problem: String, _ offset: Int) {
        let error = #expect(throws: JSONSyntaxError.self) { try JSON(parsing: Array(text.utf8)) }
        #expect(error?.problem.contains(problem) == true, "\(String(describing: error))")
        #expect(error?.offset == offset)
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        let error = #expect(throws: JSONSyntaxError.self) {
            try JSON(parsing: Array("\"ab".utf8) + [0xC3, 0x28, 0x22])
        }
        #expect(error?.offset == 3)
    }

    @Test func nestingIsLimited() throws {
        let limit = JSON.depthLimit
        let nested = { (depth: Int) in
            Array(String(repeating: "[", count: depth).utf8) + Array(String(repeating: "]", count: depth).utf8)
        }
        _ = try JSON(parsing: nested(limit))
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: nested(limit + 1)) }
        #expect(throws: JSONSyntaxError.self) { try JSON(parsing: nested(1_000_000)) }
    }

    @Test func membersWrittenTwiceAreReportedWithTheirPath() throws {
        var duplicates: [String] = []
        let text = Array(#"{"spec":{"a":1,"a":1,"l":[{},{"b":1,"b":{"c":1,"c":2}}]},"spec":1}"#.utf8)
        _ = try JSON.parse(text.span, duplicates: &duplicates)
        #expect(duplicates == ["spec.a", "spec.l[1].b.c", "spec.l[1].b", "spec"])
    }

    @Test func brokenBytesAreAnErrorOrADocumentButNeverACrash() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<3000 {
            var bytes = JSON.random(depth: 4, using: &random).encoded()
            for _ in 0..<Int.random(in: 1..<4, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) { bytes[position] = random.next() } else { bytes.remove(at: position) }
                if bytes.isEmpty { break }
            }
            if let document = try? JSON(parsing: bytes) {
                #expect((try? JSON(parsing: document.encoded())) == document)
            }
        }
    }

    @Test func parsingWhatWasEncodedGivesTheSameDocument() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let document = JSON.random(depth: 4, using: &random)
            let bytes = document.encoded()
            #expect(try JSON(parsing: bytes) == document)
            #expect(try JSON(parsing: bytes).encoded() == bytes)
        }
    }
}

extension JSON {
    /// Some document with all kinds of values, awkward strings and numbers among them.
    static func random(depth: Int, using random: inout some RandomNumberGenerator) -> JSON {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &random) {
        case 0: return .null
        case 1: return .bool(.random(using: &random))
        case 2: return .integer(Int64(truncatingIfNeeded: random.next() >> UInt64.random(in: 0..<64, using: &random)))
        case 3: return .double(Double.random(in: -1e9...1e9, using: &random))
        case 4, 5: return .string(randomString(using: &random))
        case 6:
            return .array(
                (0..<Int.random(in: 0..<5, using: &random)).map { _ in .random(depth: depth - 1, using: &random) })
        default:
            var object: JSON = [:]
            for _ in 0..<Int.random(in: 0..<6, using: &random) {
                object[randomString(using: &random)] = .random(depth: depth - 1, using: &random)
            }
            return object
        }
    }

    static func randomString(using random: inout some RandomNumberGenerator) -> String {
        let parts = ["a", "b", "name", "\"", "\\", "\n", "\u{1}", "é", "😀", "/", "~", " ", "\u{7F}", "spec", "$patch"]
        return (0..<Int.random(in: 0..<5, using: &random)).map { _ in parts.randomElement(using: &random)! }.joined()
    }
}
