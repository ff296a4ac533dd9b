import Addressing
import Foundation
import Glibc
import LinuxKit
import Synchronization

/// Machines on one wire, each a network namespace, with etcd in one of them:
///
///     store 10.251.0.10 --+
///     a     10.251.0.1  --+-- bridge br0, in a namespace of its own
///     b     10.251.0.2  --+
///     …
///
/// Everything is gone when the bed is.
final class OverlayBed: Sendable {
    static let isPossible = geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/etcd")

    let directory: String
    private let prefix: String
    private let machines: [String]

    init(_ machines: [String]) throws {
        prefix = "overlay-\(getpid())-\(UInt16.random(in: 0...9999))"
        directory = FileManager.default.temporaryDirectory.path + "/\(prefix)"
        self.machines = ["store"] + machines
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let wire = namespace("wire")
        try wire.create()
        let wireSocket = try NetlinkSocket(in: wire)
        try wireSocket.createBridge("br0")
        let bridge = try wireSocket.requiredLink("br0")
        try wireSocket.setLink(bridge.index, up: true)
        for (number, machine) in self.machines.enumerated() {
            let space = namespace(machine)
            try space.create()
            try NetlinkSocket().createVeth(
                LinkPlace("port\(number)", in: wire), LinkPlace("eth0", in: space), mtu: 1500)
            let port = try wireSocket.requiredLink("port\(number)")
            try wireSocket.setLink(port.index, master: bridge.index)
            try wireSocket.setLink(port.index, up: true)
            let socket = try NetlinkSocket(in: space)
            try socket.setLink(try socket.requiredLink("lo").index, up: true)
            let link = try socket.requiredLink("eth0")
            try socket.addAddress(InterfaceAddress(interface: link.index, address: address(machine), prefixLength: 24))
            try socket.setLink(link.index, up: true)
        }
    }

    deinit {
        for machine in machines where FileContents.exists(subnetFile(machine)) {
            // What is pinned outlives the namespace.
            _ = try? run(machine, Self.overlayd, ["clean", "--subnet-file", subnetFile(machine)])
        }
        for machine in ["wire"] + machines { try? namespace(machine).delete() }
        try? FileManager.default.removeItem(atPath: directory)
    }

    func namespace(_ machine: String) -> NetworkNamespace { .named("\(prefix)-\(machine)") }

    func address(_ machine: String) -> IPv4Address {
        let number = machines.firstIndex(of: machine) ?? 0
        return IPv4Address(10, 251, 0, machine == "store" ? 10 : UInt8(number))
    }

    var endpoint: String { "http://\(address("store")):4001" }

    /// Starts a program on a machine.
    func start(_ machine: String, _ program: String, _ arguments: [String], environment: [String: String] = [:]) throws
        -> MachineProgram
    {
        try MachineProgram(
            namespace(machine), [program] + arguments, environment: environment,
            log:
                "\(directory)/\(machine)-\(program.split(separator: "/").last ?? "")-\(UInt32.random(in: 0...UInt32.max)).log"
        )
    }

    /// Runs a program on a machine to its end. Returns its exit code and what it printed.
    @discardableResult
    func run(_ machine: String, _ program: String, _ arguments: [String], environment: [String: String] = [:]) throws
        -> (code: Int32, output: String)
    {
        let started = try start(machine, program, arguments, environment: environment)
        let code = started.wait()
        return (code, started.output)
    }

    func startEtcd() throws -> MachineProgram {
        try start(
            "store", "/usr/bin/etcd",
            [
                "--data-dir", "\(directory)/etcd", "--listen-client-urls", "http://0.0.0.0:4001",
                "--advertise-client-urls", endpoint,
                "--listen-peer-urls", "http://127.0.0.1:2380",
            ], environment: ["ETCD_UNSUPPORTED_ARCH": "arm64"])
    }

    func etcdctl(_ arguments: String...) throws -> String {
        try run("store", "/usr/bin/etcdctl", ["--endpoints", endpoint] + arguments, environment: ["ETCDCTL_API": "3"])
            .output
    }

    func subnetFile(_ machine: String) -> String { "\(directory)/\(machine)/subnet.env" }

    func startOverlayd(_ machine: String, _ arguments: String...) throws -> MachineProgram {
        try start(
            machine, Self.overlayd,
            ["--etcd-endpoints=\(endpoint)", "--subnet-file=\(subnetFile(machine))"] + arguments)
    }

    /// The program built beside this test.
    static let overlayd: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().path + "/overlayd"
    }()

    /// The node's subnet as the subnet file has it, without the host part.
    func subnet(_ machine: String) -> IPv4Prefix? {
        guard let text = FileContents.text(subnetFile(machine)) else { return nil }
        return text.split(separator: "\n").first { $0.hasPrefix("FLANNEL_SUBNET=") }.flatMap {
            IPv4Prefix($0.dropFirst(15))
        }
    }

    /// Whether one ping from machine to machine's overlay address comes back within a second.
    func pings(_ machine: String, _ target: IPv4Address) throws -> Bool {
        try run(machine, "ping", ["-c", "1", "-W", "1", "-n", "\(target)"]).code == 0
    }
}

/// A program inside a namespace, killed when the test lets go of it.
///
/// Waited for by polling `waitpid` for this child alone, and never without an end.
final class MachineProgram: Sendable {
    /// The process: `nsenter` becomes the program, so the id is the program's own.
    let pid: Int32
    private let log: String
    /// The wait status once the child is reaped; a signal is sent only before, so that it cannot hit another process.
    private let ended = Mutex<Int32?>(nil)

    init(_ namespace: NetworkNamespace, _ command: [String], environment: [String: String], log: String) throws {
        self.log = log
        let output = try OwnedDescriptor(opening: log, O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        let input = try OwnedDescriptor(opening: "/dev/null", O_RDONLY)
        var start = ProgramStart(
            "/usr/bin/nsenter", arguments: ["nsenter", "--net=\(namespace.path)"] + command)
        start.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        start.standardInput = input.number
        start.standardOutput = output.number
        start.standardError = output.number
        pid = try start.spawn()
    }

    var output: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }
    var isRunning: Bool { waitStatus == nil }

    private var waitStatus: Int32? {
        ended.withLock { ended in
            var status: Int32 = 0
            if ended == nil, waitpid(pid, &status, WNOHANG) != 0 { ended = status }
            return ended
        }
    }

    /// Waits for the end, which is brought about after a minute. Returns the exit code, or minus the number of the
    /// signal that ended the program.
    func wait() -> Int32 {
        for _ in 0..<30_000 where isRunning { usleep(2000) }
        signal(SIGKILL)
        while true {
            if let status = waitStatus { return status & 0x7F == 0 ? status >> 8 & 0xFF : -(status & 0x7F) }
            usleep(1000)
        }
    }

    /// Sends a signal, if the program is still there.
    func signal(_ signal: CInt) {
        ended.withLock { if $0 == nil { _ = Glibc.kill(pid, signal) } }
    }

    /// Sends a signal that ends the program, and waits for that.
    func kill(_ number: CInt = SIGKILL) {
        signal(number)
        _ = wait()
    }

    deinit { kill() }
}

struct DeadlinePassed: Error, CustomStringConvertible {
    let description: String
}

/// Asks again until `condition` holds; fails with what `context` says after half a minute.
func eventually(_ what: String, context: () -> String = { "" }, _ condition: () throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(30)
    while try !condition() {
        guard ContinuousClock.now < deadline else {
            throw DeadlinePassed(description: "not within 30 s: \(what)\n\(context())")
        }
        try await Task.sleep(for: .milliseconds(50))
    }
}
