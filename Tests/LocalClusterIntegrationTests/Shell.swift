import Foundation
import Testing

/// The programs as a user runs them: from a shell, with the programs on its path.
enum Shell {
    struct Outcome {
        var status: Int32
        var output: String
    }

    static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    private static let binaries =
        ProcessInfo.processInfo.environment["FJORD_BINARIES"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path

    /// Storage of a registry, as `contrib/images.sh` makes it.
    static let images = ProcessInfo.processInfo.environment["FJORD_IMAGES"] ?? "/var/cache/fjord/images"

    /// Debian's kubectl 1.20, beside the machine's own.
    static let oldKubectl =
        ProcessInfo.processInfo.environment["FJORD_OLD_KUBECTL"]
        ?? "/var/cache/fjord/kubernetes-client/usr/bin/kubectl"

    /// Runs a command to its end, at most `limit` seconds. Its output goes through a file: daemons that it leaves behind
    /// could keep a pipe open.
    ///
    /// - Parameter kubectl: The one that is found on the path; the machine's own for `nil`.
    static func run(_ command: String, kubectl: String? = nil, limit: Int = 240) throws -> Outcome {
        let folder = NSTemporaryDirectory() + "fjord-shell-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        if let kubectl {
            try FileManager.default.createSymbolicLink(
                atPath: "\(folder)/kubectl", withDestinationPath: kubectl)
        }
        let script = """
            export FJORD_BINARIES='\(binaries)' FJORD_IMAGES='\(images)' PATH='\(folder):\(binaries)':$PATH
            cd '\(project)'
            \(command)
            """
        try script.write(toFile: "\(folder)/script", atomically: true, encoding: .utf8)
        let status = system("timeout --kill-after=10 \(limit) bash \(folder)/script >\(folder)/output 2>&1 </dev/null")
        return Outcome(
            status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F),
            output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/output")), as: UTF8.self))
    }

    /// Runs a command that has to succeed, and returns what it printed.
    @discardableResult
    static func succeed(
        _ command: String, kubectl: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try run(command, kubectl: kubectl)
        try #require(outcome.status == 0, "\(command)\n\(outcome.output)", sourceLocation: sourceLocation)
        return outcome.output
    }

    /// Everything on the machine that a cluster could leave behind.
    static func machine() throws -> [String] {
        let state = try run(
            """
            ip netns list; ip -o link | cut -d: -f2 | sort; ip route | sort; ip rule; nft list ruleset
            cut -d' ' -f5 /proc/self/mountinfo | sort
            sysctl net.ipv4.ip_forward net.ipv4.conf.all.rp_filter net.bridge 2>/dev/null
            find /sys/fs/cgroup -mindepth 2 -maxdepth 2 -type d | sort
            ls -d /var/lib/fjord /run/fjord /run/flannel 2>/dev/null
            ps -eo stat=,comm= | grep -v ^Z | grep -oE '(fjord|overlayd|containerd|etcd|docker-registry|nginx|redis-server)$'
            """)
        return state.output.split(separator: "\n").map(String.init)
    }

    /// Expects the machine to be as it was. The kernel takes links and mounts of a namespace away a moment after its last
    /// process, so it gets time for that.
    static func expectMachine(is before: [String], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        var now = try machine()
        while now != before, ContinuousClock.now < deadline {
            usleep(200_000)
            now = try machine()
        }
        #expect(now == before, "\(now.difference(from: before))", sourceLocation: sourceLocation)
    }
}
