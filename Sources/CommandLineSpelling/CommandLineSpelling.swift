/// What a command takes under one flag name.
package enum FlagKind: Sendable, Equatable {
    /// No value: present or absent, `--no-NAME` where the command declares that too.
    case toggle
    /// Exactly one value.
    case value
    /// Any number of values up to the next flag: left as written.
    case values
}

/// A command line that no reading makes sense of. The description is one line for the user.
package struct SpellingError: Error, Equatable, CustomStringConvertible {
    package let description: String
}

/// Turns a command line as people and unit files have written it since 2014 into the one spelling that the argument
/// parser knows: `--flag-name=value` for values, a bare `--flag-name` for what is on, nothing for what is off.
///
/// - An empty argument, which systemd makes of an unset `${VARIABLE}`, is skipped.
/// - `-port=8080`, `--kubelet_port=10250` and `--kubelet-port 10250` are the same to it (Go's flag package took all).
/// - A toggle may be written `--flag=true` or `--flag=false`, with the values of Go's `strconv.ParseBool`.
/// - A historic flag that the command does not declare is dropped, and the warning names it.
package struct CommandLineSpelling: Sendable {
    private let flags: [String: FlagKind]
    private let historic: HistoricFlags

    /// - Parameters:
    ///   - flags: What the command declares, by hyphenated name without dashes.
    ///   - historic: What it takes besides, for the sake of old command lines.
    package init(flags: [String: FlagKind], historic: HistoricFlags = HistoricFlags()) {
        self.flags = flags
        self.historic = historic
    }

    /// Returns `arguments` (without the program's name) in the parser's spelling, and at most one warning line.
    ///
    /// Everything after `--` is left alone.
    package func normalise(_ arguments: [String]) throws(SpellingError) -> (arguments: [String], warnings: [String]) {
        var result: [String] = []
        var ignored: [String] = []
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            index += 1
            if argument.isEmpty { continue }
            if argument == "--" {
                result += arguments[(index - 1)...]
                break
            }
            guard let written = WrittenFlag(argument), !Self.always.contains(written.name) else {
                result.append(argument)
                continue
            }
            if written.dashes == 1, written.name.count == 1, flags[written.name] == nil {
                result.append(argument)  // a short name such as -n, for the parser to judge
                continue
            }
            let name = currentName(of: written.name)
            switch flags[name] {
            case .toggle:
                if try isOn(written) {
                    result.append("--\(name)")
                } else if flags["no-\(name)"] == .toggle {
                    result.append("--no-\(name)")
                }
            case .value:
                if let value = written.value {
                    result.append("--\(name)=\(value)")
                } else if index < arguments.count {
                    result.append("--\(name)=\(arguments[index])")
                    index += 1
                } else {
                    throw SpellingError(description: "flag \(argument) needs a value: --\(name)=VALUE")
                }
            case .values:
                result.append(written.value.map { "--\(name)=\($0)" } ?? "--\(name)")
            case nil:
                guard let kind = historic.flags[name] else { throw unknown(argument, name) }
                var value = written.value
                if kind == .value, value == nil, index < arguments.count, !arguments[index].hasPrefix("-") {
                    value = arguments[index]
                    index += 1
                }
                try refuseUnsafe(name, value: value, written: argument)
                if !historic.silent.contains(name) { ignored.append(written.typed) }
            }
        }
        if ignored.isEmpty { return (result, []) }
        let names = ignored.joined(separator: ", ")
        return (result, ["ignored, as \(ignored.count == 1 ? "it has" : "they have") no meaning here: \(names)"])
    }

    /// Names that the argument parser answers for every command.
    private static let always: Set<String> = ["help", "help-hidden", "version", "h", "generate-completion-script"]

    private func currentName(of name: String) -> String {
        if flags[name] != nil { return name }
        if let today = historic.aliases[name], flags[today] != nil { return today }
        return name
    }

    private func isOn(_ flag: WrittenFlag) throws(SpellingError) -> Bool {
        switch flag.value {
        case nil, "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        case .some(let value):
            throw SpellingError(description: "\(flag.typed) is on or off: expected true or false, found \"\(value)\"")
        }
    }

    /// Dropping a flag that asks for protection would leave open what its user believes closed.
    private func refuseUnsafe(_ name: String, value: String?, written: String) throws(SpellingError) {
        guard let accepted = historic.accepted[name], let value, !accepted.contains(value) else { return }
        let choices = accepted.filter { !$0.isEmpty }.sorted().joined(separator: ", ")
        throw SpellingError(
            description: "\(written) asks for a protection that is not implemented: "
                + (choices.isEmpty ? "leave it out" : "leave it out or use \(choices)"))
    }

    private func unknown(_ argument: String, _ name: String) -> SpellingError {
        let typed = argument.prefix { $0 != "=" }
        let near = (Array(flags.keys) + Array(historic.aliases.keys))
            .map { (distance: editDistance(name, $0), name: $0) }
            .filter { $0.distance <= max(2, name.count / 3) }
            .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
        let hint = near.map { "did you mean --\($0.name)?" } ?? "--help lists the known ones"
        return SpellingError(description: "unknown flag \(typed): \(hint)")
    }
}

/// A flag as it stands on the command line.
private struct WrittenFlag {
    let dashes: Int
    let name: String  // hyphenated
    let typed: String  // dashes and name as written
    let value: String?

    /// `nil` for what is no flag: a plain word, `-`, a negative number.
    init?(_ argument: String) {
        let dashes = argument.prefix(while: { $0 == "-" }).count
        guard dashes == 1 || dashes == 2 else { return nil }
        let rest = argument.dropFirst(dashes)
        guard let first = rest.first, first.isLetter || first == "_" else { return nil }
        let name = rest.prefix { $0 != "=" }
        self.dashes = dashes
        self.name = String(name.map { $0 == "_" ? "-" : $0 })
        self.typed = String(argument.prefix(dashes) + name)
        self.value = name.endIndex < rest.endIndex ? String(rest[rest.index(after: name.endIndex)...]) : nil
    }
}

/// Levenshtein's distance: the fewest insertions, deletions and replacements of one character.
func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (i, character) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in right.indices {
            let above = row[j + 1]
            row[j + 1] = min(above + 1, row[j] + 1, diagonal + (character == right[j] ? 0 : 1))
            diagonal = above
        }
    }
    return row[right.count]
}
