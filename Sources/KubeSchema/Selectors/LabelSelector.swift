import OrderedCollections

/// A text that is no selector.
package struct SelectorError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
}

/// A condition on an object's labels: all requirements must hold. Without any it matches everything.
package struct LabelSelector: Sendable, Equatable {
    package enum Operator: Sendable, Equatable {
        case isIn(Set<String>), notIn(Set<String>)
        case exists, doesNotExist
        case greaterThan(Int64), lessThan(Int64)
    }
    package struct Requirement: Sendable, Equatable {
        package let key: String
        package let condition: Operator

        func matches(_ value: String?) -> Bool {
            switch condition {
            case .isIn(let values): value.map(values.contains) ?? false
            case .notIn(let values): !(value.map(values.contains) ?? false)
            case .exists: value != nil
            case .doesNotExist: value == nil
            case .greaterThan(let limit): value.flatMap { Int64($0) }.map { $0 > limit } ?? false
            case .lessThan(let limit): value.flatMap { Int64($0) }.map { $0 < limit } ?? false
            }
        }
    }

    package let requirements: [Requirement]
    /// Whether it is the selector that no object matches (a null `LabelSelector` in an object).
    package let matchesNothing: Bool

    package static let everything = LabelSelector(requirements: [])
    package static let nothing = LabelSelector(requirements: [], matchesNothing: true)

    package init(requirements: [Requirement], matchesNothing: Bool = false) {
        self.requirements = requirements
        self.matchesNothing = matchesNothing
    }

    /// The selector of a map such as a service's `spec.selector`: each label must have its value.
    package init(matchLabels labels: [String: String]) {
        requirements = labels.sorted { $0.key < $1.key }.map { Requirement(key: $0.key, condition: .isIn([$0.value])) }
        matchesNothing = false
    }

    package func matches(_ labels: [String: String]) -> Bool { matches { labels[$0] } }

    /// Like `matches(_:)` over the labels of a document, without a copy of them.
    package func matches(labelsOf object: JSON) -> Bool {
        if requirements.isEmpty { return !matchesNothing }
        let labels = object["metadata"]?["labels"]
        return matches { labels?[$0]?.string }
    }

    private func matches(_ label: (String) -> String?) -> Bool {
        !matchesNothing && requirements.allSatisfy { $0.matches(label($0.key)) }
    }
}

extension LabelSelector {
    /// Reads a selector from a query: `a=b,c in (d,e),!f,g!=h,i,j>3`. An empty one matches everything.
    package init(parsing text: String) throws(SelectorError) {
        var parser = LabelSelectorParser(text)
        self.init(requirements: try parser.parse())
    }

    /// Reads a `LabelSelector` of an object: `matchLabels` and `matchExpressions`.
    package init(_ document: JSON) throws(SelectorError) {
        var requirements: [Requirement] = []
        for (key, value) in document["matchLabels"]?.stringMap ?? [:] {
            requirements.append(Requirement(key: key, condition: .isIn([value])))
        }
        requirements.sort { $0.key < $1.key }
        for expression in document["matchExpressions"]?.array ?? [] {
            let values = Set((expression["values"]?.array ?? []).compactMap(\.string))
            let condition: Operator
            switch expression["operator"]?.string {
            case "In": condition = .isIn(values)
            case "NotIn": condition = .notIn(values)
            case "Exists": condition = .exists
            case "DoesNotExist": condition = .doesNotExist
            case let other:
                throw SelectorError(description: "\(JSON.string(other ?? "")) is not a valid label selector operator")
            }
            requirements.append(Requirement(key: expression["key"]?.string ?? "", condition: condition))
        }
        self.init(requirements: requirements)
    }
}

extension LabelSelector: CustomStringConvertible {
    /// The selector as a query carries it.
    package var description: String {
        requirements.map { requirement in
            switch requirement.condition {
            case .isIn(let values) where values.count == 1: "\(requirement.key)=\(values.first ?? "")"
            case .isIn(let values): "\(requirement.key) in (\(values.sorted().joined(separator: ",")))"
            case .notIn(let values) where values.count == 1: "\(requirement.key)!=\(values.first ?? "")"
            case .notIn(let values): "\(requirement.key) notin (\(values.sorted().joined(separator: ",")))"
            case .exists: requirement.key
            case .doesNotExist: "!\(requirement.key)"
            case .greaterThan(let limit): "\(requirement.key)>\(limit)"
            case .lessThan(let limit): "\(requirement.key)<\(limit)"
            }
        }.joined(separator: ",")
    }
}

private struct LabelSelectorParser {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func parse() throws(SelectorError) -> [LabelSelector.Requirement] {
        var requirements: [LabelSelector.Requirement] = []
        skipSpace()
        while position < bytes.count {
            requirements.append(try requirement())
            skipSpace()
            guard position < bytes.count else { break }
            guard take(",") else { throw error("',' or the end") }
            skipSpace()
            guard position < bytes.count else { throw error("an identifier after ','") }
        }
        return requirements
    }

    private mutating func requirement() throws(SelectorError) -> LabelSelector.Requirement {
        if take("!") {
            skipSpace()
            return .init(key: try key(), condition: .doesNotExist)
        }
        let key = try key()
        skipSpace()
        if position == bytes.count || bytes[position] == UInt8(ascii: ",") {
            return .init(key: key, condition: .exists)
        }
        if take("=") {
            _ = take("=")
            return .init(key: key, condition: .isIn([try value()]))
        }
        if take("!") {
            guard take("=") else { throw error("'=' after '!'") }
            return .init(key: key, condition: .notIn([try value()]))
        }
        if take(">") { return .init(key: key, condition: .greaterThan(try limit())) }
        if take("<") { return .init(key: key, condition: .lessThan(try limit())) }
        switch word() {
        case "in": return .init(key: key, condition: .isIn(try values()))
        case "notin": return .init(key: key, condition: .notIn(try values()))
        case let other:
            throw SelectorError(description: "\(unable); found '\(other)', expected: in, notin, =, ==, !=, gt, lt")
        }
    }

    private mutating func key() throws(SelectorError) -> String {
        let key = word()
        let problems = Names.qualifiedName(key)
        guard problems.isEmpty else {
            throw SelectorError(
                description: "\(unable); key: Invalid value: \(JSON.string(key)): \(problems.joined(separator: "; "))")
        }
        return key
    }

    private mutating func value() throws(SelectorError) -> String {
        skipSpace()
        let value = word()
        let problems = Names.labelValue(value)
        guard problems.isEmpty else {
            throw SelectorError(
                description:
                    "\(unable); values: Invalid value: \(JSON.string(value)): \(problems.joined(separator: "; "))")
        }
        return value
    }

    private mutating func limit() throws(SelectorError) -> Int64 {
        let text = try value()
        guard let limit = Int64(text) else { throw SelectorError(description: "\(unable); '\(text)' is no integer") }
        return limit
    }

    private mutating func values() throws(SelectorError) -> Set<String> {
        skipSpace()
        guard take("(") else { throw error("'('") }
        var values: Set<String> = []
        repeat {
            values.insert(try value())
            skipSpace()
        } while take(",")
        guard take(")") else { throw error("',' or ')'") }
        return values
    }

    private mutating func word() -> String {
        let start = position
        while position < bytes.count, !Self.special.contains(bytes[position]) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static let special = Set("=!(),<> \t\n\r".utf8)

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] == 0x20 || (0x09...0x0D).contains(bytes[position]) {
            position += 1
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private var unable: String { "unable to parse requirement" }
    private func error(_ expected: String) -> SelectorError {
        let found = position < bytes.count ? String(decoding: bytes[position...].prefix(20), as: UTF8.self) : ""
        return SelectorError(description: "\(unable); found '\(found)', expected: \(expected)")
    }
}

extension JSON {
    /// The members of an object that are strings.
    package var stringMap: [String: String]? {
        guard case .object(let members) = self else { return nil }
        var map: [String: String] = [:]
        for (key, value) in members { if case .string(let text) = value { map[key] = text } }
        return map
    }
}
