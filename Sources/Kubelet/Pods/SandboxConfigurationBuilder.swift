import KubeSchema
import SwiftProtobuf

/// Where a pod's things are on this node.
package struct PodDirectories: Sendable {
    package var root: String
    package var logs = "/var/log/pods"

    package init(root: String) { self.root = root }

    func pod(_ uid: String) -> String { "\(root)/pods/\(uid)" }
    func volumes(_ uid: String) -> String { pod(uid) + "/volumes" }
    func hostsFile(_ uid: String) -> String { pod(uid) + "/etc-hosts" }
    func container(_ uid: String, _ name: String) -> String { "\(pod(uid))/containers/\(name)" }
    func logs(_ pod: PodReference) -> String { "\(logs)/\(pod.namespace)_\(pod.name)_\(pod.uid)" }
}

/// What of the node's configuration shapes pods.
package struct NodeSettings: Sendable {
    package var name: String, address: String
    package var directories: PodDirectories
    /// Prefix of the pods' cgroups, so that nodes that share a kernel do not share cgroups; empty for none.
    package var cgroupRoot = ""
    package var clusterDNS: [String] = []
    package var clusterDomain = "cluster.local"
    package var allowsPrivileged = true
    /// The longest that a pod's files take to follow the objects that they come from.
    package var syncFrequency: Duration = .seconds(60)
    package var memoryBytes: Int64 = 0, cpuThousandths: Int64 = 0

    package init(name: String, address: String, root: String) {
        self.name = name
        self.address = address
        directories = PodDirectories(root: root)
    }

    /// The cgroup of a pod, below every hierarchy's root.
    func cgroupParent(of pod: DesiredPod) -> String {
        let level =
            switch pod.qualityOfService {
            case .guaranteed: ""
            case .burstable: "/burstable"
            case .bestEffort: "/besteffort"
            }
        return "\(kubepods)\(level)/pod\(pod.reference.uid)"
    }

    var kubepods: String {
        let root = cgroupRoot.split(separator: "/").joined(separator: "/")
        return root.isEmpty ? "/kubepods" : "/\(root)/kubepods"
    }
}

/// Writes what the runtime is told about a pod's sandbox.
enum SandboxConfigurationBuilder {
    static func make(for pod: DesiredPod, attempt: Int, _ settings: NodeSettings) -> CRIPodSandboxConfig {
        var config = CRIPodSandboxConfig()
        config.metadata.name = pod.reference.name
        config.metadata.namespace = pod.reference.namespace
        config.metadata.uid = pod.reference.uid
        config.metadata.attempt = UInt32(attempt)
        // On the node's own network there is no UTS namespace of the pod's to be named.
        config.hostname = pod.hostNetwork ? "" : pod.hostname
        config.logDirectory = settings.directories.logs(pod.reference)
        if let dns = dns(for: pod, settings) { config.dnsConfig = dns }
        for container in pod.containers where !pod.hostNetwork {
            for port in container.ports {
                guard let hostPort = port.hostPort else { continue }
                config.portMappings.append(
                    .with {
                        $0.protocol =
                            port.networkProtocol == "UDP" ? .udp : port.networkProtocol == "SCTP" ? .sctp : .tcp
                        $0.containerPort = Int32(port.containerPort)
                        $0.hostPort = Int32(hostPort)
                        $0.hostIp = port.hostIP
                    })
            }
        }
        config.labels = pod.labels.merging(
            [
                Labels.podName: pod.reference.name, Labels.podNamespace: pod.reference.namespace,
                Labels.podUID: pod.reference.uid,
            ]
        ) { $1 }
        config.annotations = [Annotations.gracePeriod: String(pod.terminationGracePeriodSeconds)]
        config.linux.cgroupParent = settings.cgroupParent(of: pod)
        config.linux.securityContext.namespaceOptions = namespaces(of: pod)
        config.linux.securityContext.privileged = pod.containers.contains {
            $0.securityContext["privileged"]?.bool == true
        }
        for entry in pod.securityContext["sysctls"]?.array ?? [] {
            if let name = entry["name"]?.string, let value = entry["value"]?.string {
                config.linux.sysctls[name] = value
            }
        }
        return config
    }

    static func namespaces(of pod: DesiredPod) -> CRINamespaceOption {
        .with {
            $0.network = pod.hostNetwork ? .node : .pod
            let isShared = pod.spec["shareProcessNamespace"]?.bool == true
            $0.pid = pod.hostPID ? .node : isShared ? .pod : .container
            $0.ipc = pod.hostIPC ? .node : .pod
        }
    }

    /// Name servers for the pod; `nil` leaves it the node's own.
    static func dns(for pod: DesiredPod, _ settings: NodeSettings) -> CRIDNSConfig? {
        var config = CRIDNSConfig()
        let policy = pod.spec["dnsPolicy"]?.string ?? "ClusterFirst"
        let wantsCluster = policy == "ClusterFirstWithHostNet" || policy == "ClusterFirst" && !pod.hostNetwork
        if wantsCluster, !settings.clusterDNS.isEmpty {
            config.servers = settings.clusterDNS
            let domain = settings.clusterDomain
            config.searches = ["\(pod.reference.namespace).svc.\(domain)", "svc.\(domain)", domain]
            config.options = ["ndots:5"]
        }
        if let extra = pod.spec["dnsConfig"], !extra.isNull {
            config.servers += extra["nameservers"].strings
            config.searches += extra["searches"].strings
            config.options += (extra["options"]?.array ?? []).compactMap { option in
                guard let name = option["name"]?.string else { return nil }
                return option["value"]?.string.map { "\(name):\($0)" } ?? name
            }
        }
        return config == CRIDNSConfig() ? nil : config
    }
}
