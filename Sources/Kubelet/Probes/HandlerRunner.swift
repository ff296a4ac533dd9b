import KubeAPI
import KubeSchema
import LinuxKit
import NIOCore
import NIOPosix
import NIOSSL

/// Runs what a probe or a life-cycle hook asks for.
struct HandlerRunner: Sendable {
    let context: KubeletContext

    /// Runs `handler` and returns what was wrong with the outcome; `nil` when it succeeded.
    ///
    /// - Parameter specification: Resolves port names; `nil` where there are none to resolve.
    func run(
        _ handler: ContainerSpecification.Handler, container: String, pod: DesiredPod,
        specification: ContainerSpecification?, podIP: String, timeout: Duration
    ) async -> String? {
        switch handler {
        case .exec(let command):
            do {
                let (code, output) = try await context.runtime.execSync(container, command, timeout: timeout)
                if code == 0 { return nil }
                let text = String(decoding: output.prefix(1024), as: UTF8.self)
                return text.isEmpty ? "command exited with \(code)" : text
            } catch {
                return error.message
            }
        case .tcpSocket(let host, let port):
            guard let number = portNumber(port, specification, pod) else { return "no port \(port)" }
            return await HTTPProbe.connect(host: host.isEmpty ? podIP : host, port: number, timeout: timeout)
        case .httpGet(let scheme, let host, let port, let path, let headers):
            guard let number = portNumber(port, specification, pod) else { return "no port \(port)" }
            return await HTTPProbe.get(
                host: host.isEmpty ? podIP : host, port: number, path: path, headers: headers,
                isSecure: scheme == "HTTPS", timeout: timeout)
        case .sleep(let seconds):
            try? await context.time.sleep(for: .seconds(seconds))
            return nil
        }
    }

    private func portNumber(_ port: String, _ specification: ContainerSpecification?, _ pod: DesiredPod) -> Int? {
        specification?.portNumber(port) ?? Int(port)
            ?? pod.containers.lazy.compactMap { $0.portNumber(port) }.first
    }
}

/// Connections and requests of probes: from the node to the pod, one at a time, no keep-alive.
enum HTTPProbe {
    private struct TimedOut: Error {}

    static func connect(host: String, port: Int, timeout: Duration) async -> String? {
        do {
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(amount(timeout)).connect(host: host, port: port).get()
            channel.close(promise: nil)
            return nil
        } catch {
            return "dial tcp \(host):\(port): \(describe(error))"
        }
    }

    /// Sends a GET; an answer from 200 to 399 is success.
    static func get(
        host: String, port: Int, path: String, headers: [[String]], isSecure: Bool, timeout: Duration
    ) async -> String? {
        var request = "GET \(path.hasPrefix("/") ? path : "/" + path) HTTP/1.1\r\n"
        var names: Set<String> = []
        for header in headers where header.count == 2 {
            request += "\(header[0]): \(header[1])\r\n"
            names.insert(header[0].lowercased())
        }
        if !names.contains("host") { request += "Host: \(host):\(port)\r\n" }
        if !names.contains("user-agent") { request += "User-Agent: kube-probe/1\r\n" }
        if !names.contains("accept") { request += "Accept: */*\r\n" }
        request += "Connection: close\r\n\r\n"
        do {
            let request = request
            let status = try await withThrowingTaskGroup(of: Int?.self) { group in
                group.addTask { try await exchange(host, port, request, isSecure, timeout) }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    throw TimedOut()
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
            guard let status else { return "Get \"\(host):\(port)\(path)\": the answer is no HTTP" }
            return (200..<400).contains(status) ? nil : "HTTP probe failed with statuscode: \(status)"
        } catch is TimedOut {
            return "Get \"\(host):\(port)\(path)\": no answer within \(timeout.components.seconds) s"
        } catch {
            return "Get \"\(host):\(port)\(path)\": \(describe(error))"
        }
    }

    /// Sends `request` and returns the status code of the first line that comes back.
    private static func exchange(
        _ host: String, _ port: Int, _ request: String, _ isSecure: Bool, _ timeout: Duration
    ) async throws -> Int? {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(amount(timeout))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if isSecure {
                        // Probes ask whether something answers, not who: certificates of pods are rarely for addresses.
                        var tls = TLSConfiguration.makeClientConfiguration()
                        tls.certificateVerification = .none
                        try channel.pipeline.syncOperations.addHandler(
                            NIOSSLClientHandler(context: NIOSSLContext(configuration: tls), serverHostname: nil))
                    }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: request))
            var head: [UInt8] = []
            for try await piece in inbound {
                head += piece.readableBytesView
                if let end = head.firstIndex(of: 0x0a) {
                    let parts = String(decoding: head[..<end], as: UTF8.self).split(separator: " ")
                    return parts.count > 1 && parts[0].hasPrefix("HTTP/") ? Int(parts[1]) : nil
                }
                if head.count > 65_536 { return nil }
            }
            return nil
        }
    }

    private static func amount(_ duration: Duration) -> TimeAmount {
        .nanoseconds(duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000)
    }

    private static func describe(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError {
            return error.connectionErrors.first.map { "\($0.error)" } ?? "\(error)"
        }
        return "\(error)"
    }
}
