import Foundation
import Glibc
import KubeAPI
import LinuxKit
import Logging
import Synchronization
import Testing

/// The control plane as a user runs it: API server with its embedded store, controller manager and scheduler, each a
/// process of its own on loopback that a test kills and starts as it likes.
final class ControlPlane: Sendable {
    enum Component: String, CaseIterable {
        case apiServer = "kube-apiserver"
        case controllerManager = "kube-controller-manager"
        case scheduler = "kube-scheduler"
    }

    private static let binaries =
        ProcessInfo.processInfo.environment["FJORD_BINARIES"]
        ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path

    static let quiet: Logger = {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }()

    let client: KubeClient
    private let port: Int
    private let directory: String
    private let processes = Mutex<[Component: Int32]>([:])

    private init() throws {
        port = try Self.freePort()
        directory = NSTemporaryDirectory() + "fjord-control-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        client = try KubeClient(
            configuration: .master("http://127.0.0.1:\(port)"), component: "test", logger: Self.quiet)
    }

    deinit {
        for component in Component.allCases { kill(component) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Runs `body` beside a control plane that answers.
    static func with(_ body: (ControlPlane) async throws -> Void) async throws {
        let plane = try ControlPlane()
        try plane.start(.apiServer)
        try await plane.waitUntilServing()
        try plane.start(.controllerManager)
        try plane.start(.scheduler)
        do { try await body(plane) } catch {
            Issue.record("\(error)\n\(plane.logs)")
        }
    }

    func waitUntilServing() async throws {
        try await eventually("the API server answers") {
            (try? await self.client.get(Namespace.self, name: "kube-node-lease")) != nil
        }
    }

    func start(_ component: Component) throws {
        let master = "--master=127.0.0.1:\(port)"
        let arguments =
            switch component {
            case .apiServer: ["--address=127.0.0.1", "--port=\(port)", "--store-path=\(directory)/store"]
            // Short, so that a test of silence is short too.
            case .controllerManager:
                [master, "--port=0", "--node-monitor-grace-period=2s", "--pod-eviction-timeout=1s"]
            case .scheduler: [master, "--port=0"]
            }
        let log = try OwnedDescriptor(
            opening: "\(directory)/\(component.rawValue)", O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        var program = ProgramStart("\(Self.binaries)/fjord", arguments: [component.rawValue] + arguments)
        program.standardOutput = log.number
        program.standardError = log.number
        let process = try program.spawn()
        processes.withLock { $0[component] = process }
    }

    /// Kills a component on the spot: nothing that it had begun is ended.
    func kill(_ component: Component) {
        processes.withLock { processes in
            guard let process = processes.removeValue(forKey: component) else { return }
            Glibc.kill(process, SIGKILL)
            while waitpid(process, nil, 0) < 0, errno == EINTR {}
        }
    }

    /// Kills components and starts them again, `times` times, a moment of random length apart.
    func harass(_ components: [Component], times: Int) async throws {
        for _ in 0..<times {
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...400)))
            for component in components { kill(component) }
            for component in components { try start(component) }
        }
    }

    /// The end of what the components wrote.
    private var logs: String {
        Component.allCases.map { component in
            let text = FileContents.text("\(directory)/\(component.rawValue)") ?? ""
            return "\(component.rawValue):\n\(text.split(separator: "\n").suffix(15).joined(separator: "\n"))"
        }.joined(separator: "\n")
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

/// Polls until `condition` holds. What fails for a moment, as calls to a server that was killed do, is tried again.
func eventually(
    _ what: String, within limit: Duration = .seconds(60), _ condition: @Sendable () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    var last = "it did not hold"
    while true {
        do { if try await condition() { return } } catch { last = "\(error)" }
        guard ContinuousClock.now < deadline else {
            throw TimedOut(description: "gave up waiting until \(what): \(last)")
        }
        try await Task.sleep(for: .milliseconds(50))
    }
}

struct TimedOut: Error, CustomStringConvertible {
    let description: String
}
