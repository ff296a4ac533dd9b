/// Kubernetes' rules for names, labels and the like. Each returns what is wrong, in Kubernetes' words; nothing if all is well.
///
/// The rules are stated as regular expressions in the messages, but checked by hand over the bytes.
package enum Names {
    /// RFC 1123 label: service-less objects' port names, namespaces, containers.
    package static func dns1123Label(_ name: String) -> [String] {
        var problems: [String] = []
        if name.utf8.count > 63 { problems.append("must be no more than 63 bytes") }
        if !isDNS1123Label(name) {
            problems.append(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
                    + "end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
                    + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')")
        }
        return problems
    }

    /// RFC 1123 subdomain: the names of most objects.
    package static func dns1123Subdomain(_ name: String) -> [String] {
        var problems: [String] = []
        if name.utf8.count > 253 { problems.append("must be no more than 253 bytes") }
        if !isSubdomain(name) {
            problems.append(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
                    + "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
                    + "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')")
        }
        return problems
    }

    /// RFC 1035 label: the names of services.
    package static func dns1035Label(_ name: String) -> [String] {
        var problems: [String] = []
        if name.utf8.count > 63 { problems.append("must be no more than 63 bytes") }
        if !isDNS1123Label(name) || !(name.utf8.first.map(isLower) ?? false) {
            problems.append(
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                    + "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
                    + "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')")
        }
        return problems
    }

    /// A label's or annotation's key: an optional subdomain and a slash, then a name.
    package static func qualifiedName(_ key: String) -> [String] {
        var problems: [String] = []
        let parts = key.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        var name = Substring(parts[0])
        if parts.count == 2 {
            let prefix = String(Substring(parts[0]))
            name = Substring(parts[1])
            if prefix.isEmpty {
                problems.append("prefix part must be non-empty")
            } else {
                problems += dns1123Subdomain(prefix).map { "prefix part \($0)" }
            }
        } else if parts.count > 2 {
            return [
                "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                    + "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                    + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. "
                    + "'example.com/MyName')"
            ]
        }
        if name.isEmpty {
            problems.append("name part must be non-empty")
        } else if name.utf8.count > 63 {
            problems.append("name part must be no more than 63 bytes")
        }
        if !isQualified(name) {
            problems.append(
                "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
                    + "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
                    + "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')")
        }
        return problems
    }

    package static func labelValue(_ value: String) -> [String] {
        var problems: [String] = []
        if value.utf8.count > 63 { problems.append("must be no more than 63 bytes") }
        if !value.isEmpty, !isQualified(value[...]) {
            problems.append(
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
                    + "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex "
                    + "used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')")
        }
        return problems
    }

    /// The key of an entry in a ConfigMap or Secret.
    package static func configMapKey(_ key: String) -> [String] {
        var problems: [String] = []
        if key.utf8.count > 253 { problems.append("must be no more than 253 bytes") }
        let allowed = key.utf8.allSatisfy { isAlphanumeric($0) || [0x2D, 0x5F, 0x2E].contains($0) }
        if key.isEmpty || !allowed {
            problems.append(
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
                    + "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')")
        } else if key == "." || key == ".." {
            problems.append("must not be '\(key)'")
        } else if key.hasPrefix("..") {
            problems.append("must not start with '..'")
        }
        return problems
    }

    /// An environment variable, by the relaxed rule of Kubernetes 1.32: printable ASCII without '='.
    package static func environmentVariable(_ name: String) -> [String] {
        if name.isEmpty { return ["environment variable name must be non-empty"] }
        let isValid = name.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }
        return isValid
            ? []
            : [
                "a valid environment variable name must consist only of printable ASCII characters other than '=' (e.g. "
                    + "'A.a', regex used for validation is '^[ -<>-~]+$')"
            ]
    }

    /// The name of a port (an IANA service name).
    package static func portName(_ name: String) -> [String] {
        var problems: [String] = []
        if name.utf8.count > 15 { problems.append("must be no more than 15 characters") }
        if !name.utf8.allSatisfy({ isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }) {
            problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !name.utf8.contains(where: isLower) { problems.append("must contain at least one letter (a-z)") }
        if name.contains("--") { problems.append("must not contain consecutive hyphens") }
        if name.hasPrefix("-") || name.hasSuffix("-") { problems.append("must not begin or end with a hyphen") }
        return problems
    }

    package static func isPort(_ number: Int64) -> Bool { (1...65535).contains(number) }
    package static let portRange = "must be between 1 and 65535, inclusive"

    /// Checks a name that is one segment of a path in the API, as every object's must be.
    package static func pathSegment(_ name: String) -> [String] {
        if name == "." || name == ".." { return ["may not be '\(name)'"] }
        return name.utf8.contains(UInt8(ascii: "/"))
            ? ["may not contain '/'"] : name.utf8.contains(UInt8(ascii: "%")) ? ["may not contain '%'"] : []
    }

    static func isSubdomain(_ name: String) -> Bool {
        name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { isDNS1123Label(String(Substring($0))) }
    }

    private static func isDNS1123Label(_ name: String) -> Bool {
        guard let first = name.utf8.first, let last = name.utf8.last, first != 0x2D, last != 0x2D else { return false }
        return name.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    private static func isQualified(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, let last = name.utf8.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        return name.utf8.allSatisfy { isAlphanumeric($0) || [0x2D, 0x5F, 0x2E].contains($0) }
    }

    private static func isLower(_ byte: UInt8) -> Bool { UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte }
    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isLower(byte) || isDigit(byte) || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
    }
}

/// Names made from `metadata.generateName`.
package enum NameGenerator {
    /// The letters of suffixes: no vowels and nothing that looks like another letter, so that no words come out.
    private static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)
    /// A generated name never exceeds this many bytes.
    private static let maximumLength = 63
    private static let suffixLength = 5

    /// `base`, cut if need be, and five random letters.
    package static func name(base: String, using random: inout some RandomNumberGenerator) -> String {
        var prefix = base
        while prefix.utf8.count > maximumLength - suffixLength { prefix.removeLast() }
        return prefix + suffix(using: &random)
    }

    package static func name(base: String) -> String {
        var random = SystemRandomNumberGenerator()
        return name(base: base, using: &random)
    }

    /// Five random letters.
    package static func suffix(using random: inout some RandomNumberGenerator) -> String {
        String(
            decoding: (0..<suffixLength).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &random)] },
            as: UTF8.self)
    }
}
