import ArgumentParser
import CommandLineSpelling
import FoundationEssentials
import OverlayDaemon

/// Which flags a command declares, from the parser's own description, so that they are written down once.
enum DeclaredFlags {
    private struct Description: Decodable { var command: Command }
    private struct Command: Decodable { var arguments: [Argument]? }
    private struct Argument: Decodable {
        struct Name: Decodable { var name: String }
        var kind: String
        var names: [Name]?
    }

    static func of(_ type: any ParsableCommand.Type) -> [String: FlagKind] {
        guard let command = try? JSONDecoder().decode(Description.self, from: Data(type._dumpHelp().utf8)).command
        else { return [:] }
        var flags: [String: FlagKind] = [:]
        for argument in command.arguments ?? [] where argument.kind != "positional" {
            for name in argument.names ?? [] { flags[name.name] = argument.kind == "flag" ? .toggle : .value }
        }
        return flags
    }
}

/// flanneld's variables: `FLANNELD_ETCD_ENDPOINTS` stands for `--etcd-endpoints`, unless that is given.
enum EnvironmentFlags {
    static func arguments(
        for flags: [String: FlagKind], besides given: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> [String] {
        var written: [String] = []
        for name in flags.keys.sorted() {
            let variable = "FLANNELD_" + name.uppercased().replacing("-", with: "_")
            guard let value = environment[variable], !value.isEmpty else { continue }
            if given.contains(where: { $0 == "--\(name)" || $0 == "--no-\(name)" || $0.hasPrefix("--\(name)=") }) {
                continue
            }
            do {
                written += try CommandLineSpelling(flags: flags).normalise(["--\(name)=\(value)"]).arguments
            } catch {
                throw DaemonError("\(variable): \(error)")
            }
        }
        return written
    }
}
