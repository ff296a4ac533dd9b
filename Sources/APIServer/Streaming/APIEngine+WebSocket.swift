import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore

/// Exec, attach and port-forward for clients that come with a WebSocket; the kubelet is spoken to in SPDY/3.1, which
/// kubelets of all ages understand.
extension APIEngine {
    private static let tunnelled = "SPDY/3.1+portforward.k8s.io"

    func streamOverWebSocket(
        _ action: String, _ request: APIRequest, _ writer: HTTPResponseWriter, _ destination: KubeletDestination
    ) async throws(APIFailure) {
        let offered = WebSocketConnection.offered(request.http)
        let known =
            action == "portForward"
            ? [Self.tunnelled, "v4.channel.k8s.io"] : ["v5.channel.k8s.io", "v4.channel.k8s.io"]
        guard let subprotocol = offered.first(where: known.contains) else {
            // Clients go on to SPDY when a WebSocket is refused like this.
            throw APIFailure(
                .badRequest,
                "unable to upgrade: none of the WebSocket protocols \(offered) is spoken here, only \(known)")
        }
        let upstream = action == "portForward" ? "portforward.k8s.io" : "v4.channel.k8s.io"
        let ports = request.query.all("ports").flatMap { $0.split(separator: ",") }.compactMap { UInt16($0) }
        if action == "portForward", subprotocol != Self.tunnelled, ports.isEmpty || ports.count > 100 {
            throw APIFailure(.badRequest, "the query parameter ports must name 1 to 100 ports")
        }
        let exchange = try await openStream(action, request, destination, protocols: [upstream])
        let client: WebSocketConnection
        do {
            client = try await WebSocketConnection.accept(request.http, subprotocol: subprotocol, writer)
        } catch {
            exchange.tunnel.close()
            throw error as? APIFailure ?? APIFailure(.badRequest, "the connection cannot be upgraded: \(error)")
        }
        if subprotocol == Self.tunnelled { return await StreamTunnel.run(client, exchange.tunnel) }
        if action == "portForward" {
            // Both channels of a port begin with its number, least byte first.
            let greeting = ports.enumerated().flatMap { index, port in
                [UInt8(index * 2), UInt8(index * 2 + 1)].map { ($0, ByteBuffer(integer: port, endianness: .little)) }
            }
            return await StreamTranslator.ports(ports).run(client, exchange.tunnel, greeting: greeting)
        }
        let query = request.query
        let translator = StreamTranslator.process(
            stdin: query.flag("stdin"), stdout: query.flag("stdout"), stderr: query.flag("stderr"),
            tty: query.flag("tty"), allowsClosing: subprotocol == "v5.channel.k8s.io")
        // An empty message tells clients that the other end is there.
        let first = translator.pairs.first { $0.isOutput && !$0.isStatus }
        await translator.run(client, exchange.tunnel, greeting: first.map { [($0.channel, ByteBuffer())] } ?? [])
    }

    /// Opens a SPDY connection to the kubelet for an action on a pod.
    func openStream(
        _ action: String, _ request: APIRequest, _ destination: KubeletDestination, protocols: [String]
    ) async throws(APIFailure) -> HTTPClientExchange {
        var onward = HTTPRequest(
            method: .post, scheme: nil, authority: nil, path: streamPath(action, request, destination))
        onward.headerFields[.connection] = "Upgrade"
        onward.headerFields[.upgrade] = "SPDY/3.1"
        onward.headerFields[.userAgent] = request.http.head.headerFields[.userAgent]
        if let name = HTTPField.Name("X-Stream-Protocol-Version") {
            for value in protocols { onward.headerFields.append(HTTPField(name: name, value: value)) }
        }
        let exchange: HTTPClientExchange
        do {
            exchange = try await HTTPClientExchange.send(
                onward, host: destination.host, port: destination.port, tls: configuration.kubelet.tls)
        } catch {
            throw unreachable(destination, error)
        }
        guard exchange.response.status.code == 101 else { throw await refusal(exchange) }
        return exchange
    }
}
