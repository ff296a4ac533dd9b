import HTTPTransport
import HTTPTypes
import KubeAPI
import KubeSchema
import Logging
import NIOCore

/// The kubelet's own HTTP interface: logs, exec, attach, port forwarding, health and metrics.
struct KubeletServer: HTTPHandler {
    let context: KubeletContext
    let manager: PodManager
    let health: NodeHealth
    let meter: NodeMeter
    /// Whether callers must show a certificate of the cluster's authority.
    let requiresCertificate: Bool

    /// An answer other than success.
    private struct Refusal: Error {
        let status: HTTPResponse.Status, message: String
    }

    func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
        do {
            let query = RequestQuery.parse(request.query)
            guard let asked = try KubeletRequest(path: request.path, query: query) else {
                throw Refusal(status: .notFound, message: "404 page not found")
            }
            if requiresCertificate, request.peer == nil, asked != .health {
                throw Refusal(status: .unauthorized, message: "Unauthorized: a client certificate is required")
            }
            switch asked {
            case .health: respondHealth(writer)
            case .metrics: await respondMetrics(writer)
            case .resourceMetrics:
                let text = try await meter.measure().resourceMetrics
                respond(writer, .ok, "text/plain; version=0.0.4", Array(text.utf8))
            case .summary:
                respond(writer, .ok, "application/json", try await meter.measure().summary.encoded())
            case .pods:
                let list: JSON = [
                    "kind": "PodList", "apiVersion": "v1", "metadata": [:], "items": .array(manager.documents),
                ]
                respond(writer, .ok, "application/json", list.encoded())
            case .logs(let target):
                let options = try ContainerLogOptions(query: query, now: context.time.now)
                try await serveLogs(target, options, writer)
            case .run(let target, let command):
                let container = try await running(target)
                let (code, output) = try await context.runtime.execSync(container.id, command, timeout: .seconds(60))
                guard code == 0 else {
                    throw Refusal(
                        status: .internalServerError,
                        message: "command exited with \(code)\n" + String(decoding: output, as: UTF8.self))
                }
                respond(writer, .ok, "text/plain", output)
            case .exec(let target, let command, let streams):
                let container = try await running(target)
                try await tunnel(
                    request, writer, to: try await context.runtime.execLocation(container.id, command, streams))
            case .attach(let target, let streams):
                let container = try await running(target)
                try await tunnel(request, writer, to: try await context.runtime.attachLocation(container.id, streams))
            case .portForward(let namespace, let pod, let ports):
                let observed = await try worker(namespace, pod).observed
                guard let sandbox = observed.sandbox else {
                    throw Refusal(status: .notFound, message: "pod \(pod) does not run")
                }
                try await tunnel(
                    request, writer,
                    to: try await context.runtime.portForwardLocation(sandbox: sandbox.id, ports: ports))
            }
        } catch let error as Refusal {
            respond(writer, error.status, "text/plain", Array((error.message + "\n").utf8))
        } catch let error as BadRequest {
            respond(writer, .badRequest, "text/plain", Array("\(error)\n".utf8))
        } catch let error as RuntimeError {
            let status: HTTPResponse.Status = error.isNotFound ? .notFound : .internalServerError
            respond(writer, status, "text/plain", Array("\(error)\n".utf8))
        }
    }

    private func respond(
        _ writer: HTTPResponseWriter, _ status: HTTPResponse.Status, _ contentType: String, _ body: [UInt8]
    ) {
        writer.respond(
            HTTPResponse(status: status, headerFields: [.contentType: contentType]), body: ByteBuffer(bytes: body))
    }

    private func respondHealth(_ writer: HTTPResponseWriter) {
        if let problem = health.runtimeProblem {
            respond(writer, .internalServerError, "text/plain", Array("container runtime: \(problem)\n".utf8))
        } else {
            respond(writer, .ok, "text/plain", Array("ok".utf8))
        }
    }

    // MARK: Finding containers

    private func worker(_ namespace: String, _ pod: String) throws -> PodWorker {
        guard let worker = manager.worker(namespace: namespace, name: pod) else {
            throw Refusal(
                status: .notFound, message: "pod \"\(pod)\" not found in namespace \"\(namespace)\" of this node")
        }
        return worker
    }

    private func running(_ target: KubeletRequest.Target) async throws -> ObservedContainer {
        let observed = await try worker(target.namespace, target.pod).observed
        guard let container = observed.container(target.container), container.state == .running else {
            throw Refusal(
                status: .notFound, message: "container \"\(target.container)\" of pod \"\(target.pod)\" does not run")
        }
        return container
    }

    // MARK: Logs

    private func serveLogs(
        _ target: KubeletRequest.Target, _ options: ContainerLogOptions, _ writer: HTTPResponseWriter
    ) async throws {
        let worker = try worker(target.namespace, target.pod)
        let observed = await worker.observed
        let ofThisName = observed.containers.filter { $0.name == target.container }
        guard let container = options.wantsPrevious ? ofThisName.dropFirst().first : ofThisName.first else {
            if options.wantsPrevious {
                throw Refusal(
                    status: .badRequest,
                    message:
                        "previous terminated container \"\(target.container)\" in pod \"\(target.pod)\" not found")
            }
            guard let pod = await worker.desired,
                (pod.containers + pod.initContainers).contains(where: { $0.name == target.container })
            else {
                throw Refusal(
                    status: .badRequest,
                    message: "container \(target.container) is not valid for pod \(target.pod)")
            }
            let reason = await worker.waiting[target.container]?.reason ?? "ContainerCreating"
            throw Refusal(
                status: .badRequest,
                message:
                    "container \"\(target.container)\" in pod \"\(target.pod)\" is waiting to start: \(reason)")
        }
        var reader = ContainerLogReader(path: container.logPath, options: options)
        var piece: [UInt8]?
        do {
            piece = try reader.next()
        } catch {
            throw Refusal(status: .internalServerError, message: "\(error)")
        }
        try await writer.begin(HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"]))
        if options.follows { writer.markLongRunning() }
        var hasEnded = false
        while !Task.isCancelled {
            if let bytes = piece {
                try await writer.write(ByteBuffer(bytes: bytes))
            } else {
                // What it wrote last may have come after the look at the file, so one more look after the end.
                if !options.follows || hasEnded || reader.isExhausted { break }
                hasEnded = await !worker.observed.containers.contains { $0.id == container.id && $0.state == .running }
                if !hasEnded { try await context.time.sleep(for: .milliseconds(150)) }
            }
            piece = try reader.next()
        }
        try await writer.end()
    }

    // MARK: Streams

    private static let passedOn: [HTTPField.Name] = [
        .connection, .upgrade, .secWebSocketKey, .secWebSocketVersion, .secWebSocketProtocol, .secWebSocketExtensions,
        .origin,
    ]
    private static let streamProtocol = HTTPField.Name("X-Stream-Protocol-Version")

    /// Makes the runtime's streaming server the other end of the caller's connection.
    private func tunnel(_ request: HTTPServerRequest, _ writer: HTTPResponseWriter, to location: String) async throws {
        guard request.isUpgrade else {
            throw Refusal(status: .badRequest, message: "Upgrade request required")
        }
        guard let (host, port, path) = Self.split(location) else {
            throw Refusal(
                status: .internalServerError, message: "the runtime answered \"\(location)\", which is no http URL")
        }
        var fields = HTTPFields()
        for name in Self.passedOn + [Self.streamProtocol].compactMap({ $0 }) {
            for value in request.head.headerFields[values: name] { fields.append(HTTPField(name: name, value: value)) }
        }
        let onward = HTTPRequest(
            method: request.head.method, scheme: "http", authority: "\(host):\(port)", path: path, headerFields: fields)
        let exchange: HTTPClientExchange
        do {
            exchange = try await HTTPClientExchange.send(onward, host: host, port: port)
        } catch {
            throw Refusal(status: .badGateway, message: "the runtime's streaming server: \(error)")
        }
        guard exchange.response.status == .switchingProtocols else {
            let body = try await exchange.collect(upTo: 65_536)
            writer.respond(exchange.response, body: ByteBuffer(bytes: body))
            return
        }
        let caller = try await writer.upgrade(exchange.response)
        await ByteTunnel.relay(caller, exchange.tunnel)
    }

    /// Takes `http://host:port/path` apart.
    static func split(_ location: String) -> (host: String, port: Int, path: String)? {
        guard location.hasPrefix("http://") else { return nil }
        let rest = location.dropFirst(7)
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        guard let colon = rest[..<slash].lastIndex(of: ":"), let port = Int(rest[rest.index(after: colon)..<slash])
        else {
            return nil
        }
        let host = rest[..<colon].filter { $0 != "[" && $0 != "]" }
        return (host, port, slash == rest.endIndex ? "/" : String(rest[slash...]))
    }

    // MARK: Metrics

    private func respondMetrics(_ writer: HTTPResponseWriter) async {
        let statistics = (try? await context.runtime.statistics()) ?? []
        respond(
            writer, .ok, "text/plain; version=0.0.4",
            Array(Self.metrics(statistics, pods: manager.documents.count).utf8))
    }

    /// The Prometheus text format.
    static func metrics(_ statistics: [CRIContainerStats], pods: Int) -> String {
        var text = """
            # HELP kubelet_running_pods Number of pods bound to this node.
            # TYPE kubelet_running_pods gauge
            kubelet_running_pods \(pods)
            # HELP kubelet_running_containers Number of containers that run.
            # TYPE kubelet_running_containers gauge
            kubelet_running_containers{container_state="running"} \(statistics.count)

            """
        func series(_ name: String, _ help: String, _ type: String, _ value: (CRIContainerStats) -> String) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
            for entry in statistics {
                let labels = entry.attributes.labels
                let parts = [
                    ("container", labels[Labels.containerName]), ("namespace", labels[Labels.podNamespace]),
                    ("pod", labels[Labels.podName]),
                ].map { "\($0)=\"\($1 ?? "")\"" }
                text += "\(name){\(parts.joined(separator: ","))} \(value(entry))\n"
            }
        }
        series("container_cpu_usage_seconds_total", "CPU time used by the container.", "counter") {
            String(Double($0.cpu.usageCoreNanoSeconds.value) / 1e9)
        }
        series("container_memory_working_set_bytes", "Memory that the container cannot do without.", "gauge") {
            String($0.memory.workingSetBytes.value)
        }
        return text
    }
}
