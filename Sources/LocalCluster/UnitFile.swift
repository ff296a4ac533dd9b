/// A systemd service unit, as far as starting its program needs it.
///
/// Sources: systemd.syntax(7), systemd.service(5) "COMMAND LINES", systemd.exec(5) `Environment=`, `EnvironmentFile=`.
package struct UnitFile: Hashable, Sendable {
    /// `EnvironmentFile=`; a leading dash allows the file to be missing.
    package struct EnvironmentFile: Hashable, Sendable {
        package var path: String
        package var mayBeMissing: Bool
    }

    package var environment: [String: String] = [:]
    package var environmentFiles: [EnvironmentFile] = []
    /// The command line as it is written, variables unexpanded.
    package var start: String = ""
    package var startPreparations: [String] = []
    package var restart: String = "no"
    package var stateDirectories: [String] = []
    package var runtimeDirectories: [String] = []

    /// - Throws: When there is no `ExecStart=`.
    package init(parsing text: String, name: String) throws(ClusterError) {
        var section = ""
        for line in Self.logicalLines(text) {
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
                continue
            }
            guard section == "Service", let equals = line.firstIndex(of: "=") else { continue }
            let key = Self.trim(line[..<equals])
            let value = Self.trim(line[line.index(after: equals)...])
            switch key {
            case "ExecStart": start = value
            case "ExecStartPre": if value.isEmpty { startPreparations = [] } else { startPreparations.append(value) }
            case "Restart": restart = value
            case "StateDirectory": stateDirectories += value.split(separator: " ").map(String.init)
            case "RuntimeDirectory": runtimeDirectories += value.split(separator: " ").map(String.init)
            case "EnvironmentFile":
                let missing = value.hasPrefix("-")
                environmentFiles.append(.init(path: missing ? String(value.dropFirst()) : value, mayBeMissing: missing))
            case "Environment":
                for assignment in Self.words(value) {
                    guard let equals = assignment.firstIndex(of: "=") else { continue }
                    environment[String(assignment[..<equals])] = String(assignment[assignment.index(after: equals)...])
                }
            default: break
            }
        }
        guard !start.isEmpty else { throw ClusterError("\(name) has no ExecStart= in its [Service] section") }
    }

    /// Reads the assignments of an environment file; of several for one name the last counts.
    package static func assignments(_ text: String) -> [String: String] {
        var result: [String: String] = [:]
        for line in logicalLines(text) {
            guard let equals = line.firstIndex(of: "=") else { continue }
            let name = trim(line[..<equals])
            guard !name.isEmpty else { continue }
            result[name] = unquoted(trim(line[line.index(after: equals)...]))
        }
        return result
    }

    /// The arguments that systemd would start the program with.
    ///
    /// `${NAME}` is replaced inside a word, which stays one argument even when it is empty; a word that is `$NAME`
    /// alone is
    /// split at white space and may become none; `$$` is a dollar sign. The first word is taken as it is.
    package static func arguments(_ commandLine: String, environment: [String: String]) -> [String] {
        var arguments: [String] = []
        for (index, word) in words(commandLine).enumerated() {
            if index == 0 {
                arguments.append(String(word.drop { "-@:+!".contains($0) }))
            } else if word.hasPrefix("$"), word.dropFirst().allSatisfy(isNameCharacter), word.count > 1 {
                arguments += words(environment[String(word.dropFirst())] ?? "")
            } else {
                arguments.append(expanded(word, environment))
            }
        }
        return arguments
    }

    private static func isNameCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }

    private static func expanded(_ word: String, _ environment: [String: String]) -> String {
        var result = ""
        var rest = word[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "$" {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.first == "{", let end = rest.firstIndex(of: "}") {
                result += environment[String(rest[rest.index(after: rest.startIndex)..<end])] ?? ""
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    /// Lines without comments and empty ones, those that end in a backslash joined with the next by a space.
    private static func logicalLines(_ text: String) -> [String] {
        var lines: [String] = []
        var open: String?
        for raw in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let line = trim(raw)
            if line.hasPrefix("#") || line.hasPrefix(";") { continue }
            let whole = open.map { $0 + " " + line } ?? line
            if whole.hasSuffix("\\") {
                open = trim(whole.dropLast())
            } else {
                open = nil
                if !whole.isEmpty { lines.append(whole) }
            }
        }
        if let open, !open.isEmpty { lines.append(open) }
        return lines
    }

    /// Splits at white space outside quotes, and takes quotes and backslashes away.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var escaped = false
        for character in text {
            if escaped {
                word = (word ?? "") + String(character)
                escaped = false
            } else if character == "\\", quote != "'" {
                escaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character == " " || character == "\t" {
                if let complete = word { words.append(complete) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        if let word { words.append(word) }
        return words
    }

    private static func unquoted(_ value: String) -> String {
        guard let first = value.first, first == "\"" || first == "'", value.last == first, value.count >= 2 else {
            return value
        }
        return String(value.dropFirst().dropLast())
    }

    private static func trim(_ text: some StringProtocol) -> String {
        var slice = text[...]
        while let first = slice.first, first == " " || first == "\t" || first == "\r" { slice = slice.dropFirst() }
        while let last = slice.last, last == " " || last == "\t" || last == "\r" { slice = slice.dropLast() }
        return String(slice)
    }
}
