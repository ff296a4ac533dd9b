import ClusterStore
import Glibc
import KubeAPI
import LinuxKit

/// How a cluster is doing, for people.
package struct ClusterStatus: Sendable {
    package struct Service: Sendable {
        package var name: String
        /// The process id on the host.
        package var pid: Int32?
        package var restarts: Int
        package var detail: String
    }
    package struct Machine: Sendable {
        package var identity: MachineIdentity
        package var isOn: Bool
        package var services: [Service]
        /// Whether its node is Ready; `nil` when the API does not know one.
        package var isReady: Bool?
        /// The pod subnet that it holds.
        package var subnet: String?
    }

    package var machines: [Machine]
    /// What could not be found out, and why.
    package var problems: [String] = []

    /// Whether everything runs and every node is Ready.
    package var isHealthy: Bool {
        problems.isEmpty
            && machines.allSatisfy { $0.isOn && $0.isReady != false && $0.services.allSatisfy { $0.pid != nil } }
    }
}

extension LocalCluster {
    package func status() async -> ClusterStatus {
        var status = ClusterStatus(machines: layout.machines.map { machineStatus($0) })
        guard status.machines.first?.isOn == true else {
            status.problems.append(
                "\(layout.master.name) is off; `fjord up --name \(layout.name)` starts what is missing")
            return status
        }
        do {
            let nodes = try await nodes()
            for index in status.machines.indices where status.machines[index].identity.isNode {
                let identity = status.machines[index].identity
                let node = nodes.first {
                    $0.metadata.name == identity.name || $0.metadata.name == "\(identity.address)"
                }
                status.machines[index].isReady = node?.isReady ?? false
            }
        } catch {
            status.problems.append("the API server: \(error)")
        }
        do {
            let leases = try await withStore { store in
                try await store.range(RangeRequest(.prefix("/coreos.com/network/subnets/"))).keyValues.map {
                    ($0.keyText, String(decoding: $0.value, as: UTF8.self))
                }
            }
            for index in status.machines.indices {
                let address = "\"\(status.machines[index].identity.address)\""
                let key = leases.first { $0.1.contains(address) }?.0
                status.machines[index].subnet = key?.split(separator: "/").last.map {
                    String($0.map { $0 == "-" ? "/" : $0 })  // 10.244.1.0-24
                }
            }
        } catch {
            status.problems.append("the store: \(error)")
        }
        return status
    }

    private func machineStatus(_ identity: MachineIdentity) -> ClusterStatus.Machine {
        let namespace = NetworkNamespace.named(layout.namespace(identity))
        let numbers = MachineProcesses.numbers(in: namespace)
        let isOn = numbers.contains { $0.inside == 1 }
        guard let state = try? JSONFile.read(MachineState.self, "\(layout.directory(identity))/state.json") else {
            return .init(identity: identity, isOn: isOn, services: [])
        }
        let services = state.services.map { service in
            let pid = isOn ? service.pid.flatMap { inside in numbers.first { $0.inside == inside }?.outside } : nil
            var detail = ""
            if pid == nil, isOn {
                detail =
                    service.waiting.map { "waits for \($0)" } ?? service.lastExit.map { "ended with \($0)" }
                    ?? "not running"
            }
            return ClusterStatus.Service(name: service.name, pid: pid, restarts: service.restarts, detail: detail)
        }
        return .init(identity: identity, isOn: isOn, services: services)
    }
}
