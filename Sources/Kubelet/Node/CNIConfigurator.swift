import Addressing
import KubeAPI
import KubeSchema
import LinuxKit
import Logging
import ServiceLifecycle

/// Keeps the runtime's network configuration what the overlay's lease says.
///
/// The lease file is looked at once a second. While there is none, the node has no network for pods and says so; a
/// lease that goes away later (the overlay is restarting) changes nothing.
final class CNIConfigurator: ServiceLifecycle.Service {
    private let subnetFile: String
    private let directory: String
    private let health: NodeHealth
    private let time: any TimeSource
    private let logger: Logger

    init(subnetFile: String, directory: String, health: NodeHealth, time: any TimeSource, logger: Logger) {
        self.subnetFile = subnetFile
        self.directory = directory
        self.health = health
        self.time = time
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                self.check()
                try? await self.time.sleep(for: .seconds(1))
            }
        }
    }

    private func check() {
        guard let text = FileContents.text(subnetFile) else {
            if health.lease == nil {
                problem("overlay has no lease: \(subnetFile) is not there (is overlayd running?)")
            }
            return
        }
        let lease: OverlayLease
        do throws(OverlayLease.FormatError) {
            lease = try OverlayLease(parsing: text)
        } catch {
            if health.lease == nil { problem("overlay has no lease: \(subnetFile): \(error)") }
            return
        }
        guard health.lease != lease else { return }
        do throws(SyscallError) {
            try FileContents.makeDirectories(directory)
            let file = "\(directory)/\(CNIConfiguration.fileName)"
            let contents = CNIConfiguration.document(for: lease).encoded()
            if (try? FileContents.read(file)) != contents {
                try FileContents.replace(file, with: contents)
                logger.info("pods get addresses from \(lease.subnet), MTU \(lease.mtu)")
            }
            try removeStaleBridge(lease)
            if health.lease == nil { health.networkProblem = "the runtime has not read its network configuration yet" }
            health.lease = lease
        } catch {
            problem("\(error)")
        }
    }

    private func problem(_ text: String) {
        if health.networkProblem != text { logger.info("\(text)") }
        health.networkProblem = text
    }

    /// The bridge plugin refuses a bridge with an address that is not the one it was told. One that pods still use
    /// keeps both: the old address goes with the last of them.
    private func removeStaleBridge(_ lease: OverlayLease) throws(SyscallError) {
        let netlink = try NetlinkSocket()
        guard let bridge = try netlink.link(named: CNIConfiguration.bridge) else { return }
        let addresses = try netlink.addresses(of: bridge.index)
        if addresses.isEmpty || addresses.contains(where: { $0.address == lease.gateway }) { return }
        let isUsed = try netlink.links().contains { $0.master == bridge.index }
        if isUsed {
            for address in addresses { try netlink.deleteAddress(address) }
        } else {
            try netlink.deleteLink(CNIConfiguration.bridge)
        }
        logger.notice("\(CNIConfiguration.bridge) had an address of an earlier lease, which was removed")
    }
}
