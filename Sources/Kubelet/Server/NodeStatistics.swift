import KubeAPI
import KubeSchema
import Synchronization

/// What the node and its containers use at one moment, in the two forms in which collectors ask for it.
struct NodeStatistics: Sendable {
    struct Container: Sendable {
        var namespace: String, pod: String, podUID: String, name: String
        var id: String
        var usage: ResourceUsage
    }

    var node: String
    var memoryBytes: Int64
    var time: Timestamp
    var usage: ResourceUsage
    var containers: [Container]
    /// Cores in use, in billionths, by id of a container and "" for the node; of those that were measured before.
    var rates: [String: UInt64] = [:]

    private var pods: [(uid: String, containers: [Container])] {
        Dictionary(grouping: containers, by: \.podUID).sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension NodeStatistics {
    /// The summary (`/stats/summary`) as metrics-server of old and other collectors read it.
    var summary: JSON {
        let time = JSON.string(time.rfc3339)
        func cpu(_ used: UInt64, _ rate: UInt64?) -> JSON {
            var cpu: JSON = ["time": time, "usageCoreNanoSeconds": .integer(Int64(clamping: used))]
            cpu["usageNanoCores"] = rate.map { .integer(Int64(clamping: $0)) }
            return cpu
        }
        func memory(_ bytes: UInt64) -> JSON { ["time": time, "workingSetBytes": .integer(Int64(clamping: bytes))] }
        var ofNode = memory(usage.workingSetBytes)
        ofNode["availableBytes"] = .integer(max(0, memoryBytes - Int64(clamping: usage.workingSetBytes)))
        func entry(_ container: Container) -> JSON {
            [
                "name": .string(container.name), "cpu": cpu(container.usage.cpuNanoseconds, rates[container.id]),
                "memory": memory(container.usage.workingSetBytes),
            ]
        }
        func entry(_ uid: String, _ containers: [Container]) -> JSON {
            let used = containers.reduce(UInt64(0)) { $0 &+ $1.usage.cpuNanoseconds }
            let known = containers.compactMap { self.rates[$0.id] }
            let bytes = containers.reduce(UInt64(0)) { $0 &+ $1.usage.workingSetBytes }
            return [
                "podRef": [
                    "name": .string(containers[0].pod), "namespace": .string(containers[0].namespace),
                    "uid": .string(uid),
                ],
                "cpu": cpu(used, known.count == containers.count ? known.reduce(0, &+) : nil),
                "memory": memory(bytes), "containers": .array(containers.map { entry($0) }),
            ]
        }
        let pods = pods.map { entry($0.uid, $0.containers) }
        return [
            "node": [
                "nodeName": .string(node), "cpu": cpu(usage.cpuNanoseconds, rates[""]), "memory": ofNode,
            ],
            "pods": .array(pods),
        ]
    }

    /// `/metrics/resource`, the Prometheus text that metrics-server reads.
    var resourceMetrics: String {
        let stamp = time.seconds * 1000 + Int64(time.nanoseconds / 1_000_000)
        var text = ""
        func series(_ name: String, _ type: String, _ help: String, _ values: [(labels: String, value: String)]) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
            for (labels, value) in values { text += "\(name)\(labels) \(value) \(stamp)\n" }
        }
        func seconds(_ nanoseconds: UInt64) -> String { "\(Double(nanoseconds) / 1e9)" }
        func labels(_ container: Container) -> String {
            "{container=\"\(container.name)\",namespace=\"\(container.namespace)\",pod=\"\(container.pod)\"}"
        }
        func labels(_ pod: [Container]) -> String { "{namespace=\"\(pod[0].namespace)\",pod=\"\(pod[0].pod)\"}" }
        series(
            "container_cpu_usage_seconds_total", "counter", "CPU time that the container has used.",
            containers.map { (labels($0), seconds($0.usage.cpuNanoseconds)) })
        series(
            "container_memory_working_set_bytes", "gauge", "Memory that the container cannot do without.",
            containers.map { (labels($0), "\($0.usage.workingSetBytes)") })
        series(
            "node_cpu_usage_seconds_total", "counter", "CPU time that the node has used.",
            [("", seconds(usage.cpuNanoseconds))])
        series(
            "node_memory_working_set_bytes", "gauge", "Memory that the node cannot do without.",
            [("", "\(usage.workingSetBytes)")])
        series(
            "pod_cpu_usage_seconds_total", "counter", "CPU time that the pod's containers have used.",
            pods.map { (labels($0.containers), seconds($0.containers.reduce(0) { $0 &+ $1.usage.cpuNanoseconds })) })
        series(
            "pod_memory_working_set_bytes", "gauge", "Memory that the pod's containers cannot do without.",
            pods.map { (labels($0.containers), "\($0.containers.reduce(0) { $0 &+ $1.usage.workingSetBytes })") })
        text += "# HELP scrape_error 1 if something could not be measured.\n# TYPE scrape_error gauge\nscrape_error 0\n"
        return text
    }
}

/// Measures, and remembers the last measurement so that rates can be told.
final class NodeMeter: Sendable {
    private struct Sample {
        var uptime: Duration
        var cpu: [String: UInt64]
    }

    /// Rates over less time say nothing.
    private static let shortestInterval: Duration = .seconds(1)

    private let context: KubeletContext
    private let last = Mutex<Sample?>(nil)

    init(context: KubeletContext) { self.context = context }

    func measure() async throws(RuntimeError) -> NodeStatistics {
        let containers = try await context.runtime.statistics().compactMap { entry -> NodeStatistics.Container? in
            let labels = entry.attributes.labels
            guard let uid = labels[Labels.podUID], let name = labels[Labels.containerName] else { return nil }
            return NodeStatistics.Container(
                namespace: labels[Labels.podNamespace] ?? "", pod: labels[Labels.podName] ?? "", podUID: uid,
                name: name, id: entry.attributes.id,
                usage: ResourceUsage(
                    cpuNanoseconds: entry.cpu.usageCoreNanoSeconds.value,
                    workingSetBytes: entry.memory.workingSetBytes.value))
        }
        var statistics = NodeStatistics(
            node: context.settings.name, memoryBytes: context.settings.memoryBytes, time: context.time.now,
            usage: NodeUsage.read(), containers: containers.sorted { ($0.podUID, $0.name) < ($1.podUID, $1.name) })
        var cpu = Dictionary(containers.map { ($0.id, $0.usage.cpuNanoseconds) }) { $1 }
        cpu[""] = statistics.usage.cpuNanoseconds
        statistics.rates = rates(Sample(uptime: context.time.uptime, cpu: cpu))
        return statistics
    }

    private func rates(_ now: Sample) -> [String: UInt64] {
        last.withLock { last in
            guard let former = last else {
                last = now
                return [:]
            }
            let passed = now.uptime - former.uptime
            guard passed >= Self.shortestInterval else { return [:] }
            last = now
            let seconds = Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
            var rates: [String: UInt64] = [:]
            for (id, used) in now.cpu {
                guard let before = former.cpu[id], used >= before else { continue }
                rates[id] = UInt64(Double(used - before) / seconds)
            }
            return rates
        }
    }
}
