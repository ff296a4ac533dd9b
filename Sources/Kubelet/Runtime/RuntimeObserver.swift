import Synchronization

/// Reads the runtime's objects of one pod in full. Not for several tasks at once: it belongs to the pod's worker.
///
/// A container that has ended and a sandbox that is ready do not change any more, so their details are asked for once.
struct RuntimeObserver {
    private let runtime: RuntimeClient
    private var ended: [String: ObservedContainer] = [:]
    private var running: [String: ObservedContainer] = [:]
    private var addresses: [String: [String]] = [:]

    init(runtime: RuntimeClient) { self.runtime = runtime }

    mutating func observe(uid: String) async throws(RuntimeError) -> ObservedPod {
        let sandboxes = try await runtime.sandboxes(podUID: uid)
        let containers = try await runtime.containers(podUID: uid)
        var observedSandboxes: [ObservedSandbox] = []
        for sandbox in sandboxes {
            var observed = ObservedSandbox(
                id: sandbox.id, attempt: Int(sandbox.metadata.attempt), isReady: sandbox.state == .sandboxReady,
                createdAt: sandbox.createdAt)
            if observed.isReady {
                if addresses[sandbox.id] == nil {
                    let network = try await runtime.sandboxStatus(sandbox.id).network
                    addresses[sandbox.id] = network.ip.isEmpty ? [] : [network.ip] + network.additionalIps.map(\.ip)
                }
                observed.addresses = addresses[sandbox.id] ?? []
            }
            observedSandboxes.append(observed)
        }
        var observedContainers: [ObservedContainer] = []
        for container in containers {
            if container.state == .containerExited, let known = ended[container.id] {
                observedContainers.append(known)
            } else if container.state == .containerRunning, let known = running[container.id] {
                observedContainers.append(known)
            } else {
                let status: CRIContainerStatus
                do {
                    status = try await runtime.containerStatus(container.id)
                } catch  where error.isNotFound {
                    continue  // removed since the list
                }
                let observed = ObservedContainer(status, sandboxID: container.podSandboxID)
                if observed.state == .exited { ended[observed.id] = observed }
                if observed.state == .running { running[observed.id] = observed }
                observedContainers.append(observed)
            }
        }
        let ids = Set(containers.map(\.id))
        let sandboxIDs = Set(sandboxes.map(\.id))
        ended = ended.filter { ids.contains($0.key) }
        running = running.filter { ids.contains($0.key) }
        addresses = addresses.filter { sandboxIDs.contains($0.key) }
        return ObservedPod(sandboxes: observedSandboxes, containers: observedContainers)
    }
}

extension ObservedContainer {
    init(_ status: CRIContainerStatus, sandboxID: String) {
        let state: State =
            switch status.state {
            case .containerCreated: .created
            case .containerRunning: .running
            case .containerExited: .exited
            default: .unknown
            }
        self.init(
            id: status.id, sandboxID: sandboxID, name: status.labels[Labels.containerName] ?? status.metadata.name,
            attempt: status.annotations[Annotations.restartCount].flatMap { Int($0) } ?? Int(status.metadata.attempt),
            state: state, image: status.image.image, imageID: status.imageRef, createdAt: status.createdAt,
            startedAt: status.startedAt, finishedAt: status.finishedAt, exitCode: Int(status.exitCode),
            reason: status.reason, message: status.message,
            specHash: status.annotations[Annotations.containerHash] ?? "", logPath: status.logPath,
            terminationMessagePath: status.annotations[Annotations.terminationMessagePath] ?? "")
    }
}
