import Addressing
import ArgumentParser
import FoundationEssentials
import Glibc
import HTTPTransport
import KubeAPI
import Kubelet
import LinuxKit
import Logging
import ServiceLifecycle
import UnixSignals

/// `fjord kubelet`, `kubelet`
struct KubeletCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kubelet", abstract: "Run the pods that are bound to this node.")

    @Option(help: "The API server: http://HOST:PORT, or HOST:PORT. Of several, separated by commas, the first is used.")
    var apiServers: String?

    @Option(help: "The same as --api-servers.")
    var master: String?

    @Option(help: "Path of a kubeconfig, for an API server with TLS.")
    var kubeconfig: String?

    @Option(help: "The node's name, where it is not the host's. If it is an address, it is the node's address too.")
    var hostnameOverride: String?

    @Option(name: .customLong("node-ip"), help: "The node's address, where it is not that of the default route.")
    var nodeIP: String?

    @Option(help: "The address that the kubelet's own server listens on.")
    var address = "0.0.0.0"

    @Option(help: "The port of the kubelet's own server.")
    var port = 10250

    @Option(help: "Where pods' volumes are kept.")
    var rootDir = "/var/lib/kubelet"

    @Option(help: "The container runtime's socket. Without it, containerd is started unless it runs.")
    var containerRuntimeEndpoint: String?

    @Option(help: "The image of the process that holds a pod's network.")
    var podInfraContainerImage = "registry.k8s.io/pause:3.9"

    @Option(help: "The file in which the overlay says what it leased.")
    var subnetFile = "/run/flannel/subnet.env"

    @Option(help: "Where network configurations are written to.")
    var cniConfDir = "/etc/cni/net.d"

    @Option(help: "Where the network plugins are.")
    var cniBinDir = "/usr/lib/cni"

    @Option(help: "The cgroup under which pods' cgroups are made, for several nodes on one kernel.")
    var cgroupRoot = ""

    @Option(name: .customLong("cluster-dns"), help: "Name servers for pods, separated by commas.")
    var clusterDNS = ""

    @Option(help: "The domain of the cluster's names.")
    var clusterDomain = "cluster.local"

    @Option(help: "PEM file of the server's certificate. Without it, the server speaks plain HTTP.")
    var tlsCertFile: String?

    @Option(help: "PEM file of the certificate's key.")
    var tlsPrivateKeyFile: String?

    @Option(help: "PEM file of the authority whose clients are let in.")
    var clientCaFile: String?

    @Option(help: "The longest that files of config maps and secrets take to follow them.")
    var syncFrequency = DurationArgument(.seconds(60))

    @Option(help: "The size past which a container's log file is set aside, such as 10Mi.")
    var containerLogMaxSize = "10Mi"

    @Option(help: "How many log files a container keeps, at least 2.")
    var containerLogMaxFiles = 5

    @Flag(inversion: .prefixedNo, help: "Whether containers may be privileged.")
    var allowPrivileged = true

    @Option(help: "Labels for the node: NAME=VALUE, separated by commas.")
    var nodeLabels = ""

    @Option(help: "Refused: pods come from the API server only.")
    var config: String?

    @OptionGroup var logging: LogOptions

    func validate() throws {
        guard (1...65535).contains(port) else { throw ValidationError("--port: expected 1 to 65535, found \(port)") }
        if let config, !config.isEmpty {
            throw ValidationError(
                "--config=\(config): pods from files are not supported; create them through the API server")
        }
        guard ContainerLogLimits.bytes(containerLogMaxSize) != nil else {
            throw ValidationError("--container-log-max-size=\(containerLogMaxSize): expected a size such as 10Mi")
        }
        guard containerLogMaxFiles >= 2 else {
            throw ValidationError("--container-log-max-files=\(containerLogMaxFiles): expected 2 or more")
        }
        if (tlsCertFile == nil) != (tlsPrivateKeyFile == nil) {
            throw ValidationError("--tls-cert-file and --tls-private-key-file: expected both or neither")
        }
        if clientCaFile != nil, tlsCertFile == nil {
            throw ValidationError("--client-ca-file: expected --tls-cert-file too, since certificates need TLS")
        }
    }

    func run() async throws {
        let logger = bootstrapLogging(component: "kubelet", verbosity: logging.verbosity)
        guard geteuid() == 0 else { throw KubeletProblem("must run as root, to mount volumes and run containers") }
        let client = try KubeClient(configuration: clientConfiguration(), component: "kubelet", logger: logger)

        let name = (hostnameOverride ?? KubeletConfiguration.hostname()).lowercased()
        var node = NodeSettings(name: name, address: try nodeAddress(name), root: rootDir)
        node.cgroupRoot = cgroupRoot
        node.clusterDNS = list(clusterDNS)
        node.clusterDomain = clusterDomain
        node.allowsPrivileged = allowPrivileged
        node.syncFrequency = max(.seconds(1), syncFrequency.duration)
        var configuration = KubeletConfiguration(node: node)
        configuration.serverAddress = address
        configuration.serverPort = port
        configuration.runtimeEndpoint = containerRuntimeEndpoint
        configuration.containerd.sandboxImage = podInfraContainerImage
        configuration.containerd.cniConfigurationDirectory = cniConfDir
        configuration.containerd.cniBinaryDirectory = cniBinDir
        configuration.subnetFile = subnetFile
        configuration.rootDirectory = rootDir
        configuration.logLimits.maximumBytes = ContainerLogLimits.bytes(containerLogMaxSize) ?? 10 << 20
        configuration.logLimits.maximumFiles = containerLogMaxFiles
        for label in list(nodeLabels) {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("--node-labels: expected NAME=VALUE, found \"\(label)\"")
            }
            configuration.nodeLabels[parts[0]] = parts[1]
        }
        if let tlsCertFile, let tlsPrivateKeyFile {
            configuration.serverTLS = try HTTPServerTLS(
                certificateChain: FileContents.read(tlsCertFile), privateKey: FileContents.read(tlsPrivateKeyFile),
                clientCA: clientCaFile.map { try FileContents.read($0) }, http2: false)
            configuration.requiresClientCertificate = clientCaFile != nil
        }
        logger.info("starting", metadata: ["node": "\(name)", "address": "\(node.address)"])
        let kubelet = try await Kubelet(configuration: configuration, client: client, logger: logger)
        try await ServiceGroup(
            services: kubelet.services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger
        ).run()
    }

    private func clientConfiguration() throws -> ClientConfiguration {
        if let kubeconfig { return try .kubeconfig(kubeconfig) }
        guard let server = list(apiServers ?? master ?? "").first else {
            throw ValidationError(
                "expected --api-servers=http://HOST:PORT or --kubeconfig=PATH, to know the API server")
        }
        return try .master(server)
    }

    /// The address under which others reach this node.
    private func nodeAddress(_ name: String) throws -> String {
        if let nodeIP {
            guard IPv4Address(nodeIP) != nil else {
                throw ValidationError("--node-ip: expected an IPv4 address, found \"\(nodeIP)\"")
            }
            return nodeIP
        }
        if IPv4Address(name) != nil { return name }
        if address != "0.0.0.0", address != "127.0.0.1", IPv4Address(address) != nil { return address }
        guard let found = try NetlinkSocket().defaultInterface() else {
            throw KubeletProblem("no default route, so this node's address is not known: give --node-ip=ADDRESS")
        }
        return "\(found.address)"
    }

    private func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.filter { $0 != " " } }.filter { !$0.isEmpty }
    }
}

/// Why the kubelet cannot start, in one line that says what to do.
private struct KubeletProblem: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
