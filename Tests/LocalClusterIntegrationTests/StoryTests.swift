import Foundation
import Testing

/// The programs as a user runs them: the whole story of `contrib/demo.sh` with either store, and what they say when
/// something is not as it should be. Needs root, the programs beside the test program (or in `FJORD_BINARIES`), and the
/// images that `contrib/images.sh` makes (in `FJORD_IMAGES`).
@Suite(.serialized, .enabled(if: geteuid() == 0, "needs root for namespaces and mounts"))
struct StoryTests {
    private static let project = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    private static let binaries =
        ProcessInfo.processInfo.environment["FJORD_BINARIES"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path

    private struct Outcome {
        var status: Int32
        var output: String
    }

    /// Runs a shell command to its end, with the programs on its path. Its output goes through a file: daemons that it
    /// leaves behind could keep a pipe open.
    private func shell(_ command: String) throws -> Outcome {
        let folder = NSTemporaryDirectory() + "fjord-story-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let script = """
            export FJORD_BINARIES='\(Self.binaries)' PATH='\(Self.binaries)':$PATH
            cd '\(Self.project)'
            \(command)
            """
        try script.write(toFile: "\(folder)/script", atomically: true, encoding: .utf8)
        let status = system("bash \(folder)/script >\(folder)/output 2>&1 </dev/null")
        return Outcome(
            status: status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + (status & 0x7F),
            output: String(decoding: try Data(contentsOf: URL(fileURLWithPath: "\(folder)/output")), as: UTF8.self))
    }

    /// Everything on the machine that a cluster could leave behind.
    private func machine() throws -> [String] {
        let state = try shell(
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

    @Test(arguments: ["embedded", "etcd"])
    func theStoryIsTrueAndLeavesNothingBehind(store: String) throws {
        _ = try shell("fjord down; fjord hard-way down")
        let before = try machine()
        let story = try shell("contrib/demo.sh --without-build --store \(store)")
        #expect(story.status == 0, "\(story.output)")
        // A second `up` finds it all there; what was killed is no obstacle for `down`.
        let again = try shell("fjord up --nodes 3 --store \(store) --images \"$FJORD_IMAGES\"")
        #expect(again.status == 0, "\(again.output)")
        _ = try shell("kill -9 $(ip netns pids fjord-node-2 | head -n 3)")
        let down = try shell("fjord down")
        #expect(down.status == 0, "\(down.output)")
        // The kernel takes links and mounts of a namespace away a moment after its last process.
        let deadline = ContinuousClock.now + .seconds(30)
        var after = try machine()
        while after != before, ContinuousClock.now < deadline {
            usleep(200_000)
            after = try machine()
        }
        #expect(after == before, "\(after.difference(from: before))")
        #expect(try shell("fjord down").status == 0)
    }

    /// Each in one line that says what to do, and a status that is not 0.
    @Test(arguments: [
        ("timeout 60 fjord apiserver --port=0 --etcd_servers=http://127.0.0.1:9", "etcd"),
        ("setpriv --reuid 65534 --clear-groups overlayd --etcd-endpoints http://127.0.0.1:9", "root"),
        ("setpriv --reuid 65534 --clear-groups fjord up", "root"),
        ("fjord kube-nothing", "kube-nothing"),
        ("bash -c 'exec -a kube-scheduler fjord --no_such_flag=1'", "no"),
        ("fjord up --portal-net 10.254.0.0/99", "--portal-net"),
    ])
    func faultsAreNamed(command: String, word: String) throws {
        let outcome = try shell(command)
        #expect(outcome.status != 0)
        #expect(outcome.output.contains(word), "\(outcome.output)")
        #expect(outcome.output.split(separator: "\n").count <= 4, "\(outcome.output)")
    }
}
