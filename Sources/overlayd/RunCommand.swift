import Addressing
import ArgumentParser
import ClusterStore
import FoundationEssentials
import HTTPTransport
import LinuxKit
import Logging
import OverlayDaemon
import ServiceLifecycle
import SubnetLeases
import UnixSignals

/// `overlayd`, or `overlayd run`: the daemon.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run the daemon (what overlayd does without a subcommand).")

    @Option(help: "The store's etcd endpoints, separated by commas.")
    var etcdEndpoints = "http://127.0.0.1:4001,http://127.0.0.1:2379"
    @Option(help: "What the keys of this network begin with.")
    var etcdPrefix = "/coreos.com/network"
    @Option(help: "PEM file of the authority that signed etcd's certificate.")
    var etcdCafile: String?
    @Option(help: "PEM file of our certificate for etcd.")
    var etcdCertfile: String?
    @Option(help: "PEM file of the key of our certificate.")
    var etcdKeyfile: String?
    @Option(help: "User name for an etcd with authentication.")
    var etcdUsername: String?
    @Option(help: "The user's password; better in FLANNELD_ETCD_PASSWORD, where ps does not show it.")
    var etcdPassword: String?
    @Option(
        help:
            "Interface towards the other nodes, by name or address; may be given several times, the first that exists is taken."
    )
    var iface: [String] = []
    @Option(help: "Regular expression that the interface's name or address must match.")
    var ifaceRegex: String?
    @Option(help: "Take the interface that leads to this address.")
    var ifaceCanReach: String?
    @Option(help: "Address that the other nodes shall send to, if not the interface's own.")
    var publicIp: String?
    @Option(
        help: "IPv6 address that the other nodes shall send to in a dual-stack network, if not the interface's own.")
    var publicIpv6: String?
    @Option(help: "Write a CNI network list for this node's subnet into this directory, such as /etc/cni/net.d.")
    var cniConfDir: String?
    @Option(help: "Its form: bridge (with host-local and portmap), or flannel for flannel's own plugin.")
    var cniConfForm = "bridge"
    @Option(help: "Where to write the lease for CNI, Docker and the kubelet.")
    var subnetFile = "/run/flannel/subnet.env"
    @Option(help: ArgumentHelp("Renew the lease at the latest so many minutes before it ends.", valueName: "minutes"))
    var subnetLeaseRenewMargin = 60
    @Flag(help: "Masquerade what leaves the network.")
    var ipMasq = false
    @Flag(inversion: .prefixedNo, help: "Accept forwarded packets from and to the network.")
    var iptablesForwardRules = true
    @Option(
        help: ArgumentHelp(
            "How often the kernel's rules, routes and device are compared with what they should be.",
            valueName: "seconds"))
    var iptablesResync = 5
    @Option(
        help: "Which path packets take: ebpf (in the kernel), tun (in user space), or auto for the first that works.")
    var datapath = "auto"
    @Option(help: "Address of /healthz and /readyz.")
    var healthzIp = "0.0.0.0"
    @Option(help: "Port of /healthz and /readyz; 0 for none.")
    var healthzPort = 0
    @Option(
        help: ArgumentHelp(
            "How much to log: 0 to 3 for events, 4 and 5 for decisions too, from 6 on everything.", valueName: "n"))
    var v = 0

    // flanneld has these; here they are refused with the reason, never ignored.
    @Flag(help: .hidden) var kubeSubnetMgr = false
    @Option(help: .hidden) var kubeApiUrl: String?
    @Option(help: .hidden) var kubeAnnotationPrefix: String?
    @Option(help: .hidden) var kubeconfigFile: String?
    @Option(help: .hidden) var netConfigPath: String?
    @Option(help: .hidden) var setNodeNetworkUnavailable: String?

    func run() async throws {
        try refuseUnsupported()
        try Preflight.checkRoot()
        let endpoints = etcdEndpoints.split(separator: ",").map { String($0.filter { $0 != " " }) }
        let configuration = try daemonConfiguration(endpoints)
        let level: Logger.Level = v >= 6 ? .trace : v >= 4 ? .debug : .info
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let logger = Logger(label: "overlayd")

        let netlink: NetlinkSocket
        do { netlink = try NetlinkSocket() } catch { throw DaemonError("no netlink socket: \(error)") }
        let underlay = try configuration.underlay.resolve(netlink)
        let store: EtcdStore
        do {
            store = try EtcdStore(endpoints: endpoints, tls: try tls(), credentials: try credentials(), logger: logger)
        } catch let error as StoreError {
            throw DaemonError("--etcd-endpoints \(etcdEndpoints): \(error)")
        }
        let source = StoreSubnetSource(store: store, prefix: etcdPrefix, logger: logger)
        let daemon = try OverlayDaemon(configuration, underlay: underlay, source: source, logger: logger)
        var services: [any Service] = [store]
        if let health = configuration.health {
            let server = HTTPServer(
                configuration: HTTPServerConfiguration(address: health.address, port: health.port), logger: logger,
                handler: HealthEndpoints(isReady: { daemon.reasonNotReady }, metrics: { daemon.metrics }))
            do { try await server.listen() } catch {
                throw DaemonError(
                    "--healthz-port \(health.port) can't be served on \(health.address): \(error); choose another port, or 0 for none"
                )
            }
            services.append(server)
        }
        services.append(daemon)
        try await ServiceGroup(services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger).run()
    }

    private func refuseUnsupported() throws(DaemonError) {
        if kubeSubnetMgr {
            throw DaemonError(
                "--kube-subnet-mgr: leases from Node objects are not there yet; leave it out and give --etcd-endpoints")
        }
        let kube: [(String, String?)] = [
            ("--kube-api-url", kubeApiUrl), ("--kube-annotation-prefix", kubeAnnotationPrefix),
            ("--kubeconfig-file", kubeconfigFile), ("--net-config-path", netConfigPath),
            ("--set-node-network-unavailable", setNodeNetworkUnavailable),
        ]
        for (flag, value) in kube where value != nil {
            throw DaemonError("\(flag) has no meaning without --kube-subnet-mgr, which is not there yet; leave it out")
        }
    }

    private func daemonConfiguration(_ endpoints: [String]) throws(DaemonError) -> DaemonConfiguration {
        var request = UnderlayRequest()
        request.interfaces = iface
        request.pattern = ifaceRegex
        request.canReach = try address("--iface-can-reach", ifaceCanReach)
        request.publicIP = try address("--public-ip", publicIp)
        if let publicIpv6 {
            guard let address = IPv6Address(publicIpv6) else {
                throw DaemonError("--public-ipv6 \(publicIpv6): expected an IPv6 address")
            }
            request.publicIPv6 = address
        }
        request.storeAddresses = endpoints.compactMap { Self.host(of: $0) }
        var configuration = DaemonConfiguration(underlay: request)
        guard let datapath = DatapathChoice(rawValue: datapath) else {
            throw DaemonError("--datapath \(self.datapath): expected auto, ebpf or tun")
        }
        configuration.datapath = datapath
        configuration.subnetFile = subnetFile
        configuration.masquerade = ipMasq
        guard let form = CNIConfiguration.Form(rawValue: cniConfForm) else {
            throw DaemonError("--cni-conf-form \(cniConfForm): expected bridge or flannel")
        }
        if let cniConfDir { configuration.cni = (cniConfDir, form) }
        configuration.forwardRules = iptablesForwardRules
        guard iptablesResync > 0 else {
            throw DaemonError("--iptables-resync \(iptablesResync): expected seconds above 0")
        }
        configuration.resyncInterval = .seconds(iptablesResync)
        guard (1..<1440).contains(subnetLeaseRenewMargin) else {
            throw DaemonError(
                "--subnet-lease-renew-margin \(subnetLeaseRenewMargin): expected minutes from 1 to 1439, as leases last 24 hours"
            )
        }
        configuration.renewMargin = .seconds(subnetLeaseRenewMargin * 60)
        guard (0...65535).contains(healthzPort) else {
            throw DaemonError("--healthz-port \(healthzPort): expected 0 to 65535")
        }
        if healthzPort != 0 { configuration.health = (healthzIp, healthzPort) }
        return configuration
    }

    private func address(_ flag: String, _ text: String?) throws(DaemonError) -> IPv4Address? {
        guard let text else { return nil }
        guard let address = IPv4Address(text) else { throw DaemonError("\(flag) \(text): expected an IPv4 address") }
        return address
    }

    private func tls() throws(DaemonError) -> EtcdTLS? {
        guard (etcdCertfile == nil) == (etcdKeyfile == nil) else {
            throw DaemonError("--etcd-certfile and --etcd-keyfile belong together; give both or none")
        }
        guard etcdCafile != nil || etcdCertfile != nil else { return nil }
        return EtcdTLS(certificateAuthorityFile: etcdCafile, certificateFile: etcdCertfile, keyFile: etcdKeyfile)
    }

    private func credentials() throws(DaemonError) -> EtcdCredentials? {
        switch (etcdUsername, etcdPassword) {
        case (let user?, let password?): return EtcdCredentials(user: user, password: password)
        case (nil, nil): return nil
        default: throw DaemonError("--etcd-username and --etcd-password belong together; give both or none")
        }
    }

    /// The host of `http://host:port`, if it is an IPv4 address.
    private static func host(of endpoint: String) -> IPv4Address? {
        let rest = endpoint.firstRange(of: "://").map { endpoint[$0.upperBound...] } ?? endpoint[...]
        return IPv4Address(rest.prefix { $0 != ":" && $0 != "/" })
    }
}
