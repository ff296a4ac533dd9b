import KubeAPI
import KubeSchema
import Logging
import ServiceLifecycle

/// Registers this node and says that it is alive: a lease every two seconds, the status when it changed and at least
/// once a minute.
final class NodeReporter: ServiceLifecycle.Service {
    private static let leaseInterval: Duration = .seconds(2)
    private static let statusInterval: Duration = .seconds(60)

    private let client: KubeClient
    private let document: NodeDocument
    private let health: NodeHealth
    private let runtime: RuntimeClient
    private let events: EventRecorder
    private let time: any TimeSource
    private let logger: Logger

    init(
        client: KubeClient, document: NodeDocument, health: NodeHealth, runtime: RuntimeClient, events: EventRecorder,
        time: any TimeSource, logger: Logger
    ) {
        self.client = client
        self.document = document
        self.health = health
        self.runtime = runtime
        self.events = events
        self.time = time
        self.logger = logger
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.watchRuntime() }
                group.addTask { await self.reportStatus() }
                group.addTask { await self.renewLease() }
            }
        }
    }

    /// Asks the runtime once a second whether it works.
    private func watchRuntime() async {
        while !Task.isCancelled {
            do throws(RuntimeError) {
                if health.runtimeVersion.isEmpty {
                    let (name, version) = try await runtime.version()
                    health.runtimeVersion = "\(name)://\(version)"
                }
                let problems = try await runtime.problems()
                health.runtimeProblem = problems.first { $0.condition == "RuntimeReady" }?.message
                let network = problems.first { $0.condition == "NetworkReady" }?.message
                // The overlay's own words say more than the runtime's.
                if health.lease != nil { health.networkProblem = network }
            } catch {
                health.runtimeProblem = error.message
            }
            try? await time.sleep(for: .seconds(1))
        }
    }

    // MARK: Status

    private func reportStatus() async {
        var last: JSON?
        var reported: Duration = .zero
        var isRegistered = false
        var outage = false
        while !Task.isCancelled {
            do throws(APIError) {
                let state = summary
                if !isRegistered || state != last || time.uptime - reported >= Self.statusInterval {
                    try await report(isFirst: !isRegistered)
                    isRegistered = true
                    last = state
                    reported = time.uptime
                    if outage { logger.info("the API server answers again") }
                    outage = false
                }
            } catch {
                if !outage { logger.warning("reporting this node's status: \(error)") }
                outage = true
                if error.isNotFound { isRegistered = false }
            }
            try? await time.sleep(for: .seconds(1))
        }
    }

    /// What a change of is reported at once.
    private var summary: JSON {
        [
            "runtime": .string(health.runtimeProblem ?? ""), "network": .string(health.networkProblem ?? ""),
            "subnet": .string(health.lease.map { "\($0.subnet)" } ?? ""), "version": .string(health.runtimeVersion),
        ]
    }

    /// Writes the node's labels, pod range and status over what the API has, making the node if it is not there.
    private func report(isFirst: Bool) async throws(APIError) {
        let podCIDR = health.lease.map { "\($0.subnet)" }
        var node: Node
        do {
            node = try await client.get(Node.self, name: document.name)
        } catch  where error.isNotFound {
            node = try await client.create(document.node(podCIDR: podCIDR))
            logger.info("registered node \(document.name)")
        }
        if isFirst {
            events.record(node, .normal, reason: "Starting", message: "Starting kubelet.")
        }
        let missing = document.allLabels.filter { node.metadata.labels[$0.key] != $0.value }
        if isFirst, !missing.isEmpty {
            node = try await client.patch(
                Node.self, name: document.name, .merge(["metadata": ["labels": missing.json]]))
        }
        if let podCIDR, node.podCIDR != podCIDR {
            do {
                node = try await client.patch(
                    Node.self, name: document.name,
                    .merge(["spec": ["podCIDR": .string(podCIDR), "podCIDRs": [.string(podCIDR)]]]))
            } catch  where error.isInvalid {
                // The range of a node does not change in the API; pods follow the overlay's lease all the same.
                logger.warning(
                    "this node's lease is \(podCIDR), but its object says \(node.podCIDR ?? ""): delete the node object to correct it"
                )
            }
        }
        let conditions = document.conditions(
            runtimeProblem: health.runtimeProblem, networkProblem: health.networkProblem,
            previous: node.status.conditions, now: time.now)
        let images = ((try? await runtime.listImages()) ?? []).prefix(50).map { image -> JSON in
            [
                "names": .array((image.repoDigests + image.repoTags).map { .string($0) }),
                "sizeBytes": .integer(Int64(clamping: image.size)),
            ]
        }
        var status = document.status(runtimeVersion: health.runtimeVersion, images: images)
        status["conditions"] = .array(conditions.map(\.document))
        let before = node.status.condition("Ready")?.status
        _ = try await client.patch(Node.self, name: document.name, .merge(["status": status]), subresource: "status")
        let after = conditions.first { $0.type == "Ready" }?.status
        if before != after {
            let isReady = after == "True"
            events.record(
                node, .normal, reason: isReady ? "NodeReady" : "NodeNotReady",
                message: "Node \(document.name) status is now: \(isReady ? "NodeReady" : "NodeNotReady")")
        }
    }

    // MARK: Lease

    private func renewLease() async {
        var lease: Lease?
        var outage = false
        while !Task.isCancelled {
            do throws(APIError) {
                if lease == nil { lease = try await currentLease() }
                if var held = lease {
                    held.renewTime = MicroTime(time.now)
                    held.holderIdentity = document.name
                    lease = try await client.update(held)
                }
                outage = false
            } catch {
                lease = nil
                if !outage { logger.warning("renewing this node's lease: \(error)") }
                outage = true
            }
            try? await time.sleep(for: Self.leaseInterval)
        }
    }

    private func currentLease() async throws(APIError) -> Lease {
        let namespace = "kube-node-lease"
        do {
            return try await client.get(Lease.self, name: document.name, namespace: namespace)
        } catch  where error.isNotFound {
            var lease = Lease(name: document.name, namespace: namespace)
            lease.holderIdentity = document.name
            lease.leaseDurationSeconds = 40
            lease.renewTime = MicroTime(time.now)
            do {
                return try await client.create(lease)
            } catch  where error.isNotFound {
                // Not every API server makes this namespace by itself.
                _ = try await client.create(Namespace(name: namespace))
                return try await client.create(lease)
            }
        }
    }
}
