import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore

/// What a pod's kubelet answers: logs, and the byte streams of exec, attach and port-forward.
extension APIEngine {
    typealias Destination = KubeletDestination

    /// Finds the pod's kubelet and the container that is meant.
    private func destination(_ request: APIRequest, needsContainer: Bool) async throws(APIFailure) -> Destination {
        let name = try request.requireName()
        let pod = try await registry.get(request.definition, request.namespace, name)
        guard let nodeName = pod.document["spec", "nodeName"]?.string, !nodeName.isEmpty else {
            throw APIFailure(.badRequest, "pod \(name) does not have a host assigned")
        }
        var container = request.query["container"] ?? ""
        if needsContainer {
            let spec = pod.document["spec"] ?? [:]
            let containers = (spec["containers"]?.array ?? []).compactMap { $0["name"]?.string }
            let others = ((spec["initContainers"]?.array ?? []) + (spec["ephemeralContainers"]?.array ?? [])).compactMap
            { $0["name"]?.string }
            if container.isEmpty {
                guard containers.count == 1 else {
                    throw APIFailure(
                        .badRequest,
                        "a container name must be specified for pod \(name), choose one of: [\(containers.joined(separator: " "))]"
                    )
                }
                container = containers[0]
            } else if !(containers + others).contains(container) {
                throw APIFailure(.badRequest, "container \(container) is not valid for pod \(name)")
            }
        }
        guard let nodes = catalogue.resource(group: "", version: "v1", resource: "nodes") else { throw .unknownPath() }
        let node = try await registry.get(nodes, nil, nodeName, fromCache: true)
        let (host, port) = configuration.kubelet.endpoint(of: node.document)
        return Destination(pod: pod, host: host, port: port, container: container)
    }

    private static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }

    private static func query(_ items: [(String, String)]) -> String {
        items.isEmpty ? "" : "?" + items.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
    }

    func unreachable(_ destination: Destination, _ error: any Error) -> APIFailure {
        APIFailure(
            StatusDocument.failure(
                code: 503, reason: .serviceUnavailable,
                message: "the kubelet of node \(destination.pod.document["spec", "nodeName"]?.string ?? "") at "
                    + "\(destination.host):\(destination.port) cannot be reached: \(error)"))
    }

    /// Streams a container's log as the kubelet sends it.
    func log(_ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let destination = try await destination(request, needsContainer: true)
        let taken = ["follow", "previous", "tailLines", "sinceSeconds", "sinceTime", "timestamps", "limitBytes"]
        let items = request.query.items.filter { taken.contains($0.name) }.map { ($0.name, $0.value) }
        let path =
            "/containerLogs/\(destination.pod.namespace)/\(destination.pod.name)/\(destination.container)"
            + Self.query(items)
        let exchange: HTTPClientExchange
        do {
            exchange = try await HTTPClientExchange.send(
                HTTPRequest(method: .get, scheme: nil, authority: nil, path: path), host: destination.host,
                port: destination.port,
                tls: configuration.kubelet.tls)
        } catch {
            throw unreachable(destination, error)
        }
        guard exchange.response.status.code == 200 else { throw await refusal(exchange) }
        if request.query.flag("follow") { writer.markLongRunning() }
        do {
            try await writer.begin(
                HTTPResponse(
                    status: .ok,
                    headerFields: [.contentType: exchange.response.headerFields[.contentType] ?? "text/plain"]))
            try await withTaskCancellationHandler {
                try await exchange.forEachChunk { try await writer.write($0) }
            } onCancel: {
                exchange.tunnel.close()
            }
            try await writer.end()
        } catch {
            exchange.tunnel.close()
            writer.abort()
        }
    }

    /// The kubelet's own words in a Status.
    func refusal(_ exchange: HTTPClientExchange) async -> APIFailure {
        let bytes = (try? await exchange.collect(upTo: 64 << 10)) ?? []
        if let status = try? JSON(parsing: bytes), status["kind"] == "Status", status["code"] != nil {
            return APIFailure(status)
        }
        let code = exchange.response.status.code
        let reason: StatusReason = StatusReason.allCases.first { $0.code == code } ?? .internalError
        let text = String(decoding: bytes, as: UTF8.self)
        return APIFailure(
            StatusDocument.failure(
                code: code, reason: reason, message: String(text.drop(while: \.isWhitespace).prefix { !$0.isNewline })))
    }

    /// Joins client and kubelet by a tunnel; what flows in it (SPDY/3.1) is theirs.
    func stream(_ action: String, _ request: APIRequest, _ writer: HTTPResponseWriter) async throws(APIFailure) {
        let fields = request.http.head.headerFields
        let isWebSocket = WebSocketConnection.isWanted(request.http)
        guard isWebSocket || request.http.isUpgrade && fields[.upgrade]?.uppercased().hasPrefix("SPDY/") == true else {
            throw APIFailure(.badRequest, "Upgrade request required: to SPDY/3.1 or a WebSocket")
        }
        let destination = try await destination(request, needsContainer: action != "portForward")
        if isWebSocket { return try await streamOverWebSocket(action, request, writer, destination) }
        let offered = HTTPField.Name("X-Stream-Protocol-Version").map { fields[values: $0] } ?? []
        let exchange = try await openStream(action, request, destination, protocols: offered)
        do {
            let tunnel = try await writer.upgrade(exchange.response)
            await ByteTunnel.relay(tunnel, exchange.tunnel)
        } catch {
            exchange.tunnel.close()
            throw APIFailure(.badRequest, "the connection cannot be upgraded: \(error)")
        }
    }

    /// The kubelet's path for an action on a pod.
    func streamPath(_ action: String, _ request: APIRequest, _ destination: Destination) -> String {
        var path = "/\(action)/\(destination.pod.namespace)/\(destination.pod.name)"
        if action == "portForward" {
            path += Self.query(
                request.query.items.filter { $0.name == "ports" || $0.name == "port" }.map { ("port", $0.value) })
        } else {
            let names = ["stdin": "input", "stdout": "output", "stderr": "error", "tty": "tty"]
            var items = request.query.items.filter { $0.name == "command" }.map { ($0.name, $0.value) }
            for (flag, name) in names.sorted(by: { $0.key < $1.key }) where request.query.flag(flag) {
                items.append((name, "1"))
            }
            path += "/\(destination.container)" + Self.query(items)
        }
        return path
    }
}

/// A pod's kubelet, and the container that is meant.
struct KubeletDestination: Sendable {
    var pod: StoredObject
    var host: String
    var port: Int
    var container: String
}
