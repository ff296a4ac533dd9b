import Addressing
import Glibc
import LinuxKit

/// The network that joins a cluster's machines and the host: a bridge in a namespace of its own.
struct LocalAreaNetwork {
    let layout: ClusterLayout
    let journal: Journal

    private var namespace: NetworkNamespace { .named(layout.lanNamespace) }

    /// Makes what is missing.
    func make() throws {
        try SharedTraces(cluster: layout.name, journal: journal).note(directory: NetworkNamespace.directory)
        try journal.record(.namespace(layout.lanNamespace), .link(layout.hostLink))
        if !namespace.exists {
            unlink(namespace.path)
            try namespace.create()
        }
        let inside = try NetlinkSocket(in: namespace)
        try inside.setLink(try inside.requiredLink("lo").index, up: true)
        if try inside.link(named: "br0") == nil { try inside.createBridge("br0") }
        let bridge = try inside.requiredLink("br0")
        try inside.setLink(bridge.index, up: true)

        let host = try NetlinkSocket()
        if try inside.link(named: "host") == nil {
            try host.deleteLink(layout.hostLink)
            try host.createVeth(LinkPlace(layout.hostLink), LinkPlace("host", in: namespace))
        }
        let port = try inside.requiredLink("host")
        try inside.setLink(port.index, master: bridge.index)
        try inside.setLink(port.index, up: true)
        let link = try host.requiredLink(layout.hostLink)
        for range in [layout.lan, layout.podNetwork] { try takeOut(range, host) }
        try host.addAddress(
            InterfaceAddress(interface: link.index, address: layout.hostAddress, prefixLength: layout.lan.length))
        try host.setLink(link.index, up: true)
    }

    /// Sends the host's and the master's packets for pods to a node that is on; its overlay knows where each pod is.
    func routePods() throws {
        let first = layout.nodes.first { MachineProcesses.first(in: .named(layout.namespace($0))) != nil }
        let host = try NetlinkSocket()
        guard let link = try host.link(named: layout.hostLink) else { return }
        try Self.route(layout.podNetwork, via: first?.address, link.index, host)
        let master = NetworkNamespace.named(layout.namespace(layout.master))
        if master.exists, !layout.master.isNode {
            let inside = try NetlinkSocket(in: master)
            if let link = try inside.link(named: "eth0") {
                try Self.route(layout.podNetwork, via: first?.address, link.index, inside)
            }
        }
    }

    private static func route(
        _ range: IPv4Prefix, via gateway: IPv4Address?, _ interface: Int32, _ socket: NetlinkSocket
    ) throws {
        if let gateway {
            try socket.replaceRoute(Route(to: range, via: gateway, interface: interface))
        } else {
            try socket.deleteRoute(Route(to: range, interface: interface))
        }
    }

    /// Takes out the host's routes that refuse `range`, to be put back at the end.
    private func takeOut(_ range: IPv4Prefix, _ host: NetlinkSocket) throws {
        for route in try host.routes() where route.destination == range && route.action.refuses {
            try journal.record(
                .removedRoute(
                    .init(
                        destination: "\(range)", action: route.action.rawValue, metric: route.metric,
                        table: route.table,
                        protocolTag: route.protocolTag)))
            try host.deleteRoute(route)
        }
    }

    /// Puts back a route that was taken out.
    static func putBack(_ saved: Journal.SavedRoute) throws {
        guard let destination = IPv4Prefix(saved.destination), let action = Route.Action(rawValue: saved.action) else {
            return
        }
        try NetlinkSocket().replaceRoute(
            Route(
                to: destination, action: action, protocolTag: saved.protocolTag, metric: saved.metric,
                table: saved.table))
    }
}

extension Route.Action {
    /// Whether packets are turned away.
    var refuses: Bool { self == .unreachable || self == .blackhole || self == .prohibit }
}
