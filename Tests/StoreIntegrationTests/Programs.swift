import Foundation
import Glibc

/// A program that a test started, killed when the test lets go of it.
final class ChildProgram: Sendable {
    private let process: Process
    private let log: String

    init(_ path: String, _ arguments: [String], environment: [String: String] = [:], log: String) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        self.log = log
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        let output = FileHandle(forWritingAtPath: log)
        process.standardOutput = output
        process.standardError = output
        try process.run()
    }

    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

    var isRunning: Bool { process.isRunning }

    func kill(_ signal: CInt = SIGKILL) {
        if process.isRunning { _ = Glibc.kill(process.processIdentifier, signal) }
        process.waitUntilExit()
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
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread {
            do {
                let process = Process()
                process.executableURL = URL(fileURLWithPath: "/usr/bin/etcdctl")
                process.arguments = ["--endpoints", "http://127.0.0.1:\(port)"] + arguments
                process.environment = ["ETCDCTL_API": "3", "PATH": "/usr/bin"]
                let output = Pipe()
                let stdin = Pipe()
                process.standardOutput = output
                process.standardError = output
                process.standardInput = stdin
                try process.run()
                try stdin.fileHandleForWriting.write(contentsOf: Data(input.utf8))
                try stdin.fileHandleForWriting.close()
                let data = try output.fileHandleForReading.readToEnd() ?? Data()
                process.waitUntilExit()
                continuation.resume(
                    returning: (process.terminationStatus, String(decoding: data, as: UTF8.self)))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}
