package import GRPCCore
import GRPCProtobuf
package import GRPCTransport
package import Logging
package import ServiceLifecycle
import SwiftProtobuf

/// A call that the container runtime refused or that did not reach it.
package struct RuntimeError: Error, Equatable, CustomStringConvertible {
    package let call: String
    /// Whether the runtime is away rather than unwilling: worth the same try again.
    package let isUnavailable: Bool
    package let isNotFound: Bool
    package let message: String

    package var description: String { "\(call): \(message)" }
}

/// The container runtime over its CRI socket. `run()` keeps the connection; calls before it wait.
package final class RuntimeClient: Service {
    private let client: GRPCClient<GRPCClientTransport>
    private let runtime: CRIRuntimeService.Client<GRPCClientTransport>
    private let images: CRIImageService.Client<GRPCClientTransport>

    /// - Parameter socket: The path of the runtime's socket, or `unix://` and that.
    package init(socket: String, logger: Logger) {
        let path = socket.hasPrefix("unix://") ? String(socket.dropFirst(7)) : socket
        var configuration = GRPCTransportConfiguration()
        configuration.maximumBackoff = .seconds(1)  // the runtime is on this machine
        var logger = logger
        logger[metadataKey: "runtime"] = "\(path)"
        client = GRPCClient(
            transport: GRPCClientTransport([.unix(path)], configuration: configuration, logger: logger))
        runtime = CRIRuntimeService.Client(wrapping: client)
        images = CRIImageService.Client(wrapping: client)
    }

    package func run() async throws {
        await withTaskCancellationOrGracefulShutdownHandler {
            try? await self.client.runConnections()
        } onCancelOrGracefulShutdown: {
            self.client.beginGracefulShutdown()
        }
    }

    /// Makes one call with a time limit and turns what went wrong into a `RuntimeError`.
    private func call<T: Sendable>(
        _ name: String, within limit: Duration = .seconds(30),
        _ body: @Sendable (CallOptions) async throws -> T
    ) async throws(RuntimeError) -> T {
        var options = CallOptions.defaults
        options.timeout = limit
        do {
            return try await body(options)
        } catch let error as RPCError {
            throw RuntimeError(
                call: name, isUnavailable: error.code == .unavailable || error.code == .cancelled,
                isNotFound: error.code == .notFound, message: error.message)
        } catch {
            throw RuntimeError(
                call: name, isUnavailable: error is CancellationError, isNotFound: false, message: "\(error)")
        }
    }
}

// MARK: - The runtime itself

extension RuntimeClient {
    /// Name and version, such as `containerd`, `1.6.20`.
    package func version() async throws(RuntimeError) -> (name: String, version: String) {
        let answer = try await call("Version", within: .seconds(5)) { options in
            try await self.runtime.version(CRIVersionRequest(), options: options)
        }
        return (answer.runtimeName, answer.runtimeVersion)
    }

    /// The reasons why the runtime cannot start pods now; none when it can.
    func problems() async throws(RuntimeError) -> [(condition: String, message: String)] {
        let answer = try await call("Status", within: .seconds(5)) { options in
            try await self.runtime.status(CRIStatusRequest(), options: options)
        }
        return answer.status.conditions.filter { !$0.status }.map {
            ($0.type, $0.message.isEmpty ? $0.reason : $0.message)
        }
    }
}

// MARK: - Sandboxes

extension RuntimeClient {
    func sandboxes(podUID: String? = nil) async throws(RuntimeError) -> [CRIPodSandbox] {
        try await call("ListPodSandbox") { options in
            try await self.runtime.listPodSandbox(
                .with { $0.filter.labelSelector = Labels.selector(podUID: podUID) }, options: options
            ).items
        }
    }

    func sandboxStatus(_ id: String) async throws(RuntimeError) -> CRIPodSandboxStatus {
        try await call("PodSandboxStatus") { options in
            try await self.runtime.podSandboxStatus(.with { $0.podSandboxID = id }, options: options).status
        }
    }

    /// Makes and starts a sandbox, its network included, and returns its id.
    func runSandbox(_ config: CRIPodSandboxConfig) async throws(RuntimeError) -> String {
        try await call("RunPodSandbox", within: .seconds(240)) { options in
            try await self.runtime.runPodSandbox(.with { $0.config = config }, options: options).podSandboxID
        }
    }

    func stopSandbox(_ id: String) async throws(RuntimeError) {
        _ = try await call("StopPodSandbox", within: .seconds(120)) { options in
            try await self.runtime.stopPodSandbox(.with { $0.podSandboxID = id }, options: options)
        }
    }

    func removeSandbox(_ id: String) async throws(RuntimeError) {
        _ = try await call("RemovePodSandbox", within: .seconds(60)) { options in
            try await self.runtime.removePodSandbox(.with { $0.podSandboxID = id }, options: options)
        }
    }
}

// MARK: - Containers

extension RuntimeClient {
    func containers(podUID: String? = nil) async throws(RuntimeError) -> [CRIContainer] {
        try await call("ListContainers") { options in
            try await self.runtime.listContainers(
                .with { $0.filter.labelSelector = Labels.selector(podUID: podUID) }, options: options
            ).containers
        }
    }

    func containerStatus(_ id: String) async throws(RuntimeError) -> CRIContainerStatus {
        try await call("ContainerStatus") { options in
            try await self.runtime.containerStatus(.with { $0.containerID = id }, options: options).status
        }
    }

    func createContainer(
        _ config: CRIContainerConfig, in sandbox: String, _ sandboxConfig: CRIPodSandboxConfig
    ) async throws(RuntimeError) -> String {
        try await call("CreateContainer", within: .seconds(120)) { options in
            try await self.runtime.createContainer(
                .with {
                    $0.podSandboxID = sandbox
                    $0.config = config
                    $0.sandboxConfig = sandboxConfig
                }, options: options
            ).containerID
        }
    }

    func startContainer(_ id: String) async throws(RuntimeError) {
        _ = try await call("StartContainer", within: .seconds(120)) { options in
            try await self.runtime.startContainer(.with { $0.containerID = id }, options: options)
        }
    }

    /// Asks the container to end, waits for `grace` seconds and kills it. Returns when it has ended.
    func stopContainer(_ id: String, grace: Int64) async throws(RuntimeError) {
        _ = try await call("StopContainer", within: .seconds(grace + 60)) { options in
            try await self.runtime.stopContainer(
                .with {
                    $0.containerID = id
                    $0.timeout = grace
                }, options: options)
        }
    }

    func removeContainer(_ id: String) async throws(RuntimeError) {
        _ = try await call("RemoveContainer", within: .seconds(60)) { options in
            try await self.runtime.removeContainer(.with { $0.containerID = id }, options: options)
        }
    }

    func reopenLog(_ id: String) async throws(RuntimeError) {
        _ = try await call("ReopenContainerLog") { options in
            try await self.runtime.reopenContainerLog(.with { $0.containerID = id }, options: options)
        }
    }

    /// Runs `command` in the container and returns its exit code and what it wrote.
    func execSync(
        _ id: String, _ command: [String], timeout: Duration
    ) async throws(RuntimeError) -> (exitCode: Int32, output: [UInt8]) {
        let answer = try await call("ExecSync", within: timeout + .seconds(5)) { options in
            try await self.runtime.execSync(
                .with {
                    $0.containerID = id
                    $0.cmd = command
                    $0.timeout = max(1, timeout.components.seconds)
                }, options: options)
        }
        return (answer.exitCode, [UInt8](answer.stdout) + [UInt8](answer.stderr))
    }

    func statistics() async throws(RuntimeError) -> [CRIContainerStats] {
        try await call("ListContainerStats") { options in
            try await self.runtime.listContainerStats(CRIListContainerStatsRequest(), options: options).stats
        }
    }
}

// MARK: - Streams

/// Which of a process's streams a client wants.
package struct StreamOptions: Sendable, Equatable {
    package var stdin = false, stdout = false, stderr = false, tty = false
    package init() {}
}

extension RuntimeClient {
    /// Returns the URL at which the runtime serves one session of `command`.
    func execLocation(
        _ id: String, _ command: [String], _ streams: StreamOptions
    ) async throws(RuntimeError) -> String {
        try await call("Exec") { options in
            try await self.runtime.exec(
                .with {
                    $0.containerID = id
                    $0.cmd = command
                    $0.stdin = streams.stdin
                    $0.stdout = streams.stdout
                    $0.stderr = streams.stderr
                    $0.tty = streams.tty
                }, options: options
            ).url
        }
    }

    func attachLocation(_ id: String, _ streams: StreamOptions) async throws(RuntimeError) -> String {
        try await call("Attach") { options in
            try await self.runtime.attach(
                .with {
                    $0.containerID = id
                    $0.stdin = streams.stdin
                    $0.stdout = streams.stdout
                    $0.stderr = streams.stderr
                    $0.tty = streams.tty
                }, options: options
            ).url
        }
    }

    func portForwardLocation(sandbox: String, ports: [Int32]) async throws(RuntimeError) -> String {
        try await call("PortForward") { options in
            try await self.runtime.portForward(
                .with {
                    $0.podSandboxID = sandbox
                    $0.port = ports
                }, options: options
            ).url
        }
    }
}

// MARK: - Images

extension RuntimeClient {
    /// The image's id and its user, if it is there.
    func image(_ name: String) async throws(RuntimeError) -> CRIImage? {
        try await call("ImageStatus") { options in
            let answer = try await self.images.imageStatus(.with { $0.image.image = name }, options: options)
            return answer.hasImage ? answer.image : nil
        }
    }

    func listImages() async throws(RuntimeError) -> [CRIImage] {
        try await call("ListImages") { options in
            try await self.images.listImages(CRIListImagesRequest(), options: options).images
        }
    }

    /// Pulls and returns the image's id. With several credentials, each is tried until one is let in.
    func pullImage(
        _ name: String, credentials: CRIAuthConfig?, for sandbox: CRIPodSandboxConfig
    ) async throws(RuntimeError) -> String {
        try await call("PullImage", within: .seconds(1800)) { options in
            try await self.images.pullImage(
                .with {
                    $0.image.image = name
                    if let credentials { $0.auth = credentials }
                    $0.sandboxConfig = sandbox
                }, options: options
            ).imageRef
        }
    }
}
