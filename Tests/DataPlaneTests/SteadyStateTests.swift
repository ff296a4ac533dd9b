import CCallCounter
import DataPlane
import DataPlaneTesting
import LinuxKit
import Testing

/// That moving packets asks for no memory. Only where the optimizer has been at work.
@Suite(.enabled(if: !isUnoptimized, "an unoptimized build allocates where an optimized one does not"), .serialized)
struct SteadyStateTests {
    private func allocations(_ body: () throws -> Void) rethrows -> Int {
        ccallcounter_begin()
        defer { _ = ccallcounter_end() }
        try body()
        return ccallcounter_end()
    }

    @Test func theCounterCounts() {
        var held: [[Int]] = []
        let counted = allocations { for index in 0..<10 { held.append(Array(repeating: index, count: 100 + index)) } }
        #expect(held.count == 10)
        #expect(counted >= 10)
    }

    /// Small packets, of TCP and UDP, super-packets, ones that are dropped, and ones that are answered.
    private func packets(_ generator: inout SeededGenerator) -> [([UInt8], VirtioNetHeader)] {
        var header = VirtioNetHeader()
        header.flags = VirtioNetHeader.needsChecksum
        header.segmentationType = VirtioNetHeader.tcp4
        header.segmentSize = 1420
        let none = VirtioNetHeader()
        return [
            (PacketFactory(isTCP: false, payload: 64).make(&generator), none),
            (PacketFactory(payload: 1400).make(&generator), none),
            (PacketFactory(isIPv6: true, payload: 1200).make(&generator), none),
            (PacketFactory(payload: 40_000).make(&generator), header),
            (PacketFactory(payload: 10, hopLimit: 1).make(&generator), none),
            (PacketFactory(payload: 10, destination: (99, 9)).make(&generator), none),
        ]
    }

    @Test func theWayOutAllocatesNothing() throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var generator = SeededGenerator(seed: 1)
        let packets = packets(&generator)
        var lane = OutboundLane()
        for (round, repetitions) in [1, 1, 2, 4].enumerated() {
            for _ in 0..<repetitions { for (packet, header) in packets { try harness.giveDevice(packet, header) } }
            let counted = try allocations {
                _ = try lane.moveBatch(
                    from: harness.device, to: harness.senders, mailbox: harness.mailbox, counters: harness.counters)
            }
            _ = try LaneHarness.received(harness.peer)
            _ = try harness.takenFromDevice()
            if round > 0 { #expect(counted == 0) }  // the first takes up the table
        }
    }

    @Test func theWayInAllocatesNothing() throws {
        let harness = try LaneHarness()
        harness.publishTable()
        var generator = SeededGenerator(seed: 2)
        var datagrams: [[UInt8]] = []
        for (isIPv6, isTCP) in [(false, false), (false, true), (true, false), (true, true)] {
            let factory = PacketFactory(
                isIPv6: isIPv6, isTCP: isTCP, payload: 6_000, source: (2, 3), destination: (1, 2))
            datagrams += PlainReference.segments(of: factory.make(&generator), size: 1000)
            datagrams.append(PacketFactory(payload: 10, source: (9, 9)).make(&generator))
        }
        var lane = InboundLane(joinsDatagrams: true)
        for (round, repetitions) in [1, 1, 2, 4].enumerated() {
            for _ in 0..<repetitions { try harness.send(datagrams, from: harness.peer) }
            let counted = try allocations {
                _ = try lane.moveBatch(
                    from: harness.receiver, to: harness.device, mailbox: harness.mailbox, counters: harness.counters)
            }
            _ = try lane.run(harness)
            _ = try harness.takenFromDevice()
            if round > 0 { #expect(counted == 0) }
        }
    }
}

private let isUnoptimized: Bool = {
    var unoptimized = false
    assert(
        {
            unoptimized = true
            return true
        }())
    return unoptimized
}()
