import ClusterStore
import Foundation
import Synchronization
import Testing

/// A real etcd that believes only client certificates of its authority, and knows users.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct EtcdTLSTests {
    @Test func aClientWithACertificateOfTheAuthorityIsServed() async throws {
        try await SecuredEtcd.with { etcd in
            try await withStore(etcd, etcd.clientTLS) { store in
                let revision = try await store.put("tls", [1, 2, 3])
                #expect(try await store.get("tls")?.value == [1, 2, 3])
                // A watch is a call of its own kind; it goes over the same connection.
                for try await batch in store.watch(WatchRequest(.key("tls"), from: revision)) {
                    #expect(batch.events.map(\.keyValue.value) == [[1, 2, 3]])
                    break
                }
            }
        }
    }

    /// Nothing is sent to a server that is not the right one, nothing is served to a client without a certificate, and
    /// the store says so as long as it is tried.
    @Test func withoutTheRightAuthorityOrCertificateNothingIsExchanged() async throws {
        try await SecuredEtcd.with { etcd in
            try await withStore(etcd, etcd.clientTLS) { store in _ = try await store.put("secret", [1]) }
            var strangersAuthority = etcd.clientTLS
            strangersAuthority.certificateAuthorityFile = etcd.file("stranger.crt")
            var noCertificate = etcd.clientTLS
            noCertificate.certificateFile = nil
            noCertificate.keyFile = nil
            var strangersCertificate = etcd.clientTLS
            strangersCertificate.certificateFile = etcd.file("stranger.crt")
            strangersCertificate.keyFile = etcd.file("stranger.key")
            for tls in [strangersAuthority, noCertificate, strangersCertificate] {
                let store = try EtcdStore(endpoints: [etcd.endpoint], tls: tls, logger: quiet)
                try await running([store]) {
                    let error = await #expect(throws: StoreError.self) { try await store.get("secret") }
                    guard case .unavailable? = error else {
                        Issue.record("\(String(describing: error))")
                        return
                    }
                }
            }
        }
    }

    @Test(arguments: [
        EtcdTLS(certificateAuthorityFile: "/nowhere/file"),
        EtcdTLS(certificateFile: "/nowhere/file", keyFile: "/nowhere/key"),
    ])
    func aFileThatCannotBeReadIsNamedAtOnce(tls: EtcdTLS) throws {
        let error = #expect(throws: StoreError.self) {
            try EtcdStore(endpoints: ["https://127.0.0.1:1"], tls: tls, logger: quiet)
        }
        #expect("\(String(describing: error))".contains("/nowhere/file"))
    }

    @Test func aUserMayDoWhatItsRoleAllowsAlsoAfterEtcdForgotItsToken() async throws {
        try await SecuredEtcd.with { etcd in
            try await etcd.enableUsers()
            let user = EtcdCredentials(user: "fjord", password: "correct horse")
            try await withStore(etcd, etcd.clientTLS, user) { store in
                let start = try await store.put("/registry/a", [1])
                let refused = await #expect(throws: StoreError.self) { try await store.put("/other", [1]) }
                guard case .refused? = refused else {
                    Issue.record("\(String(describing: refused))")
                    return
                }
                // Tokens of this kind are in etcd's memory only. The watch comes back with a new one too.
                let seen = SeenValues()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        for try await batch in store.watch(WatchRequest(.prefix("/registry/"), from: start)) {
                            let values = batch.events.map { $0.keyValue.value[0] }
                            if seen.add(values).count == 2 { return }
                        }
                    }
                    _ = try await eventually { seen.all == [1] ? true : nil }
                    try await etcd.restart()
                    _ = try await eventually { try? await store.put("/registry/b", [2]) }
                    try await group.waitForAll()
                }
                #expect(seen.all == [1, 2])
            }
        }
    }

    @Test func aWrongPasswordIsRefusedAndNotTakenForAnOutage() async throws {
        try await SecuredEtcd.with { etcd in
            try await etcd.enableUsers()
            let store = try EtcdStore(
                endpoints: [etcd.endpoint], tls: etcd.clientTLS,
                credentials: EtcdCredentials(user: "fjord", password: "wrong"), logger: quiet)
            try await running([store]) {
                let error = await #expect(throws: StoreError.self) { try await store.get("/registry/a") }
                guard case .refused(let reason)? = error else {
                    Issue.record("\(String(describing: error))")
                    return
                }
                #expect(reason.contains("authentication failed"), "\(reason)")
            }
        }
    }

    private func withStore(
        _ etcd: SecuredEtcd, _ tls: EtcdTLS, _ credentials: EtcdCredentials? = nil,
        _ body: @escaping @Sendable (EtcdStore) async throws -> Void
    ) async throws {
        let store = try EtcdStore(endpoints: [etcd.endpoint], tls: tls, credentials: credentials, logger: quiet)
        try await running([store]) {
            _ = try await eventually { try? await store.get("/registry/absent") == nil }
            try await body(store)
        }
    }
}

/// What a watch has delivered so far.
private final class SeenValues: Sendable {
    private let values = Mutex<[UInt8]>([])
    var all: [UInt8] { values.withLock { $0 } }
    func add(_ more: [UInt8]) -> [UInt8] {
        values.withLock {
            $0 += more
            return $0
        }
    }
}

/// An etcd on loopback with a certificate, and an authority for its clients.
private final class SecuredEtcd: Sendable {
    private let directory: TemporaryDirectory
    private let port: Int
    private let peerPort: Int
    private let program = Mutex<ChildProgram?>(nil)

    var endpoint: String { "https://127.0.0.1:\(port)" }
    var clientTLS: EtcdTLS {
        EtcdTLS(
            certificateAuthorityFile: file("ca.crt"), certificateFile: file("client.crt"), keyFile: file("client.key"))
    }

    func file(_ name: String) -> String { "\(directory.path)/\(name)" }

    /// Runs `body` beside one that answers.
    static func with(_ body: (SecuredEtcd) async throws -> Void) async throws {
        let etcd = try SecuredEtcd()
        try await etcd.makeCertificates()
        try await etcd.restart()
        try await body(etcd)
    }

    private init() throws {
        directory = try TemporaryDirectory()
        port = try freePort()
        peerPort = try freePort()
    }

    /// `ca` signs `server` and `client`; `stranger` has signed itself.
    private func makeCertificates() async throws {
        let script = """
            set -e; cd '\(directory.path)'
            key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
            openssl req -x509 $key -subj /CN=ca -keyout ca.key -out ca.crt
            openssl req -x509 $key -subj /CN=stranger -keyout stranger.key -out stranger.crt
            for name in server client; do
                openssl req $key -subj /CN=$name -keyout $name.key -out $name.csr
                printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth,clientAuth\\n' >$name.ext
                openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile $name.ext -out $name.crt
            done
            """
        let openssl = try ChildProgram("/bin/sh", ["-c", script], log: file("openssl.log"))
        let status = try await openssl.end()
        try #require(status == 0, "\(openssl.output)")
    }

    /// Kills the etcd that runs, if any, and starts one on the same data.
    func restart() async throws {
        program.withLock { $0?.kill() }
        let peer = "http://127.0.0.1:\(peerPort)"
        let started = try ChildProgram(
            "/usr/bin/etcd",
            [
                "--data-dir", file("data"), "--listen-client-urls", endpoint, "--advertise-client-urls", endpoint,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                "default=\(peer)", "--cert-file", file("server.crt"), "--key-file", file("server.key"),
                "--client-cert-auth", "--trusted-ca-file", file("ca.crt"), "--log-level", "error",
            ], log: file("log"))
        program.withLock { $0 = started }
        _ = try await eventually { try await self.control("endpoint", "status") == 0 ? true : nil }
    }

    /// Makes a `root` and a `fjord` that may use `/registry/`, and lets nobody in without a password from now on.
    func enableUsers() async throws {
        for command in [
            ["user", "add", "root:root password"], ["user", "grant-role", "root", "root"],
            ["role", "add", "registry"],
            ["role", "grant-permission", "registry", "readwrite", "/registry/", "--prefix=true"],
            ["user", "add", "fjord:correct horse"], ["user", "grant-role", "fjord", "registry"], ["auth", "enable"],
        ] {
            let status = try await control(command)
            try #require(status == 0, "etcdctl \(command.joined(separator: " ")): \(status)")
        }
    }

    /// Runs etcdctl and returns its exit status.
    @discardableResult
    private func control(_ arguments: String...) async throws -> CInt { try await control(arguments) }

    private func control(_ arguments: [String]) async throws -> CInt {
        let program = try ChildProgram(
            "/usr/bin/etcdctl",
            [
                "--endpoints", endpoint, "--cacert", file("ca.crt"), "--cert", file("client.crt"), "--key",
                file("client.key"),
            ] + arguments, environment: ["ETCDCTL_API": "3"], log: file("etcdctl.log"))
        return try await program.end()
    }
}
