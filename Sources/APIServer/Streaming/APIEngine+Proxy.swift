import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore

/// Requests that are passed on to what runs in the cluster.
extension APIEngine {
    /// Fields of one connection only (RFC 9110 section 7.6.1), and what a backend must not be told.
    private static let notPassedOn: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "te", "trailer", "upgrade",
        "proxy-authenticate", "proxy-authorization", "authorization", "content-length",
    ]

    func proxy(_ target: ProxyTarget, _ request: HTTPServerRequest, _ writer: HTTPResponseWriter)
        async throws(APIFailure)
    {
        let (host, port) = try await address(target)
        if target.isRedirect {
            var head = HTTPResponse(status: .temporaryRedirect)
            // As in 2015: nodes with a scheme, the others without.
            head.headerFields[.location] = target.resource == "nodes" ? "http://\(host):\(port)" : "\(host):\(port)"
            return writer.respond(head)
        }
        let body: [UInt8]
        do { body = request.isUpgrade ? [] : try await request.body.collect() } catch {
            throw APIFailure(.requestEntityTooLarge, "the request's body cannot be passed on: \(error)")
        }
        // The kubelet's own port wants our certificate; other ports are the user's programs.
        let isKubelet = target.resource == "nodes" && target.port.isEmpty
        let tls = isKubelet ? configuration.kubelet.tls : target.isSecure ? try? HTTPClientTLS() : nil
        let exchange: HTTPClientExchange
        do {
            exchange = try await HTTPClientExchange.send(
                onward(target, request, "\(host):\(port)"), body: body, host: host, port: port, tls: tls)
        } catch {
            throw unreachable(target, "\(host):\(port)", error)
        }
        writer.markLongRunning()
        if exchange.response.status.code == 101 {
            do {
                await ByteTunnel.relay(try await writer.upgrade(exchange.response), exchange.tunnel)
            } catch {
                exchange.tunnel.close()
                throw APIFailure(.badRequest, "the connection cannot be upgraded: \(error)")
            }
            return
        }
        do {
            try await writer.begin(answer(exchange.response, target, "\(host):\(port)"))
            try await withTaskCancellationHandler {
                try await exchange.forEachChunk { try await writer.write($0) }
            } onCancel: {
                exchange.tunnel.close()
            }
            try await writer.end()
        } catch {
            exchange.tunnel.close()
            writer.abort()  // cut short, and the client must be able to tell
        }
    }

    private func onward(_ target: ProxyTarget, _ request: HTTPServerRequest, _ authority: String) -> HTTPRequest {
        var onward = HTTPRequest(
            method: request.head.method, scheme: nil, authority: authority,
            path: target.path + (request.query.isEmpty ? "" : "?\(request.query)"))
        for field in request.head.headerFields where !Self.notPassedOn.contains(field.name.canonicalName) {
            onward.headerFields.append(field)
        }
        if request.isUpgrade {
            onward.headerFields[.connection] = "Upgrade"
            onward.headerFields[.upgrade] = request.head.headerFields[.upgrade]
        }
        let forwarded = [
            ("X-Forwarded-Uri", target.base + target.path), ("X-Forwarded-Host", request.head.authority ?? ""),
            ("X-Forwarded-Proto", request.isSecure ? "https" : "http"), ("X-Forwarded-For", request.remoteAddress),
        ]
        for (name, value) in forwarded where !value.isEmpty {
            if let name = HTTPField.Name(name) { onward.headerFields.append(HTTPField(name: name, value: value)) }
        }
        return onward
    }

    /// The backend's head, its redirects to itself leading through the proxy again.
    private func answer(_ response: HTTPResponse, _ target: ProxyTarget, _ authority: String) -> HTTPResponse {
        var head = HTTPResponse(status: response.status)
        for field in response.headerFields
        where !Self.notPassedOn.contains(field.name.canonicalName) || field.name == .contentLength {
            head.headerFields.append(field)
        }
        if let location = head.headerFields[.location] {
            for own in ["http://\(authority)", "https://\(authority)", ""] where location.hasPrefix("\(own)/") {
                head.headerFields[.location] = target.base + location.dropFirst(own.count)
                break
            }
        }
        return head
    }

    private func unreachable(_ target: ProxyTarget, _ authority: String, _ error: any Error) -> APIFailure {
        let message =
            target.isHistoric
            ? "Error: '\(error)'\nTrying to reach: 'http://\(authority)\(target.path)'"
            : "error trying to reach service: \(error)"
        return APIFailure(StatusDocument.failure(code: 503, reason: .serviceUnavailable, message: message))
    }

    // MARK: - Addresses

    private func address(_ target: ProxyTarget) async throws(APIFailure) -> (String, Int) {
        guard let definition = catalogue.resource(group: "", version: "v1", resource: target.resource) else {
            throw .unknownPath()
        }
        let namespace = definition.isNamespaced ? target.namespace : nil
        let object = try await registry.get(definition, namespace, target.name, fromCache: true).document
        switch target.resource {
        case "nodes":
            let (host, port) = configuration.kubelet.endpoint(of: object)
            return (host, try Self.number(target.port) ?? port)
        case "pods": return try podAddress(object, target)
        default: return try serviceAddress(object, target)
        }
    }

    private static func number(_ port: String) throws(APIFailure) -> Int? {
        guard !port.isEmpty else { return nil }
        guard let number = Int(port), (1...65535).contains(number) else {
            throw APIFailure(.badRequest, "\"\(port)\" is no port")
        }
        return number
    }

    private func podAddress(_ pod: JSON, _ target: ProxyTarget) throws(APIFailure) -> (String, Int) {
        guard let host = pod["status", "podIP"]?.string, !host.isEmpty else {
            throw APIFailure(
                StatusDocument.failure(
                    code: 503, reason: .serviceUnavailable, message: "pod \"\(target.name)\" has no address yet"))
        }
        let ports = (pod["spec", "containers"]?.array ?? []).flatMap { $0["ports"]?.array ?? [] }
        if target.port.isEmpty { return (host, ports.first?["containerPort"]?.integer.map { Int($0) } ?? 80) }
        if let named = ports.first(where: { $0["name"]?.string == target.port }),
            let port = named["containerPort"]?.integer
        {
            return (host, Int(port))
        }
        return (host, try Self.number(target.port) ?? 80)
    }

    /// One of the service's endpoints, at random.
    private func serviceAddress(_ service: JSON, _ target: ProxyTarget) throws(APIFailure) -> (String, Int) {
        let ports = service["spec", "ports"]?.array ?? []
        let wanted = ports.first { port in
            target.port.isEmpty || port["name"]?.string == target.port
                || port["port"]?.integer.map { String($0) } == target.port
        }
        guard let wanted else {
            throw APIFailure(
                StatusDocument.failure(
                    code: 503, reason: .serviceUnavailable,
                    message: "no service port \"\(target.port)\" found for service \"\(target.name)\""))
        }
        var found: [(String, Int)] = []
        if let definition = catalogue.resource(group: "", version: "v1", resource: "endpoints"),
            let endpoints = registry.caches.cache(definition)?.object(
                registry.key(definition, target.namespace, target.name))
        {
            for subset in endpoints.document["subsets"]?.array ?? [] {
                let port = (subset["ports"]?.array ?? []).first {
                    ($0["name"]?.string ?? "") == (wanted["name"]?.string ?? "")
                }
                guard let number = port?["port"]?.integer else { continue }
                for address in subset["addresses"]?.array ?? [] {
                    if let host = address["ip"]?.string { found.append((host, Int(number))) }
                }
            }
        }
        guard let chosen = found.randomElement() else {
            throw APIFailure(
                StatusDocument.failure(
                    code: target.isHistoric ? 500 : 503,
                    reason: target.isHistoric ? .internalError : .serviceUnavailable,
                    message: "no endpoints available for service \"\(target.name)\""))
        }
        return chosen
    }
}
