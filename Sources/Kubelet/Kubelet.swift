package import HTTPTransport
package import KubeAPI
package import KubeSchema
package import Logging
package import ServiceLifecycle

/// How a kubelet is set up.
package struct KubeletConfiguration: Sendable {
    package var node: NodeSettings
    /// Addresses and ports of the kubelet's own HTTP server.
    package var serverAddress = "0.0.0.0"
    package var serverPort = 10250
    package var serverTLS: HTTPServerTLS?
    /// Callers of the HTTP server must show a certificate of its client CA.
    package var requiresClientCertificate = false
    /// The runtime's socket. `nil` runs a containerd as a child, unless one answers at the usual place.
    package var runtimeEndpoint: String?
    package var containerd = ContainerdConfiguration()
    package var subnetFile = "/run/flannel/subnet.env"
    package var nodeLabels: [String: String] = [:]
    package var rootDirectory = "/var/lib/kubelet"
    package var logLimits = ContainerLogLimits()

    package init(node: NodeSettings) { self.node = node }

    /// This machine's host name, in the form of a node's name.
    package static func hostname() -> String { NodeFacts.hostname() }
}

/// The agent of one node: runs the pods that are bound to it, and tells the API server how they and the node are.
package struct Kubelet: Sendable {
    /// To be run together, the first ones first. An orderly stop leaves pods running.
    package let services: [any ServiceLifecycle.Service]

    /// Puts the parts together. Starts nothing but the HTTP server's socket.
    ///
    /// - Throws: when the server's port is taken, with what to do.
    package init(
        configuration: KubeletConfiguration, client: KubeClient, time: any TimeSource = SystemTime(), logger: Logger
    ) async throws {
        var settings = configuration.node
        let facts = NodeFacts.read(root: "/")
        settings.memoryBytes = facts.memoryBytes
        settings.cpuThousandths = Int64(facts.cpus) * 1000
        var services: [any ServiceLifecycle.Service] = []

        let socket = configuration.runtimeEndpoint ?? configuration.containerd.socket
        let runtime = RuntimeClient(socket: socket, logger: logger)
        if configuration.runtimeEndpoint == nil {
            let supervisor = ContainerdSupervisor(
                configuration: configuration.containerd, directory: configuration.rootDirectory, time: time,
                logger: logger)
            if try await supervisor.isNeeded() { services.append(supervisor) }
        }

        let health = NodeHealth()
        let events = EventRecorder(client: client, component: "kubelet", host: settings.name, time: time)
        let pods = Informer<Pod>(
            client: client, fieldSelector: "spec.nodeName=\(settings.name)", time: time, logger: logger)
        let serviceObjects = Informer<KubeAPI.Service>(client: client, time: time, logger: logger)
        let objects = APIObjects(client: client)
        let context = KubeletContext(
            client: client, runtime: runtime, settings: settings, objects: objects,
            volumes: VolumeManager(directories: settings.directories, objects: objects), services: serviceObjects,
            events: events, time: time, logger: logger, images: ImagePuller(runtime: runtime), health: health)
        let manager = PodManager(context: context, pods: pods, logLimits: configuration.logLimits)
        let document = NodeDocument(
            name: settings.name, address: settings.address, port: configuration.serverPort,
            labels: configuration.nodeLabels, facts: facts)
        let reporter = NodeReporter(
            client: client, document: document, health: health, runtime: runtime, events: events, time: time,
            logger: logger)
        let network = CNIConfigurator(
            subnetFile: configuration.subnetFile, directory: configuration.containerd.cniConfigurationDirectory,
            health: health, time: time, logger: logger)
        let server = HTTPServer(
            configuration: HTTPServerConfiguration(
                address: configuration.serverAddress, port: configuration.serverPort, tls: configuration.serverTLS),
            logger: logger,
            handler: KubeletServer(
                context: context, manager: manager, health: health, meter: NodeMeter(context: context),
                requiresCertificate: configuration.requiresClientCertificate))
        try await server.listen()
        services += [runtime, network, events, pods, serviceObjects, reporter, manager, server]
        self.services = services
    }
}
