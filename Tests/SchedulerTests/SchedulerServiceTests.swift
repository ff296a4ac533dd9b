import KubeAPI
import KubeAPITesting
import KubeSchema
import Logging
import Testing

@testable import Scheduler

@Suite struct SchedulerServiceTests {
    let api = InMemoryAPI()
    let client: KubeClient

    init() { client = KubeClient(transport: api, logger: Logger(label: "test")) }

    private func scheduling(_ body: @Sendable @escaping () async throws -> Void) async throws {
        let scheduler = SchedulerService(client: client, logger: Logger(label: "test"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await scheduler.run() }
            defer { group.cancelAll() }
            try await body()
        }
    }

    private func place(_ name: String) async throws -> String? {
        try await client.get(Pod.self, name: name, namespace: "default").spec.nodeName
    }

    @Test func podsAreBoundAndTold() async throws {
        for name in ["a", "b"] { _ = try await client.create(node(name)) }
        for index in 0..<10 { _ = try await client.create(pod("p\(index)", cpu: "700m")) }
        try await scheduling {
            try await eventually("all are bound within what the nodes have") {
                let pods = try await client.list(Pod.self).items
                let counts = Dictionary(grouping: pods.compactMap(\.spec.nodeName), by: { $0 }).mapValues(\.count)
                return counts == ["a": 5, "b": 5]
            }
            try await eventually("events say so") {
                try await client.list(Event.self).items.count { $0.reason == "Scheduled" } == 10
            }
        }
    }

    @Test func whatFitsNowhereSaysWhyAndIsTriedAgainWhenANodeComes() async throws {
        _ = try await client.create(node("full", cpu: "1"))
        _ = try await client.create(pod("big", cpu: "2"))
        try await scheduling {
            try await eventually("the condition says why") {
                let pod = try await client.get(Pod.self, name: "big", namespace: "default")
                let condition = pod.status.condition("PodScheduled")
                return condition?.status == "False" && condition?.reason == "Unschedulable"
                    && condition?.message == "0/1 nodes are available: 1 Insufficient cpu."
            }
            try await eventually("so does an event") {
                try await client.list(Event.self).items.contains { $0.reason == "FailedScheduling" }
            }
            _ = try await client.create(node("roomy", cpu: "4"))
            try await eventually("it is bound") { try await place("big") == "roomy" }
        }
    }

    @Test func anEndedPodMakesRoomAndOthersPodsAreLeftAlone() async throws {
        _ = try await client.create(node("a", cpu: "1"))
        _ = try await client.create(pod("first", cpu: "1"))
        var foreign = pod("foreign")
        foreign.document["spec", "schedulerName"] = "another"
        _ = try await client.create(foreign)
        try await scheduling {
            try await eventually("the first is bound") { try await place("first") == "a" }
            _ = try await client.create(pod("second", cpu: "1"))
            try await eventually("the second waits") {
                try await client.get(Pod.self, name: "second", namespace: "default").status.condition("PodScheduled")
                    != nil
            }
            try await client.delete(
                Pod.self, name: "first", namespace: "default", options: DeleteOptions(gracePeriodSeconds: 0))
            try await eventually("the second is bound") { try await place("second") == "a" }
            #expect(try await place("foreign") == nil)
        }
    }
}
