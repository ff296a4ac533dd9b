import Glibc
package import KubeAPI
import LinuxKit
package import Logging
import NIOCore
import NIOPosix
package import ServiceLifecycle

/// Runs containerd as a child, starts it again when it dies, and leaves it to a later kubelet when this one is killed.
///
/// Pods do not depend on containerd: their shims are no children of it. An orderly stop of the kubelet ends containerd
/// and leaves pods running; the next one starts it and finds them.
package final class ContainerdSupervisor: ServiceLifecycle.Service {
    private let configuration: ContainerdConfiguration
    private let directory: String
    private let time: any TimeSource
    private let logger: Logger

    /// - Parameter directory: Where the configuration, the log and the process id are kept.
    package init(
        configuration: ContainerdConfiguration, directory: String, time: any TimeSource = SystemTime(), logger: Logger
    ) {
        self.configuration = configuration
        self.directory = directory
        self.time = time
        self.logger = logger
    }

    private var configurationFile: String { directory + "/containerd.toml" }
    private var processFile: String { directory + "/containerd.pid" }
    private var logFile: String { directory + "/containerd.log" }

    /// Whether it falls to this kubelet to run a containerd: none answers at the usual socket, or it is one that an
    /// earlier kubelet left behind.
    package func isNeeded() async throws -> Bool {
        if adopted() != nil { return true }
        guard FileContents.exists(configuration.socket) else { return true }
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(unixDomainSocketPath: configuration.socket).get()
            try await channel.close()
            logger.info("using the containerd that answers at \(configuration.socket)")
            return false
        } catch {
            return true
        }
    }

    package func run() async throws {
        try FileContents.makeDirectories(directory)
        try FileContents.makeDirectories(configuration.root)
        try FileContents.makeDirectories(configuration.state)
        try FileContents.makeDirectories(configuration.cniConfigurationDirectory)  // it watches this from the start
        try FileContents.replace(configurationFile, with: Array(configuration.toml.utf8))
        await cancelWhenGracefulShutdown { await self.supervise() }
    }

    private func supervise() async {
        var process = adopted()
        if let process { logger.info("containerd \(process) of an earlier kubelet is still running") }
        var isChild = false
        var pause: Duration = .milliseconds(200)
        while !Task.isCancelled {
            if process == nil {
                do throws(SyscallError) {
                    let started = try start()
                    logger.info("started containerd \(started); its log is \(logFile)")
                    process = started
                    isChild = true
                } catch {
                    logger.error("\(error): install containerd, or give --container-runtime-endpoint")
                    try? await time.sleep(for: .seconds(5))
                    continue
                }
            }
            let began = time.uptime
            while let running = process, !Task.isCancelled {
                if hasEnded(running, isChild: isChild) {
                    logger.error("containerd \(running) has ended; starting it again (see \(logFile))")
                    process = nil
                } else {
                    try? await time.sleep(for: .milliseconds(100))
                }
            }
            pause = time.uptime - began > .seconds(10) ? .milliseconds(200) : min(pause * 2, .seconds(5))
            if process == nil { try? await time.sleep(for: pause) }
        }
        if let process { await stop(process, isChild: isChild) }
    }

    /// The containerd that a killed kubelet left behind, if it still runs with our configuration.
    private func adopted() -> Int32? {
        guard let process = FileContents.text(processFile).flatMap({ Int32($0) }), process > 1,
            let arguments = try? FileContents.read("/proc/\(process)/cmdline"),
            String(decoding: arguments, as: UTF8.self).contains(configurationFile)
        else { return nil }
        return process
    }

    private func start() throws(SyscallError) -> Int32 {
        // To a file: a pipe would break, and end containerd, with the process that reads it.
        let log = try OwnedDescriptor(opening: logFile, O_WRONLY | O_CREAT | O_APPEND, mode: 0o640)
        let input = try OwnedDescriptor(opening: "/dev/null", O_RDONLY)
        var program = ProgramStart("containerd", arguments: ["containerd", "--config", configurationFile])
        program.standardInput = input.number
        program.standardOutput = log.number
        program.standardError = log.number
        // NIO's sockets are not close-on-exec: containerd, and through it every container, would hold the kubelet's port.
        for number in DirectoryListing.names(in: "/proc/self/fd").compactMap({ CInt($0) }) where number > 2 {
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
        }
        let process = try program.spawn()
        try FileContents.replace(processFile, with: Array("\(process)\n".utf8))
        return process
    }

    private func hasEnded(_ process: Int32, isChild: Bool) -> Bool {
        if isChild {
            var status: CInt = 0
            return waitpid(process, &status, WNOHANG) != 0
        }
        return Glibc.kill(process, 0) != 0 || ProcessStatus(process)?.state == "Z"
    }

    private func stop(_ process: Int32, isChild: Bool) async {
        _ = Glibc.kill(process, SIGTERM)
        // Not cancellable: this is the end of an orderly stop.
        for _ in 0..<50 {
            if hasEnded(process, isChild: isChild) { return }
            await Task { try? await Task.sleep(for: .milliseconds(100)) }.value
        }
        _ = Glibc.kill(process, SIGKILL)
        if isChild { waitpid(process, nil, 0) }
    }
}
