import ClusterStore
import Foundation
import Glibc
import LinuxKit
import Logging
import Synchronization

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A real etcd on loopback that a test stops, starts and wipes. Gone when the test lets go of it.
final class EtcdProgram: Sendable {
    static let isPossible = FileManager.default.isExecutableFile(atPath: "/usr/bin/etcd")

    let directory: String
    let port: Int
    private let peerPort: Int
    private let security: [String]
    private let scheme: String
    private let child = Mutex<Int32?>(nil)

    /// - Parameter security: Options for TLS; with any the endpoint is `https`.
    init(security: [String] = []) throws {
        directory = FileManager.default.temporaryDirectory.path + "/fjord-lease-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        self.security = security
        scheme = security.isEmpty ? "http" : "https"
        port = try freePort()
        peerPort = try freePort()
    }

    var endpoint: String { "\(scheme)://127.0.0.1:\(port)" }
    var data: String { directory + "/data" }

    func start() throws {
        let log = try OwnedDescriptor(opening: directory + "/log", O_WRONLY | O_CREAT | O_APPEND)
        let input = try OwnedDescriptor(opening: "/dev/null", O_RDONLY)
        let peer = "http://127.0.0.1:\(peerPort)"
        var start = ProgramStart(
            "/usr/bin/etcd",
            arguments: [
                "etcd", "--data-dir", data, "--listen-client-urls", endpoint, "--advertise-client-urls", endpoint,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                "default=\(peer)", "--initial-cluster-token", UUID().uuidString, "--log-level", "error",
            ] + security)
        start.environment = ProcessInfo.processInfo.environment.merging(["ETCD_UNSUPPORTED_ARCH": "arm64"]) { $1 }
        start.standardInput = input.number
        start.standardOutput = log.number
        start.standardError = log.number
        let pid = try start.spawn()
        child.withLock { $0 = pid }
    }

    /// Ends it as a crash would, which takes the kernel some milliseconds.
    func kill() {
        guard
            let pid = child.withLock({ child in
                defer { child = nil }
                return child
            })
        else { return }
        _ = Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        for _ in 0..<5000 where waitpid(pid, &status, WNOHANG) == 0 { usleep(1000) }
    }

    func wipe() throws { try FileManager.default.removeItem(atPath: data) }

    deinit {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// A TCP port on loopback that was free a moment ago.
func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
        }
    }
    guard result == 0 else { throw DeadlinePassed(description: "no free port") }
    return Int(UInt16(bigEndian: address.sin_port))
}

struct DeadlinePassed: Error, CustomStringConvertible {
    let description: String
}

/// Asks again until `condition` holds; fails with what was waited for after a while.
func eventually(
    _ what: String, within limit: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw DeadlinePassed(description: "not within \(limit): \(what)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// Runs a test with a client of the endpoints, once it answers.
func withClient(
    _ endpoints: [String], tls: EtcdTLS? = nil, logger: Logger = quiet, answers: Bool = true,
    _ body: @escaping @Sendable (EtcdStore) async throws -> Void
) async throws {
    let store = try EtcdStore(endpoints: endpoints, tls: tls, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await store.run() }
        let result: Result<Void, any Error>
        do {
            if answers {
                try await eventually("the store answers") {
                    (try? await store.range(RangeRequest(.key("absent")))) != nil
                }
            }
            try await body(store)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        group.cancelAll()
        while let ended = await group.nextResult() { _ = ended }
        try result.get()
    }
}
