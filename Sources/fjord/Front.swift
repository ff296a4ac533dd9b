import ArgumentParser
import CommandLineSpelling
import FoundationEssentials

/// Knows which flags each command declares, from the parser's own description of them, and so how to read what was
/// typed for it. A command needs no list of its flags besides their declarations.
struct Front {
    private let root: Command?

    /// - Parameter type: The root of the command tree.
    init(_ type: any ParsableCommand.Type) {
        root = try? JSONDecoder().decode(Description.self, from: Data(type._dumpHelp().utf8)).command
    }

    /// Returns `arguments` in the parser's spelling; see `CommandLineSpelling`.
    ///
    /// What follows the name of a command that hands its arguments to another program is left alone.
    func normalise(_ arguments: [String]) throws(SpellingError) -> (arguments: [String], warnings: [String]) {
        guard let root else { return (arguments, []) }
        var command = root
        var path: [String] = []
        var rest = arguments[...]
        while let word = rest.first {
            if word.isEmpty {
                rest.removeFirst()
                continue
            }
            guard let next = command.subcommands?.first(where: { $0.commandName == word }) else { break }
            command = next
            path.append(word)
            rest.removeFirst()
        }
        // Flags without the name of a subcommand are those of the one that is meant then.
        if let name = command.defaultSubcommand,
            let next = command.subcommands?.first(where: { $0.commandName == name })
        {
            command = next
        }
        if command.isPassThrough { return (path + rest, []) }
        let historic = HistoricFlags.of(command: path.first ?? "")
        let spelling = CommandLineSpelling(flags: command.flags, historic: historic)
        let (normalised, warnings) = try spelling.normalise(Array(rest))
        return (path + normalised, warnings)
    }
}

/// The part of the parser's description that matters here.
private struct Description: Decodable {
    let command: Command
}

private struct Command: Decodable {
    let commandName: String
    let subcommands: [Command]?
    let defaultSubcommand: String?
    let arguments: [Argument]?

    var flags: [String: FlagKind] {
        var result: [String: FlagKind] = [:]
        for argument in arguments ?? [] {
            guard let kind = argument.flagKind else { continue }
            for name in argument.names ?? [] { result[name.name] = kind }
        }
        return result
    }

    var isPassThrough: Bool {
        (arguments ?? []).contains {
            $0.kind == "positional" && ["allRemainingInput", "allUnrecognized"].contains($0.parsingStrategy ?? "")
        }
    }
}

private struct Argument: Decodable {
    struct Name: Decodable {
        let name: String
    }

    let kind: String
    let names: [Name]?
    let parsingStrategy: String?

    var flagKind: FlagKind? {
        switch (kind, parsingStrategy) {
        case ("flag", _): .toggle
        case ("option", "upToNextOption"), ("option", "allRemainingInput"): .values
        case ("option", _): .value
        default: nil
        }
    }
}
