import KubeAPI
import KubeSchema
import Testing

@testable import Kubelet

/// Builds pods and what the runtime has of them.
enum Sample {
    static let now = Timestamp(seconds: 1_800_000_000)
    static func nanoseconds(_ secondsAgo: Int64) -> Int64 { (now.seconds - secondsAgo) * 1_000_000_000 }

    static func pod(
        restartPolicy: String = "Always", containers: [JSON] = [["name": "a", "image": "i:1"]],
        initContainers: [JSON] = [],
        deleted: Bool = false, spec more: [String: JSON] = [:]
    ) throws -> DesiredPod {
        var document: JSON = [
            "metadata": [
                "name": "p", "namespace": "default", "uid": "u", "labels": ["app": "x"], "resourceVersion": "7",
            ],
            "spec": [
                "restartPolicy": .string(restartPolicy), "containers": .array(containers),
                "initContainers": .array(initContainers),
            ],
        ]
        if deleted {
            document["metadata", "deletionTimestamp"] = .string(now.rfc3339)
            document["metadata", "deletionGracePeriodSeconds"] = 5
        }
        for (key, value) in more { document["spec", key] = value }
        return try #require(DesiredPod(document: document))
    }

    static func container(
        _ name: String, _ state: ObservedContainer.State, attempt: Int = 0, exitCode: Int = 0, endedAgo: Int64 = 1,
        sandbox: String = "s", of pod: DesiredPod
    ) -> ObservedContainer {
        let hash = (pod.containers + pod.initContainers).first { $0.name == name }?.hash ?? ""
        return ObservedContainer(
            id: "\(name)-\(attempt)", sandboxID: sandbox, name: name, attempt: attempt, state: state,
            createdAt: nanoseconds(endedAgo + 1), startedAt: nanoseconds(endedAgo + 1),
            finishedAt: state == .exited ? nanoseconds(endedAgo) : 0, exitCode: exitCode, specHash: hash)
    }

    /// Of the container `a`.
    static func container(
        _ state: ObservedContainer.State, attempt: Int = 0, exitCode: Int = 0, endedAgo: Int64 = 1, of pod: DesiredPod
    ) -> ObservedContainer {
        container("a", state, attempt: attempt, exitCode: exitCode, endedAgo: endedAgo, of: pod)
    }

    static let sandbox = ObservedSandbox(id: "s", attempt: 0, isReady: true, addresses: ["10.244.1.2"])
}

@Suite struct PodPlanTests {
    private func plan(
        _ pod: DesiredPod, _ observed: ObservedPod, backOff: RestartBackOff = RestartBackOff(),
        unhealthy: [String: String] = [:]
    ) -> PodPlan {
        PodPlan.make(
            for: pod, observed: observed,
            PodPlan.Circumstances(now: Sample.now, backOff: backOff, unhealthy: unhealthy))
    }

    @Test func `a new pod begins with a sandbox and nothing else`() throws {
        let plan = try plan(Sample.pod(), ObservedPod())
        #expect(plan.createSandboxAttempt == 0)
        #expect(plan.starts.isEmpty && plan.kills.isEmpty)
    }

    @Test func `a sandbox that is gone is replaced under the next number, after what it held`() throws {
        let pod = try Sample.pod()
        let observed = ObservedPod(
            sandboxes: [ObservedSandbox(id: "s", attempt: 3, isReady: false)],
            containers: [Sample.container(.running, of: pod)])
        let plan = plan(pod, observed)
        #expect(plan.createSandboxAttempt == 4)
        #expect(plan.kills.map(\.containerID) == ["a-0"])
    }

    @Test func `a container that is missing is started`() throws {
        let plan = try plan(Sample.pod(), ObservedPod(sandboxes: [Sample.sandbox]))
        #expect(plan.starts == [PodPlan.Start(name: "a", isInit: false, attempt: 0)])
    }

    @Test func `what runs as it should is left alone`() throws {
        let pod = try Sample.pod()
        #expect(
            plan(pod, ObservedPod(sandboxes: [Sample.sandbox], containers: [Sample.container(.running, of: pod)]))
                == PodPlan())
    }

    @Test(arguments: [
        ("Always", 0, true), ("Always", 1, true), ("OnFailure", 0, false), ("OnFailure", 1, true), ("Never", 0, false),
        ("Never", 1, false),
    ])
    func `the restart policy says what becomes of an ended container`(policy: String, exitCode: Int, restarts: Bool)
        throws
    {
        let pod = try Sample.pod(restartPolicy: policy)
        let observed = ObservedPod(
            sandboxes: [Sample.sandbox],
            containers: [Sample.container(.exited, attempt: 2, exitCode: exitCode, of: pod)])
        let plan = plan(pod, observed)
        #expect(plan.starts == (restarts ? [PodPlan.Start(name: "a", isInit: false, attempt: 3)] : []))
        #expect(plan.isFinished == !restarts)
        #expect(plan.stopsSandbox == !restarts)
    }

    @Test func `a container in back-off waits for the rest of it`() throws {
        let pod = try Sample.pod()
        var backOff = RestartBackOff()
        let ended = Timestamp(seconds: Sample.now.seconds - 4)
        backOff.advance(PodPlan.backOffKey(pod, "a"), failedAt: ended, now: ended)
        let observed = ObservedPod(
            sandboxes: [Sample.sandbox], containers: [Sample.container(.exited, exitCode: 1, endedAgo: 4, of: pod)])
        let plan = plan(pod, observed, backOff: backOff)
        #expect(plan.waits == [PodPlan.Wait(name: "a", remaining: .seconds(6))])
        #expect(plan.starts.isEmpty)
    }

    @Test func `a container that fails its liveness probe is killed`() throws {
        let pod = try Sample.pod()
        let observed = ObservedPod(sandboxes: [Sample.sandbox], containers: [Sample.container(.running, of: pod)])
        #expect(
            plan(pod, observed, unhealthy: ["a-0": "failed liveness probe"]).kills.map(\.reason) == [
                "failed liveness probe"
            ])
    }

    @Test func `a container that was made but never started makes room`() throws {
        let pod = try Sample.pod()
        let observed = ObservedPod(sandboxes: [Sample.sandbox], containers: [Sample.container(.created, of: pod)])
        #expect(plan(pod, observed).removals == ["a-0"])
    }

    @Test func `init containers run one after the other, and before the rest`() throws {
        let pod = try Sample.pod(initContainers: [["name": "x", "image": "i"], ["name": "y", "image": "i"]])
        #expect(plan(pod, ObservedPod(sandboxes: [Sample.sandbox])).starts.map(\.name) == ["x"])
        let second = ObservedPod(sandboxes: [Sample.sandbox], containers: [Sample.container("x", .exited, of: pod)])
        #expect(plan(pod, second).starts.map(\.name) == ["y"])
        let running = ObservedPod(
            sandboxes: [Sample.sandbox],
            containers: [Sample.container("x", .exited, of: pod), Sample.container("y", .running, of: pod)])
        #expect(plan(pod, running) == PodPlan())
        let done = ObservedPod(
            sandboxes: [Sample.sandbox],
            containers: [Sample.container("x", .exited, of: pod), Sample.container("y", .exited, of: pod)])
        #expect(plan(pod, done).starts.map(\.name) == ["a"])
    }

    @Test func `a deleted pod is stopped, its sandbox after its containers`() throws {
        let pod = try Sample.pod(deleted: true)
        let running = ObservedPod(sandboxes: [Sample.sandbox], containers: [Sample.container(.running, of: pod)])
        #expect(plan(pod, running).kills.map(\.containerID) == ["a-0"])
        #expect(!plan(pod, running).stopsSandbox)
        let ended = ObservedPod(sandboxes: [Sample.sandbox], containers: [Sample.container(.exited, of: pod)])
        #expect(plan(pod, ended).kills.isEmpty && plan(pod, ended).stopsSandbox)
    }
}

@Suite struct RestartBackOffTests {
    @Test func `the wait doubles up to five minutes`() {
        var backOff = RestartBackOff()
        var now = Sample.now
        var delays: [Duration] = []
        for _ in 0..<7 {
            backOff.advance("k", failedAt: now, now: now)
            delays.append(backOff.delay("k"))
            now = now + backOff.delay("k")
        }
        #expect(delays == [10, 20, 40, 80, 160, 300, 300].map { .seconds($0) })
    }

    @Test func `after ten minutes without a failure it begins again`() {
        var backOff = RestartBackOff()
        backOff.advance("k", failedAt: Sample.now, now: Sample.now)
        let later = Sample.now + .seconds(601)
        #expect(backOff.remaining("k", failedAt: later, now: later) == nil)
        backOff.advance("k", failedAt: later, now: later)
        #expect(backOff.delay("k") == .seconds(10))
    }

    @Test func `other keys do not wait`() {
        var backOff = RestartBackOff()
        backOff.advance("k", failedAt: Sample.now, now: Sample.now)
        #expect(backOff.remaining("other", failedAt: Sample.now, now: Sample.now) == nil)
    }
}

@Suite struct PodStatusBuilderTests {
    private func status(
        _ pod: DesiredPod, _ observed: ObservedPod, _ change: (inout PodStatusBuilder) -> Void = { _ in }
    ) -> JSON {
        var builder = PodStatusBuilder(now: Sample.now, hostIP: "10.240.0.11")
        change(&builder)
        return builder.status(of: pod, observed: observed, previous: .null)
    }

    @Test func `a pod that waits for its image says so`() throws {
        let status = try status(Sample.pod(), ObservedPod(sandboxes: [Sample.sandbox])) {
            $0.waiting["a"] = .init(reason: "ImagePullBackOff", message: "m")
        }
        #expect(status["phase"] == "Pending")
        #expect(status["podIP"] == "10.244.1.2")
        #expect(status["containerStatuses"]?.array?[0]["state", "waiting", "reason"] == "ImagePullBackOff")
    }

    @Test func `a running pod is ready once its readiness probe succeeds`() throws {
        let pod = try Sample.pod(containers: [
            ["name": "a", "image": "i:1", "readinessProbe": ["exec": ["command": ["x"]]]]
        ])
        let observed = ObservedPod(sandboxes: [Sample.sandbox], containers: [Sample.container(.running, of: pod)])
        func ready(_ status: JSON) -> String? {
            status["conditions"]?.array?.first { $0["type"] == "Ready" }?["status"]?.string
        }
        #expect(ready(status(pod, observed)) == "False")
        #expect(ready(status(pod, observed) { $0.ready = ["a-0"] }) == "True")
        #expect(status(pod, observed)["phase"] == "Running")
    }

    @Test(arguments: [(0, "Succeeded"), (1, "Failed")])
    func `a pod that is not restarted ends as its container did`(exitCode: Int, phase: String) throws {
        let pod = try Sample.pod(restartPolicy: "Never")
        let observed = ObservedPod(
            sandboxes: [Sample.sandbox], containers: [Sample.container(.exited, exitCode: exitCode, of: pod)])
        #expect(status(pod, observed)["phase"]?.string == phase)
    }

    @Test func `a container in back-off shows how it ended last`() throws {
        let pod = try Sample.pod()
        let observed = ObservedPod(
            sandboxes: [Sample.sandbox], containers: [Sample.container(.exited, attempt: 4, exitCode: 137, of: pod)])
        let container = status(pod, observed) { $0.waiting["a"] = .init(reason: "CrashLoopBackOff", message: "m") }[
            "containerStatuses"]?.array?[0]
        #expect(container?["state", "waiting", "reason"] == "CrashLoopBackOff")
        #expect(container?["lastState", "terminated", "exitCode"] == 137)
        #expect(container?["restartCount"] == 4)
    }

    @Test func `transition times move only when a condition does`() throws {
        let pod = try Sample.pod()
        let observed = ObservedPod(sandboxes: [Sample.sandbox], containers: [Sample.container(.running, of: pod)])
        let first = status(pod, observed)
        let later = PodStatusBuilder(now: Sample.now + .seconds(60), hostIP: "10.240.0.11")
        #expect(later.status(of: pod, observed: observed, previous: first) == first)
    }
}
