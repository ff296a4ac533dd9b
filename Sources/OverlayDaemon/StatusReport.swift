import Addressing
import DataPlane
import FoundationEssentials
import LinuxKit
package import SubnetLeases

/// What `overlayd status` shows: lease and peers as the daemon knew them last, and the path that packets take, with
/// what it counted, as the kernel has it now.
package struct StatusReport: Codable, Sendable {
    package struct Peer: Codable, Sendable {
        package var subnet: String
        package var publicAddress: String
        /// `kernel` or `user space`; `nil` while the eBPF path is not in use.
        package var path: String?
        package var mtu: Int?
        package var sentPackets: UInt64?
        package var sentBytes: UInt64?
        package var receivedPackets: UInt64?
        package var receivedBytes: UInt64?
    }

    /// A pod of this node on the eBPF path.
    package struct Pod: Codable, Sendable {
        package var address: String
        /// Why its packets go through the stack, if they do.
        package var stepsAside: String?
    }

    package var network: String
    package var backend: String
    package var subnet: String
    package var publicAddress: String
    package var process: Int32
    package var isRunning: Bool
    /// Whether the store confirmed it when it was last written.
    package var isCurrent: Bool
    /// `ebpf`, `tun`, or `kernel` for the kernel's own devices and routes alone.
    package var datapath: String
    package var peers: [Peer]
    package var pods: [Pod]
    /// Packets by what became of them on the eBPF path.
    package var events: [String: UInt64]

    /// Looks at the calling thread's network namespace.
    ///
    /// - Parameter deviceName: The TUN device, after which the maps of a `udp` network are called.
    package init(_ state: SavedState, deviceName: String) {
        network = "\(state.config.network)"
        backend = state.config.backend.name
        subnet = "\(state.own.subnet)"
        publicAddress = "\(state.own.attributes.publicIP)"
        process = state.process
        isRunning = ProcessStatus(state.process).map { $0.command == "overlayd" } ?? false
        isCurrent = state.isCurrent
        var device = deviceName
        var without = PacketPath.tun
        switch state.config.backend {
        case .udp: break
        case .vxlan(let options): (device, without) = ("flannel.\(options.identifier)", .kernel)
        case .hostGateway, .alloc: without = .kernel
        }
        let inspection = try? FastPathInspection(pins: BPFFileSystem.name(for: device))
        datapath = (inspection == nil ? without : .ebpf).rawValue
        let routes = Dictionary((inspection?.peers ?? []).map { ($0.prefix, $0) }) { first, _ in first }
        peers = state.peers.map { lease in
            let route = routes[lease.subnet]
            return Peer(
                subnet: "\(lease.subnet)", publicAddress: "\(lease.attributes.publicIP)",
                path: route.map { $0.isUserSpaceOnly ? "user space" : "kernel" }, mtu: route?.mtu,
                sentPackets: route?.traffic.sentPackets, sentBytes: route?.traffic.sentBytes,
                receivedPackets: route?.traffic.receivedPackets, receivedBytes: route?.traffic.receivedBytes)
        }
        pods = []
        if inspection != nil, let netlink = try? NetlinkSocket(), let discovery = try? PodDiscovery(netlink: netlink),
            let found = try? discovery.pods(in: state.own.subnet)
        {
            pods = found.map { Pod(address: "\($0.address)", stepsAside: $0.stepAside) }
        }
        events = [:]
        for (event, count) in inspection?.events ?? [:] where count > 0 { events[event.name] = count }
    }

    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    package var text: String {
        let store = isCurrent ? "confirmed by the store" : "STALE: the store was away when this was written"
        let stopped = "not running: packets " + (datapath == "tun" ? "do not move" : "go on in the kernel")
        var lines = [
            "network   \(network), backend \(backend)", "lease     \(subnet), public address \(publicAddress)",
            "daemon    " + (isRunning ? "running, process \(process)" : stopped), "datapath  \(datapath)",
            "peers     \(peers.count), \(store)",
        ]
        for peer in peers {
            var line = "          \(peer.subnet) at \(peer.publicAddress)"
            if let path = peer.path, let mtu = peer.mtu {
                line +=
                    ", \(path), MTU \(mtu), sent \(peer.sentPackets ?? 0) packets (\(peer.sentBytes ?? 0) bytes), "
                    + "received \(peer.receivedPackets ?? 0) (\(peer.receivedBytes ?? 0))"
            }
            lines.append(line)
        }
        if !pods.isEmpty { lines.append("pods      \(pods.count)") }
        for pod in pods {
            lines.append("          \(pod.address)" + (pod.stepsAside.map { ", through the stack: \($0)" } ?? ""))
        }
        if !events.isEmpty { lines.append("packets") }
        for (event, count) in events.sorted(by: { $0.key < $1.key }) {
            lines.append("          \(event) \(count)")
        }
        return lines.joined(separator: "\n")
    }
}
