import ArgumentParser
import FoundationEssentials
import Testing

@testable import fjord

/// The command lines of contrib/systemd with the environment of contrib/etc, as systemd would make them, are understood.
@Suite struct UnitCommandTests {
    private static let contrib = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "contrib")

    @Test(arguments: [
        ("kube-apiserver", "apiserver"), ("kube-controller-manager", "controller-manager"),
        ("kube-scheduler", "scheduler"), ("kubelet", "kubelet"), ("kube-proxy", "proxy"),
    ])
    func `a unit's command line is understood`(unit: String, command: String) throws {
        #expect(Fjord.commandsByProgramName[unit] == command)
        let arguments = try Self.commandLine(of: unit)
        let (normalised, _) = try Front(Fjord.self).normalise([command] + arguments)
        _ = try Fjord.parseAsRoot(normalised)
        // What was unset arrives as an empty argument where a unit of the time wrote ${VARIABLE}.
        let withEmpty = [command, ""] + arguments + ["", ""]
        #expect(try Front(Fjord.self).normalise(withEmpty).arguments == normalised)
    }

    @Test(arguments: [
        ("apiserver", "--api_rate=10"), ("controller-manager", "--machines=a,b"),
        ("scheduler", "--algorithm_provider=x"),
        ("kubelet", "--cadvisor_port=4194"), ("proxy", "--oom_score_adj=-899"),
    ])
    func `a historic flag is named in one warning`(command: String, flag: String) throws {
        let (_, warnings) = try Front(Fjord.self).normalise([command, flag])
        #expect(warnings.count == 1 && warnings[0].contains(flag.prefix { $0 != "=" }))
    }

    @Test func `commands and their flags are found in any depth`() throws {
        let front = Front(Fjord.self)
        #expect(try front.normalise(["version"]).arguments == ["version"])
        #expect(throws: (any Error).self) { try front.normalise(["up", "--no_such_flag"]) }
        #expect(try front.normalise(["node", "stop", "node_1"]).arguments == ["node", "stop", "node_1"])
    }

    /// The arguments of the unit's `ExecStart`: `$NAME` splits into words, as systemd has it.
    private static func commandLine(of unit: String) throws -> [String] {
        let text = try String(contentsOf: contrib.appending(path: "systemd/\(unit).service"), encoding: .utf8)
        var environment: [String: String] = [:]
        var arguments: [String] = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("EnvironmentFile=-/etc/") {
                let path = "etc/" + line.dropFirst("EnvironmentFile=-/etc/".count)
                let file = try String(contentsOf: contrib.appending(path: path), encoding: .utf8)
                for entry in file.split(separator: "\n") where !entry.hasPrefix("#") {
                    let halves = entry.split(separator: "=", maxSplits: 1)
                    if halves.count == 2 { environment[String(halves[0])] = halves[1].filter { $0 != "\"" } }
                }
            } else if line.hasPrefix("ExecStart=") {
                for word in line.dropFirst("ExecStart=".count).split(separator: " ").dropFirst() {
                    guard word.hasPrefix("$") else {
                        arguments.append(String(word))
                        continue
                    }
                    arguments += (environment[String(word.dropFirst())] ?? "").split(separator: " ").map(String.init)
                }
            }
        }
        return arguments
    }
}
