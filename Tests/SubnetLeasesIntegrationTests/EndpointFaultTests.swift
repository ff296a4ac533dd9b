import ClusterStore
import Foundation
import Glibc
import LinuxKit
import Testing

/// Endpoints that are dead, silent or not to be trusted: the next one is taken in a bounded time, and the error says
/// which endpoint failed and why.
@Suite(.serialized, .enabled(if: EtcdProgram.isPossible, "needs etcd-server"), .timeLimit(.minutes(2)))
struct EndpointFaultTests {
    /// A port that takes connections and never says anything.
    private final class SilentPort {
        let port: Int
        private let descriptor: Int32
        init() throws {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            self.descriptor = descriptor
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
                }
            }
            guard result == 0, listen(descriptor, 16) == 0 else { throw DeadlinePassed(description: "no port") }
            port = Int(UInt16(bigEndian: address.sin_port))
        }
        deinit { close(descriptor) }
    }

    @Test func aDeadAndASilentEndpointAmongLivingOnesCostOneCallAtMost() async throws {
        let etcd = try EtcdProgram()
        try etcd.start()
        try await withClient([etcd.endpoint]) { _ in }
        let silent = try SilentPort()
        let dead = "http://127.0.0.1:\(try freePort())"
        for endpoints in [[dead, etcd.endpoint], ["http://127.0.0.1:\(silent.port)", dead, etcd.endpoint]] {
            try await withClient(endpoints, answers: false) { store in
                // The first call's own time is enough for all endpoints in front of the good one.
                _ = try await store.put("a", [1])
            }
        }
        withExtendedLifetime(silent) {}
    }

    @Test func theErrorSaysWhichEndpointFailedAndWhy() async throws {
        let silent = try SilentPort()
        let quietEndpoint = "127.0.0.1:\(silent.port)"
        let deadEndpoint = "127.0.0.1:\(try freePort())"
        try await withClient(["http://\(quietEndpoint)", "http://\(deadEndpoint)"], answers: false) { store in
            var message = ""
            try await eventually("both are named") {
                do { _ = try await store.get("a") } catch { message = "\(error)" }
                return message.contains("cannot connect to \(quietEndpoint): it took the connection and said nothing")
                    && message.contains("cannot connect to \(deadEndpoint): ") && message.contains("refused")
            }
        }
        withExtendedLifetime(silent) {}
    }

    struct Distrust: Sendable, CustomTestStringConvertible {
        var authority: String
        var certificate: String
        var expected: String
        var testDescription: String { expected }
    }

    @Test(arguments: [
        Distrust(authority: "ca", certificate: "good", expected: ""),
        Distrust(authority: "other", certificate: "good", expected: "is not signed by the authority"),
        Distrust(authority: "ca", certificate: "expired", expected: "its certificate expired on "),
    ])
    func aCertificateThatCannotBeTrustedIsExplained(_ row: Distrust) async throws {
        let files = try Certificates()
        let etcd = try EtcdProgram(security: [
            "--cert-file", files.path(row.certificate + ".crt"), "--key-file", files.path(row.certificate + ".key"),
        ])
        try etcd.start()
        let tls = EtcdTLS(certificateAuthorityFile: files.path(row.authority + ".crt"))
        try await withClient([etcd.endpoint], tls: tls, answers: row.expected.isEmpty) { store in
            guard !row.expected.isEmpty else { return }
            var message = ""
            try await eventually("the reason is told") {
                do { _ = try await store.get("a") } catch { message = "\(error)" }
                return message.contains("cannot connect to 127.0.0.1:\(etcd.port): ") && message.contains(row.expected)
            }
        }
    }
}

/// An authority with a good and an expired certificate for 127.0.0.1, and another authority, made by openssl.
private final class Certificates: Sendable {
    private let directory: String

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/fjord-certificates-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        var script = "cd \(directory) && exec 2>log && set -e\n"
        for name in ["ca", "other"] {
            script += "openssl req -x509 \(key) -keyout \(name).key -out \(name).crt -subj /CN=\(name) -days 10\n"
        }
        for (name, days) in [("good", 10), ("expired", -1)] {
            script += """
                openssl req \(key) -keyout \(name).key -out \(name).csr -subj /CN=etcd -addext subjectAltName=IP:127.0.0.1
                openssl x509 -req -in \(name).csr -CA ca.crt -CAkey ca.key -CAcreateserial -days \(days) \
                -out \(name).crt -copy_extensions copy

                """
        }
        guard system(script) == 0 else {
            throw DeadlinePassed(description: FileContents.text(directory + "/log") ?? "openssl failed")
        }
    }

    func path(_ name: String) -> String { directory + "/" + name }

    deinit { try? FileManager.default.removeItem(atPath: directory) }
}
