import OrderedCollections
import Testing

@testable import KubeSchema

@Suite struct SelectorTests {
    private static let labels = ["app": "web", "tier": "front", "n": "5", "example.com/x": ""]

    @Test(
        arguments: [
            ("", true), ("app=web", true), ("app==web", true), ("app=db", false), ("app!=db", true),
            ("app!=web", false),
            ("none!=x", true), ("app in (web, db)", true), ("app in (db)", false), ("app notin (db,x)", true),
            ("none notin (a)", true), ("app", true), ("none", false), ("!none", true), ("! app", false), ("n>4", true),
            ("n<5", false),
            ("app=web,tier=front", true), ("app=web,tier=back", false), (" app = web , tier in (front) ", true),
            ("example.com/x=", true), ("example.com/x", true), ("app in (web),!none,n>1", true),
        ])
    func aLabelSelectorMatchesOrNot(_ text: String, _ matches: Bool) throws {
        let selector = try LabelSelector(parsing: text)
        #expect(selector.matches(Self.labels) == matches)
        let object: JSON = [
            "metadata": [
                "labels": .object(.init(uniqueKeysWithValues: Self.labels.map { ($0.key, .string($0.value)) }))
            ]
        ]
        #expect(selector.matches(labelsOf: object) == matches)
        #expect(try LabelSelector(parsing: selector.description) == selector)
    }

    @Test(arguments: [
        "=a", "a=b=c", "a in", "a in (b", "a in b", "a!b", "a,", ",", "a b", "a=b c", "-a=b", "a=-b", "a>x", "a=b,,c=d",
        "a/b/c=d",
    ])
    func whatIsNoLabelSelectorIsRefused(_ text: String) {
        #expect(throws: SelectorError.self) { try LabelSelector(parsing: text) }
    }

    @Test func aSelectorOfAnObjectIsReadWithItsExpressions() throws {
        let selector = try LabelSelector(
            try Fixtures.json(
                #"{"matchLabels":{"app":"web"},"matchExpressions":[{"key":"tier","operator":"NotIn","values":["back"]},{"key":"n","operator":"Exists"}]}"#
            ))
        #expect(selector.matches(Self.labels))
        #expect(!selector.matches(["app": "web", "tier": "back", "n": ""]))
        #expect(throws: SelectorError.self) {
            try LabelSelector(try Fixtures.json(#"{"matchExpressions":[{"key":"a","operator":"Like"}]}"#))
        }
        #expect(!LabelSelector.nothing.matches([:]))
    }

    @Test(
        arguments: [
            ("Pod", "", true), ("Pod", "metadata.name=p", true), ("Pod", "metadata.name==q", false),
            ("Pod", "spec.nodeName=n,status.phase!=Failed", true),
            ("Pod", "spec.nodeName!=n", false), ("Pod", "status.phase=", false), ("Pod", "status.podIP=", true),
            ("Pod", "spec.hostNetwork=false", true),
            ("Pod", "metadata.namespace=default", true),
        ])
    func aFieldSelectorMatchesOrNot(_ kind: String, _ text: String, _ matches: Bool) throws {
        let object = try Fixtures.json(
            #"{"metadata":{"name":"p","namespace":"default"},"spec":{"nodeName":"n"},"status":{"phase":"Running"}}"#)
        let definition = try Fixtures.definition(kind)
        let selector = try FieldSelector(parsing: text)
        #expect(selector.unsupportedField(for: definition) == nil)
        #expect(selector.matches(object, definition) == matches)
        #expect(try FieldSelector(parsing: selector.description) == selector)
    }

    @Test func fieldSelectorsEscapeAndRefuse() throws {
        #expect(
            try FieldSelector(parsing: #"a=b\,c\=d\\"#).requirements == [
                .init(field: "a", value: #"b,c=d\"#, isNegated: false)
            ])
        for text in ["a", "=a", "a=b=c", #"a=b\x"#] {
            #expect(throws: SelectorError.self) { try FieldSelector(parsing: text) }
        }
        let unsupported = try FieldSelector(parsing: "spec.foo=1").unsupportedField(for: try Fixtures.definition("Pod"))
        #expect(unsupported?.description == "field label not supported: spec.foo")
        #expect(try FieldSelector(parsing: "a!=1,metadata.name=x").requiredValue(of: "metadata.name") == "x")
    }

    @Test func generatedNamesHaveFiveLettersOfTheAlphabetAndFit() {
        for base in ["web-", String(repeating: "x", count: 80)] {
            let name = NameGenerator.name(base: base)
            #expect(name.utf8.count <= 63)
            #expect(name.hasPrefix(base.prefix(58)))
            #expect(Names.dns1123Subdomain(name).isEmpty)
            #expect(name.suffix(5).allSatisfy { "bcdfghjklmnpqrstvwxz2456789".contains($0) })
        }
    }
}
