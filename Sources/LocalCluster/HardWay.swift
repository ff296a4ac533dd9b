package import Addressing
import Glibc
import LinuxKit

/// A cluster as a sysadmin sets it up by hand: machines with `/etc` files, whose systemd units start everything.
package struct HardWay {
    package static let clusterName = "hardway"
    /// Where the article puts its machines.
    package static let lan = IPv4Prefix(IPv4Address(192, 168, 1, 0), length: 24)

    package let layout: ClusterLayout
    /// The directory of the unit files.
    let units: String
    /// The directory whose subdirectories are shown in each machine's `/etc`.
    let etc: String

    /// A master at .10 and minions behind it.
    package init(
        units: String, etc: String, minions: Int, registry: String? = nil, images: String? = nil, hasUplink: Bool? = nil
    ) {
        var machines = ClusterLayout.machines(nodes: minions, lan: Self.lan)
        for index in machines.indices.dropFirst() { machines[index].name = "minion-\(index)" }
        var layout = ClusterLayout(
            name: Self.clusterName, directory: ClusterLayout.defaultDirectory(Self.clusterName), machines: machines,
            lan: Self.lan,
            podNetwork: IPv4Prefix(IPv4Address(10, 245, 0, 0), length: 16),
            portalNetwork: IPv4Prefix(IPv4Address(10, 254, 0, 0), length: 16),
            hasUplink: hasUplink ?? (registry == nil && images == nil), isHardWay: true)
        layout.registry = registry
        layout.images = images
        self.layout = layout
        self.units = units
        self.etc = etc
    }

    package func cluster(_ make: (ClusterLayout) -> LocalCluster) async throws {
        try await make(layout).up(readyWithin: .seconds(120)) { try writeFiles() }
    }

    /// The units that run on a machine, by its part.
    private func unitNames(_ machine: MachineIdentity) -> [String] {
        machine.isNode
            ? ["containerd", "overlayd", "kubelet", "kube-proxy"]
            : ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"]
    }

    private func writeFiles() throws {
        for machine in layout.machines {
            let files = MachineFiles(layout: layout, machine: machine)
            try files.write()
            var spec = files.spec()
            try writeEtc(machine, &spec)
            try writePrograms(machine, &spec)
            spec.services = try unitNames(machine).map { try service($0, machine, files) } + files.registryServices()
            try JSONFile.write(spec, "\(layout.directory(machine))/machine.json")
        }
    }

    /// The files of `etc`, in a copy for each machine; on a minion what they say of the first is turned into its own.
    private func writeEtc(_ machine: MachineIdentity, _ spec: inout MachineSpec) throws {
        let first = "\(layout.nodes.first?.address ?? machine.address)"
        for directory in DirectoryListing.names(in: etc) {
            let copy = "\(layout.directory(machine))/etc-\(directory)"
            try FileContents.makeDirectories(copy)
            for name in DirectoryListing.names(in: "\(etc)/\(directory)") {
                var text = String(decoding: try FileContents.read("\(etc)/\(directory)/\(name)"), as: UTF8.self)
                if machine.isNode, name == "kubelet" {
                    text = text.split(separator: first, omittingEmptySubsequences: false).joined(
                        separator: "\(machine.address)")
                }
                try FileTree.write("\(copy)/\(name)", text)
            }
            spec.binds.removeAll { $0.target == "/etc/\(directory)" }
            spec.binds.append(.init(copy, at: "/etc/\(directory)"))
        }
    }

    /// The units' `/usr/bin/kube-apiserver` and so on: links to `fjord`, laid over the host's `/usr`.
    private func writePrograms(_ machine: MachineIdentity, _ spec: inout MachineSpec) throws {
        let upper = "\(layout.directory(machine))/usr"
        try FileContents.makeDirectories("\(upper)/bin")
        try FileContents.makeDirectories("\(layout.directory(machine))/usr.work")
        for name in ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "fjord"] {
            try FileTree.link("\(upper)/bin/\(name)", to: Installation.program("fjord"))
        }
        try FileTree.link("\(upper)/bin/overlayd", to: Installation.program("overlayd"))
        spec.overlays.append(.init(path: "/usr", upper: upper, work: "\(layout.directory(machine))/usr.work"))
    }

    private func service(_ name: String, _ machine: MachineIdentity, _ files: MachineFiles) throws
        -> MachineSpec.Service
    {
        if name == "containerd" {
            return MachineSpec.Service(
                name, ["/usr/bin/containerd", "--config", "/etc/containerd/config.toml"], log: files.log(name))
        }
        let path = "\(units)/\(name).service"
        guard let text = FileContents.text(path) else {
            throw ClusterError("\(path) cannot be read; give the directory of the units with --units")
        }
        let unit = try UnitFile(parsing: text, name: path)
        var environment = unit.environment
        for file in unit.environmentFiles {
            let own = "\(layout.directory(machine))/etc-" + file.path.dropFirst("/etc/".count)
            if let text = FileContents.text(own) {
                environment.merge(UnitFile.assignments(text)) { $1 }
            } else if !file.mayBeMissing {
                throw ClusterError("\(path) needs \(file.path), which is not below \(etc)")
            }
        }
        var service = MachineSpec.Service(
            name, UnitFile.arguments(unit.start, environment: environment), log: files.log(name))
        service.environment = environment
        service.preparations = unit.startPreparations.map { UnitFile.arguments($0, environment: environment) }
        service.preparations += unit.stateDirectories.map { ["/usr/bin/mkdir", "-p", "/var/lib/\($0)"] }
        service.preparations += unit.runtimeDirectories.map { ["/usr/bin/mkdir", "-p", "/run/\($0)"] }
        service.restart = .always
        let master = "\(layout.master.address)"
        switch name {
        case "etcd": break
        case "kube-apiserver", "overlayd":
            service.conditions = [.listening(address: master, port: ClusterServices.storePort)]
        default: service.conditions = [.listening(address: master, port: 8080)]
        }
        return service
    }
}
