import Addressing
import DataPlane
import SubnetLeases

/// Samples in Prometheus' text exposition format, version 0.0.4.
struct MetricsText {
    private(set) var text = ""

    /// Begins a metric; its samples follow.
    mutating func metric(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    /// Adds a sample. Values of labels are ours: no escapes are needed.
    mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: some Numeric) {
        let inside = labels.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
        text += inside.isEmpty ? "\(name) \(value)\n" : "\(name){\(inside)} \(value)\n"
    }
}

extension OverlayDaemon {
    /// What `/metrics` answers.
    package var metrics: String {
        var metrics = MetricsText()
        let now = current
        metrics.metric("overlayd_lease_held", "gauge", "Whether this node holds a subnet lease.")
        metrics.sample("overlayd_lease_held", [:], now.held == nil ? 0 : 1)
        metrics.metric("overlayd_peers", "gauge", "Leases of other nodes.")
        metrics.sample("overlayd_peers", [:], now.table?.peers.count ?? 0)
        metrics.metric(
            "overlayd_repairs_total", "counter", "Changes by others to the overlay's kernel state that were undone.")
        metrics.sample("overlayd_repairs_total", [:], repairs)
        metrics.metric("overlayd_datapath", "gauge", "The path that packets take.")
        metrics.sample("overlayd_datapath", ["path": path.choice.rawValue], 1)
        if let counters = userSpaceCounters {
            metrics.metric("overlayd_user_space_packets_total", "counter", "Inner packets on the user-space path.")
            metrics.sample("overlayd_user_space_packets_total", ["direction": "sent"], counters.sentPackets)
            metrics.sample("overlayd_user_space_packets_total", ["direction": "received"], counters.receivedPackets)
            metrics.metric(
                "overlayd_user_space_bytes_total", "counter", "Bytes of inner packets on the user-space path.")
            metrics.sample("overlayd_user_space_bytes_total", ["direction": "sent"], counters.sentBytes)
            metrics.sample("overlayd_user_space_bytes_total", ["direction": "received"], counters.receivedBytes)
            metrics.metric("overlayd_user_space_drops_total", "counter", "Packets dropped by the user-space path.")
            for (reason, count) in counters.drops.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                metrics.sample("overlayd_user_space_drops_total", ["reason": "\(reason)"], count)
            }
        }
        if let kernel = kernelPath {
            metrics.metric("overlayd_kernel_packets_total", "counter", "Packets by what the eBPF path did with them.")
            let events = kernel.events
            for event in FastPathEvent.allCases {
                metrics.sample("overlayd_kernel_packets_total", ["event": event.name], events[event] ?? 0)
            }
            metrics.metric("overlayd_peer_packets_total", "counter", "Packets exchanged with a peer on the eBPF path.")
            let traffic = kernel.traffic.sorted { $0.key < $1.key }
            for (peer, count) in traffic {
                metrics.sample(
                    "overlayd_peer_packets_total", ["peer": "\(peer)", "direction": "sent"], count.sentPackets)
                metrics.sample(
                    "overlayd_peer_packets_total", ["peer": "\(peer)", "direction": "received"], count.receivedPackets)
            }
            metrics.metric("overlayd_peer_bytes_total", "counter", "Bytes exchanged with a peer on the eBPF path.")
            for (peer, count) in traffic {
                metrics.sample("overlayd_peer_bytes_total", ["peer": "\(peer)", "direction": "sent"], count.sentBytes)
                metrics.sample(
                    "overlayd_peer_bytes_total", ["peer": "\(peer)", "direction": "received"], count.receivedBytes)
            }
        }
        return metrics.text
    }
}
