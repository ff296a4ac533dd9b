import Addressing
import ArgumentParser
import Glibc
import LocalCluster

/// `fjord up`
struct UpCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "up", abstract: "Bring up a cluster on this machine, or what is missing of it.",
        discussion: "Each machine of the cluster is a set of namespaces with its own container runtime. Needs root.")

    @Option(help: "How many nodes beside the master.") var nodes = 3
    @Option(help: "The cluster's name; all that is made is named after it.") var name = "fjord"
    @Option(help: "Where the cluster's state is kept: embedded (SQLite) or etcd.") var store = "embedded"
    @Option(help: ArgumentHelp("The network that joins the machines and this host.", valueName: "range")) var lan =
        "10.240.0.0/24"
    @Option(help: ArgumentHelp("The network of the pods.", valueName: "range")) var podNetwork = "10.244.0.0/16"
    @Option(help: ArgumentHelp("The network of the services.", valueName: "range")) var portalNet = "10.254.0.0/16"
    @Option(
        help: ArgumentHelp(
            "A registry that stands for every other one; a loopback address means this host.", valueName: "host:port"))
    var registry: String?
    @Option(
        help: ArgumentHelp(
            "A registry's storage, as contrib/images.sh makes one; the master serves it in every registry's place.",
            valueName: "directory"))
    var images: String?
    @Flag(help: "Give the machines no way out of this host; the default with --registry or --images.") var isolated =
        false
    @Flag(help: "Let the machines reach the outside through this host; the default otherwise.") var uplink = false
    @Option(
        help: ArgumentHelp("Where the cluster's files are; /var/lib/fjord/NAME when not given.", valueName: "directory")
    ) var dir: String?
    @Option(help: ArgumentHelp("How long to wait for all nodes to be Ready.", valueName: "seconds")) var wait = 120

    func validate() throws {
        guard (0...100).contains(nodes) else { throw ValidationError("--nodes \(nodes): 0 to 100 are possible") }
        guard ClusterLayout.Store(rawValue: store) != nil else {
            throw ValidationError("--store \(store): embedded and etcd are possible")
        }
        guard registry == nil || images == nil else {
            throw ValidationError("--registry and --images exclude each other")
        }
        if let images, !images.hasPrefix("/") { throw ValidationError("--images \(images): expected an absolute path") }
        guard !(isolated && uplink) else { throw ValidationError("--isolated and --uplink exclude each other") }
        for (flag, text) in [("--lan", lan), ("--pod-network", podNetwork), ("--portal-net", portalNet)]
        where IPv4Prefix(text) == nil {
            throw ValidationError("\(flag) \(text): expected a network such as 10.240.0.0/24")
        }
        if let registry, registryParts(registry) == nil {
            throw ValidationError("--registry \(registry): expected HOST:PORT")
        }
        if let dir, !dir.hasPrefix("/") || dir.count < 2 {
            throw ValidationError("--dir \(dir): expected an absolute path")
        }
    }

    func run() async throws {
        guard let lan = IPv4Prefix(lan), let pods = IPv4Prefix(podNetwork), let portal = IPv4Prefix(portalNet) else {
            return
        }
        var layout = ClusterLayout(
            name: name, directory: dir ?? ClusterLayout.defaultDirectory(name),
            machines: ClusterLayout.machines(nodes: nodes, lan: lan),
            lan: lan, podNetwork: pods, portalNetwork: portal,
            hasUplink: uplink || (registry == nil && images == nil && !isolated))
        layout.images = images
        layout.store = ClusterLayout.Store(rawValue: store) ?? .embedded
        layout.registry = registry.flatMap(registryParts).map { reachableRegistry($0, from: layout) }
        let cluster = LocalCluster(
            layout, logger: bootstrapLogging(component: "up", verbosity: 0), report: ClusterReport.line)
        try await cluster.up(readyWithin: .seconds(wait))
        ClusterReport.ready(layout)
    }
}

/// A host and a port.
private func registryParts(_ text: String) -> (host: String, port: UInt16)? {
    guard let colon = text.lastIndex(of: ":"), colon != text.startIndex,
        let port = UInt16(text[text.index(after: colon)...])
    else { return nil }
    return (String(text[..<colon]), port)
}

/// What the machines call a registry: this host's loopback is not theirs.
private func reachableRegistry(_ registry: (host: String, port: UInt16), from layout: ClusterLayout) -> String {
    let isHere = registry.host == "localhost" || registry.host == "0.0.0.0" || registry.host.hasPrefix("127.")
    return "\(isHere ? "\(layout.hostAddress)" : registry.host):\(registry.port)"
}

/// `fjord hard-way`
struct HardWayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hard-way",
        abstract: "Set up a cluster as by hand: machines whose systemd units start everything.",
        subcommands: [Up.self, Down.self])

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Start a master at 192.168.1.10 and minions behind it from unit files.")
        @Option(help: ArgumentHelp("The unit files.", valueName: "directory")) var units = "contrib/systemd"
        @Option(help: ArgumentHelp("Directories that are shown in each machine's /etc.", valueName: "directory"))
        var etc = "contrib/etc"
        @Option(help: "How many minions.") var minions = 2
        @Option(help: ArgumentHelp("A registry that stands for every other one.", valueName: "host:port")) var registry:
            String?
        @Option(
            help: ArgumentHelp(
                "A registry's storage that the master serves in every registry's place.", valueName: "directory"))
        var images: String?
        @Flag(help: "Let the machines reach the outside; the default without --registry and --images.") var uplink =
            false

        func validate() throws {
            guard registry == nil || images == nil else {
                throw ValidationError("--registry and --images exclude each other")
            }
            if let images, !images.hasPrefix("/") {
                throw ValidationError("--images \(images): expected an absolute path")
            }
            guard (1...100).contains(minions) else {
                throw ValidationError("--minions \(minions): 1 to 100 are possible")
            }
            if let registry, registryParts(registry) == nil {
                throw ValidationError("--registry \(registry): expected HOST:PORT")
            }
        }

        func run() async throws {
            let plain = HardWay(units: units, etc: etc, minions: minions)
            let reachable = registry.flatMap(registryParts).map { reachableRegistry($0, from: plain.layout) }
            let hardWay = HardWay(
                units: units, etc: etc, minions: minions, registry: reachable, images: images,
                hasUplink: uplink ? true : nil)
            let logger = bootstrapLogging(component: "hard-way", verbosity: 0)
            try await hardWay.cluster { LocalCluster($0, logger: logger, report: ClusterReport.line) }
            ClusterReport.line("ready: kubectl -s http://192.168.1.10:8080 get nodes")
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove what `fjord hard-way up` made.")

        func run() async throws {
            let removed = try await ClusterRemoval(HardWay.clusterName, report: ClusterReport.line).run()
            ClusterReport.line(
                removed ? "cluster \(HardWay.clusterName) is gone" : "there is no cluster \(HardWay.clusterName)")
        }
    }
}

/// What the cluster commands print.
enum ClusterReport {
    /// One line, at once, also into a pipe.
    static let line: @Sendable (String) -> Void = { text in
        print(text)
        fflush(nil)
    }

    static func ready(_ layout: ClusterLayout) {
        let pki = "\(layout.directory)/pki"
        line(
            """

            Cluster \(layout.name) is up:
            \(layout.machines.map { "  \($0.name.padded(to: 10)) \($0.address)" }.joined(separator: "\n"))

              export KUBECONFIG=\(layout.kubeconfig)
              kubectl get nodes
              curl --cacert \(pki)/ca.crt --cert \(pki)/admin.crt --key \(pki)/admin.key \(layout.apiServer)/api/v1/nodes
            """)
    }
}

extension String {
    /// The text with spaces behind it, `width` characters at least.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
