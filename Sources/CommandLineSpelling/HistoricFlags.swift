/// Flags of Kubernetes v0.6 to v0.10 and of flanneld 0.1 that a command takes for the sake of old command lines, by
/// today's hyphenated spelling. A command that declares one of them itself takes precedence.
package struct HistoricFlags: Sendable {
    /// Accepted and dropped, with what they took then.
    package var flags: [String: FlagKind] = [:]
    /// Old names of flags that live on under another name.
    package var aliases: [String: String] = [:]
    /// Dropped without a word, since what they ask for is what happens anyway.
    package var silent: Set<String> = []
    /// Dropped only with one of these values: any other asks for a protection that dropping would not give.
    package var accepted: [String: Set<String>] = [:]

    package init() {}

    private init(toggles: [String] = [], values: [String] = [], aliases: [String: String] = [:]) {
        for name in toggles + Self.loggingToggles { flags[name] = .toggle }
        for name in values + Self.loggingValues { flags[name] = .value }
        self.aliases = aliases
        silent = ["logtostderr", "log-flush-frequency", "stderrthreshold"]
        for name in aliases.keys where flags[name] == nil { flags[name] = .value }
    }

    private static let loggingToggles = ["logtostderr", "alsologtostderr"]
    private static let loggingValues = [
        "log-dir", "stderrthreshold", "vmodule", "log-backtrace-at", "log-flush-frequency",
    ]
    private static let clientToggles = ["insecure-skip-tls-verify"]
    private static let clientValues = ["api-version", "client-certificate", "client-key", "certificate-authority"]

    /// The flags for one of `fjord`'s commands: an empty set for those that 2015 did not know.
    package static func of(command: String) -> HistoricFlags {
        switch command {
        case "apiserver": apiserver
        case "controller-manager": controllerManager
        case "scheduler": scheduler
        case "kubelet": kubelet
        case "proxy": proxy
        default: HistoricFlags()
        }
    }

    private static var apiserver: HistoricFlags {
        var result = HistoricFlags(
            toggles: [
                "health-check-minions", "allow-privileged", "kubelet-https", "enable-logs-support", "profiling",
            ],
            values: [
                "read-only-port", "etcd-config", "api-prefix", "storage-version", "runtime-config", "event-ttl",
                "cors-allowed-origins", "token-auth-file", "authorization-mode", "authorization-policy-file",
                "admission-control", "admission-control-config-file", "cloud-provider", "cloud-config",
                "master-service-namespace", "api-rate", "api-burst", "machines", "minion-regexp",
            ],
            aliases: [
                "minion-port": "kubelet-port", "public-address-override": "advertise-address",
                "service-cluster-ip-range": "portal-net", "portal-net": "service-cluster-ip-range",
                "etcd-server": "etcd-servers",
            ])
        result.accepted = [
            "authorization-mode": ["AlwaysAllow", ""], "authorization-policy-file": [""], "token-auth-file": [""],
            "admission-control": ["AlwaysAdmit", ""], "admission-control-config-file": [""],
        ]
        return result
    }

    private static let controllerManager = HistoricFlags(
        toggles: clientToggles + ["profiling"],
        values: clientValues + [
            "address", "port", "machines", "minion-regexp", "node-milli-cpu", "node-memory", "cloud-provider",
            "cloud-config", "node-sync-period", "resource-quota-sync-period", "register-retry-count",
            "pod-eviction-timeout",
        ],
        aliases: ["minion-milli-cpu": "node-milli-cpu", "minion-memory": "node-memory"])

    private static let scheduler = HistoricFlags(
        toggles: clientToggles + ["profiling"],
        values: clientValues + ["address", "port", "algorithm-provider", "policy-config-file"])

    private static let kubelet = HistoricFlags(
        toggles: [
            "enable-server", "enable-debugging-handlers", "allow-privileged", "runonce", "really-crash-for-testing",
        ],
        values: [
            "etcd-servers", "etcd-config", "config", "manifest-url", "file-check-frequency", "http-check-frequency",
            "sync-frequency", "docker-endpoint", "cluster-dns", "cluster-domain", "registry-qps", "registry-burst",
            "minimum-container-ttl-duration", "maximum-dead-containers-per-container", "cadvisor-port",
            "oom-score-adj", "auth-path", "master-service-namespace",
        ],
        aliases: [
            "api-server": "api-servers", "network-container-image": "pod-infra-container-image",
            "minion-port": "port",
        ])

    private static let proxy = HistoricFlags(
        toggles: clientToggles,
        values: clientValues + ["etcd-servers", "etcd-config", "oom-score-adj"])
}
