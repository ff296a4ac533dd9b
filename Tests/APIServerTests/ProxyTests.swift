import HTTPTransport
import HTTPTypes
import KubeSchema
import Logging
import NIOCore
import Testing

@testable import APIServer

@Suite(.timeLimit(.minutes(1))) struct ProxyTests {
    @Test(
        arguments: [
            ("/api/v1/namespaces/d/pods/p/proxy", "pods d p :", "/", "/api/v1/namespaces/d/pods/p/proxy"),
            ("/api/v1/namespaces/d/pods/p:80/proxy/a%2Fb//c/", "pods d p :80", "/a%2Fb//c/", nil),
            ("/api/v1/namespaces/d/services/https:s:web/proxy/x", "services d s s:web", "/x", nil),
            ("/api/v1/nodes/n/proxy/stats/summary", "nodes  n :", "/stats/summary", "/api/v1/nodes/n/proxy"),
            ("/api/v1/nodes/n:10255/proxy", "nodes  n :10255", "/", nil),
            ("/api/v1/proxy/namespaces/d/pods/p/x", "pods d p :", "/x", nil),
            ("/api/v1/proxy/nodes/n/logs/", "nodes  n :", "/logs/", nil),
            ("/api/v1beta1/proxy/minions/m/containerLogs/d/p/c", "nodes default m :", "/containerLogs/d/p/c", nil),
            ("/api/v1beta1/proxy/ns/d/services/s/", "services d s :", "/", nil),
            ("/api/v1beta1/redirect/pods/p", "pods default p :", "/", nil),
        ] as [(String, String, String, String?)])
    func `what a proxy path leads to`(path: String, target: String, rest: String, base: String?) throws {
        let found = try #require(ProxyTarget(path[...], namespace: nil))
        #expect(
            "\(found.resource) \(found.namespace) \(found.name) \(found.isSecure ? "s" : ""):\(found.port)" == target)
        #expect(found.path == rest)
        #expect(found.isRedirect == path.contains("redirect"))
        if let base { #expect(found.base == base) }
    }

    @Test(arguments: [
        "/api/v1/namespaces/d/pods/p", "/api/v1/namespaces/d/pods/p/log", "/api/v1/nodes/proxy", "/api/v1/proxy",
        "/api/v1/proxy/secrets/x", "/apis/apps/v1/namespaces/d/deployments/p/proxy",
        "/api/v1/namespaces/d/pods/a:b:c:d/proxy",
        "/api/v1/namespaces/d/pods/ftp:p:1/proxy", "/api/v1/namespaces/d/pods//proxy", "/", "/api/v1beta1/proxy/ns/d",
        "/api/v1beta1/proxy/ns/d/pods",
    ])
    func `other paths are no proxies`(path: String) { #expect(ProxyTarget(path[...], namespace: nil) == nil) }

    /// Says what it was asked, and sends those who ask for `/away` somewhere else on itself.
    private struct Backend: HTTPHandler {
        func respond(to request: HTTPServerRequest, writer: HTTPResponseWriter) async throws {
            if request.path == "/away" {
                return writer.respond(
                    HTTPResponse(
                        status: .found, headerFields: [.location: "http://\(request.head.authority ?? "")/here"]))
            }
            let fields = request.head.headerFields
            let uri = HTTPField.Name("X-Forwarded-Uri").flatMap { fields[$0] } ?? ""
            let body = String(decoding: try await request.body.collect(), as: UTF8.self)
            let text =
                "\(request.head.method) \(request.head.path ?? "") \(body) \(uri) \(fields[.authorization] ?? "-")"
            try await writer.begin(HTTPResponse(status: .ok, headerFields: [.contentType: "text/plain"]))
            try await writer.write(ByteBuffer(string: text))
        }
    }

    private static func isOrdinary(_ address: String) -> Bool {
        let parts = address.split(separator: ".").compactMap { Int($0) }
        return parts.count == 4 && parts[0] != 127 && parts[0] != 169
    }

    @Test func `requests are passed on to pods, services and nodes`() async throws {
        let backend = HTTPServer(
            configuration: HTTPServerConfiguration(address: "0.0.0.0", port: 0), logger: Logger(label: "backend"),
            handler: Backend())
        try await backend.listen()
        let port = Int64(try #require(backend.boundPort))
        try await withServer { server in
            try await withThrowingTaskGroup { group in
                group.addTask { try await backend.run() }
                var object = pod("p")
                object["spec", "containers"] = [
                    [
                        "name": "c", "image": "i",
                        "ports": [["containerPort": 9], ["name": "web", "containerPort": .integer(port)]],
                    ]
                ]
                try await server.call(.post, pods, object)
                let before = try await server.call(.get, "\(pods)/p:web/proxy/")
                #expect(before.code == 503, "it has no address yet")
                object["status"] = ["podIP": "127.0.0.1"]
                try await server.call(.put, "\(pods)/p/status", object)
                let answer = try await server.call(.post, "\(pods)/p:web/proxy/a%20b?q=1&q=2", ["x": 1])
                #expect(answer.json.string == #"POST /a%20b?q=1&q=2 {"x":1} \#(pods)/p:web/proxy/a%20b -"#)
                let away = try await server.call(.get, "\(pods)/p:\(port)/proxy/away")
                #expect(away.code == 302 && away.headers[.location] == "\(pods)/p:\(port)/proxy/here")
                let moved = try await server.call(.get, "/api/v1beta1/redirect/pods/p:web")
                #expect(moved.code == 307 && moved.headers[.location] == "127.0.0.1:\(port)")

                let services = "/api/v1/namespaces/default/services"
                try await server.call(
                    .post, services,
                    [
                        "kind": "Service", "apiVersion": "v1", "metadata": ["name": "s"],
                        "spec": ["ports": [["name": "web", "port": 80]]],
                    ])
                #expect(try await server.call(.get, "\(services)/s/proxy/").code == 503, "no endpoints")
                // Endpoints on loopback are refused, so this takes an address of the machine, if it has one.
                guard
                    let own = try System.enumerateDevices().compactMap(\.address?.ipAddress).first(
                        where: Self.isOrdinary)
                else { return group.cancelAll() }
                try await server.call(
                    .post, "/api/v1/namespaces/default/endpoints",
                    [
                        "kind": "Endpoints", "apiVersion": "v1", "metadata": ["name": "s"],
                        "subsets": [
                            ["addresses": [["ip": .string(own)]], "ports": [["name": "web", "port": .integer(port)]]]
                        ],
                    ])
                for name in ["s", "s:web", "s:80", "http:s:web"] {
                    let answer = try await server.call(.get, "\(services)/\(name)/proxy/x")
                    #expect(answer.json.string?.hasPrefix("GET /x ") == true, "\(name)")
                }
                #expect(try await server.call(.get, "\(services)/s:dns/proxy/x").code == 503)
                #expect(try await server.call(.get, "\(services)/none/proxy/x").code == 404)
                #expect(try await server.call(.get, "\(pods)/p:9/proxy/x").code == 503, "nobody listens there")
                group.cancelAll()
            }
        }
    }
}
