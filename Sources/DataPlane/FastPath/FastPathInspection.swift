package import Addressing
package import LinuxKit

/// Looks at the eBPF path from outside: what its pinned maps say, also while no daemon runs.
package struct FastPathInspection: Sendable {
    /// What a peer and this node have sent each other, and how it is reached.
    package struct Peer: Hashable, Sendable {
        package var prefix: IPv4Prefix
        package var address: IPv4Address
        /// Bytes of the largest inner packet.
        package var mtu: Int
        /// It takes finished packets only.
        package var isUserSpaceOnly: Bool
        package var traffic: PeerTraffic
    }

    private let settings: BPFMap<UInt32, SettingsValue>
    private let routes: BPFMap<UInt32, RouteValue>
    private let exceptions: BPFMap<PrefixKey, RouteValue>
    private let traffic: BPFMap<UInt32, TrafficValue>
    private let counters: BPFMap<UInt32, UInt64>

    /// - Throws: With `ENOENT` when nothing is pinned in `pins`.
    package init(pins: String) throws(SyscallError) {
        settings = try BPFMap(pinned: "settings", in: pins)
        routes = try BPFMap(pinned: "routes", in: pins)
        exceptions = try BPFMap(pinned: "exceptions", in: pins)
        traffic = try BPFMap(pinned: "traffic", in: pins)
        counters = try BPFMap(pinned: "events", in: pins)
    }

    /// Packets by what became of them, since the maps were made.
    package var events: [FastPathEvent: UInt64] { counters.counts }

    /// By prefix. Of peers beyond the counted ones the traffic is theirs together.
    package var peers: [Peer] {
        let length = Int((settings[0]?.prefixMask ?? 0).nonzeroBitCount)
        let ordinary = routes.keys().compactMap { key in
            routes[key].map { peer(IPv4Prefix(IPv4Address(networkOrder: key), length: length), $0) }
        }
        let others = exceptions.keys().compactMap { key in
            exceptions[key].map {
                peer(IPv4Prefix(IPv4Address(networkOrder: key.address), length: Int(key.length)), $0)
            }
        }
        return (ordinary + others).sorted { $0.prefix.address < $1.prefix.address }
    }

    private func peer(_ prefix: IPv4Prefix, _ route: RouteValue) -> Peer {
        Peer(
            prefix: prefix, address: IPv4Address(networkOrder: route.remote), mtu: Int(route.mtu),
            isUserSpaceOnly: route.flags & RouteValue.userSpace != 0,
            traffic: PeerTraffic(traffic.perProcessor(route.peer)))
    }
}

extension PeerTraffic {
    /// The sum of what each processor counted.
    init(_ values: [TrafficValue]) {
        self.init(
            sentPackets: values.map(\.sentPackets).reduce(0, &+), sentBytes: values.map(\.sentBytes).reduce(0, &+),
            receivedPackets: values.map(\.receivedPackets).reduce(0, &+),
            receivedBytes: values.map(\.receivedBytes).reduce(0, &+))
    }
}

extension BPFMap<UInt32, UInt64> {
    /// Each event's count, over all processors.
    var counts: [FastPathEvent: UInt64] {
        var counts: [FastPathEvent: UInt64] = [:]
        for event in FastPathEvent.allCases {
            counts[event] = perProcessor(UInt32(event.rawValue)).reduce(0, &+)
        }
        return counts
    }
}
