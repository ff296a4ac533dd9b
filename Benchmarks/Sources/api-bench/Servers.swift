import BenchmarkKit
import Foundation
import NIOCore
import NIOPosix
import NIOSSL

/// A server under test with the store it uses, both started here, on loopback, in a folder of their own.
final class Subject {
    enum Kind: String, CaseIterable {
        case fjordEmbedded = "fjord, embedded store"
        case fjordEtcd = "fjord, etcd"
        case kubeAPIServer = "kube-apiserver, etcd"
    }

    let kind: Kind
    let target: Target
    private let program: String
    private let folder: String
    private let port: Int
    private let etcdPort: Int
    private var server: Process?
    private var store: Process?

    init(_ kind: Kind, program: String, folder: String, port: Int) throws {
        self.kind = kind
        self.program = program
        self.folder = folder
        self.port = port
        etcdPort = port + 1
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Self.makeCertificates(folder)
        func read(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
        }
        target = try Target(
            server: "https://127.0.0.1:\(port)", authority: read("ca.crt"), certificate: read("client.crt"),
            key: read("client.key"))
    }

    var serverPID: Int32? { server.map { $0.processIdentifier } }
    var storePID: Int32? { store.map { $0.processIdentifier } }

    private static func makeCertificates(_ folder: String) throws {
        let script = """
            set -e
            cd \(folder)
            [ -e server.crt ] && exit 0
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=bench-ca \
                -keyout ca.key -out ca.crt
            for name in server client; do
                subject=/CN=$name
                [ $name = client ] && subject=/O=system:masters/CN=bench
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj $subject \
                    -keyout $name.key -out $name.csr
                echo subjectAltName=IP:127.0.0.1,IP:10.0.0.1,DNS:localhost > $name.ext
                openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 \
                    -extfile $name.ext -out $name.crt
            done
            """
        try script.write(toFile: "\(folder)/certificates.sh", atomically: true, encoding: .utf8)
        try Command.run("bash \(folder)/certificates.sh")
    }

    /// Starts the store, if it is a program of its own, and waits until it answers.
    func startStore() throws {
        guard kind != .fjordEmbedded, store == nil else { return }
        store = try Command.start(
            "etcd --data-dir \(folder)/etcd --listen-client-urls http://127.0.0.1:\(etcdPort) "
                + "--advertise-client-urls http://127.0.0.1:\(etcdPort) --listen-peer-urls http://127.0.0.1:\(etcdPort + 1) "
                + "--metrics extensive --quota-backend-bytes 8589934592 --log-level error",
            log: "\(folder)/etcd.log")
        try Command.wait(for: "etcd") { (try? Command.run("curl -sf http://127.0.0.1:\(etcdPort)/health")) != nil }
    }

    /// Starts the server. Returns the seconds until it says that it is ready.
    func startServer() async throws -> Double {
        let shared =
            " --secure-port \(port) --tls-cert-file \(folder)/server.crt --tls-private-key-file \(folder)/server.key"
            + " --client-ca-file \(folder)/ca.crt --bind-address 127.0.0.1"
        let line =
            switch kind {
            case .fjordEmbedded:
                "\(program) apiserver --advertise-address 127.0.0.1 --store-path \(folder)/store.db" + shared
            case .fjordEtcd:
                "\(program) apiserver --advertise-address 127.0.0.1 --etcd-servers http://127.0.0.1:\(etcdPort)"
                    + shared
            case .kubeAPIServer:
                "\(program) --etcd-servers http://127.0.0.1:\(etcdPort) --service-account-issuer https://bench"
                    + " --service-account-key-file \(folder)/server.key"
                    + " --service-account-signing-key-file \(folder)/server.key --service-cluster-ip-range 10.0.0.0/16"
                    + " --authorization-mode AlwaysAllow --disable-admission-plugins ServiceAccount" + shared
            }
        let begin = NIODeadline.now()
        let process = try Command.start(line, log: "\(folder)/server.log")
        server = process
        let group = MultiThreadedEventLoopGroup.singleton
        while true {
            let work = Work(count: 1, expecting: 200) { _ in Pods.get("/readyz") }
            do {
                let client = try await target.connect(on: group.next()).get()
                defer { client.channel.close(promise: nil) }
                try await client.run(work).get()
                return Double((NIODeadline.now() - begin).nanoseconds) / 1e9
            } catch {
                guard process.isRunning, NIODeadline.now() - begin < .seconds(60) else {
                    let log = (try? String(contentsOfFile: "\(folder)/server.log", encoding: .utf8)) ?? ""
                    throw BenchmarkError("\(kind.rawValue) is not ready: \(error); \(log.suffix(2000))")
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    func stopServer() {
        Self.stop(server)
        server = nil
    }

    func stop() {
        stopServer()
        Self.stop(store)
        store = nil
        try? FileManager.default.removeItem(atPath: folder)
    }

    private static func stop(_ process: Process?) {
        guard let process else { return }
        process.terminate()
        for _ in 0..<500 where process.isRunning { usleep(10_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    /// Mean milliseconds that etcd has spent in transactions since `earlier`, by its own count.
    func storeTransactions() -> (seconds: Double, count: Double)? {
        guard kind != .fjordEmbedded, let text = try? Command.run("curl -sf http://127.0.0.1:\(etcdPort)/metrics")
        else {
            return nil
        }
        func value(_ suffix: String) -> Double? {
            text.split(separator: "\n").first {
                $0.hasPrefix("grpc_server_handling_seconds_\(suffix){") && $0.contains("\"Txn\"")
            }.flatMap { $0.split(separator: " ").last }.flatMap { Double($0) }
        }
        guard let seconds = value("sum"), let count = value("count") else { return nil }
        return (seconds, count)
    }
}
