import ArgumentParser
import CommandLineSpelling
import Glibc
import OverheadMeter
import OverlayDaemon

/// The node daemon and its tools. Flags are flanneld's, on the command line in Go's spelling or ours, or in `FLANNELD_…`
/// variables.
@main
struct Overlayd: AsyncParsableCommand {
    static let version = "overlayd 0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "overlayd",
        abstract: "Joins the pod subnets of all nodes into one network; speaks flanneld's protocol, keys and flags.",
        version: version,
        subcommands: [
            RunCommand.self, MeasureCommand.self, CaptureCommand.self, StatusCommand.self, CleanCommand.self,
            DockerOptionsCommand.self,
        ],
        defaultSubcommand: RunCommand.self)

    static func main() async {
        do {
            var command = try parseAsRoot(try arguments())
            do {
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
            } catch let error where error is DaemonError || error is MeasureError || error is CaptureError {
                fail("\(error)", EXIT_FAILURE)
            }
        } catch let error where error is SpellingError || error is DaemonError {
            fail("\(error)", EX_USAGE)
        } catch {
            exit(withError: error)
        }
    }

    /// The command line in the parser's spelling, with what `FLANNELD_…` variables add.
    private static func arguments() throws -> [String] {
        var written = CommandLine.arguments.dropFirst().filter { !$0.isEmpty }
        let name = written.first.flatMap { first in configuration.subcommands.first { $0._commandName == first } }?
            ._commandName
        if name != nil { written.removeFirst() }
        if name == nil, let first = written.first,
            ["help", "-h", "-help", "--help", "--help-hidden", "--version", "-version"].contains(first)
        {
            return [first.hasPrefix("-") && !first.hasPrefix("--") && first.count > 2 ? "-" + first : first]
                + written.dropFirst()
        }
        let type: any ParsableCommand.Type =
            configuration.subcommands.first { $0._commandName == name ?? RunCommand._commandName } ?? RunCommand.self
        let flags = DeclaredFlags.of(type)
        let (normalised, _) = try CommandLineSpelling(flags: flags).normalise(Array(written))
        let added = type == RunCommand.self ? try EnvironmentFlags.arguments(for: flags, besides: normalised) : []
        return [type._commandName] + added + normalised
    }

    static func fail(_ message: String, _ code: CInt) -> Never {
        var line = "overlayd: \(message)\n"
        line.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
        Glibc.exit(code)
    }
}
