import KubeAPI
import KubeSchema
import Testing

@testable import Kubelet

@Suite struct StatisticsTests {
    /// Two hierarchies' forms, and the machine's own where there is no group to ask.
    @Test(arguments: [
        (
            [
                "/sys/fs/cgroup/cpuacct/cpuacct.usage": "7000000000\n",
                "/sys/fs/cgroup/memory/memory.usage_in_bytes": "5000\n",
                "/sys/fs/cgroup/memory/memory.stat": "inactive_file 1\ntotal_inactive_file 2000\n",
            ], ResourceUsage(cpuNanoseconds: 7_000_000_000, workingSetBytes: 3000), "version 1"
        ),
        (
            [
                "/sys/fs/cgroup/cpu.stat": "usage_usec 12\nuser_usec 7\n", "/sys/fs/cgroup/memory.current": "10\n",
                "/sys/fs/cgroup/memory.stat": "anon 4\ninactive_file 30\n",
            ], ResourceUsage(cpuNanoseconds: 12_000, workingSetBytes: 0),
            "version 2; pages are counted at different times"
        ),
        (
            [
                "/proc/stat": "cpu  100 20 30 5000 600 7 8 9 0 0\ncpu0 1 2 3\n",
                "/proc/meminfo":
                    "MemTotal:  100 kB\nMemFree: 20 kB\nBuffers: 5 kB\nInactive: 50 kB\nInactive(file): 10 kB\n",
            ], ResourceUsage(cpuNanoseconds: 1_740_000_000, workingSetBytes: 65 * 1024),
            "the machine: idle, iowait apart"
        ),
        ([:], ResourceUsage(cpuNanoseconds: 0, workingSetBytes: 0), "nothing to read"),
    ])
    func `a node's usage comes from what there is`(files: [String: String], usage: ResourceUsage, why: String) {
        #expect(NodeUsage.read { files[$0] } == usage, "\(why)")
    }

    private let statistics = NodeStatistics(
        node: "node-1", memoryBytes: 1000, time: Timestamp(seconds: 1_700_000_000, nanoseconds: 5_000_000),
        usage: ResourceUsage(cpuNanoseconds: 9_000_000_000, workingSetBytes: 400),
        containers: [
            .init(
                namespace: "default", pod: "web", podUID: "u1", name: "a", id: "c1",
                usage: ResourceUsage(cpuNanoseconds: 1_500_000_000, workingSetBytes: 100)),
            .init(
                namespace: "default", pod: "web", podUID: "u1", name: "b", id: "c2",
                usage: ResourceUsage(cpuNanoseconds: 500_000_000, workingSetBytes: 50)),
        ], rates: ["": 700, "c1": 30, "c2": 4])

    @Test func `the summary adds containers up to pods`() {
        let summary = statistics.summary
        #expect(summary["node", "nodeName"] == "node-1")
        #expect(summary["node", "cpu", "usageNanoCores"] == 700)
        #expect(summary["node", "memory", "availableBytes"] == 600)
        let pod = summary["pods"]?.array?.first
        #expect(summary["pods"]?.array?.count == 1)
        #expect(pod?["podRef"] == ["name": "web", "namespace": "default", "uid": "u1"])
        #expect(pod?["cpu", "usageCoreNanoSeconds"] == 2_000_000_000)
        #expect(pod?["cpu", "usageNanoCores"] == 34)
        #expect(pod?["memory", "workingSetBytes"] == 150)
        #expect(pod?["containers"]?.array?.map { $0["name"]?.string } == ["a", "b"])
    }

    @Test func `a rate that is not known is left out`() {
        var statistics = statistics
        statistics.rates = ["c1": 30]
        let pod = statistics.summary["pods"]?.array?.first
        #expect(pod?["cpu", "usageNanoCores"] == nil)
        #expect(pod?["containers"]?.array?.first?["cpu", "usageNanoCores"] == 30)
        #expect(statistics.summary["node", "cpu", "usageNanoCores"] == nil)
    }

    @Test(arguments: [
        "container_cpu_usage_seconds_total{container=\"a\",namespace=\"default\",pod=\"web\"} 1.5 1700000000005",
        "pod_memory_working_set_bytes{namespace=\"default\",pod=\"web\"} 150 1700000000005",
        "node_cpu_usage_seconds_total 9.0 1700000000005", "scrape_error 0",
    ])
    func `the metrics are those that metrics-server reads`(line: String) {
        #expect(statistics.resourceMetrics.split(separator: "\n").contains { $0 == line })
    }
}

@Suite struct ContainerLogFilesTests {
    @Test func `files that are set aside sort by the time when they were`() {
        let files = ContainerLogFiles(path: "/var/log/pods/x/main/0.log")
        let first = files.name(at: Timestamp(seconds: 1_700_000_000), after: nil)
        #expect(first == "/var/log/pods/x/main/0.log.20231114-221320000000")
        let second = files.name(at: Timestamp(seconds: 1_700_000_000, nanoseconds: 5000), after: first)
        #expect(second == "/var/log/pods/x/main/0.log.20231114-221320000005")
        // The clock was set back.
        #expect(files.name(at: Timestamp(seconds: 1_600_000_000), after: second) == second + "x")
    }

    @Test(arguments: [
        ("10Mi", Int64(10 << 20)), ("64Ki", 64 << 10), ("1000", 1000), ("0", nil), ("-1", nil), ("x", nil),
    ])
    func `a limit is a quantity above zero`(text: String, bytes: Int64?) {
        #expect(ContainerLogLimits.bytes(text) == bytes)
    }
}
