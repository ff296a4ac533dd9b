import Addressing
import ArgumentParser
import Glibc
import LinuxKit
import OverheadMeter
import OverlayDaemon

/// `overlayd measure`: what the encapsulation costs between this node and another.
struct MeasureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Measure throughput and CPU time per gigabyte to another node, with and without encapsulation.",
        discussion: """
            On the other node: overlayd measure --serve
            On this node:      overlayd measure --peer ADDRESS-OF-THE-OTHER-NODE
            """)

    @Flag(help: "Be the other node: receive until stopped.") var serve = false
    @Option(help: "The other node's own address, not its pods'.") var peer: String?
    @Option(help: "The other node's address in the overlay; asked for by default.") var overlay: String?
    @Option(help: "TCP port of the measurement.") var port: UInt16 = 8286
    @Option(help: "Rounds of each kind, 1 to 100.") var rounds = 3
    @Option(help: "Seconds a round, up to 60.") var seconds = 2.0
    @Option(help: "A round ends after so many megabytes, if that is sooner.") var megabytes = 4096
    @Option(help: "Where the lease is written.") var subnetFile = "/run/flannel/subnet.env"
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
        guard serve != (peer != nil) else {
            throw MeasureError("give --serve on one node and --peer ADDRESS on the other")
        }
        if serve {
            // The device is there in every mount namespace of the node, the file may not be.
            let address: @Sendable () -> IPv4Address? = { [subnetFile] in
                let device = (try? NetlinkSocket().interface(named: "flannel0"))?.address
                return device ?? FileContents.text(subnetFile).flatMap { SubnetFile($0) }?.subnet.address
            }
            write(
                "receiving on TCP port \(port), "
                    + (address().map { "over the overlay at \($0)" } ?? "no overlay address yet"))
            do {
                try await DedicatedThread.run(name: "measure") { [port] in
                    try MeasureServer(overlayAddress: address).run(address: IPv4Address(bits: 0), port: port)
                }
            } catch let error as SyscallError {
                let advice = error.code == EADDRINUSE ? "; another process has the port, choose one with --port" : ""
                throw MeasureError("can't receive: \(error)\(advice)")
            }
            return
        }
        guard let underlay = peer.flatMap({ IPv4Address($0) }) else {
            throw MeasureError("--peer \(peer ?? ""): expected an IPv4 address")
        }
        guard (1...100).contains(rounds), seconds > 0, seconds <= 60, megabytes > 0 else {
            throw MeasureError("expected --rounds from 1 to 100, --seconds above 0 up to 60, --megabytes above 0")
        }
        var plan = MeasurePlan(underlay: underlay)
        if let overlay {
            guard let address = IPv4Address(overlay) else {
                throw MeasureError("--overlay \(overlay): expected an IPv4 address")
            }
            plan.overlay = address
        }
        plan.port = port
        plan.rounds = rounds
        plan.secondsPerRound = seconds
        plan.bytesPerRound = megabytes * 1_000_000
        let report = try await DedicatedThread.run(name: "measure") { [plan] in try MeasureClient(plan).run() }
        write(json ? report.json : report.text)
    }
}

/// `overlayd capture`: shows the overlay's packets between the nodes.
struct CaptureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture",
        abstract: "Show encapsulated packets on the interface between the nodes, with the addresses inside.")

    @Option(help: "The interface to look at.") var iface: String
    @Option(help: "The overlay's UDP port.") var port: UInt16 = 8285
    @Option(help: "Stop after so many packets.") var count = 10
    @Option(help: "Fail if they did not come within so many seconds.") var seconds = 30.0

    func run() async throws {
        let found = try await DedicatedThread.run(name: "capture") { [iface, port, count, seconds] in
            try PacketCapture(interface: iface, port: port).run(count: count, seconds: seconds) { write("\($0)") }
        }
        guard found >= count else {
            throw CaptureError("only \(found) of \(count) encapsulated packets on \(iface) within \(seconds) s")
        }
    }
}

/// `overlayd status`: what the daemon knew last.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show this node's lease, its peers, the path that packets take and what became of them.")

    @Option(help: "Where the lease is written.") var subnetFile = "/run/flannel/subnet.env"
    @Flag(help: "As JSON.") var json = false

    func run() throws {
        var configuration = DaemonConfiguration(underlay: UnderlayRequest())
        configuration.subnetFile = subnetFile
        guard let state = SavedState(file: configuration.stateFile) else {
            throw DaemonError(
                "no state in \(configuration.stateFile): overlayd has had no lease on this node since it booted")
        }
        let report = StatusReport(state, deviceName: configuration.deviceName)
        write(json ? report.json : report.text)
    }
}

/// `overlayd clean`: takes away what overlayd made.
struct CleanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clean",
        abstract: "Remove everything that overlayd made on this machine: device, routes, rules, files.")

    @Option(help: "Where the lease is written.") var subnetFile = "/run/flannel/subnet.env"

    func run() throws {
        try Preflight.checkRoot()
        let removed = try Clean.run(deviceName: "flannel0", subnetFile: subnetFile)
        write(removed.isEmpty ? "nothing to remove" : removed.map { "removed \($0)" }.joined(separator: "\n"))
    }
}

/// Writes a line to standard output at once, also into a pipe.
private func write(_ line: String) {
    print(line)
    fflush(nil)
}
