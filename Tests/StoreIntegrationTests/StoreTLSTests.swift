import ClusterStore
import Foundation
import Testing

/// `fjord store` with certificates, as etcd's clients meet it.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct StoreTLSTests {
    /// An authority `ca`, and a stranger's `other`; of the first `server` and `client`, of the second `stranger`.
    private static func certificates() async throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        let script = """
            set -e; cd \(directory.path)
            key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
            echo "subjectAltName=IP:127.0.0.1" > ext
            authority() { openssl req -x509 $key -keyout $1.key -out $1.crt -subj /CN=$1 -days 2; }
            issue() {
                openssl req $key -keyout $2.key -out $2.csr -subj /CN=$2
                openssl x509 -req -in $2.csr -CA $1.crt -CAkey $1.key -CAcreateserial -out $2.crt -days 2 -extfile ext
            }
            authority ca; authority other; issue ca server; issue ca client; issue other stranger
            """
        let made = try await command("/bin/bash", ["-c", script])
        try #require(made.status == 0, "\(made.output)")
        return directory
    }

    private static func withServer(
        _ arguments: [String], _ body: @Sendable (_ port: Int, _ files: String) async throws -> Void
    ) async throws {
        let directory = try await certificates()
        let files = directory.path
        let server = try StoreProgram(
            in: files, scheme: "https",
            arguments: ["--cert-file", files + "/server.crt", "--key-file", files + "/server.key"]
                + arguments.map { $0.replacingOccurrences(of: "FILES", with: files) })
        let program = try server.start()
        defer { program.kill() }
        _ = try await eventually { program.output.contains("store listens") ? true : nil }
        try await body(server.port, files)
        withExtendedLifetime(directory) {}
    }

    private static func ask(_ port: Int, _ flags: [String]) async throws -> (status: Int32, output: String) {
        try await command(
            "/usr/bin/etcdctl",
            ["--endpoints", "https://127.0.0.1:\(port)", "--dial-timeout", "3s", "--command-timeout", "3s"] + flags
                + ["put", "a", "b"])
    }

    @Test
    func etcdctlSpeaksTLSWithIt() async throws {
        try await Self.withServer([]) { port, files in
            let trusted = try await Self.ask(port, ["--cacert", files + "/ca.crt"])
            #expect(trusted.output == "OK\n", "\(trusted)")
            let distrusted = try await Self.ask(port, ["--cacert", files + "/other.crt"])
            #expect(distrusted.status != 0, "\(distrusted)")
        }
    }

    @Test
    func onlyClientsWithACertificateOfTheAuthorityAreAdmitted() async throws {
        let flags = ["--trusted-ca-file", "FILES/ca.crt", "--client-cert-auth"]
        try await Self.withServer(flags) { port, files in
            func pair(_ name: String) -> [String] {
                ["--cacert", files + "/ca.crt", "--cert", "\(files)/\(name).crt", "--key", "\(files)/\(name).key"]
            }
            let admitted = try await Self.ask(port, pair("client"))
            #expect(admitted.output == "OK\n", "\(admitted)")
            let anonymous = try await Self.ask(port, ["--cacert", files + "/ca.crt"])
            #expect(anonymous.status != 0, "\(anonymous)")
            let stranger = try await Self.ask(port, pair("stranger"))
            #expect(stranger.status != 0, "\(stranger)")

            let backup = try await command(
                StoreProgram.path,
                ["store", "backup", files + "/backup", "--endpoints", "https://127.0.0.1:\(port)"] + pair("client"))
            #expect(backup.status == 0, "\(backup)")
        }
    }

    @Test(arguments: [
        (["--listen-client-urls", "https://127.0.0.1:1"], "--cert-file and --key-file"),
        (["--listen-client-urls", "http://127.0.0.1:1", "--client-cert-auth"], "https://"),
        (["--listen-client-urls", "ftp://127.0.0.1:1"], "expected http://ADDRESS:PORT"),
        (["--auto-compaction-mode", "daily"], "expected periodic or revision"),
        (["--auto-compaction-retention", "soon"], "--auto-compaction-retention"),
        (["--quota-backend-bytes", "-1"], "--quota-backend-bytes"),
    ])
    func aWrongCommandLineIsNamed(_ arguments: [String], _ words: String) async throws {
        let refused = try await command(StoreProgram.path, ["store"] + arguments)
        #expect(refused.status != 0 && refused.output.contains(words), "\(refused)")
    }
}
