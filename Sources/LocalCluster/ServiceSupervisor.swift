import Addressing
import CLinux
import Glibc
import LinuxKit

/// Keeps the services of a machine running and reaps every process that ends; all on the calling thread.
struct ServiceSupervisor {
    /// The pause before a start after a failure: doubled each time, and forgotten after a run of `stableSeconds`.
    private static let firstPauseSeconds = 0.1
    private static let longestPauseSeconds = 5.0
    private static let stableSeconds = 10.0

    private struct Running {
        let service: MachineSpec.Service
        var pid: Int32?
        var restarts = 0
        var lastExit: Int32?
        var pauseSeconds = ServiceSupervisor.firstPauseSeconds
        var startedAt = 0.0
        /// When to start it next; infinite when it has ended for good.
        var due = 0.0
        var waiting: String?
        /// The next of the preparations, while these run.
        var preparation = 0
    }

    private let stateFile: String
    private var services: [Running]

    init(_ spec: MachineSpec) throws {
        stateFile = spec.stateFile
        services = spec.services.map { Running(service: $0) }
    }

    /// Runs until SIGTERM or SIGINT; then ends the services and returns.
    mutating func run() throws {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGCHLD, SIGTERM, SIGINT] { sigaddset(&signals, signal) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        save()  // says that the machine is on
        while true {
            var changed = reap()
            changed = startDue() || changed
            if changed { save() }
            let pause = min(max(nextDue() - Self.now(), 0.05), 1)
            let signal = clinux_wait_signal([SIGCHLD, SIGTERM, SIGINT], 3, Int(pause * 1000))
            if signal == SIGTERM || signal == SIGINT { break }
        }
        stop()
    }

    /// Asks all to end, waits a little, and leaves the rest to the kernel, which ends a PID namespace with its first
    /// process.
    private mutating func stop() {
        kill(-1, SIGTERM)
        let deadline = Self.now() + 3
        while Self.now() < deadline, services.contains(where: { $0.pid != nil }) {
            _ = reap()
            usleep(20_000)
        }
    }

    private mutating func reap() -> Bool {
        var changed = false
        var status: CInt = 0
        while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
            guard let index = services.firstIndex(where: { $0.pid == pid }) else { continue }
            ended(index, clinux_exit_code(status))
            changed = true
        }
        return changed
    }

    private mutating func ended(_ index: Int, _ code: Int32) {
        services[index].pid = nil
        services[index].lastExit = code
        let service = services[index].service
        let ran = Self.now() - services[index].startedAt
        if services[index].preparation < service.preparations.count, code == 0 {
            services[index].preparation += 1
            services[index].due = 0
            return
        }
        services[index].preparation = 0
        guard service.restart == .always || service.restart == .onFailure && code != 0 else {
            services[index].due = .infinity
            return
        }
        if ran > Self.stableSeconds { services[index].pauseSeconds = Self.firstPauseSeconds }
        services[index].restarts += 1
        services[index].due = Self.now() + services[index].pauseSeconds
        services[index].pauseSeconds = min(services[index].pauseSeconds * 2, Self.longestPauseSeconds)
        say(service, "\(service.name) ended with \(code); it is started again")
    }

    private mutating func startDue() -> Bool {
        var changed = false
        for index in services.indices where services[index].pid == nil && services[index].due <= Self.now() {
            if services[index].startedAt == 0,
                let unmet = services[index].service.conditions.first(where: { !Self.holds($0) })
            {
                changed = changed || services[index].waiting == nil
                services[index].waiting = "\(unmet)"
                services[index].due = Self.now() + 0.1
                continue
            }
            services[index].waiting = nil
            let service = services[index].service
            let preparing = services[index].preparation < service.preparations.count
            let arguments = preparing ? service.preparations[services[index].preparation] : service.arguments
            services[index].startedAt = Self.now()
            do throws(SyscallError) {
                services[index].pid = try start(arguments, service)
            } catch {
                say(service, "\(service.name): \(error)")
                ended(index, 127)
            }
            changed = true
        }
        return changed
    }

    private func start(_ arguments: [String], _ service: MachineSpec.Service) throws(SyscallError) -> Int32 {
        let log = try OwnedDescriptor(opening: service.log, O_WRONLY | O_CREAT | O_APPEND)
        let null = try OwnedDescriptor(opening: "/dev/null", O_RDONLY)
        var program = ProgramStart(arguments.first ?? "", arguments: arguments)
        program.environment = ["PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"]
            .merging(service.environment) { $1 }
        program.workingDirectory = "/"
        program.standardInput = null.number
        program.standardOutput = log.number
        program.standardError = log.number
        return try program.spawn()
    }

    private func nextDue() -> Double { services.filter { $0.pid == nil }.map(\.due).min() ?? .infinity }

    private func save() {
        let state = MachineState(
            services: services.map {
                .init(
                    name: $0.service.name, pid: $0.pid, restarts: $0.restarts, lastExit: $0.lastExit,
                    waiting: $0.waiting)
            })
        try? JSONFile.write(state, stateFile)  // for `fjord status` only; a full disk must not stop the machine
    }

    private func say(_ service: MachineSpec.Service, _ line: String) {
        guard let log = try? OwnedDescriptor(opening: service.log, O_WRONLY | O_CREAT | O_APPEND) else { return }
        try? log.write(Array("machine-init: \(line)\n".utf8))
    }

    private static func holds(_ condition: MachineSpec.Service.Condition) -> Bool {
        switch condition {
        case .file(let path): FileContents.exists(path)
        case .listening(let address, let port): IPv4Address(address).map { TCPProbe.isListening($0, port) } ?? false
        }
    }

    private static let origin = ContinuousClock.now - .seconds(1)

    /// Seconds since about the start, never 0.
    private static func now() -> Double { origin.duration(to: .now) / .seconds(1) }
}
