package import KubeSchema
import OrderedCollections

/// One entry of `spec.containers` or `spec.initContainers`, read once from the document.
package struct ContainerSpecification: Sendable {
    package struct Port: Sendable {
        let name: String?, containerPort: Int, hostPort: Int?, hostIP: String, networkProtocol: String
    }

    package struct VolumeMount: Sendable {
        let volume: String, mountPath: String, isReadOnly: Bool, subPath: String?, propagation: String?
    }

    /// A command to run in the container or a request to make of it, as probes and life-cycle hooks have them.
    package enum Handler: Sendable, Equatable {
        case exec([String])
        /// `port` is a number or the name of a container port. An empty `host` is the pod's address.
        case httpGet(scheme: String, host: String, port: String, path: String, headers: [[String]])
        case tcpSocket(host: String, port: String)
        case sleep(seconds: Int64)
    }

    package struct Probe: Sendable {
        let handler: Handler
        let initialDelay: Duration, period: Duration, timeout: Duration
        let successThreshold: Int, failureThreshold: Int
        let terminationGracePeriodSeconds: Int64?
    }

    package enum PullPolicy: String, Sendable {
        case always = "Always", ifNotPresent = "IfNotPresent", never = "Never"
    }

    package let name: String, image: String
    let pullPolicy: PullPolicy
    let command: [String], arguments: [String], workingDirectory: String
    let ports: [Port]
    let environment: [JSON], environmentFrom: [JSON]
    let limits: [String: String], requests: [String: String]
    let volumeMounts: [VolumeMount]
    let livenessProbe: Probe?, readinessProbe: Probe?, startupProbe: Probe?
    let postStart: Handler?, preStop: Handler?
    let terminationMessagePath: String
    let fallsBackToLogs: Bool
    let securityContext: JSON
    let stdin: Bool, stdinOnce: Bool, tty: Bool

    /// Changes when anything of the container does that needs a new one; kept with the container in the runtime.
    package let hash: String

    package init?(_ document: JSON) {
        guard let name = document["name"]?.string, let image = document["image"]?.string else { return nil }
        self.name = name
        self.image = image
        pullPolicy = document["imagePullPolicy"]?.string.flatMap(PullPolicy.init) ?? Self.defaultPullPolicy(of: image)
        command = document["command"].strings
        arguments = document["args"].strings
        workingDirectory = document["workingDir"]?.string ?? ""
        ports = (document["ports"]?.array ?? []).compactMap(Port.init)
        environment = document["env"]?.array ?? []
        environmentFrom = document["envFrom"]?.array ?? []
        limits = document["resources", "limits"].quantities
        // A limit without a request is also the request.
        requests = document["resources", "limits"].quantities
            .merging(document["resources", "requests"].quantities) { $1 }
        volumeMounts = (document["volumeMounts"]?.array ?? []).compactMap(VolumeMount.init)
        livenessProbe = Probe(document["livenessProbe"])
        readinessProbe = Probe(document["readinessProbe"])
        startupProbe = Probe(document["startupProbe"])
        postStart = Handler(document["lifecycle", "postStart"])
        preStop = Handler(document["lifecycle", "preStop"])
        terminationMessagePath = document["terminationMessagePath"]?.string ?? "/dev/termination-log"
        fallsBackToLogs = document["terminationMessagePolicy"]?.string == "FallbackToLogsOnError"
        securityContext = document["securityContext"] ?? .null
        stdin = document["stdin"]?.bool ?? false
        stdinOnce = document["stdinOnce"]?.bool ?? false
        tty = document["tty"]?.bool ?? false
        // The image is the one field that may be changed in a running pod.
        hash = String(fnv1a("\(name)\n\(image)"), radix: 16)
    }

    /// Returns what holds when nothing is asked for: `Always` for the tag `latest` and for none, else `IfNotPresent`.
    package static func defaultPullPolicy(of image: String) -> PullPolicy {
        if image.contains("@") { return .ifNotPresent }
        let last = image.split(separator: "/").last ?? ""
        guard let colon = last.lastIndex(of: ":") else { return .always }
        return last[last.index(after: colon)...] == "latest" ? .always : .ifNotPresent
    }

    /// Returns the number of `port`, itself a number or the name of one of the container's ports.
    func portNumber(_ port: String) -> Int? { Int(port) ?? ports.first { $0.name == port }?.containerPort }
}

extension ContainerSpecification.Port {
    init?(_ document: JSON) {
        guard let port = document["containerPort"]?.integer else { return nil }
        name = document["name"]?.string
        containerPort = Int(port)
        hostPort = document["hostPort"]?.integer.flatMap { $0 > 0 ? Int($0) : nil }
        hostIP = document["hostIP"]?.string ?? ""
        networkProtocol = document["protocol"]?.string ?? "TCP"
    }
}

extension ContainerSpecification.VolumeMount {
    init?(_ document: JSON) {
        guard let name = document["name"]?.string, let path = document["mountPath"]?.string else { return nil }
        volume = name
        mountPath = path
        isReadOnly = document["readOnly"]?.bool ?? false
        subPath = document["subPath"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        propagation = document["mountPropagation"]?.string
    }
}

extension ContainerSpecification.Handler {
    init?(_ document: JSON?) {
        func port(_ value: JSON?) -> String { value?.string ?? value?.integer.map(String.init) ?? "" }
        if let exec = document?["exec"] {
            self = .exec(exec["command"].strings)
        } else if let get = document?["httpGet"] {
            self = .httpGet(
                scheme: get["scheme"]?.string ?? "HTTP", host: get["host"]?.string ?? "", port: port(get["port"]),
                path: get["path"]?.string ?? "/",
                headers: (get["httpHeaders"]?.array ?? []).map {
                    [$0["name"]?.string ?? "", $0["value"]?.string ?? ""]
                })
        } else if let socket = document?["tcpSocket"] {
            self = .tcpSocket(host: socket["host"]?.string ?? "", port: port(socket["port"]))
        } else if let seconds = document?["sleep", "seconds"]?.integer {
            self = .sleep(seconds: seconds)
        } else {
            return nil
        }
    }
}

extension ContainerSpecification.Probe {
    init?(_ document: JSON?) {
        guard let document, let handler = ContainerSpecification.Handler(document) else { return nil }
        func seconds(_ key: String, _ standard: Int64) -> Int64 { document[key]?.integer ?? standard }
        self.handler = handler
        initialDelay = .seconds(seconds("initialDelaySeconds", 0))
        period = .seconds(max(1, seconds("periodSeconds", 10)))
        timeout = .seconds(max(1, seconds("timeoutSeconds", 1)))
        successThreshold = Int(max(1, seconds("successThreshold", 1)))
        failureThreshold = Int(max(1, seconds("failureThreshold", 3)))
        terminationGracePeriodSeconds = document["terminationGracePeriodSeconds"]?.integer
    }
}

/// FNV-1a, 64 bits: for telling texts apart, not for secrets.
func fnv1a(_ text: String) -> UInt64 {
    text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}

extension Optional<JSON> {
    /// The strings of an array; empty for anything else.
    var strings: [String] { self?.array?.compactMap(\.string) ?? [] }

    /// The members of an object that are strings.
    var stringMap: [String: String] {
        var map: [String: String] = [:]
        for (key, value) in self?.object ?? [:] { if let text = value.string { map[key] = text } }
        return map
    }

    /// The members of an object of quantities, which may be written as numbers.
    var quantities: [String: String] {
        var map: [String: String] = [:]
        for (key, value) in self?.object ?? [:] {
            switch value {
            case .string(let text): map[key] = text
            case .integer(let number): map[key] = String(number)
            case .double(let number): map[key] = String(number)
            default: break
            }
        }
        return map
    }
}
