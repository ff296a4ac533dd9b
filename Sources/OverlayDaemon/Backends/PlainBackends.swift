import Addressing
import LinuxKit
import SubnetLeases

/// flannel's `host-gw`: no encapsulation, each peer is the router for its subnet. Peers must be on the same link.
final class HostGatewayBackend: OverlayBackend {
    private let isDualStack: Bool
    private let place: BackendPlace

    init(isDualStack: Bool, place: BackendPlace) {
        self.isDualStack = isDualStack
        self.place = place
    }

    var deviceNames: [String] { [] }

    func prepare() throws(DaemonError) -> BackendAttributes {
        if isDualStack { _ = try place.requiredIPv6() }
        return BackendAttributes(type: "host-gw")
    }

    func converge(_ goal: BackendGoal) throws -> BackendOutcome {
        var outcome = BackendOutcome(mtu: try place.underlayMTU)
        for peer in goal.peers ?? [] {
            if let route = route(to: peer.subnet, via: peer.attributes.publicIP, &outcome) {
                outcome.routes.append(route)
            }
            if isDualStack, let subnet = peer.ipv6Subnet,
                let gateway = peer.attributes.publicIPv6.flatMap({ IPv6Address($0) }),
                let route = route(to: subnet, via: gateway, &outcome)
            {
                outcome.ipv6Routes.append(route)
            }
        }
        return outcome
    }

    private func route<Address>(
        to subnet: Address.Prefix, via gateway: Address, _ outcome: inout BackendOutcome
    ) -> InternetRoute<Address>? {
        guard place.isOnLink(gateway) else {
            outcome.unreachable.append(
                "\(subnet): \(gateway) is not on the same link, which host-gw needs; Backend.Type vxlan or udp does not"
            )
            return nil
        }
        return InternetRoute(
            to: subnet, via: gateway, interface: place.underlay.interface.link.index,
            protocolTag: OverlayNetwork.routeProtocol)
    }
}

/// flannel's `alloc`: a subnet for this node, and nothing that moves packets.
final class AllocBackend: OverlayBackend {
    private let place: BackendPlace

    init(place: BackendPlace) { self.place = place }

    var deviceNames: [String] { [] }

    func prepare() throws(DaemonError) -> BackendAttributes { BackendAttributes() }

    func converge(_ goal: BackendGoal) throws -> BackendOutcome { BackendOutcome(mtu: try place.underlayMTU) }
}
