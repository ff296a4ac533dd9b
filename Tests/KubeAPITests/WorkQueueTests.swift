import KubeAPITesting
import KubeSchema
import Logging
import Testing

@testable import KubeAPI

@Suite struct WorkQueueTests {
    @Test func aKeyIsInItOnce() async {
        let queue = WorkQueue<String>()
        for key in ["a", "b", "a"] { queue.add(key) }
        #expect(queue.count == 2)
        #expect(await queue.next() == "a")
        #expect(await queue.next() == "b")
    }

    @Test func aKeyAddedWhileItIsWorkedOnComesAgainAfterwards() async {
        let queue = WorkQueue<String>()
        queue.add("a")
        #expect(await queue.next() == "a")
        queue.add("a")
        #expect(queue.count == 0)
        queue.done("a")
        #expect(queue.count == 1)
    }

    @Test func delaysRunByTheClockAndTheEarliestWins() async throws {
        let time = ManualTime()
        let queue = WorkQueue<String>(time: time)
        let seen = Shared<[String]>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await queue.process(logger: Logger(label: "test")) { key in seen.withLock { $0.append(key) } }
            }
            queue.add("late", after: .seconds(60))
            queue.add("soon", after: .seconds(10))
            queue.add("late", after: .seconds(30))
            queue.add("now")
            try await eventually("now") { seen.withLock { $0 } == ["now"] }
            try await eventually("soon comes at its time") {
                if time.uptime < .seconds(1010) { time.advance(by: .seconds(10)) }
                return seen.withLock { $0 } == ["now", "soon"]
            }
            time.advance(by: .seconds(20))
            try await eventually("late comes at the earlier of its times") { seen.withLock { $0.last } == "late" }
            group.cancelAll()
        }
    }

    @Test func whatFailsIsTriedAgain() async throws {
        let queue = WorkQueue<String>(backoff: Backoff(base: .milliseconds(1), cap: .milliseconds(5)))
        let tries = Shared(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await queue.process(workers: 2, logger: Logger(label: "test")) { _ in
                    if tries.withLock({
                        $0 += 1; return $0
                    }) < 5 {
                        throw APIError.unreachable("test")
                    }
                }
            }
            queue.add("a")
            try await eventually("the fifth try") { tries.withLock { $0 } == 5 }
            group.cancelAll()
        }
    }

    @Test func noKeyIsWorkedOnByTwoAtATime() async throws {
        let queue = WorkQueue<Int>()
        let active = Shared<Set<Int>>([])
        let done = Shared(0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await queue.process(workers: 8, logger: Logger(label: "test")) { key in
                    let isAlone = active.withLock { $0.insert(key).inserted }
                    #expect(isAlone)
                    await Task.yield()
                    active.withLock { _ = $0.remove(key) }
                    done.withLock { $0 += 1 }
                }
            }
            for round in 0..<500 { queue.add(round % 7) }
            try await eventually("all is worked off") { queue.count == 0 && active.withLock { $0.isEmpty } }
            group.cancelAll()
        }
        #expect(done.withLock { $0 } >= 7)
    }
}
