import ArgumentParser
import LinuxKit
import OverlayDaemon

/// `overlayd docker-opts`: what flannel's `mk-docker-opts.sh` does.
struct DockerOptionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "docker-opts",
        abstract: "Write Docker's options for this node's subnet, to be read as a unit's EnvironmentFile.")

    @Option(help: "Where the lease is written.") var subnetFile = "/run/flannel/subnet.env"
    @Option(help: "The file to write; - for standard output.") var dockerEnv = "/run/docker_opts.env"
    @Flag(help: "Only one variable for each option: DOCKER_OPT_BIP and so on.") var individual = false
    @Flag(help: "Only one variable with all options.") var combined = false
    @Option(help: "The name of the variable with all options.") var key = "DOCKER_OPTS"
    @Flag(help: "Leave --ip-masq out.") var omitMasquerade = false

    func run() throws {
        guard let file = FileContents.text(subnetFile).flatMap({ SubnetFile($0 + "\n") }) else {
            throw DaemonError("no lease in \(subnetFile): start overlayd first, or name its file with --subnet-file")
        }
        var options = DockerOptions(file)
        options.omitsMasquerade = omitMasquerade
        var text = ""
        if individual || !combined { text += options.individual }
        if combined || !individual { text += options.combined(key: key) }
        guard dockerEnv != "-" else {
            print(text, terminator: "")
            return
        }
        do { try FileContents.replace(dockerEnv, with: Array(text.utf8)) } catch {
            throw DaemonError("\(dockerEnv) can't be written: \(error)")
        }
    }
}
