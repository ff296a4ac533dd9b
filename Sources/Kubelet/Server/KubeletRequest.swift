/// What a request to the kubelet asks for. Parsed from method-less path and query: GET and POST mean the same here.
package enum KubeletRequest: Sendable, Equatable {
    /// A container by the names of its pod and itself.
    package struct Target: Sendable, Equatable {
        package var namespace: String, pod: String, container: String
    }

    case health
    case metrics
    /// What the node and its containers use, for metrics-server.
    case resourceMetrics
    case summary
    case pods
    case logs(Target)
    case run(Target, command: [String])
    case exec(Target, command: [String], StreamOptions)
    case attach(Target, StreamOptions)
    case portForward(namespace: String, pod: String, ports: [Int32])

    /// - Returns: `nil` when nothing is served under that path.
    /// - Throws: when the path is known but the request is not complete.
    package init?(path: some StringProtocol, query: [(name: String, value: String)]) throws(BadRequest) {
        let parts = path.split(separator: "/").map { RequestQuery.decode($0) }
        guard let first = parts.first else { return nil }
        // A UID may stand between pod and container.
        func target() throws(BadRequest) -> Target {
            guard parts.count == 4 || parts.count == 5 else {
                throw BadRequest("/\(first)/NAMESPACE/POD/CONTAINER is expected, found \(path)")
            }
            return Target(namespace: parts[1], pod: parts[2], container: parts[parts.count - 1])
        }
        func command() throws(BadRequest) -> [String] {
            let words = query.filter { $0.name == "command" }.map(\.value)
            if !words.isEmpty { return words }
            let line = query.first { $0.name == "cmd" }?.value.split(separator: " ").map(String.init) ?? []
            if line.isEmpty { throw BadRequest("a command is expected: ?command=…") }
            return line
        }
        switch first {
        case "healthz": self = .health
        case "metrics" where parts.count == 1: self = .metrics
        case "metrics" where parts == ["metrics", "resource"]: self = .resourceMetrics
        case "stats" where parts == ["stats", "summary"]: self = .summary
        case "pods": self = .pods
        case "containerLogs": self = .logs(try target())
        case "run": self = .run(try target(), command: try command())
        case "exec": self = .exec(try target(), command: try command(), StreamOptions(query: query))
        case "attach": self = .attach(try target(), StreamOptions(query: query))
        case "portForward":
            guard parts.count == 3 || parts.count == 4 else {
                throw BadRequest("/portForward/NAMESPACE/POD is expected, found \(path)")
            }
            var ports: [Int32] = []
            for item in query where item.name == "port" || item.name == "ports" {
                for word in item.value.split(separator: ",") {
                    guard let port = Int32(word), (1...65535).contains(port) else {
                        throw BadRequest("\(item.name)=\(item.value): a port from 1 to 65535 is expected")
                    }
                    ports.append(port)
                }
            }
            self = .portForward(namespace: parts[1], pod: parts[2], ports: ports)
        default: return nil
        }
    }
}

extension StreamOptions {
    /// Reads `stdin`, `stdout`, `stderr` and `tty`, or the kubelet's older names `input`, `output` and `error`.
    init(query: [(name: String, value: String)]) {
        for (name, value) in query where value == "1" || value.lowercased() == "true" {
            switch name {
            case "stdin", "input": stdin = true
            case "stdout", "output": stdout = true
            case "stderr", "error": stderr = true
            case "tty": tty = true
            default: break
            }
        }
        if tty { stderr = false }  // a terminal has one output
    }
}
