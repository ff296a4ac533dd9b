import ClusterStore
import EmbeddedStore
import Foundation
import StoreServer
import Testing

/// Debian's etcdctl against our server.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct EtcdctlTests {
    private func withServer(_ body: @escaping @Sendable (Int) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        let store = try EmbeddedStore(path: directory.path + "/store", logger: quiet)
        let server = StoreServer(store: store, address: "127.0.0.1", port: 0, logger: quiet)
        let port = try await server.bind()
        try await running([store, server]) { try await body(port) }
        withExtendedLifetime(directory) {}
    }

    @Test
    func keysTransactionsLeasesAndCompaction() async throws {
        try await withServer { port in
            let answer1 = try await etcdctl(port, ["put", "a/1", "one"])
            #expect(answer1.output == "OK\n")
            let answer2 = try await etcdctl(port, ["put", "a/2", "two"])
            #expect(answer2.output == "OK\n")
            let answer3 = try await etcdctl(port, ["get", "--prefix", "a/"])
            #expect(answer3.output == "a/1\none\na/2\ntwo\n")
            let answer4 = try await etcdctl(port, ["get", "--prefix", "--keys-only", "--order=DESCEND", "a/"])
            #expect(answer4.output == "a/2\n\na/1\n\n")
            let transaction = "value(\"a/1\") = \"one\"\n\nput a/1 changed\nget a/2\n\nput a/1 wrong\n\n"
            let done = try await etcdctl(port, ["txn"], input: transaction)
            #expect(done.output == "SUCCESS\n\nOK\n\na/2\ntwo\n", "\(done)")
            let answer5 = try await etcdctl(port, ["del", "a/2"])
            #expect(answer5.output == "1\n")

            let granted = try await etcdctl(port, ["lease", "grant", "600"]).output
            let lease = try #require(granted.split(separator: " ").dropFirst().first.map(String.init))
            let answer6 = try await etcdctl(port, ["put", "leased", "x", "--lease=\(lease)"])
            #expect(answer6.output == "OK\n")
            let answer7 = try await etcdctl(port, ["lease", "list"])
            #expect(answer7.output.contains(lease))
            let answer8 = try await etcdctl(port, ["lease", "timetolive", "--keys", lease])
            #expect(answer8.output.contains("leased"))
            let answer9 = try await etcdctl(port, ["lease", "keep-alive", "--once", lease])
            #expect(answer9.status == 0)
            let answer10 = try await etcdctl(port, ["lease", "revoke", lease])
            #expect(answer10.output == "lease \(lease) revoked\n")
            let answer11 = try await etcdctl(port, ["get", "leased"])
            #expect(answer11.output == "")

            let answer12 = try await etcdctl(port, ["compact", "4"])
            #expect(answer12.output == "compacted revision 4\n")
            let gone = try await etcdctl(port, ["get", "a/1", "--rev=2"])
            #expect(gone.status != 0 && gone.output.contains("mvcc: required revision has been compacted"))
        }
    }

    @Test
    func membersStatusAndHealth() async throws {
        try await withServer { port in
            let answer13 = try await etcdctl(port, ["member", "list"])
            #expect(answer13.output.contains("http://127.0.0.1:\(port)"))
            let status = try await etcdctl(port, ["endpoint", "status"])
            #expect(status.status == 0 && status.output.contains("3.5.13"), "\(status)")
            let health = try await etcdctl(port, ["endpoint", "health"])
            #expect(health.status == 0 && health.output.contains("is healthy"), "\(health)")
        }
    }

    @Test
    func watchesShowWhatHappensAndWhatHappenedBefore() async throws {
        try await withServer { port in
            let log = try TemporaryDirectory()
            let answer14 = try await etcdctl(port, ["put", "w", "1"])
            #expect(answer14.status == 0)
            let watch = try ChildProgram(
                "/usr/bin/etcdctl", ["--endpoints", "http://127.0.0.1:\(port)", "watch", "--rev=1", "w"],
                environment: ["ETCDCTL_API": "3"], log: log.path + "/log")
            defer { watch.kill() }
            _ = try await eventually { watch.output == "PUT\nw\n1\n" ? true : nil }
            let answer15 = try await etcdctl(port, ["put", "w", "2"])
            #expect(answer15.status == 0)
            let answer16 = try await etcdctl(port, ["del", "w"])
            #expect(answer16.status == 0)
            _ = try await eventually { watch.output == "PUT\nw\n1\nPUT\nw\n2\nDELETE\nw\n\n" ? true : nil }
        }
    }
}
