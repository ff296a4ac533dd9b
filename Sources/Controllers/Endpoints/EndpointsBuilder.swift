import KubeAPI
import KubeSchema

/// The endpoints of a service, from the pods that it selects. Pure.
enum EndpointsBuilder {
    /// The service's endpoints are ours to write: it chooses its pods.
    static func isManaged(_ service: Service) -> Bool {
        guard service.type != "ExternalName" else { return false }
        return service.selector?.isEmpty == false || selectsAll(service)
    }

    static func isSelected(_ pod: Pod, by service: Service) -> Bool {
        guard pod.metadata.namespace == service.metadata.namespace else { return false }
        guard let selector = service.selector, !selector.isEmpty else { return selectsAll(service) }
        let labels = pod.metadata.labels
        return selector.allSatisfy { labels[$0.key] == $0.value }
    }

    /// An empty selector chose every pod in 2015, and chooses none today: a service that was written in the old form
    /// carries the difference in an annotation.
    private static func selectsAll(_ service: Service) -> Bool {
        service.metadata.annotations[V1Beta1.selectorAnnotation] == "all"
    }

    /// Pods that serve the same ports share a subset. Order depends on nothing but the pods themselves.
    static func subsets(of service: Service, pods: [Pod]) -> [EndpointSubset] {
        var groups: [[EndpointPort]: (ready: [EndpointAddress], notReady: [EndpointAddress])] = [:]
        for pod in pods {
            guard let address = pod.status.podIP, !pod.isTerminal, !pod.metadata.isBeingDeleted else { continue }
            let ports = ports(of: service, on: pod)
            if ports.isEmpty, !(service.isHeadless && service.ports.isEmpty) { continue }
            let entry = endpoint(pod, address: address, service: service)
            if pod.isReady || service.publishesNotReadyAddresses {
                groups[ports, default: ([], [])].ready.append(entry)
            } else {
                groups[ports, default: ([], [])].notReady.append(entry)
            }
        }
        return groups.sorted { order($0.key) < order($1.key) }.map { ports, addresses in
            var subset = EndpointSubset()
            subset.addresses = addresses.ready.sorted { sortKey($0) < sortKey($1) }
            subset.notReadyAddresses = addresses.notReady.sorted { sortKey($0) < sortKey($1) }
            subset.ports = ports
            return subset
        }
    }

    private static func order(_ ports: [EndpointPort]) -> String {
        ports.map { "\($0.name ?? "")/\($0.port)/\($0.proto)" }.joined(separator: ",")
    }

    private static func sortKey(_ address: EndpointAddress) -> String {
        address.ip + "/" + (address.targetRef?.uid ?? "")
    }

    private static func ports(of service: Service, on pod: Pod) -> [EndpointPort] {
        // A service of 2015 that named no container port had the first one of the pod.
        let takesFirst = service.metadata.annotations[V1Beta1.containerPortAnnotation] == "first"
        return service.ports.compactMap { servicePort in
            let first = takesFirst ? pod.spec.containers.first?.ports.first?.containerPort : nil
            guard let number = first ?? number(of: servicePort, on: pod) else { return nil }
            var port = EndpointPort()
            port.name = servicePort.name
            port.port = number
            port.proto = servicePort.proto
            port.appProtocol = servicePort.appProtocol
            return port
        }
    }

    /// A name is looked up among the pod's containers; one of digits that names no port is that number.
    private static func number(of port: ServicePort, on pod: Pod) -> Int? {
        switch port.targetPort {
        case .integer(let number): return number
        case .string(let name):
            for container in pod.spec.containers {
                if let found = container.ports.first(where: { $0.name == name && $0.proto == port.proto }) {
                    return found.containerPort
                }
            }
            return Int(name).flatMap { (1...65535).contains($0) ? $0 : nil }
        }
    }

    private static func endpoint(_ pod: Pod, address: String, service: Service) -> EndpointAddress {
        var entry = EndpointAddress()
        entry.ip = address
        entry.nodeName = pod.spec.nodeName
        if let hostname = pod.spec.hostname, pod.spec.subdomain == service.metadata.name { entry.hostname = hostname }
        var reference = ObjectReference()
        reference.kind = "Pod"
        reference.namespace = pod.metadata.namespace
        reference.name = pod.metadata.name
        reference.uid = pod.metadata.uid
        entry.targetRef = reference
        return entry
    }
}
