import Testing

@testable import KubeSchema

@Suite struct QuantityTests {
    @Test(
        arguments: [
            // text, canonical form, value, thousandths
            ("0", "0", 0, 0), ("1", "1", 1, 1000), ("100m", "100m", 1, 100), ("0.1", "100m", 1, 100),
            ("1.5", "1500m", 2, 1500), ("1000m", "1", 1, 1000), ("2k", "2k", 2000, 2_000_000),
            ("2000", "2k", 2000, 2_000_000),
            ("64Mi", "64Mi", 67_108_864, 67_108_864_000), ("0.5Gi", "512Mi", 536_870_912, 536_870_912_000),
            ("1024Ki", "1Mi", 1_048_576, 1_048_576_000), ("1e3", "1e3", 1000, 1_000_000),
            ("12E2", "1200", 1200, 1_200_000),
            ("1E", "1E", 1_000_000_000_000_000_000, .max), ("100n", "100n", 1, 1), ("-1500m", "-1500m", -1, -1500),
            ("+5", "5", 5, 5000), (".5", "500m", 1, 500), ("5.", "5", 5, 5000), ("0.1Ki", "102400m", 103, 102_400),
            ("0.0000000001", "1n", 1, 1), ("00012", "12", 12, 12_000),
        ] as [(String, String, Int64, Int64)])
    func aQuantityIsReadAndWrittenInItsCanonicalForm(
        _ text: String, _ canonical: String, _ value: Int64, _ milli: Int64
    ) throws {
        let quantity = try #require(ResourceQuantity(text))
        #expect(quantity.description == canonical)
        #expect(quantity.value == value)
        #expect(quantity.milliValue == milli)
        #expect(ResourceQuantity(canonical) == quantity)
    }

    @Test(arguments: [
        "", "m", "1x", "1 ", " 1", "1mm", "--1", "1.2.3", "1K", "1ki", "1e", "1e1.5", "1e9999",
        "9999999999999999999999999999999999999999", "é",
    ])
    func whatIsNoQuantityIsRefused(_ text: String) { #expect(ResourceQuantity(text) == nil) }

    @Test func sumsAndComparisonsAreExact() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let a = Int64.random(in: -1_000_000_000...1_000_000_000, using: &random)
            let b = Int64.random(in: -1_000_000_000...1_000_000_000, using: &random)
            let (left, right) = (ResourceQuantity(milli: a), ResourceQuantity(milli: b))
            #expect((left + right).milliValue == a + b)
            #expect((left - right).milliValue == a - b)
            #expect((left < right) == (a < b))
            #expect(ResourceQuantity(left.description) == left)
        }
        #expect(ResourceQuantity("1Gi")! + ResourceQuantity("512Mi")! == ResourceQuantity("1536Mi"))
        #expect((ResourceQuantity("1Gi")! + ResourceQuantity("512Mi")!).description == "1536Mi")
    }
}

@Suite struct TextFormTests {
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0, 0), ("2015-04-24T14:34:56Z", 1_429_886_096, 0),
            ("2000-02-29T23:59:59Z", 951_868_799, 0),
            ("1969-12-31T23:59:59Z", -1, 0), ("2026-11-23T20:00:00.25+01:30", 1_795_458_600, 250_000_000),
            ("0001-01-01T00:00:00Z", -62_135_596_800, 0), ("9999-12-31t23:59:59z", 253_402_300_799, 0),
        ] as [(String, Int64, Int32)])
    func aTimeIsReadAndWritten(_ text: String, _ seconds: Int64, _ nanoseconds: Int32) {
        let time = Timestamp(rfc3339: text)
        #expect(time == Timestamp(seconds: seconds, nanoseconds: nanoseconds))
        if text.hasSuffix("Z") { #expect(time?.rfc3339 == text) }
        #expect(Timestamp(rfc3339: time?.rfc3339 ?? "")?.seconds == seconds)
    }

    @Test(arguments: [
        "", "2015-04-24", "2015-13-01T00:00:00Z", "2015-02-29T00:00:00Z", "2015-04-24T24:00:00Z", "2015-04-24T14:34:56",
        "2015-04-24T14:34:56.Z", "2015-04-24T14:34:56+0200", "2015-04-24 14:34:56Z", "2015-04-24T14:34:56Zx",
    ])
    func whatIsNoTimeIsRefused(_ text: String) { #expect(Timestamp(rfc3339: text) == nil) }

    @Test func microsecondsAreWrittenWithSixDigits() {
        #expect(Timestamp(seconds: 0, nanoseconds: 1_234_567).rfc3339Microseconds == "1970-01-01T00:00:00.001234Z")
    }

    @Test func base64RoundTrips() throws {
        var random = SystemRandomNumberGenerator()
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            #expect(try Base64.decode(Base64.encode(bytes)) == bytes)
        }
        #expect(Base64.encode(Array("foobar".utf8)) == "Zm9vYmFy")
        #expect(try Base64.decode("Zm9v\nYg==\n") == Array("foob".utf8))
    }

    @Test(arguments: ["a", "ab", "abc", "ab=", "a===", "ab==c", "=", "====", "a b=", "Zm9=v"])
    func whatIsNoBase64IsRefused(_ text: String) { #expect(throws: Base64Error.self) { try Base64.decode(text) } }

    @Test(
        arguments: [
            (0, "0s"), (1, "1ns"), (1500, "1.5µs"), (2_000_000, "2ms"), (1_500_000_000, "1.5s"),
            (3_661_000_000_000, "1h1m1s"), (-60_000_000_000, "-1m0s"),
        ] as [(Int64, String)])
    func durationsAreWrittenAsGoDoes(_ nanoseconds: Int64, _ text: String) {
        #expect(GoDuration.text(nanoseconds: nanoseconds) == text)
    }
}

@Suite struct YAMLTests {
    @Test(
        arguments: [
            ("", .null), ("a: 1", ["a": 1]), ("a: '1'", ["a": "1"]), ("a: yes\nb: off", ["a": true, "b": false]),
            ("- ~\n- null\n- 1.5\n- 0x1F\n- 010\n- -3\n- 1e3", [nil, nil, 1.5, 31, 8, -3, 1000.0]),
            ("a: !!str 1", ["a": "1"]), ("v: 1.20.2", ["v": "1.20.2"]), ("n: 1_000", ["n": 1000]),
            ("t: 2015-04-24", ["t": "2015-04-24"]), ("a: &x {b: 1}\nc: *x", ["a": ["b": 1], "c": ["b": 1]]),
            ("a: &x {b: 1, d: 2}\nc:\n  <<: *x\n  d: 3", ["a": ["b": 1, "d": 2], "c": ["d": 3, "b": 1]]),
            (#"{"json": ["is", "yaml", 1]} # and a comment"#, ["json": ["is", "yaml", 1]]),
            ("a: |\n  x\n  y\n", ["a": "x\ny\n"]),
        ] as [(String, JSON)])
    func aDocumentIsReadAsKubernetesReadsIt(_ text: String, _ expected: JSON) throws {
        #expect(try JSON(yaml: Array(text.utf8)) == expected)
    }

    @Test(arguments: ["a: [", "a: 1\na: 2", "? [1]\n: 2", "a: *nothing", "\t- x"])
    func whatIsNoDocumentIsRefused(_ text: String) {
        #expect(throws: YAMLError.self) { try JSON(yaml: Array(text.utf8)) }
    }

    @Test func depthAndAliasesAreBounded() {
        #expect(throws: YAMLError.self) { try JSON(yaml: Array(String(repeating: "[", count: 100_000).utf8)) }
        #expect(throws: YAMLError.self) { try JSON(yaml: Array(String(repeating: "- ", count: 100_000).utf8)) }
        var bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        for i in 1..<9 {
            bomb += "a\(i): &a\(i) [" + Array(repeating: "*a\(i - 1)", count: 9).joined(separator: ",") + "]\n"
        }
        let text = bomb
        #expect(throws: YAMLError.self) { try JSON(yaml: Array(text.utf8)) }
    }
}
