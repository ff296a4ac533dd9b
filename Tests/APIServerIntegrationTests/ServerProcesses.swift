import Foundation
import Glibc
import HTTPTransport
import HTTPTypes
import KubeSchema
import LinuxKit
import NIOCore
import Synchronization

/// API servers as processes of their own, on loopback and one store, that a test kills and starts as it likes.
final class ServerProcesses: Sendable {
    enum Store { case embedded, etcd }

    private static let binaries =
        ProcessInfo.processInfo.environment["FJORD_BINARIES"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path

    let ports: [Int]
    private let store: Store
    private let etcdPort: Int
    private let directory: String
    private let running = Mutex<[String: Int32]>([:])

    /// - Parameter count: API servers; more than one need etcd.
    init(_ store: Store, count: Int = 1) throws {
        self.store = store
        let free = try (0..<(count + 2)).map { _ in try Self.freePort() }
        ports = Array(free[..<count])
        etcdPort = free[count]
        directory = NSTemporaryDirectory() + "fjord-servers-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        guard store == .etcd else { return }
        try spawn(
            "etcd", "/usr/bin/etcd",
            [
                "--data-dir", "\(directory)/etcd", "--log-level", "error",
                "--listen-client-urls", "http://127.0.0.1:\(etcdPort)",
                "--advertise-client-urls", "http://127.0.0.1:\(etcdPort)",
                "--listen-peer-urls", "http://127.0.0.1:\(free[count + 1])",
            ])
    }

    deinit {
        for name in running.withLock({ Array($0.keys) }) { kill(name) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func spawn(_ name: String, _ path: String, _ arguments: [String]) throws {
        let log = try OwnedDescriptor(opening: "\(directory)/\(name).log", O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        var program = ProgramStart(path, arguments: [path] + arguments)
        program.standardOutput = log.number
        program.standardError = log.number
        let process = try program.spawn()
        running.withLock { $0[name] = process }
    }

    func start(_ index: Int = 0) throws {
        let storeFlag =
            store == .etcd ? "--etcd-servers=http://127.0.0.1:\(etcdPort)" : "--store-path=\(directory)/store"
        try spawn(
            "server\(index)", "\(Self.binaries)/fjord",
            ["apiserver", "--address=127.0.0.1", "--port=\(ports[index])", storeFlag])
    }

    /// Ends a server on the spot: nothing that it had begun is ended.
    func kill(_ index: Int = 0) { kill("server\(index)") }

    private func kill(_ name: String) {
        guard let process = running.withLock({ $0.removeValue(forKey: name) }) else { return }
        Glibc.kill(process, SIGKILL)
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
    }

    /// Waits until a server is ready to serve.
    func waitUntilReady(_ index: Int = 0) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if let answer = try? await call(.get, "/api/v1/namespaces/default", at: index), answer.code == 200 {
                return
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        let log = FileContents.text("\(directory)/server\(index).log") ?? ""
        throw TestFailure("server \(index) is not ready after 30 s; its log ends: \(log.suffix(1000))")
    }

    func call(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, at index: Int = 0) async throws -> (
        code: Int, json: JSON
    ) {
        var request = HTTPRequest(method: method, scheme: nil, authority: nil, path: path)
        if body != nil { request.headerFields[.contentType] = "application/json" }
        let exchange = try await HTTPClientExchange.send(
            request, body: body?.encoded() ?? [], host: "127.0.0.1", port: ports[index])
        let bytes = try await exchange.collect(upTo: 1 << 28)
        return (exchange.response.status.code, (try? JSON(parsing: bytes)) ?? .null)
    }

    /// Follows a watch until its connection ends or `take` says that it is enough.
    func watch(_ path: String, at index: Int, _ take: (JSON) throws -> Bool) async throws {
        let exchange = try await HTTPClientExchange.send(
            HTTPRequest(method: .get, scheme: nil, authority: nil, path: path), host: "127.0.0.1", port: ports[index])
        var line: [UInt8] = []
        try await withTaskCancellationHandler {
            try await exchange.forEachChunk { chunk in
                for byte in chunk.readableBytesView {
                    if byte != UInt8(ascii: "\n") {
                        line.append(byte)
                    } else {
                        if try take(try JSON(parsing: line)) { throw CancellationError() }
                        line = []
                    }
                }
            }
        } onCancel: {
            exchange.tunnel.close()
        }
    }

    /// A TCP port on loopback that was free a moment ago.
    private static func freePort() throws -> Int {
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
        try SyscallError.check("bind", "127.0.0.1:0") { result }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

struct TestFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
