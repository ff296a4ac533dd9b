import KubeAPITesting
import KubeSchema
import Logging
import Testing

@testable import KubeAPI

@Suite struct EventTests {
    private func pending(_ name: String, _ message: String) -> EventRecorder.Pending {
        var object = ObjectReference()
        object.kind = "Pod"
        object.name = name
        object.namespace = "default"
        return .init(object: object, type: .normal, reason: "R", message: message, time: Timestamp(seconds: 1))
    }

    @Test func whatIsSaidAgainIsCountedUp() {
        var correlator = EventCorrelator()
        guard case .create(let name) = correlator.take(pending("p", "m"), uptime: .zero) else {
            Issue.record("the first is created")
            return
        }
        let repeats = [
            correlator.take(pending("p", "m"), uptime: .zero), correlator.take(pending("p", "m"), uptime: .zero),
        ]
        #expect(repeats == [.count(name: name, count: 2), .count(name: name, count: 3)])
    }

    @Test func oneObjectMayNotFloodTheServer() {
        var correlator = EventCorrelator()
        let taken = (0..<100).count { correlator.take(pending("p", "m\($0)"), uptime: .zero) != nil }
        #expect(taken == 25)
        let other = correlator.take(pending("other", "m"), uptime: .zero)
        let later = correlator.take(pending("p", "later"), uptime: .seconds(301))
        #expect(other != nil && later != nil)
    }

    @Test func eventsReachTheServerWithTheirCount() async throws {
        let api = InMemoryAPI()
        let client = KubeClient(transport: api, logger: Logger(label: "test"))
        let recorder = EventRecorder(client: client, component: "tester")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await recorder.run() }
            let pod = Pod(name: "p", namespace: "default")
            for _ in 0..<3 { recorder.record(pod, .warning, reason: "Failed", message: "again") }
            try await eventually("one event that counts three") {
                let events = try await client.list(Event.self).items
                return events.count == 1 && events[0].count == 3 && events[0].involvedObject.name == "p"
            }
            group.cancelAll()
        }
    }

    @Test func aLeaseIsTakenOnlyWhenItHasExpiredByOurOwnClock() {
        var mine = LeaderElection.Candidate(identity: "me", leaseDuration: .seconds(15))
        var theirs = Lease(name: "l", namespace: "kube-system")
        theirs.holderIdentity = "other"
        theirs.leaseDurationSeconds = 15
        let now = Timestamp(seconds: 0)
        let early = [0, 14].map { mine.claim(theirs, uptime: .seconds($0), now: now) }
        #expect(early == [nil, nil])
        theirs.renewTime = MicroTime(Timestamp(seconds: 5))  // renewed: the time begins anew
        let late = [16, 31].map { mine.claim(theirs, uptime: .seconds($0), now: now)?.holderIdentity }
        #expect(late == [nil, "me"])
        let fresh = mine.claim(nil, uptime: .seconds(31), now: now)
        #expect(fresh?.holderIdentity == "me")
    }
}
