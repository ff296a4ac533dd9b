import Foundation
import Glibc
import LinuxKit
import Synchronization

/// A program that a test started, killed when the test lets go of it.
///
/// Waited for by polling `waitpid` for this child alone: Foundation's `Process` waits on a run loop that has been seen
/// not to wake up.
final class ChildProgram: Sendable {
    private let pid: Int32
    private let log: String
    /// The wait status once the child is reaped; a signal is sent only before, so that it cannot hit another process.
    private let ended = Mutex<Int32?>(nil)

    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], log: String, input: String? = nil
    ) throws {
        self.log = log
        let output = try OwnedDescriptor(opening: log, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        let standardInput = try OwnedDescriptor(opening: input ?? "/dev/null", O_RDONLY)
        var start = ProgramStart(path, arguments: [path] + arguments)
        start.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        start.standardInput = standardInput.number
        start.standardOutput = output.number
        start.standardError = output.number
        pid = try start.spawn()
    }

    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    var isRunning: Bool { waitStatus == nil }

    /// The exit code, or minus the number of the signal that ended the program; `nil` while it runs.
    var exitCode: Int32? { waitStatus.map { $0 & 0x7F == 0 ? $0 >> 8 & 0xFF : -($0 & 0x7F) } }

    private var waitStatus: Int32? {
        ended.withLock { ended in
            var status: Int32 = 0
            if ended == nil, waitpid(pid, &status, WNOHANG) != 0 { ended = status }
            return ended
        }
    }

    /// Waits for the end of a program that ends by itself. Returns its exit code.
    func end(within limit: Duration = .seconds(30)) async throws -> Int32 {
        try await eventually(within: limit) { exitCode }
    }

    /// Ends the program at once and waits until it is gone, which takes the kernel some milliseconds.
    func kill() {
        ended.withLock { if $0 == nil { _ = Glibc.kill(pid, SIGKILL) } }
        for _ in 0..<5000 where isRunning { usleep(1000) }
    }

    deinit { kill() }
}

/// A directory of a test's own, removed with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/fjord-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
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
    guard result == 0 else { throw NoFreePort() }
    return Int(UInt16(bigEndian: address.sin_port))
}

struct NoFreePort: Error {}
struct DeadlinePassed: Error {}

/// Tries again until `body` returns a value or the time is over.
func eventually<Value>(within limit: Duration = .seconds(20), _ body: () async throws -> Value?) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        if let value = try await body() { return value }
        guard ContinuousClock.now < deadline else { throw DeadlinePassed() }
        try await Task.sleep(for: .milliseconds(20))
    }
}

/// A real etcd on loopback.
final class RealEtcd: Sendable {
    let directory: TemporaryDirectory
    let port: Int
    private let peerPort: Int

    var endpoint: String { "http://127.0.0.1:\(port)" }

    init() throws {
        directory = try TemporaryDirectory()
        port = try freePort()
        peerPort = try freePort()
    }

    /// Starts it; the caller kills it.
    func start() throws -> ChildProgram {
        try ChildProgram(
            "/usr/bin/etcd",
            [
                "--data-dir", directory.path + "/data", "--listen-client-urls", endpoint, "--advertise-client-urls",
                endpoint, "--listen-peer-urls", "http://127.0.0.1:\(peerPort)", "--initial-advertise-peer-urls",
                "http://127.0.0.1:\(peerPort)", "--initial-cluster", "default=http://127.0.0.1:\(peerPort)",
                "--log-level", "error", "--quota-backend-bytes", "\(4 << 30)",
            ], environment: ["ETCD_UNSUPPORTED_ARCH": "arm64"], log: directory.path + "/log")
    }
}

/// Runs etcdctl and returns its exit status with what it printed.
func etcdctl(_ port: Int, _ arguments: [String], input: String = "") async throws -> (status: CInt, output: String) {
    let directory = try TemporaryDirectory()
    try input.write(toFile: directory.path + "/input", atomically: false, encoding: .utf8)
    let program = try ChildProgram(
        "/usr/bin/etcdctl", ["--endpoints", "http://127.0.0.1:\(port)"] + arguments,
        environment: ["ETCDCTL_API": "3"], log: directory.path + "/output", input: directory.path + "/input")
    let status = try await program.end()
    return (status, program.output)
}
