import Addressing
import LinuxKit

/// What runs on each machine of `fjord up`, and the files that it reads.
struct ClusterServices {
    let layout: ClusterLayout

    static let storePort: UInt16 = 4001
    static let apiPort: UInt16 = 6443

    var pki: PublicKeyInfrastructure { PublicKeyInfrastructure(directory: "\(layout.directory)/pki") }
    private var storeEndpoint: String { "http://\(layout.master.address):\(Self.storePort)" }
    private var fjord: String { Installation.program("fjord") }

    /// Certificates, client configurations and machine specs; what is there and right is kept.
    func writeFiles() throws {
        try pki.prepare(subjects())
        for (user, file) in [
            ("admin", "admin"), ("scheduler", "scheduler"), ("controller-manager", "controller-manager"),
            ("proxy", "proxy"),
        ] {
            let text = try Kubeconfig.text(
                cluster: layout.name, server: layout.apiServer, user: user, pki: pki, file: file)
            try FileTree.write("\(layout.directory)/\(file).kubeconfig", text, mode: 0o600)
        }
        for node in layout.nodes {
            let text = try Kubeconfig.text(
                cluster: layout.name, server: layout.apiServer, user: "system:node:\(node.name)", pki: pki,
                file: "\(node.name)-client")
            try FileTree.write("\(layout.directory(node))/kubelet.kubeconfig", text, mode: 0o600)
        }
        for machine in layout.machines {
            let files = MachineFiles(layout: layout, machine: machine)
            try files.write()
            var spec = files.spec()
            spec.services = machine.isNode ? nodeServices(machine, files) : masterServices(files)
            try JSONFile.write(spec, "\(layout.directory(machine))/machine.json")
        }
    }

    private func subjects() -> [PublicKeyInfrastructure.Subject] {
        typealias Subject = PublicKeyInfrastructure.Subject
        let service = [
            "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local",
        ]
        var subjects = [
            Subject(
                file: "apiserver", commonName: "kube-apiserver", names: service + ["localhost", layout.master.name],
                addresses: [layout.master.address, layout.portalAddress, IPv4Address(127, 0, 0, 1)]),
            Subject(
                file: "apiserver-kubelet-client", commonName: "kube-apiserver-kubelet-client",
                organization: "system:masters"),
            Subject(file: "admin", commonName: "admin", organization: "system:masters"),
            Subject(file: "scheduler", commonName: "system:kube-scheduler"),
            Subject(file: "controller-manager", commonName: "system:kube-controller-manager"),
            Subject(file: "proxy", commonName: "system:kube-proxy", organization: "system:node-proxier"),
        ]
        for node in layout.nodes {
            subjects.append(
                Subject(
                    file: "\(node.name)-client", commonName: "system:node:\(node.name)", organization: "system:nodes"))
            subjects.append(
                Subject(
                    file: "\(node.name)-kubelet", commonName: node.name, names: [node.name, "localhost"],
                    addresses: [node.address, IPv4Address(127, 0, 0, 1)]))
        }
        return subjects
    }

    private func masterServices(_ files: MachineFiles) -> [MachineSpec.Service] {
        let address = "\(layout.master.address)"
        let store: MachineSpec.Service
        switch layout.store {
        case .embedded:
            store = .init(
                "store",
                [
                    fjord, "store", "--store-path", "\(files.data)/store.db", "--listen-client-urls",
                    "http://0.0.0.0:\(Self.storePort)",
                ],
                log: files.log("store"))
        case .etcd:
            store = .init(
                "etcd",
                [
                    "/usr/bin/etcd", "--name", "default", "--data-dir", "\(files.data)/default.etcd",
                    "--listen-client-urls", "http://0.0.0.0:\(Self.storePort)", "--advertise-client-urls",
                    storeEndpoint,
                    "--listen-peer-urls", "http://127.0.0.1:2380", "--initial-advertise-peer-urls",
                    "http://127.0.0.1:2380",
                    "--initial-cluster", "default=http://127.0.0.1:2380",
                ], log: files.log("etcd"))
        }
        var api = MachineSpec.Service(
            "apiserver",
            [
                fjord, "apiserver", "--etcd-servers", storeEndpoint, "--bind-address", address, "--secure-port",
                "\(Self.apiPort)",
                "--advertise-address", address, "--tls-cert-file", pki.certificatePath("apiserver"),
                "--tls-private-key-file", pki.keyPath("apiserver"), "--client-ca-file", pki.authorityPath,
                "--kubelet-client-certificate", pki.certificatePath("apiserver-kubelet-client"),
                "--kubelet-client-key", pki.keyPath("apiserver-kubelet-client"), "--kubelet-certificate-authority",
                pki.authorityPath,
                "--kubelet-port", "10250", "--portal-net", "\(layout.portalNetwork)",
            ], log: files.log("apiserver"))
        api.conditions = [.listening(address: address, port: Self.storePort)]
        let clients = ["scheduler", "controller-manager"].map { name in
            var service = MachineSpec.Service(
                name, [fjord, name, "--kubeconfig", "\(layout.directory)/\(name).kubeconfig"], log: files.log(name))
            service.conditions = [.listening(address: address, port: Self.apiPort)]
            return service
        }
        return [store, api] + clients + files.registryServices()
    }

    private func nodeServices(_ node: MachineIdentity, _ files: MachineFiles) -> [MachineSpec.Service] {
        let master = "\(layout.master.address)"
        let containerd = MachineSpec.Service(
            "containerd", ["/usr/bin/containerd", "--config", "/etc/containerd/config.toml"],
            log: files.log("containerd"))
        var overlay = MachineSpec.Service(
            "overlayd",
            [
                Installation.program("overlayd"), "--etcd-endpoints", storeEndpoint, "--etcd-prefix",
                "/coreos.com/network",
                "--iface", "eth0", "--public-ip", "\(node.address)", "--ip-masq", "--subnet-file",
                "/run/flannel/subnet.env",
            ], log: files.log("overlayd"))
        overlay.conditions = [.listening(address: master, port: Self.storePort)]
        var kubelet = MachineSpec.Service(
            "kubelet",
            [
                fjord, "kubelet", "--kubeconfig", "\(layout.directory(node))/kubelet.kubeconfig", "--hostname-override",
                node.name,
                "--address", "\(node.address)", "--port", "10250",
                "--container-runtime-endpoint", "unix:///run/containerd/containerd.sock",
                "--tls-cert-file", pki.certificatePath("\(node.name)-kubelet"),
                "--tls-private-key-file", pki.keyPath("\(node.name)-kubelet"), "--client-ca-file", pki.authorityPath,
            ], log: files.log("kubelet"))
        kubelet.conditions = [
            .file("/run/containerd/containerd.sock"), .listening(address: master, port: Self.apiPort),
        ]
        var proxy = MachineSpec.Service(
            "proxy",
            [
                fjord, "proxy", "--kubeconfig", "\(layout.directory)/proxy.kubeconfig", "--cluster-cidr",
                "\(layout.podNetwork)",
            ],
            log: files.log("proxy"))
        proxy.conditions = [.listening(address: master, port: Self.apiPort)]
        return [containerd, overlay, kubelet, proxy]
    }
}
