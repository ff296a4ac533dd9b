import Addressing
import Glibc
import LinuxKit

/// Powers one machine on and off.
struct Machine {
    let layout: ClusterLayout
    let identity: MachineIdentity
    let journal: Journal

    var namespace: NetworkNamespace { .named(layout.namespace(identity)) }
    var lan: NetworkNamespace { .named(layout.lanNamespace) }
    var specFile: String { "\(layout.directory(identity))/machine.json" }
    var stateFile: String { "\(layout.directory(identity))/state.json" }
    var isOn: Bool { MachineProcesses.first(in: namespace) != nil }

    /// Connects the machine and starts its first process, if it is off. Its spec must have been written.
    func start() async throws {
        if isOn {
            try connect()  // again, should the LAN have been lost
            return
        }
        try await clear()
        try journal.record(.namespace(layout.namespace(identity)), .cgroup(layout.cgroup(identity)))
        if !namespace.exists {
            unlink(namespace.path)
            try namespace.create()
        }
        try connect()
        unlink(stateFile)
        let log = try OwnedDescriptor(
            opening: "\(layout.directory(identity))/machine.log", O_WRONLY | O_CREAT | O_APPEND)
        let null = try OwnedDescriptor(opening: "/dev/null", O_RDONLY)
        var program = ProgramStart(
            "nsenter",
            arguments: [
                "nsenter", "--net=\(namespace.path)", "unshare", "--mount", "--uts", "--ipc", "--pid", "--fork",
                "--mount-proc",
                "--propagation", "private", Installation.program("fjord"), "machine-init", "--spec", specFile,
            ])
        program.standardInput = null.number
        program.standardOutput = log.number
        program.standardError = log.number
        // machine-init takes them from its loop, in no other thread.
        program.blockedSignals = [SIGTERM, SIGINT, SIGCHLD]
        let pid = try program.spawn()
        // The state file appears with the first services started; the chain ends early if it cannot.
        let deadline = ContinuousClock.now + .seconds(20)
        while !FileContents.exists(stateFile) {
            var status: CInt = 0
            if waitpid(pid, &status, WNOHANG) == pid {
                throw ClusterError(
                    "\(layout.namespace(identity)) did not start: \(lastLine(of: "\(layout.directory(identity))/machine.log"))"
                )
            }
            guard ContinuousClock.now < deadline else {
                throw ClusterError(
                    "\(layout.namespace(identity)) does not start; see \(layout.directory(identity))/machine.log")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Powers off: everything in the machine is gone at once, and what it had in the kernel with it.
    func stop() async throws {
        try await clear()
        try NetlinkSocket(in: lan).deleteLink(identity.name)
        try namespace.delete()
    }

    /// Ends what is left of the machine and removes its cgroups.
    private func clear() async throws {
        try await MachineProcesses.killAll(in: namespace, cgroup: layout.cgroup(identity))
        let left = MachineCgroups.remove(layout.cgroup(identity))
        guard left.isEmpty else {
            throw ClusterError("cgroups \(left.joined(separator: ", ")) cannot be removed; something else uses them")
        }
    }

    /// The machine's `eth0` and the LAN's port for it, addresses and routes.
    private func connect() throws {
        let inside = try NetlinkSocket(in: namespace)
        let lanSocket = try NetlinkSocket(in: lan)
        let bridge = try lanSocket.requiredLink("br0")
        if try inside.link(named: "eth0") == nil {
            // The other end of a link whose namespace is on its way out may still have the name.
            try lanSocket.deleteLink(identity.name)
            try inside.createVeth(
                LinkPlace("eth0", hardwareAddress: Self.hardwareAddress(identity.address)),
                LinkPlace(identity.name, in: lan))
        }
        let port = try lanSocket.requiredLink(identity.name)
        if port.master != bridge.index { try lanSocket.setLink(port.index, master: bridge.index) }
        try lanSocket.setLink(port.index, up: true)
        let link = try inside.requiredLink("eth0")
        try inside.addAddress(
            InterfaceAddress(interface: link.index, address: identity.address, prefixLength: layout.lan.length))
        try inside.setLink(link.index, up: true)
        // Without a way out the default route ends on the LAN: nothing leaves by the host, and daemons that look for
        // the
        // default route's interface find eth0.
        let everywhere = IPv4Prefix(IPv4Address(bits: 0), length: 0)
        try inside.replaceRoute(
            Route(to: everywhere, via: layout.hasUplink ? layout.hostAddress : nil, interface: link.index))
        // Service addresses are translated before they leave; without a route the machine's own connections would fail
        // earlier.
        try inside.replaceRoute(Route(to: layout.portalNetwork, interface: link.index))
    }

    /// Locally administered, and the same after each start, so that neighbours need not learn a new one.
    private static func hardwareAddress(_ address: IPv4Address) -> MACAddress {
        MACAddress(bits: 0x0A58_0000_0000 | UInt64(address.bits))
    }

    private func lastLine(of path: String) -> String {
        FileContents.text(path)?.split(separator: "\n").last.map(String.init) ?? "see \(path)"
    }
}
