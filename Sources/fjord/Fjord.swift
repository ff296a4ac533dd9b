import ArgumentParser
import CommandLineSpelling
import FoundationEssentials
import Glibc

/// The multi-call program: `fjord apiserver …`, or one of the names that the components had in 2015 as `argv[0]`.
@main
struct Fjord: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fjord",
        abstract: "A small, fast, Kubernetes-compatible cluster whose network is the point.",
        version: VersionCommand.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Clusters on this machine:",
                subcommands: [
                    UpCommand.self, DownCommand.self, StatusCommand.self, NodeCommand.self, HardWayCommand.self,
                    MachineInitCommand.self,
                ]),
            CommandGroup(
                name: "Components:",
                subcommands: [
                    APIServerCommand.self, SchedulerCommand.self, ControllerManagerCommand.self, KubeletCommand.self,
                    ProxyCommand.self, StoreCommand.self,
                ]),
            CommandGroup(name: "Others:", subcommands: [VersionCommand.self]),
        ])

    static func main() async {
        var arguments = CommandLine.arguments
        let program =
            arguments.isEmpty ? "fjord" : String(arguments.removeFirst().split(separator: "/").last ?? "fjord")
        if let command = commandsByProgramName[program] { arguments.insert(command, at: 0) }
        do {
            let (normalised, warnings) = try Front(Self.self).normalise(arguments)
            for warning in warnings { complain("warning: \(warning)") }
            let command = try parseAsRoot(normalised)
            try await run(command)
        } catch let error as SpellingError {
            complain("\(program): \(error.description)")
            Glibc.exit(EX_USAGE)
        } catch let error as ComponentError {
            complain("\(program): \(error.cause)")
            Glibc.exit(EXIT_FAILURE)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            complain("\(program): \(message(for: error)) (--help lists the flags)")
            Glibc.exit(EX_USAGE)
        }
    }

    /// Runs the parsed command; what goes wrong in it is told apart from a wrong command line.
    private static func run(_ parsed: any ParsableCommand) async throws {
        do {
            var command = parsed
            if var running = command as? any AsyncParsableCommand {
                try await running.run()
            } else {
                try command.run()
            }
        } catch let error where error is ExitCode || error is CleanExit || error is ValidationError {
            throw error
        } catch {
            // Help and usage errors raised while running (no subcommand given) are the parser's own, private types.
            guard exitCode(for: error) == .failure else { throw error }
            throw ComponentError(cause: error)
        }
    }

    /// A command that was understood and failed.
    private struct ComponentError: Error {
        let cause: any Error
    }

    /// The programs of 2015 and the command that each is today.
    static let commandsByProgramName = [
        "kube-apiserver": "apiserver", "kube-scheduler": "scheduler", "kube-controller-manager": "controller-manager",
        "kubelet": "kubelet", "kube-proxy": "proxy",
    ]

    private static func complain(_ line: String) {
        var line = line + "\n"
        line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// `fjord version`
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version.")
    static let text = "fjord 0.1.0"

    func run() { print(Self.text) }
}
