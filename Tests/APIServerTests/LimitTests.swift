import HTTPTransport
import HTTPTypes
import KubeSchema
import NIOCore
import Testing

@testable import APIServer

@Suite(.timeLimit(.minutes(2))) struct LimitTests {
    @Test func `beyond the limit requests are told to try again, watches are not counted`() async throws {
        try await withServer(configure: { $0.maximumReadsInFlight = 2 }) { server in
            for number in 0..<300 { try await server.call(.post, pods, pod("p\(number)")) }
            var watches: [ByteTunnel] = []
            for _ in 0..<2 {
                let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: server.port)
                try await tunnel.write(ByteBuffer(string: "GET \(pods)?watch=true HTTP/1.1\r\nHost: x\r\n\r\n"))
                _ = try await tunnel.read()
                watches.append(tunnel)
            }
            #expect(try await server.call(.get, pods).code == 200, "watches take no place")
            for tunnel in watches { tunnel.close() }
            let codes = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<40 {
                    group.addTask { try await Self.listTable(server) }
                }
                var codes: Set<Int> = []
                for try await code in group { codes.insert(code) }
                return codes
            }
            #expect(codes == [200, 429])
            #expect(try await server.call(.get, pods).code == 200, "all places have been given back")
        }
    }

    /// Lists as a table, which takes its time.
    private static func listTable(_ server: TestServer) async throws -> Int {
        let answer = try await server.call(.get, "\(pods)?labelSelector=a!%3Db", accept: table)
        if answer.code == 429 {
            #expect(answer.headers[.retryAfter] == "1")
            #expect(answer["reason"] == "TooManyRequests")
        }
        return answer.code
    }

    private static let table = "application/json;as=Table;v=v1;g=meta.k8s.io"

    @Test func `paths, queries and heads of any form are answered and end nothing`() async throws {
        var seeds = [
            "/api/v1/namespaces/default/pods?watch=true&timeoutSeconds=1&resourceVersion=0", "/api/v1/watch/pods/p",
            "/apis/apps/v1/namespaces/default/deployments/x/scale", "/api/v1beta1/ns/default/pods/p?labels=a%3Db",
            "/api/v1/namespaces/default/pods/p/exec?command=ls&stdin=true", "/api/v1/nodes/n/proxy/a/b?c=d",
            "/api/v1/namespaces/default/services/s:80/proxy/", "/openapi/v3/api/v1?hash=1", "/healthz/ping", "/version",
            "/api/v1/namespaces/default/pods?limit=1&continue=eyJydiI6MX0&fieldSelector=status.phase%3DRunning",
            "/api/v1beta1/redirect/minions/m", "/api/v1/namespaces/default/pods/p/portforward?ports=80",
        ]
        let parts = [
            "/", "//", "%", "%2", "%00", "%2F", "?", "&", "=", "..", "watch", "namespaces", "proxy", "\u{e4}", "a:b:c",
            "resourceVersion=-1", "limit=99999999999999999999", "labelSelector=((", "%ff%fe", "timeoutSeconds=1",
        ]
        let heads = [
            "", "Connection: Upgrade\r\nUpgrade: websocket\r\n", "Connection: upgrade\r\nUpgrade: SPDY/3.1\r\n",
            "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAA\r\n"
                + "Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n",
            "Accept: application/json;as=Table;g=meta.k8s.io;v=v1\r\n", "Accept: ;;;,q=\r\n",
            "Accept-Encoding: gzip\r\n",
            "Content-Length: 4\r\nContent-Type: application/yaml\r\n", "Content-Length: x\r\n",
            "Expect: 100-continue\r\n",
            "Transfer-Encoding: chunked\r\n", "X: " + String(repeating: "y", count: 10_000) + "\r\n",
        ]
        var random = Seeded(state: 20_150_401)
        var requests: [String] = []
        for _ in 0..<400 {
            var path = seeds.randomElement(using: &random) ?? "/"
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let at = path.indices.randomElement(using: &random) ?? path.startIndex
                path.insert(contentsOf: parts.randomElement(using: &random) ?? "", at: at)
                if Bool.random(using: &random) {
                    path = String(path.prefix(Int.random(in: 1...path.count, using: &random)))
                }
            }
            if requests.count % 10 == 0 { seeds.append(path) }
            let method = ["GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].randomElement(
                using: &random)
            let head = heads.randomElement(using: &random) ?? ""
            requests.append("\(method ?? "GET") \(path) HTTP/1.1\r\nHost: x\r\n\(head)\r\nabc\n")
        }
        let all = requests
        try await withServer { server in
            for request in all {
                let tunnel = try await ByteTunnel.connect(host: "127.0.0.1", port: server.port)
                try await tunnel.write(ByteBuffer(string: request))
                // Half a body may be waited for: the answer is not what this is about.
                let reading = Task { try? await tunnel.read() }
                let timer = Task {
                    try? await Task.sleep(for: .milliseconds(100))
                    tunnel.close()
                }
                if let answer = await reading.value {
                    #expect(String(buffer: answer).hasPrefix("HTTP/1."), "\(request)")
                }
                timer.cancel()
                tunnel.close()
            }
            #expect(try await server.call(.get, "/version").code == 200)
        }
    }

    /// The same numbers in every run.
    private struct Seeded: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }
}
