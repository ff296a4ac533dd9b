import CommandLineSpelling
import Testing

@Suite struct CommandLineSpellingTests {
    static let flags: [String: FlagKind] = [
        "address": .value, "port": .value, "kubelet-port": .value, "etcd-servers": .value, "portal-net": .value,
        "v": .value, "ip-masq": .toggle, "leader-elect": .toggle, "no-leader-elect": .toggle, "nodes": .values,
    ]

    static let apiserver = CommandLineSpelling(flags: flags, historic: .of(command: "apiserver"))

    @Test(
        "every spelling of a flag becomes the parser's",
        arguments: [
            (["--port=8080"], ["--port=8080"]),
            (["-port=8080"], ["--port=8080"]),  // v0.8 took one dash
            (["--port", "8080"], ["--port=8080"]),
            (["--kubelet_port=10250"], ["--kubelet-port=10250"]),
            (["--minion_port=10250"], ["--kubelet-port=10250"]),  // before October 2014
            (["--service_cluster_ip_range=10.0.0.0/24"], ["--portal-net=10.0.0.0/24"]),  // the later name
            (["", "--address=0.0.0.0", ""], ["--address=0.0.0.0"]),  // unset ${VARIABLE}s
            (["--etcd_servers=http://a_b:4001"], ["--etcd-servers=http://a_b:4001"]),  // values stay as they are
            (["--v=2"], ["--v=2"]), (["-v", "2"], ["--v=2"]), (["-v=2"], ["--v=2"]),
            (["--ip_masq"], ["--ip-masq"]), (["--ip-masq=true"], ["--ip-masq"]), (["--ip-masq=false"], []),
            (["--leader_elect=f"], ["--no-leader-elect"]), (["-leader_elect=T"], ["--leader-elect"]),
            (["--nodes", "a", "b"], ["--nodes", "a", "b"]),
            (["up", "my_name"], ["up", "my_name"]), (["-n", "3"], ["-n", "3"]), (["--port", "-1"], ["--port=-1"]),
            (["--port=1", "--", "--kubelet_port", ""], ["--port=1", "--", "--kubelet_port", ""]),
            (["--logtostderr=true", "--v=0"], ["--v=0"]), (["-h"], ["-h"]), (["--help"], ["--help"]),
        ])
    func spellings(written: [String], expected: [String]) throws {
        let (arguments, warnings) = try Self.apiserver.normalise(written)
        #expect(arguments == expected)
        #expect(warnings.isEmpty)
    }

    @Test func `historic flags are dropped with one warning that names them as they were written`() throws {
        let (arguments, warnings) = try Self.apiserver.normalise([
            "--api_rate=10", "--port=1", "-read_only_port", "7080", "--allow_privileged=false", "--enable_logs_support",
            "--event_ttl", "48h",
        ])
        #expect(arguments == ["--port=1"])
        #expect(
            warnings == [
                "ignored, as they have no meaning here: "
                    + "--api_rate, -read_only_port, --allow_privileged, --enable_logs_support, --event_ttl"
            ])
    }

    @Test(
        "what makes no sense is refused with a hint",
        arguments: [
            ("--prot=8080", "unknown flag --prot: did you mean --port?"),
            ("--etcd_severs=x", "unknown flag --etcd_severs: did you mean --etcd-servers?"),
            ("--frobnicate_everything=1", "unknown flag --frobnicate_everything: --help lists the known ones"),
            ("--port", "flag --port needs a value: --port=VALUE"),
            ("--ip_masq=maybe", "--ip_masq is on or off: expected true or false, found \"maybe\""),
            (
                "--authorization_mode=ABAC",
                "--authorization_mode=ABAC asks for a protection that is not implemented: leave it out or use AlwaysAllow"
            ),
        ])
    func refusals(argument: String, message: String) {
        #expect(throws: SpellingError.self) { try Self.apiserver.normalise([argument]) }
        do {
            _ = try Self.apiserver.normalise([argument])
        } catch {
            #expect(error.description == message)
        }
    }

    @Test func `a second pass changes nothing`() throws {
        for written in [["-port=1", "--v", "3", "--ip_masq=true", "x", "--leader-elect=false"], ["--nodes=a", "b"]] {
            let once = try Self.apiserver.normalise(written).arguments
            #expect(try Self.apiserver.normalise(once).arguments == once)
        }
    }

    @Test(arguments: [
        ("apiserver", "--api_burst=200"), ("kubelet", "--cadvisor_port=4194"), ("proxy", "--oom_score_adj=-899"),
        ("scheduler", "--algorithm_provider=x"), ("controller-manager", "--machines=127.0.0.1"),
        ("kubelet", "--log_dir=/x"),
    ])
    func `each component of the time takes its own flags`(command: String, argument: String) throws {
        let spelling = CommandLineSpelling(flags: [:], historic: .of(command: command))
        #expect(try spelling.normalise([argument]).warnings.count == 1)
    }

    @Test func `commands of our own take no historic flags`() {
        #expect(throws: SpellingError.self) {
            try CommandLineSpelling(flags: [:], historic: .of(command: "up")).normalise(["--api_rate=1"])
        }
    }
}
